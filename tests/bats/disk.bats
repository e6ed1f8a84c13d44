#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A state directory on a file system that is really full, of bytes or of files, or read-only: the active key goes on
# signing where it can, nothing is retired without its successor, what cannot be marked is not granted, and the file
# is named. With room again, all is as it was.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	# in the place of the helpers'
	keyd() { inside "$RJWT_BUILD/rjwt-keyd" -c "$conf" "$@"; }
	issue() { inside "$RJWT_BUILD/rjwt-issue" -c "$conf" "$@"; }
	verify() { inside "$RJWT_BUILD/rjwt-verify" -c "$conf" "$@"; }
	need_root
	need jq unshare nsenter mount
	use_folder "$BATS_TEST_TMPDIR"
	configure
	mkdir "$state"
	unshare -m sleep 300 3>&- &    # what is mounted is seen from there alone, and goes with it
	there=$!
	await in_another_namespace
	inside mount -t tmpfs -o size=200k,nr_inodes=60,mode=755 tmpfs "$state" 2>/dev/null ||
		skip 'no file system can be mounted here'
	keyd init
	reusable=$(issue --reusable alice) once=$(issue alice) again=$(issue alice)
	keyd rotate
	inside rm -r "$state/issued"    # so that a list has no page with room in it, and 2.minted has none anyway
	inside mkdir -m 0700 "$state/issued"
	before=$(listing)
}

teardown() { [ -z "${there-}" ] || kill "$there"; }

in_another_namespace() { [ "$(readlink "/proc/$there/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ]; }
inside() { nsenter -t "$there" -m -- "$@"; }
login() { inside "$RJWT_BUILD/tests/fault/login" "$conf" alice sshd "$1"; }
keyset() { inside jq -c "$1" "$state/keyset.json"; }

# listing - names and sizes of what counts
listing()
{
	inside find "$state" ! -name lock ! -path '*/filler*' ! -path '*/issued/*' -type f -printf '%P %s\n' | sort
}

# bytes PAGES, files N, room - fill it but for so much, and make room again
bytes()
{
	inside bash -c "head -c 300k /dev/zero 2>/dev/null >'$state/filler'
		truncate -s -$((4096 * $1)) '$state/filler'"
}
files()
{
	inside bash -c "mkdir '$state/filler'; while : >'$state/filler/'\$((++n)); do :; done 2>/dev/null
		rm -f \$(seq -f '$state/filler/%.0f' $1)"
}
room() { inside rm -rf "$state/filler"; }

# minted TEXT... - with the same key, and a warning that says each of these
minted()
{
	try 0 issue --reusable alice
	token=$output output=$stderr
	says "$@"
	[ "$(header .kid "$token")" = "$(keyset '"\(.base).2"' | jq -r .)" ]
	try 0 login "$token"
}

# no_rotation TEXT - neither by hand nor when it is due; nothing came of it
no_rotation()
{
	refused 1 "$1" keyd rotate
	refused 1 "$1" keyd rotate --compromised
	configure 'rotate_every: 1s' 'previous_key_ttl: 2h'
	refused 1 "$1" keyd once
	minted 'the rotation that is due failed' "$1"
	configure
	[ "$(listing)" = "$before" ]
	[ "$(keyset '[.active.version,.next.version,.next_version]')" = '[2,3,4]' ]
}

# unwritable REASON DIRECTORY... - status and check say so of each of these, and change nothing by looking
unwritable()
{
	local what seen directory
	seen=$(inside find "$state" -printf '%p %T@ %C@ %s\n')
	for what in '3 status' '1 check'; do
		refused "${what% *}" "$state: cannot write: $1" keyd "${what#* }"
		for directory in "${@:2}"; do says "$state/$directory: cannot write: $1: no "; done
	done
	[ "$(inside find "$state" -printf '%p %T@ %C@ %s\n')" = "$seen" ]
}

# as_before - with room again
as_before()
{
	try 0 login "$reusable"
	try 0 issue alice
	[ -z "$stderr" ]
	try 0 login "$output"
	keyd once
	keyd rotate
	[ "$(keyset .active.version)" = 3 ]
	try 0 issue --reusable alice
	try 0 login "$output"
	try 0 login "$reusable"
	try 0 keyd status
	try 0 keyd check
}

@test "full of bytes: minting goes on without a limit, no rotation, and nothing is lost" {
	sleep 1.1
	bytes 0
	unwritable 'No space left on device' keys private revoked/jti revoked/sub issued
	minted "not counted: $state/private/2.minted: cannot write: No space left" \
		"not recorded: $state/issued/" 'No space left'
	no_rotation 'keyset.json: cannot write: No space left on device'
	configure 'max_tokens_per_key: 100'
	refused 1 "$state/private/2.minted: cannot write: No space left on device" issue alice
	configure
	try 0 login "$reusable"
	try 0 login "$once"    # a mark on a tmpfs takes no byte
	try 1 login "$once"
	room
	configure 'max_tokens_per_key: 100'
	try 0 issue alice
	configure
	as_before
	try 0 login "$again"
}

@test "full of files: minting goes on, with a limit too; no rotation, and no one-time login" {
	sleep 1.1
	files 0
	unwritable 'No space left on device' keys private revoked/jti revoked/sub spent issued
	refused 2 "$state/spent: cannot write: No space left on device" verify -u alice -s sshd <<<"$once"
	minted "not recorded: $state/issued/" 'No space left'
	before=$(listing)
	configure 'max_tokens_per_key: 100'
	try 0 issue alice    # the count is a file that is there
	before=${before/2.minted 1/2.minted 2}
	configure
	refused 1 'keyset.json: cannot write: No space left on device' keyd rotate
	refused 2 "io $state/spent/1 cannot create: No space left on device" login "$once"
	try 0 login "$reusable"
	[ "$(listing)" = "$before" ]
	room
	as_before
	try 0 login "$once"
	refused 1 spent login "$once"
	try 0 login "$again"
}

