#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a login costs does not grow with what is kept: instructions, by valgrind, and system calls, by strace.
# Time would tell little on a machine that others use too.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq "$python" valgrind strip
	use_folder "$BATS_TEST_TMPDIR"
	memory=$BATS_TEST_TMPDIR
	if [ -w /dev/shm ]; then memory=$(mktemp -d /dev/shm/rjwt-scale-XXXXXX); fi
	tracing=
	if strace -c -o /dev/null true 2>/dev/null; then tracing=yes; fi
	# Without what is for debuggers: not every valgrind can read what clang writes.
	program=$dir/login
	strip -o "$program" "$RJWT_BUILD/tests/fault/login"
	state=$memory/state
	keyset_of 10
}

teardown() { [ -z "${memory-}" ] || rm -rf "$memory"; }

scale() { "$python" "$bats/scale.py" "$@"; }
login() { "$program" "$conf" alice sshd "$1"; }

# keyset_of N - a new one with N retired keys
keyset_of()
{
	rm -rf "$state"
	configure
	try 0 keyd init
	scale keys "$state" "$1"
	try 0 keyd once
	try 0 keyd status --json
	[ "$(jq '.keys | length' <<<"$output")" -eq $(($1 + 2)) ]
	mkdir -m 0700 "$state/spent/1001"
	scale names "$state/revoked/jti" 10
	scale names "$state/spent/1001" 10
}

token() { issue "$@" alice 2>/dev/null; }

# cost OPTION... - of the login with such a token: $instructions and $calls
cost()
{
	try 0 valgrind --tool=callgrind --callgrind-out-file=/dev/null \
		"$program" "$conf" alice sshd "$(token "$@")"
	instructions=$(sed -n 's/.*Collected : \([0-9]*\).*/\1/p' <<<"$stderr")
	[ "$instructions" -gt 1000000 ]    # a signature was looked at
	calls=0
	[ -n "$tracing" ] || return 0
	try 0 strace -c -f -o "$dir/calls" "$program" "$conf" alice sshd "$(token "$@")"
	calls=$(awk '$NF == "total" { print $4 }' "$dir/calls")
	[ "$calls" -gt 50 ]
}

# costs FILE - of both kinds of token: a line for each, "instructions calls"
costs()
{
	cost --reusable
	echo "$instructions $calls" >"$dir/$1"
	cost
	echo "$instructions $calls" >>"$dir/$1"
}

# no_more - the costs when there was more, beside those before
no_more()
{
	paste -d ' ' "$dir/few" "$dir/many" | tee "$dir/both"
	awk '
		$3 > $1 * 1.05 { print "instructions: " $3 / $1 " times as many"; bad = 1 }
		$4 != $2 { print "system calls: " $4 ", not " $2; bad = 1 }
		END { exit bad || NR != 2 }' "$dir/both"
}

# refuses_still - what is revoked or spent now is found among the many
refuses_still()
{
	local revoked once
	revoked=$(token --reusable) once=$(token)
	try 0 login "$revoked"
	try 0 login "$once"
	try 0 keyd revoke --jti "$(claim .jti "$revoked")"
	refused 1 revoked login "$revoked"
	refused 1 spent login "$once"
}

@test "a login costs the same with 10 and with 100,000 revoked ids" {
	costs few
	scale names "$state/revoked/jti" 100000
	costs many
	no_more
	refuses_still
}

@test "a login costs the same with 10 and with 1,000,000 spent marks" {
	many=1000000
	# Not on a disk, or in a small memory.
	[ "$memory" != "$BATS_TEST_TMPDIR" ] && [ "$(df --output=iavail "$memory" | tail -n 1)" -gt 1100000 ] || many=50000
	costs few
	scale names "$state/spent/1001" $many
	costs many
	no_more
	refuses_still
	[ $many -eq 1000000 ] || skip "only with $many: /dev/shm has no room for more"
}

@test "a login costs the same with 10 and with 1,000 retained keys" {
	costs few
	keyset_of 1000
	costs many
	no_more
	refuses_still
}
