#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-issue: what it refuses, each beside what it accepts. A refusal prints no token and leaves the keyset alone.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq
	fresh
	minted=0
}

# Whatever was refused has left no ticket behind, and whatever was minted one.
teardown() { [ "$(stat -c %s "$state/private/1.minted")" -eq "$minted" ]; }

# recount - after what takes a ticket although nobody gets the token
recount() { minted=$(stat -c %s "$state/private/1.minted"); }

# no CODE TEXT OPTION... - refused so
no()
{
	try "$1" issue "${@:3}"
	[[ -z $output && $stderr == 'rjwt-issue: '*"$2"* && $stderr != *eyJ* ]] || { printf 'no "%s" in: %s%s\n' "$2" "$output" "$stderr"; return 1; }
}

# yes OPTION... - minted
yes()
{
	try 0 issue "$@"
	minted=$((minted + 1))
}

chars() { head -c "$1" /dev/zero | tr '\0' "${2-x}"; }

# bats test_tags=long
@test "USER: empty, control characters, no UTF-8, too long, missing, several" {
	for user in '' $'al\nice' $'alice\n' $'\e[31malice' $'al\x7fice' $'al\xc2\x9bice' $'al\xffice' $'\xc0\xaf' "$(chars 256)"; do
		no 1 'the user must be 1 to 255 bytes of UTF-8 without control characters' "$user"
	done
	no 2 'USER is missing'
	no 2 'expected exactly one USER' alice bob
	for user in a 'al ice' 'älice@例え.jp' "$(chars 255)" "o'brien\"\\" -- -alice; do
		[ "$user" = -- ] || yes -- "$user"
	done
	configure 'user_suffix: "@example.org"'
	no 1 'the user must be' "$(chars 244)"
	yes "$(chars 243)"
}

# bats test_tags=long
@test "lifetime: 0, negative, above the maximum, no duration" {
	no 1 'lifetime 0s is out of range (1s to max_lifetime, 1h)' -t 0 alice
	no 1 'lifetime 0s is out of range' -t 0s alice
	no 1 'lifetime 1h1s is out of range' -t 3601s alice
	no 1 'lifetime 1d is out of range' -t 1d alice
	yes -t 1s alice
	yes -t 3600s alice
	for text in -1 -5m '' 5 1w 1.5h 5M 05m ' 5m' '5m ' 99999999999999999999s 30m1h 1h1h; do
		no 2 'not a duration (expected for example 90s, 15m, 12h or 7d)' "--lifetime=$text" alice
	done
	configure 'max_lifetime: 2h'
	yes -t 3601s alice
}

# bats test_tags=long
@test "--not-before: too late, no time" {
	no 1 'max_lifetime is 1h' --not-before +56m alice
	no 1 'max_lifetime is 1h' --not-before 9999-12-31T00:00:00Z alice
	yes --not-before +54m alice
	yes --not-before +54m -t 5m alice
	for text in '' now -5m 2001-02-30T00:00:00Z 2001-02-03 2001-02-03T04:05:06 +1 99999999999999999; do
		no 2 'RFC 3339, seconds since the epoch' "--not-before=$text" alice
	done
}

# bats test_tags=long
@test "claims and header members that are rjwt's own" {
	for name in iss sub aud exp nbf iat jti scope once cnf src; do
		no 1 "$name is reserved" -C "$name=x" alice
		no 1 "$name is reserved" --claim "$name:=1" alice
	done
	for name in alg kid typ crit b64 zip cty jwk jku x5c x5u x5t; do
		no 1 "$name is reserved" -H "$name=x" alice
		no 1 "$name is reserved" --header "$name:={}" alice
	done
	no 1 'duplicate name' -C a=1 -C a=2 alice
	no 1 'duplicate name' -H a=1 -H a=2 alice
	yes -C Sub=x -C su=x -C 'sub =x' -H Alg=x -C alg=x -H sub=x alice
	configure 'user_claim: email'
	no 1 "email is reserved" -C email=x alice
	no 1 "sub is reserved" -C sub=x alice
	yes -H email=x alice
}

@test "claims too deep, or too many of them: what we could not read ourselves" {
	no 2 'is not a JSON value' -C 'a:=[[[[[[[[1]]]]]]]]' alice
	yes -C 'a:=[[[[[[[1]]]]]]]' alice
	for n in {1..56}; do many+=(-C "$n=1"); done
	no 1 members "${many[@]}" --force alice
	yes "${many[@]:2}" --force alice
}