@test "read-only: minting goes on without a limit, no rotation, and no one-time login" {
	try 0 login "$again"    # the folder of these marks is there
	sleep 1.1
	before=$(listing)
	inside mount -o remount,ro "$state"
	minted "not counted: $state/private/2.minted: cannot open: Read-only file system" \
		"not recorded: $state/issued/" 'Read-only file system'
	no_rotation "$state/private: cannot open lock: Read-only file system"
	configure 'max_tokens_per_key: 100'
	refused 1 "$state/private/2.minted: cannot open: Read-only file system" issue alice
	configure
	refused 2 "io $state/spent/1/" login "$once"
	says 'cannot write: Read-only file system'
	refused 1 spent login "$again"
	try 0 login "$reusable"
	try 0 verify -u alice -s sshd <<<"$reusable"
	refused 2 "$state/spent: cannot write: Read-only file system" verify -u alice -s sshd <<<"$once"
	unwritable 'Read-only file system' keys private revoked/jti revoked/sub spent issued
	refused 0 'this host could not mark the token as spent' issue alice
	try 0 issue --reusable alice
	[[ $stderr != *'mark the token as spent'* ]]
	inside mount -o remount,rw "$state"
	as_before
	try 0 login "$once"
	refused 1 spent login "$once"
}

# little FILL - with a little more room at a time: no rotation, until there is one, and each time what signs is whole
little()
{
	local n done=0 was status
	for n in {0..8}; do
		"$1" "$n"
		was=$(keyset '[.active.version, .next.version]') status=0
		keyd rotate 2>"$dir/why" || status=$?
		if [ $status -eq 0 ]; then
			done=$((done + 1))
			[ "$(keyset .active.version)" = "$(jq '.[1]' <<<"$was")" ]
		else
			[ "$done" -eq 0 ]
			[ "$status" -eq 1 ]
			grep "$state/.*: cannot .*: No space left on device" "$dir/why"
			[ "$(keyset '[.active.version, .next.version]')" = "$was" ]
		fi
		inside test -s "$state/private/$(keyset .active.version).key"
		inside test -s "$state/private/$(keyset .next.version).key"
		try 0 issue --reusable alice
		try 0 login "$output"
		try 0 login "$reusable"
		room
	done
	printf '%d of %d rotations\n' "$done" "$((n + 1))"
	[ "$done" -ge 1 ]
	[ "$done" -le 8 ]
	as_new
}

# as_new - all that was left behind is gone
as_new()
{
	keyd once
	[ "$(inside ls "$state/private" | wc -l)" -eq 5 ]
	[ -z "$(inside find "$state" -name '.new*')" ]
	try 0 keyd status
}

@test "almost full of bytes: a rotation is whole, or there is none" { little bytes; }
@test "almost full of files: a rotation is whole, or there is none" { little files; }

@test "full of files or bytes: no code is printed, and none of a few uses is lost" {
	few=$(issue --uses 2 alice)
	files 0
	refused 1 "$state/private/parked: cannot create: No space left on device" issue --short alice
	try 2 login "$few"
	room
	try 0 issue --short alice
	bytes 0
	refused 1 "$state/private/parked: cannot write: No space left on device" issue --short alice
	room
	try 0 issue --short alice
	[ "$(inside find "$state/private/parked" -type f | wc -l)" -eq 2 ]
	try 0 login "$few"
	try 0 login "$few"
	try 1 login "$few"
}

@test "a host that only follows: where nothing can be written, status says so, and follow fails" {
	issuer() { "$RJWT_BUILD/rjwt-keyd" -c "$dir/issuer.yaml" "$@"; }
	follower() { inside "$RJWT_BUILD/rjwt-keyd" -c "$dir/host.yaml" "$@"; }
	printf '%s\n' "state_dir: $dir/issuer" 'issuer: i1' 'audience: i1' >"$dir/issuer.yaml"
	printf '%s\n' "state_dir: $dir/host" 'audience: host' >"$dir/host.yaml"
	mkdir "$dir/host"
	inside mount -t tmpfs -o size=200k,nr_inodes=60,mode=755 tmpfs "$dir/host"
	read -r _ _ url key < <(issuer fleet init --key "$dir/fleet.key" http://i1.example/fleet.jws)
	try 0 follower join "$url" "$key"
	try 0 follower follow "$dir/issuer/www/fleet.jws"
	try 0 follower status
	inside bash -c "head -c 300k /dev/zero 2>/dev/null >'$dir/host/filler'" || true
	try 3 follower status --json
	jq -e '[.findings[] | select(.code == "disk.full") | .text] | any(contains("no revocation of this issuer"))' <<<"$output"
	run issuer revoke --sub alice    # 1: no live token of alice is known
	try 1 follower follow "$dir/issuer/www/fleet.jws"
	inside rm "$dir/host/filler"
	try 0 follower follow "$dir/issuer/www/fleet.jws"
	try 0 follower status
	inside mount -o remount,ro "$dir/host"
	try 3 follower status --json
	jq -e '[.findings[] | select(.code == "disk.readonly") | .text] | any(contains("no login with a one-time token"))' <<<"$output"
	inside mount -o remount,rw "$dir/host"
	try 0 follower status
}
