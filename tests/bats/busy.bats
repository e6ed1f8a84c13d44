#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Another process holds the lock. It takes the 30 s that a writer waits: a stage of ./check runs it.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq flock
	fresh
}

@test "rotate gives up after 30 s behind the lock, and names its last holder; those who read do not wait" {
	next=$(kid next)
	exec {lock}<>"$state/private/lock"
	flock $lock
	before=$(snapshot)
	SECONDS=0
	refused 1 "$state: locked for 30s, last by process " keyd rotate
	[ $SECONDS -ge 28 ]
	says '(rjwt-keyd)'
	[ "$before" = "$(snapshot)" ]
	SECONDS=0
	token=$(issue --reusable alice)
	run -0 verify -u alice -s sshd <<<"$token"
	run -0 keyd check
	[ $SECONDS -lt 20 ]
	exec {lock}>&-
	run -0 --separate-stderr keyd rotate
	[ "$output" = "$next" ]
}