# bats test_tags=long
@test "audience, issuer, scope" {
	for name in '' $'a\nb' $'\e' $'\xff' "$(chars 256)"; do
		no 1 'an audience must be' -a good.example -a "$name" alice
		no 1 'the issuer must be' -i "$name" alice
	done
	yes -a "$(chars 255)" -i "$(chars 255 i)" -s other alice
	for word in '' 'a b' ' ssh' $'ssh\n' 'a,b' 'ä' "$(chars 33)"; do
		no 1 'a scope must be 1 to 32 of' -s ssh -s "$word" alice
	done
	yes -s "$(chars 32)" -s ssh alice
}

@test "--output: a file that exists, a link, a folder, no folder, one where others may write, one where we may not" {
	echo mine >"$dir/there"
	ln -s "$dir/nowhere" "$dir/link"
	mkfifo "$dir/fifo"
	mkdir "$dir/folder" "$dir/open"
	chmod 0777 "$dir/open"
	ln -s "$dir/folder" "$dir/way"
	for name in there link fifo folder state/keyset.json; do
		no 1 "$dir/$name: exists already" -o "$dir/$name" alice
	done
	no 1 "$dir/open: writable by its group or by others" -o "$dir/open/token" alice
	no 1 "$dir/way: not a directory (symbolic links are not followed)" -o "$dir/way/token" alice
	no 1 "$dir/no: cannot open: No such file" -o "$dir/no/token" alice
	no 2 'not the name of a file' -o "$dir/folder/" alice
	no 2 '--output: the file name is empty' -o '' alice
	no 1 "must be owned by root or you, and writable by no other user" -o "$dir/open/token" alice
	if [ "$(id -u)" -eq 0 ]; then
		chown 65534 "$dir/folder"
		no 1 "$dir/folder: not owned by root (the directory of --output" -o "$dir/folder/token" alice
		chown 0 "$dir/folder"
	fi
	[ "$(cat "$dir/there")" = mine ]
	[ ! -e "$dir/nowhere" ]
	[ -z "$(find "$dir/folder" "$dir/open" -name '*token*')" ]
	no 1 '/sys/kernel/token: cannot write: ' -o /sys/kernel/token alice
	yes -o "$dir/folder/token" alice
	chmod 1777 "$dir/open"
	yes -o "$dir/open/token" alice
}

@test "--output into a folder that is not ours to write, and without root" {
	need_user
	mkdir "$dir/closed"
	chmod 0555 "$dir/closed"
	refused 1 "$dir/closed/token: cannot write: Permission denied" issue -o "$dir/closed/token" alice
	chmod 0755 "$dir/closed"
	yes -o "$dir/closed/token" alice
}

# bats test_tags=long
@test "--output: what is refused leaves no file, what is minted fills it" {
	before=$(snapshot)
	no 1 'lifetime 0s is out of range' -t 0 -o "$dir/token" alice
	configure 'frobnicate: 1'
	no 1 'unknown key' -o "$dir/token" alice
	configure
	[ ! -e "$dir/token" ]
	[ "$(snapshot)" = "$before" ]
	yes -o "$dir/token" alice
	[ "$(stat -c %a "$dir/token")" = 600 ]
	[[ $(tr -d '\n' <"$dir/token") =~ ^eyJ[A-Za-z0-9._-]+$ ]]
	configure 'max_token_bytes: 65536'
	yes --json -s other -C "x=$(chars 20000)" -o "$dir/long" alice
	[ "$(jq .size "$dir/long")" -gt 20000 ]
}

@test "--output into a folder that is full: an error, nothing is left there, and nothing was minted" {
	need_root
	need unshare mount
	unshare -m mount -t tmpfs -o size=4k tmpfs "$dir" 2>/dev/null || skip 'no file system can be mounted here'
	mkdir "$dir/full"
	printf '%s\n' 'mount -t tmpfs -o size=8k,mode=755 tmpfs full && head -c 9000 /dev/zero >full/zero 2>/dev/null' \
		'"$@"; status=$?; ls full; exit $status' >"$dir/inside"
	cd "$dir"
	before=$(snapshot)
	run -1 unshare -m bash inside "$RJWT_BUILD/rjwt-issue" -c "$conf" -o "$dir/full/token" alice
	says "$dir/full/token: cannot write: No space left on device"
	[ "${lines[-1]}" = zero ]
	[ "$(snapshot)" = "$before" ]
	sed -i 's/ && head.*//' inside
	run -0 unshare -m bash inside "$RJWT_BUILD/rjwt-issue" -c "$conf" -o "$dir/full/token" alice
	[ "${lines[-1]}" = token ]
	minted=1
}

