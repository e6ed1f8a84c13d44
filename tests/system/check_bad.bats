#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-keyd check and try where files are not what they should be: a finding, or what was not checked and why; never a crash,
# a hang or an OK that is wrong.

bats_require_minimum_version 1.5.0

setup_file()
{
	. tests/system/helpers.bash
	local file
	cp -a /etc/pam.d "$work/pam.found"
	for file in $(grep -l pam_rjwt /etc/pam.d/*); do
		rm "$file"
	done
}

teardown_file()
{
	. tests/system/helpers.bash
	rm -rf /etc/pam.d
	mv "$work/pam.found" /etc/pam.d
}

setup()
{
	. tests/system/helpers.bash
	fresh_keyset
	cp -a /etc/pam.d "$work/pam.before"
}

teardown()
{
	rm -rf /etc/pam.d
	mv "$work/pam.before" /etc/pam.d
	[ ! -e "$work/sshd" ] || mv "$work/sshd" /usr/sbin/sshd
	[ ! -e "$work/sudoers" ] || mv "$work/sudoers" /etc/sudoers
	no_token_logged
}

# stack LINE... - of the service rjwt-test: ours, these, and account lines
stack()
{
	printf '%s\n' 'auth sufficient pam_rjwt.so [prompt=Token or password: ]' "$@" "account $account_control pam_rjwt.so" \
		'account required pam_unix.so no_pass_expiry' >/etc/pam.d/rjwt-test
}

# finds EXIT AREA [CODE FILE:LINE TEXT]... - check ends with this, within 10 s, and has these findings in the area
finds()
{
	local status=$1 area=$2
	shift 2
	run -"$status" timeout 10 rjwt-keyd check --json
	diff <([ $# -eq 0 ] || printf '%s %s %s\n' "$@") <(jq -r --arg area "$area" \
		'.findings[] | select(.area == $area and .code) | "\(.code) \(.path // "-"):\(.line // 0) \(.text)"' <<<"$output" | sort)
}

# says AREA - the text of its OK line
says() { jq -r --arg area "$1" '.findings[] | select(.area == $area and .level == "ok").text' <<<"$output"; }

unread='what rjwt-test answers is not checked'

@test "bad input: what an include names is a directory, a pipe, too large or not text" {
	mkdir /etc/pam.d/common-bad
	stack '@include common-bad'
	finds 1 pam pam.unreadable /etc/pam.d/common-bad:0 "not a regular file; $unread"
	rmdir /etc/pam.d/common-bad
	mkfifo /etc/pam.d/common-bad
	finds 1 pam pam.unreadable /etc/pam.d/common-bad:0 "not a regular file; $unread"
	rm /etc/pam.d/common-bad
	head -c 1100000 /dev/zero >/etc/pam.d/common-bad
	finds 1 pam pam.unreadable /etc/pam.d/common-bad:0 "larger than 1 MiB; $unread"
	printf 'auth\0required pam_unix.so\n' >/etc/pam.d/common-bad
	finds 1 pam pam.unreadable /etc/pam.d/common-bad:1 "a NUL byte ends the line for libpam, whatever follows; $unread"
	echo 'auth required pam_unix.so' >/etc/pam.d/common-bad
	finds 0 pam
	[[ $(says pam) == 'rjwt-test: a token or the password; '* ]]
}

@test "bad input: includes in a circle, of each kind; a link to itself" {
	local often='includes files too many levels deep: libpam crashes on it'
	echo '@include common-b' >/etc/pam.d/common-a
	echo '@include common-a' >/etc/pam.d/common-b
	stack '@include common-a'
	run -1 timeout 10 rjwt-keyd check --json
	[ "$(jq -r '.findings[] | select(.code == "pam.unreadable").text' <<<"$output")" = "$often; $unread" ]
	echo 'auth substack common-b' >/etc/pam.d/common-a
	echo 'auth include common-a' >/etc/pam.d/common-b
	run -1 timeout 10 rjwt-keyd check --json
	[ "$(jq -r '.findings[] | select(.code == "pam.unreadable").text' <<<"$output")" = "$often; $unread" ]
	# what try says of it, which does not start libpam
	run -1 timeout 10 rjwt-keyd try alice rjwt-test </dev/null
	[[ ${output//$'\n               '/ } == *"FAIL  rjwt-test /etc/pam.d/common-"[ab]":1: $often"* ]]
	rm /etc/pam.d/common-a
	ln -s common-a /etc/pam.d/common-a
	stack '@include common-a'
	finds 1 pam pam.lockout /etc/pam.d/rjwt-test:2 'includes a file that does not exist, so that libpam refuses the service: nobody can log in'
	run ! pamtester rjwt-test alice authenticate <<<"$(mint -s rjwt-test alice)"
}

@test "bad input: a stack of 2,000 lines is judged as a short one, and soon" {
	stack 'auth required pam_unix.so'
	for ((i = 0; i < 2000; i++)); do echo 'auth required pam_access.so'; done >>/etc/pam.d/rjwt-test
	finds 0 pam
	[[ $(says pam) == 'rjwt-test: a token or the password; '* ]]
	stack
	for ((i = 0; i < 2000; i++)); do echo 'auth [success=1 default=ignore] pam_succeed_if.so uid > 1'; done >>/etc/pam.d/rjwt-test
	echo 'auth required pam_permit.so' >>/etc/pam.d/rjwt-test
	finds 1 pam pam.open /etc/pam.d/rjwt-test:2004 'pam_permit.so decides in the end: whoever fails at the token and at the password gets in'
	run -1 timeout 60 rjwt-keyd try --json alice rjwt-test </dev/null
	[ "$(jq -r '.services[0].findings[0].code' <<<"$output")" = try.open ]
	for ((i = 0; i < 10000; i++)); do echo 'auth required pam_access.so'; done >>/etc/pam.d/rjwt-test
	finds 1 pam pam.unreadable /etc/pam.d/rjwt-test:10001 "more than 10000 lines, with those that are included; $unread"
}

@test "bad input: a folder in /etc/pam.d is no service; a file that is not for us to read is named, and no verdict is given" {
	mkdir /etc/pam.d/before
	finds 0 pam pam.unused -:0 'no file in /etc/pam.d names pam_rjwt.so: nothing asks for a token'
	stack 'auth required pam_unix.so'
	chmod 0 /etc/pam.d/rjwt-test
	finds 0 pam
	[[ $(says pam) == 'rjwt-test: a token or the password; 1 file names pam_rjwt.so' ]]
	run as bob /usr/sbin/rjwt-keyd check --json
	[ "$(says pam)" = '0 files name pam_rjwt.so; not checked, for want of root: rjwt-test' ]
}

@test "bad input: sshd is missing, or does not take its own configuration" {
	cp etc/pam.d/sshd /etc/pam.d/sshd
	mv /usr/sbin/sshd "$work/sshd"
	finds 0 sshd
	[ "$(says sshd)" = 'not checked: sshd is not installed' ]
	printf '#!/bin/sh\necho "line 3: Bad configuration option: Frob" >&2\nexit 255\n' >/usr/sbin/sshd
	chmod +x /usr/sbin/sshd
	finds 0 sshd
	[ "$(says sshd)" = 'not checked: sshd -T: line 3: Bad configuration option: Frob' ]
	printf '#!/bin/sh\nexec sleep 100\n' >/usr/sbin/sshd
	run -0 timeout 30 rjwt-keyd check --json
	[[ $(says sshd) == 'not checked: sshd -T: '*'took longer than 10 s'* ]]
}

@test "bad input: sudoers that is missing, that one may not read, that includes itself" {
	cp etc/pam.d/sudo /etc/pam.d/sudo
	cp -p /etc/sudoers "$work/sudoers"
	finds 0 sudo
	run as bob /usr/sbin/rjwt-keyd check --json
	[ "$(says sudo)" = 'not checked: needs root' ]
	rm /etc/sudoers
	finds 0 sudo
	[ "$(says sudo)" = 'not checked: there is no /etc/sudoers' ]
	printf '@include /etc/sudoers\n@include /etc/sudoers\nDefaults timestamp_timeout=60\n' >/etc/sudoers
	run -0 timeout 10 rjwt-keyd check --json
	jq -e '[.findings[] | select(.area == "sudo").code] == ["sudo.unreadable", "sudo.timestamp"]' <<<"$output"
}
