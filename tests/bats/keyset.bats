#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A keyset that no program may trust: each refuses it with what, where and what to do, and leaves it as it was.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq
	fresh
	run -0 keyd check
	token=$(issue --reusable alice)
	cp -a "$state" "$dir/good"
}

# everybody VERIFY TEXT - what the programs say of the keyset; VERIFY: the exit status of rjwt-verify, 0 when it may go on
everybody()
{
	local before code=$1 text=$2
	before=$(snapshot)
	refused 1 "$text" issue alice
	refused 1 "$text" keyd once
	refused 1 "$text" keyd rotate
	refused 1 "$text" keyd rotate --dry-run
	refused 3 "$text" keyd status
	refused 1 "$text" keyd check
	if [ "$code" -eq 0 ]; then text=accepted; fi
	refused "$code" "$text" verify -u alice -s sshd <<<"$token"
	[ "$before" = "$(snapshot)" ]
}

# broken VERIFY TEXT COMMAND - what everybody says after COMMAND; when it is undone, all is well
broken()
{
	printf 'case: %s\n' "$3"
	(cd "$state" && eval "$3")
	everybody "$1" "$2"
	rm -rf "$state"
	cp -a "$dir/good" "$state"
	try 0 issue alice
	try 0 verify -u alice -s sshd <<<"$token"
}

# bats test_tags=long
@test "no keyset: missing folder, missing file, missing key file" {
	broken 2 'rjwt-keyd init creates one' 'rm -r ../state; mkdir ../state'
	broken 2 'keyset.json: does not exist: no keyset was created' 'rm keyset.json'
	broken 2 'keys' 'rm -r keys'
	rm -r "$state"
	refused 1 "$state: does not exist: no keyset was created (rjwt-keyd init creates one)" issue alice
	refused 3 'no keyset was created' keyd status
	[[ $output == *'fix: rjwt-keyd init makes one'* ]]
	code() { keyd status --json | jq -r '.findings[0].code'; }
	[ "$(code)" = keyset.missing ]
	cp -a "$dir/good" "$state"
	rm -r "$state/keys"
	[ "$(code)" = keyset.unusable ]
}

# bats test_tags=long
@test "keyset.json empty, torn, altered, too large, of a format to come" {
	broken 2 'does not match (restore a good copy, or: rjwt-keyd init --adopt)' ': >keyset.json'
	broken 2 'is damaged or was altered' 'truncate -s 100 keyset.json'
	broken 2 'is damaged or was altered' 'truncate -s -1 keyset.json'
	broken 2 'is damaged or was altered' 'sed -i s/ca.example.org/cb.example.org/ keyset.json'
	broken 2 'is damaged or was altered' 'echo >>keyset.json'
	broken 2 'too large' 'head -c 9000 /dev/zero >keyset.json'
	broken 2 'has an unknown format' 'jq -c .format=2 keyset.json | seal >n; cat n >keyset.json; rm n'
	broken 2 'contradicts itself' 'jq -c .active.version=2 keyset.json | seal >n; cat n >keyset.json; rm n'
	broken 2 'a member is missing' 'jq -c "del(.floor)" keyset.json | seal >n; cat n >keyset.json; rm n'
}

# bats test_tags=long
@test "files and folders that others can write to, links, special files" {
	broken 2 'keyset.json: writable by its group or by others' 'chmod 0664 keyset.json'
	broken 2 'keyset.json: writable by its group or by others' 'chmod 0646 keyset.json'
	broken 2 'state: writable by its group or by others' 'chmod 0777 .'
	broken 2 'state: writable by its group or by others' 'chmod 1777 .'
	broken 2 'keys: writable by its group or by others' 'chmod 0775 keys'
	broken 2 'keyset.json: is a symbolic link' 'mv keyset.json k; ln -s k keyset.json'
	broken 2 'keys: not a directory' 'mv keys k; ln -s k keys'
	broken 2 'keyset.json: not a regular file' 'rm keyset.json; mkfifo keyset.json'
	broken 2 'keyset.json: not a regular file' 'rm keyset.json; mkdir keyset.json'
}

# bats test_tags=long
@test "a keyset of another user" {
	need_root
	broken 2 'keyset.json: not owned by root (chown root)' 'chown 65534 keyset.json'
	broken 2 'state: not owned by root' 'chown 65534 .'
	broken 2 'keys: not owned by root' 'chown 65534 keys'
}

