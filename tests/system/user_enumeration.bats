#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Whoever tries names learns nothing: prompts, instructions and system calls of pam_authenticate are the same
# for a user who is there and for one who is not.

bats_require_minimum_version 1.5.0

# each is typed for alice, who is there, and for ghost, who is not: neither's token
causes=('wrong token' "another's token" "another's expired token" 'unknown key' 'no token' 'password' 'long password'
	'code' "another's code" 'empty' 'no reply' 'no keyset')

setup_file()
{
	. tests/system/helpers.bash
	build_pam_app
	type_in "$wrong_password" >/dev/null
	fresh_keyset
	mint bob >"$BATS_FILE_TMPDIR/unknown key"
	fresh_keyset 'leeway: 0s' 'services: {rjwt-alone: ssh, rjwt-unix: ssh}'
	echo 'auth required pam_rjwt.so' >/etc/pam.d/rjwt-alone
	printf 'auth %s\n' 'sufficient pam_rjwt.so' '[success=1 default=ignore] pam_unix.so nullok' \
		'requisite pam_deny.so' 'required pam_permit.so' >/etc/pam.d/rjwt-unix
	mint bob >"$BATS_FILE_TMPDIR/another's token"
	mint alice | sed 's/.\{20\}$/AAAAAAAAAAAAAAAAAAAA/' >"$BATS_FILE_TMPDIR/wrong token"
	expired_token bob >"$BATS_FILE_TMPDIR/another's expired token"
	mint --short bob >"$BATS_FILE_TMPDIR/another's code"
	echo 0123-4567-89AB-CDEF >"$BATS_FILE_TMPDIR/code"
	echo eyJ.a.b >"$BATS_FILE_TMPDIR/no token"
	echo "$wrong_password" >"$BATS_FILE_TMPDIR/password"
	printf '%0200d\n' 0 >"$BATS_FILE_TMPDIR/long password"
	echo >"$BATS_FILE_TMPDIR/empty"
	: >"$BATS_FILE_TMPDIR/no reply"
	: >"$BATS_FILE_TMPDIR/no keyset"
	run -1 id ghost
}

teardown_file()
{
	rm -f /etc/pam.d/rjwt-alone /etc/pam.d/rjwt-unix
	no_token_logged
}

setup()
{
	. tests/system/helpers.bash
}

teardown()
{
	stop_sshd
}

# attempt CAUSE COMMAND... - with the cause's reply, and a wrong password at the prompts that follow
attempt()
{
	local status=0
	[ "$1" != 'no keyset' ] || mv /var/lib/rjwt/keyset.json /var/lib/rjwt/away
	cp "$BATS_FILE_TMPDIR/$1" "$BATS_TEST_TMPDIR/typed"
	[ "$1" = 'no reply' ] || echo "$wrong_password" >>"$BATS_TEST_TMPDIR/typed"
	"${@:2}" <"$BATS_TEST_TMPDIR/typed" || status=$?
	[ ! -e /var/lib/rjwt/away ] || mv /var/lib/rjwt/away /var/lib/rjwt/keyset.json
	return $status
}

# shown CAUSE SERVICE USER - pam_authenticate's answer, and the prompts with their styles
shown() { attempt "$1" "$work/pam_app" -s "$2" "$3" 2>&1; }

@test "user enumeration: prompts and answers are those of a user who is there" {
	for service in rjwt-alone rjwt-unix; do
		for cause in "${causes[@]}"; do
			known=$(shown "$cause" $service alice)
			unknown=$(shown "$cause" $service ghost)
			echo "# $service, $cause: ${known//$'\n'/| }" >&3
			[ "$known" = "$unknown" ] || { echo "$unknown"; return 1; }
		done
	done
}

# The twin is in short.bats: the code's own user gets in.
@test "user enumeration: a code that nobody has, and another's, are asked after as a password is" {
	for service in rjwt-alone rjwt-unix; do
		password=$(shown password $service alice)
		for cause in code "another's code"; do
			run shown "$cause" $service alice
			[ "$output" = "$password" ]
		done
	done
}

# same COMMAND... - what COMMAND USER prints, but for the name, is the same for a user who is there and for one who is not
same()
{
	"$@" alice | sed 's/alice/USER/' >"$BATS_TEST_TMPDIR/alice"
	[ -s "$BATS_TEST_TMPDIR/alice" ]
	"$@" ghost | sed 's/ghost/USER/' | diff "$BATS_TEST_TMPDIR/alice" -
}

# by_ssh METHOD CAUSE USER - the prompts of a refused login
by_ssh()
{
	run -255 ssh_by "$1" "$3" "$(<"$BATS_FILE_TMPDIR/$2")"$'\n'"$wrong_password" true
	cat "$prompts"
}