# bats test_tags=long
@test "stdout that is full, closed, or a pipe that nobody reads: status 1" {
	run -1 bash -c '"$@" >/dev/full' - "$RJWT_BUILD/rjwt-issue" -c "$conf" alice
	says 'standard output: No space left on device'
	run -1 bash -c '"$@" >&-' - "$RJWT_BUILD/rjwt-issue" -c "$conf" alice
	says 'standard output'
	run -1 bash -c 'set -o pipefail; { sleep 0.2; "$@"; } | true' - "$RJWT_BUILD/rjwt-issue" -c "$conf" alice
	says 'standard output: Broken pipe'
	run -0 bash -c '"$@" 2>&- </dev/null' - "$RJWT_BUILD/rjwt-issue" -c "$conf" --reusable alice
	[[ $output == eyJ* ]]
	for option in --help --version --algorithms; do
		run -1 bash -c '"$@" >/dev/full' - "$RJWT_BUILD/rjwt-issue" $option
	done
	recount
}

# bats test_tags=long
@test "a token that does not fit a prompt of its scope, with the limit and what makes it long; --force" {
	for limits in 'sudo 511 300' 'ssh 1022 700' 'su 4095 3000' 'login 4095 3000'; do
		read -r scope limit size <<<"$limits"
		no 1 "bytes for $scope (expected at most $limit): a signature of ES256 has 64 bytes, the claims " \
			-s "$scope" -C "x=$(chars "$size")" alice
		yes -s "$scope" -C "x=$(chars "$size")" --force alice
		yes -s other -C "x=$(chars "$size")" alice
	done
	no 1 'too_long' -s ssh -s sudo -C "x=$(chars 300)" alice
	no 1 'bytes for vsftpd (expected at most 128: no token fits)' -s vsftpd alice
	no 1 'bytes for openvpn (expected at most 127: no token fits)' -s openvpn alice
	yes -s openvpn --force alice
	configure 'services: {vsftpd: files, proftpd: files}'
	no 1 'bytes for files (expected at most 128: no token fits)' -s files alice
	configure 'services: {proftpd: files, vsftpd: ""}'
	yes -s files alice
	configure
	no 1 'max_token_bytes is 8192' -s other -C "x=$(chars 6000)" --force alice
	configure 'max_token_bytes: 16384'
	yes -s other -C "x=$(chars 6000)" --force alice
}

@test "RS256 does not fit sudo's prompt" {
	rm -r "$state"
	configure 'alg: RS256' 'rsa_bits: 2048'
	keyd init
	no 1 'bytes for sudo (expected at most 511): a signature of RS256 has 256 bytes' -s sudo alice
	yes -s ssh alice
	yes --json --force -s sudo -s ssh -s kiosk alice
	[ "$(jq -c .fits <<<"$output")" = '["ssh"]' ]
}

@test "invalid request" {
	while IFS='|' read -r text arguments; do
		# shellcheck disable=SC2086    # words
		no 2 "$text" $arguments
		[[ $stderr == *"Try \`rjwt-issue --help'." ]]
	done <<-'E'
		unknown option|--frob alice
		unknown option|-x alice
		unknown option|--to 10.0.0.0/8 alice
		the argument is missing|alice -s
		the argument is missing|alice --lifetime
		USER is missing|--json
		alice: unexpected argument|--algorithms alice
	E
}

# bats test_tags=long
@test "rjwt-issue(1) has the limit of each service as it is kept" {
	rows=0
	while IFS='|' read -r services limit remarks; do
		for service in ${services//,/ }; do
			rows=$((rows + 1))
			configure 'max_token_bytes: 65536' "services: {$service: here}"
			case $limit in
			'not known' | 6????) yes -s here alice ;;    # no token is too long
			*) long=$(chars "$limit")
			   no 1 "bytes for here (expected at most $limit" -s here -C "x=$long" alice
			   yes --force -s here alice ;;
			esac
			case $remarks in
			*reusable*) [[ $stderr == *"$service does not run as root"* ]] ;;
			*) [[ $stderr != *'as root'* ]] ;;
			esac
		done
	done < <(sed -n '/^.It Sy service Ta Sy maximum/,/^.El/s/^.It \([a-z0-9, -]*\) Ta \([0-9]*\|not known\) Ta\(.*\)/\1|\2|\3/p' "$RJWT_SOURCE/man/rjwt-issue.1")
	[ $rows -ge 24 ]
}