# bats test_tags=long
@test "a key file that is torn, writable, of another keyset" {
	broken 2 'does not match (restore a good copy, or: rjwt-keyd init --adopt)' 'truncate -s 100 keys/1.jwk'
	broken 2 '1.jwk' ': >keys/1.jwk'
	broken 2 'writable by its group or by others' 'chmod 0666 keys/1.jwk'
	broken 2 'has key' 'cat keys/2.jwk >keys/1.jwk'
}

# bats test_tags=long
@test "a private key that is torn or writable refuses to sign, and verifying goes on" {
	for spoil in ': >1.key' 'truncate -s 100 1.key' 'chmod 0666 1.key' 'cat 2.key >1.key' 'rm 1.key'; do
		(cd "$state/private" && eval "$spoil")
		refused 1 private issue alice
		verify -u alice -s sshd <<<"$token"
		rm -r "$state"
		cp -a "$dir/good" "$state"
		try 0 issue alice
	done
}

# bats test_tags=long
@test "what others could read is a finding, and hinders nothing; nobody else's folder is looked into" {
	for spoil in 'chmod 0755 private' 'chmod 0750 spent' 'chmod 0701 issued' 'chmod 0644 private/1.key' 'chmod 0640 private/2.key'; do
		(cd "$state" && eval "$spoil")
		refused 3 "$state/${spoil#chmod * }: accessible to its group or to others (chmod go-rwx" keyd status
		refused 1 "$state/${spoil#chmod * }: accessible to its group or to others (chmod go-rwx" keyd check
		[[ $output == *'check: FAIL: 1 FAIL, '* ]]
		run -0 keyd once
		run -0 issue alice
		rm -r "$state"
		cp -a "$dir/good" "$state"
	done
	chmod 0500 "$state/spent"
	run -0 keyd check
	chmod 0777 "$state/private"
	run -1 keyd check
	[ "$(grep -c 'private: writable by its group or by others' <<<"${output//$'\n               '/ }")" -eq 1 ]
	if [ "$(id -u)" -eq 0 ]; then
		[[ $output != *'run this as root'* ]]
	fi
}

@test "a count of tokens that was lost is told as unknown" {
	rm "$state/private/1.minted"
	refused 3 '1.minted is missing or not a file: tokens cannot be counted' keyd status
	[[ $output =~ tokens\ .*\?\ issued\ by\ "$(kid)" ]]
	run -3 keyd status --json
	[ "$(jq -c '.keys[0] | has("minted")' <<<"$output")" = false ]
}

# bats test_tags=long
@test "another machine's keyset, an old one put back, another base_kid: writers refuse, verifying goes on" {
	broken 0 'belongs to another machine' 'jq -c ".machine = \"$(printf x | sha256sum | cut -c-64)\"" keyset.json | seal >n; cat n >keyset.json; rm n'
	broken 0 'an old copy was restored' 'keyd rotate; cat ../good/keyset.json >keyset.json'
	(cd "$state" && jq -c ".machine = \"$(printf x | sha256sum | cut -c-64)\"" keyset.json | seal >n; cat n >keyset.json; rm n)
	refused 1 'belongs to another machine' keyd init --if-missing
	cp -a "$dir/good/keyset.json" "$state"
	run -0 keyd init --if-missing
	configure 'base_kid: other'
	everybody 0 'base_kid is other'
	configure "base_kid: $(jq -r .base "$state/keyset.json")"
	run -0 issue alice
}

@test "no user but its own may mint or rotate; verifying is for everybody" {
	need_root
	need setpriv
	chmod 0755 "$BATS_RUN_TMPDIR" "${dir%/*}" "$dir"
	as_nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	"${as_nobody[@]}" test -x "$RJWT_BUILD/rjwt-issue" -a -r "$conf" || skip 'the build folder is closed to other users'
	before=$(snapshot)
	refused 1 'run it as root' "${as_nobody[@]}" "$RJWT_BUILD/rjwt-issue" -c "$conf" alice
	refused 1 'run it as root' "${as_nobody[@]}" "$RJWT_BUILD/rjwt-keyd" -c "$conf" rotate
	refused 1 'run it as root' timeout 10 "${as_nobody[@]}" "$RJWT_BUILD/rjwt-keyd" -c "$conf" run
	run -0 "${as_nobody[@]}" "$RJWT_BUILD/rjwt-verify" -c "$conf" -u alice -s sshd <<<"$token"
	once=$(issue alice)
	refused 2 'run it as root' "${as_nobody[@]}" "$RJWT_BUILD/rjwt-verify" -c "$conf" -u alice -s sshd <<<"$once"
	run -0 verify -u alice -s sshd <<<"$once"
	[ "$(grep -v -e issued -e minted <<<"$before")" = "$(snapshot | grep -v -e issued -e minted)" ]
}
