#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# apparmor/: the profiles are parsed, and all that strace saw is allowed. tests/policy/run has made the traces. No kernel loads
# the profiles here.

bats_require_minimum_version 1.5.0

setup_file()
{
	. tests/system/helpers.bash
	export traces=$work/traces profiles=$work/profiles
	mkdir $profiles
	cp apparmor/* $profiles
}

setup() { . tests/system/helpers.bash; }

# expanded FILE - the profile with what it includes
expanded() { apparmor_parser -Q -K -p "$1" 2>/dev/null; }

# missing PROFILE TRACE... - what the profile does not allow, but for our own places; false if there is anything
missing()
{
	local lacks
	expanded "$1" >"$BATS_TEST_TMPDIR/profile"
	lacks=$(tests/policy/apparmor.py "$BATS_TEST_TMPDIR/profile" "${@:2}" | grep -v "^$work/")
	[ -z "$lacks" ] || { echo "$lacks" && false; }
}

@test "apparmor: the profiles are parsed" {
	for file in apparmor/*; do
		run -0 apparmor_parser -Q -K "$file"
	done
	sed 's/mrix,/mrz,/' apparmor/rjwt-fetch >"$BATS_TEST_TMPDIR/wrong"
	run ! apparmor_parser -Q -K "$BATS_TEST_TMPDIR/wrong"
}

@test "apparmor: what the daemon, its commands and rjwt-fetch did is allowed" {
	run -0 missing $profiles/usr.sbin.rjwt-keyd "$traces"/keyd.*
	run -0 missing $profiles/rjwt-fetch "$traces"/fetch.*
	# not by the other's
	run -1 missing $profiles/rjwt-fetch "$traces"/keyd.rotate
	[[ $output == */private/* ]]
}

@test "apparmor: each path that is ours in a profile is needed: without it something that was seen is missing" {
	for profile in usr.sbin.rjwt-keyd:keyd rjwt-fetch:fetch; do
		file=${profile%:*}
		while IFS=: read -r line text; do
			sed "${line}d" apparmor/$file >"$BATS_TEST_TMPDIR/less"
			run missing "$BATS_TEST_TMPDIR/less" "$traces/${profile#*:}".*
			[ "$status" -ne 0 ] || echo "$file: $text"
		done < <(grep -n '^  [^#d]*rjwt.*,$' apparmor/$file | grep -v include)
	done >"$BATS_TEST_TMPDIR/spare"
	diff "$BATS_TEST_TMPDIR/spare" /dev/null
}