# by_login CAUSE USER - all that it shows
by_login()
{
	on_terminal $'login: \t'"$2"$'\nToken: \t'"$(<"$BATS_FILE_TMPDIR/$1")"$'\n(Password|login): \t'"$wrong_password" \
		login || [ $? -ne 124 ]
}

# sshd gives PAM junk of the same length in place of what is typed for a user who is not there.
@test "user enumeration: sshd asks a user who is there what it asks one who is not" {
	start_sshd
	for stack in token both; do
		pam_service sshd $stack
		for cause in 'wrong token' "another's token" 'no token' password 'long password' code "another's code" empty; do
			same by_ssh keyboard-interactive "$cause"
			echo "# $stack, $cause: $(paste -s -d '|' "$BATS_TEST_TMPDIR/alice")" >&3
			same by_ssh password "$cause"
		done
	done
	printf 'auth %s\n' 'sufficient pam_unix.so nodelay' 'sufficient pam_rjwt.so try_first_pass' 'required pam_deny.so' >/etc/pam.d/sshd
	for cause in 'wrong token' 'no token' password 'long password' empty; do
		same by_ssh keyboard-interactive "$cause"
		echo "# below pam_unix, $cause: $(paste -s -d '|' "$BATS_TEST_TMPDIR/alice")" >&3
	done
}

@test "user enumeration: login asks a user who is there what it asks one who is not" {
	pam_service login both
	cp -p /etc/login.defs "$work/login.defs"
	printf 'LOGIN_RETRIES 1\nFAIL_DELAY 0\n' >/etc/login.defs
	for cause in 'wrong token' "another's token" password; do
		same by_login "$cause"
		grep -q 'Login incorrect' "$BATS_TEST_TMPDIR/alice"
	done
	cp -p "$work/login.defs" /etc/login.defs
}

# The twin: a token of one's own that has expired is told so, whoever it is for.
@test "user enumeration: what is told, is told to the token's own user" {
	for user in alice ghost; do
		expired_token $user >"$BATS_FILE_TMPDIR/$user's expired token"
		shown "$user's expired token" rjwt-alone $user | sed 's/ [0-9]*s ago/ Ns ago/' >"$BATS_TEST_TMPDIR/$user"
	done
	printf '%s\n' '1 Token: ' '1 Token expired Ns ago. Token: ' 7 | diff - "$BATS_TEST_TMPDIR/alice"
	diff "$BATS_TEST_TMPDIR/alice" "$BATS_TEST_TMPDIR/ghost"
}

# instructions CAUSE USER - of pam_authenticate
instructions()
{
	attempt "$1" valgrind -q --tool=callgrind --toggle-collect='pam_authenticate*' \
		--callgrind-out-file="$BATS_TEST_TMPDIR/callgrind" "$work/pam_app" -s rjwt-alone "$2" >/dev/null 2>&1
	sed -n 's/^\(summary\|totals\): //p' "$BATS_TEST_TMPDIR/callgrind" | tail -n 1
}

@test "user enumeration: instructions differ by less than 1 in 200" {
	command -v valgrind >/dev/null || skip "no valgrind here"
	for cause in 'wrong token' "another's token" 'unknown key' password code "another's code" empty; do
		known=$(instructions "$cause" alice)
		unknown=$(instructions "$cause" ghost)
		echo "# $cause: $known for a user who is there, $unknown for one who is not" >&3
		difference=$((known - unknown))
		[ "$known" -gt 1000000 ]
		[ $((200 * ${difference#-})) -lt "$known" ]
	done
}

# calls CAUSE USER - the names of the system calls, without those of the heap
calls()
{
	attempt "$1" strace -o "$BATS_TEST_TMPDIR/strace" "$work/pam_app" -s rjwt-alone "$2" >/dev/null 2>&1
	sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$BATS_TEST_TMPDIR/strace" | grep -v '^brk$\|^mmap$\|^munmap$'
}

@test "user enumeration: system calls are the same, one for one" {
	command -v strace >/dev/null || skip "no strace here"
	for cause in 'wrong token' "another's token" 'unknown key' password code "another's code" empty; do
		calls "$cause" alice >"$BATS_TEST_TMPDIR/known"
		calls "$cause" ghost >"$BATS_TEST_TMPDIR/unknown"
		[ "$(wc -l <"$BATS_TEST_TMPDIR/known")" -gt 100 ]
		diff "$BATS_TEST_TMPDIR/known" "$BATS_TEST_TMPDIR/unknown"
	done
}
