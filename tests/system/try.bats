#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-keyd try: logins by real stacks, what it says of them, and that no token is left behind.

bats_require_minimum_version 1.5.0

setup()
{
	. tests/system/helpers.bash
	fresh_keyset
	cp -a /etc/pam.d "$work/pam.before"
	log_mark
}

teardown()
{
	rm -rf /etc/pam.d
	mv "$work/pam.before" /etc/pam.d
	[ ! -e "$work/module.before" ] || mv "$work/module.before" "$module"
	chage -E -1 alice
	no_token_logged
	no_token_live
}

# no_token_live - whatever was tried
no_token_live() { [ "$(rjwt-keyd list --json | jq '.tokens | length')" = 0 ]; }

# stack LINE... - the auth lines of the service rjwt-test
stack()
{
	{
		printf 'auth %s\n' "$@"
		echo "account $account_control pam_rjwt.so"
		echo 'account required pam_unix.so'
	} >/etc/pam.d/rjwt-test
}

# tries EXIT [CODE...] - rjwt-keyd try alice rjwt-test ends with this status, and these findings; $json has what it says
tries()
{
	local status=$1
	shift
	run -"$status" rjwt-keyd try --json alice rjwt-test </dev/null
	json=$output
	diff <([ $# -eq 0 ] || printf '%s\n' "$@") <(jq -r '.services[].findings[].code // empty' <<<"$json")
}

# reply NAME FILTER - of what came of that reply
reply() { jq -r --arg reply "$1" ".services[0].replies[] | select(.reply == \$reply) | $2" <<<"$json"; }

@test "a good stack: a wrong token and an empty reply are rejected, a good token gets in and is spent" {
	cp etc/pam.d/sudo /etc/pam.d/sudo
	cp etc/pam.d/sshd /etc/pam.d/sshd
	run -0 rjwt-keyd try alice sshd sudo </dev/null
	[ "${lines[0]}" = 'SERVICE  REPLY        LOGIN     RJWT SAYS  THEN ASKS' ]
	for row in 'sshd     wrong token  rejected  signature  Password:' 'sshd     empty reply  rejected  empty      Password:' \
		'sshd     good token   accepted  accepted   -' 'sudo     good token   accepted  accepted   -' \
		'OK    sshd     only the good token gets in; otherwise a password is asked for'; do
		grep -Fxq -- "$row" <<<"$output" || { echo "no $row in: $output"; false; }
	done
	grep -q '^  pam    success, by /etc/pam.d/sshd:[0-9]* pam_rjwt.so$' <<<"$output"
	grep -q '^  log    accepted user=alice service=sshd rhost=127.0.0.1 kid=' <<<"$output"
	[ "${lines[-1]}" = "try: OK: 2 services. Not tried: alice's password, sshd's own rules (see check)" ]
	# each is in the log too, from the mint to the login
	id=$(sed -n 's/^  log    accepted .*service=sudo .*jti=\([^ ]*\) .*/\1/p' <<<"$output")
	[ "$(log_since "jti=$id" | wc -l)" -eq 2 ]
	log_since "rjwt-keyd\[.*: issued by=.* sub=alice .* scope=sudo jti=$id .*uses=once why=\"rjwt-keyd try\"\$"
	[ "$(find /var/lib/rjwt/spent -type f | wc -l)" -eq 2 ]
	[ "$(find /var/lib/rjwt/revoked -type f | wc -l)" -eq 0 ]
}

@test "without a service: those whose stacks reach pam_rjwt.so, and without one there is nothing to try" {
	for name in $(grep -l pam_rjwt /etc/pam.d/*); do rm "$name"; done
	run -1 rjwt-keyd try alice </dev/null
	[ "$output" = 'try: FAIL: no service in /etc/pam.d reaches pam_rjwt.so' ]
	cp etc/pam.d/sudo etc/pam.d/sudo-i /etc/pam.d/
	run -0 rjwt-keyd try -q alice </dev/null
	[ "$output" = "try: OK: 2 services. Not tried: alice's password" ]
	[ "$(rjwt-keyd try --json alice </dev/null | jq -c '[.schema, .user, .level, (.services[] | .service, .level)]')" = \
		'[1,"alice","ok","sudo","ok","sudo-i","ok"]' ]
}

@test "a stack that lets anybody in is a FAIL that names the line" {
	stack 'sufficient pam_rjwt.so' 'required pam_permit.so'
	tries 1 try.open
	[ "$(reply wrong '"\(.login) \(.said) \(.path):\(.line) \(.module)"')" = 'accepted signature /etc/pam.d/rjwt-test:2 pam_permit.so' ]
	run -1 rjwt-keyd try alice rjwt-test </dev/null
	[[ $output == *'FAIL  rjwt-test a wrong token gets in (after /etc/pam.d/rjwt-test:2,'*'fix: mend or remove line 2 of /etc/pam.d/rjwt-test now; then rjwt-keyd check'* ]]
	[ "${lines[-1]}" = "try: FAIL: 1 service. Not tried: alice's password" ]
	stack 'sufficient pam_rjwt.so' 'requisite pam_deny.so' 'required pam_permit.so'
	tries 0 try.no_password
}

@test "pam_rootok lets nobody in: the real uid is not root's" {
	stack 'sufficient pam_rootok.so' 'sufficient pam_rjwt.so' 'required pam_unix.so try_first_pass'
	tries 0
	[ "$(reply wrong .login)" = rejected ]
}

@test "a stack that locks everybody out, by auth or by account" {
	stack 'required pam_deny.so' 'sufficient pam_rjwt.so'
	tries 1 try.token
	[ "$(reply good '"\(.login) \(.said) \(.path):\(.line)"')" = 'rejected accepted /etc/pam.d/rjwt-test:1' ]
	stack 'sufficient pam_rjwt.so' 'required pam_unix.so try_first_pass'
	tries 0
	sed -i 's/^account required pam_unix.so/account required pam_deny.so/' /etc/pam.d/rjwt-test
	tries 1 try.account
	[ "$(reply good '"\(.login) \(.said) \(.auth) \(.account) \(.line)"')" = 'rejected accepted success auth_err 4' ]
}

@test "an account that has expired: what refused, and what to do" {
	stack 'sufficient pam_rjwt.so' 'required pam_unix.so try_first_pass'
	chage -E 1 alice
	tries 1 try.account
	[ "$(reply good '"\(.login) \(.account) \(.path):\(.line) \(.module)"')" = 'rejected acct_expired /etc/pam.d/rjwt-test:4 pam_unix.so' ]
	[ "$(jq -r '.services[0].findings[0].fix' <<<"$json")" = 'chage -E -1 alice' ]
	reply good '.log[]' | grep -q 'account alice has expired'
}

@test "the module is missing: the password still gets in, and try says what libpam said" {
	module=/usr/lib/$(gcc -print-multiarch)/security/pam_rjwt.so
	stack 'sufficient pam_rjwt.so' 'required pam_unix.so try_first_pass'
	mv "$module" "$work/module.before"
	tries 1 try.token
	[ "$(reply good '"\(.login) \(.said) \(.line)"')" = 'rejected null 2' ]
	reply good '.log[]' | grep -q 'unable to dlopen(pam_rjwt.so)'
	[ "$(find /var/lib/rjwt/revoked/jti -type f | wc -l)" -ge 1 ]
}

@test "a stack that hangs is ended, and the token is revoked" {
	# what comes after the token was accepted may hang, too
	printf '#!/bin/sh\nexec sleep 1000\n' >"$work/hang"
	chmod +x "$work/hang"
	stack 'sufficient pam_rjwt.so' "required pam_exec.so $work/hang"
	before=$SECONDS
	tries 1 try.hung
	[ $((SECONDS - before)) -lt 60 ]
	[ "$(reply wrong .login)" = hung ]
	[ "$(find /var/lib/rjwt/revoked/jti -type f | wc -l)" -eq 1 ]
	run -1 pgrep -x sleep
}

@test "a module that ends its process, and a file that libpam refuses" {
	printf '#include <security/pam_modules.h>\n#include <stdlib.h>\nint pam_sm_authenticate(pam_handle_t *h, int f, int c, const char **v) { exit(0); }\nint pam_sm_setcred(pam_handle_t *h, int f, int c, const char **v) { return 0; }\n' >"$work/pam_end.c"
	gcc -shared -fPIC -w -o "$work/pam_end.so" "$work/pam_end.c"
	stack 'sufficient pam_rjwt.so' "required $work/pam_end.so"
	tries 1 try.hung
	[ "$(reply wrong .login)" = died ]
	stack 'sufficient pam_rjwt.so' 'required pam_deny.so'
	echo '@include no-such-file' >>/etc/pam.d/rjwt-test
	tries 1 try.stack
}

@test "the password, asked for once, is tried where it is typed, and is nowhere shown" {
	stack 'sufficient pam_rjwt.so' 'required pam_unix.so try_first_pass'
	cp /etc/pam.d/rjwt-test /etc/pam.d/rjwt-test2
	run -0 on_terminal $'not tried\\): \t'"$alice_password" rjwt-keyd try alice rjwt-test rjwt-test2
	[ "$(grep -c 'Password of alice' <<<"$output")" -eq 1 ]
	[[ $output != *"$alice_password"* ]]
	[[ $output == *'rjwt-test   password     accepted  -          -'* ]]
	[[ $output == *'the good token and the password get in, nothing else'* ]]
	[[ ${lines[-1]} == *'try: '*'OK'*': 2 services' ]]
	run -1 on_terminal $'not tried\\): \tmistyped' rjwt-keyd try alice rjwt-test
	[[ $output == *'the password was rejected (after /etc/pam.d/rjwt-test:2'* ]]
	# and an empty one is not
	run -0 on_terminal $'not tried\\): \t' rjwt-keyd try alice rjwt-test
	[[ ${lines[-1]} == *"Not tried: alice's password" ]]
}

@test "a token and the password: with it all is tried, without it the rest is named" {
	stack 'required pam_rjwt.so' 'required pam_unix.so'
	tries 0 try.both
	[ "$(reply good '"\(.login) \(.said) \(.asks)"')" = 'rejected accepted Password: ' ]
	run -0 on_terminal $'not tried\\): \t'"$alice_password" rjwt-keyd try alice rjwt-test
	[[ $output == *'only the good token gets in, not even the password alone'* ]]
	# in the other order the token is for who asks for a token
	stack 'required pam_unix.so' 'required pam_rjwt.so'
	run -0 on_terminal $'not tried\\): \t'"$alice_password" rjwt-keyd try alice rjwt-test
	[[ $output == *'good token   accepted  accepted   -'* ]]
}

@test "pam_faillock: the tally before and after, and what clears it" {
	stack 'required pam_faillock.so preauth' 'sufficient pam_rjwt.so' 'sufficient pam_unix.so try_first_pass' 'required pam_faillock.so authfail' 'required pam_deny.so'
	faillock --user alice --reset
	tries 0 try.faillock
	[ "$(jq -r '.services[0].findings[] | select(.code == "try.faillock").text' <<<"$json")" = "faillock: alice's tally was 0, is 2" ]
	faillock --user alice --reset
}

@test "a service that the configuration closes, one that names no module of ours, and a keyset that is broken" {
	stack 'sufficient pam_rjwt.so' 'required pam_unix.so try_first_pass'
	fresh_keyset 'services:' '  rjwt-test: ""'
	tries 0 try.closed
	fresh_keyset
	cp /etc/pam.d/other /etc/pam.d/rjwt-test
	tries 1 try.stack
	stack 'sufficient pam_rjwt.so' 'required pam_unix.so try_first_pass'
	mv /var/lib/rjwt/keyset.json "$work/keyset.json"
	tries 1 try.mint
	mv "$work/keyset.json" /var/lib/rjwt/keyset.json
}

@test "conf= of the line says which keyset the token is from" {
	stack 'sufficient pam_rjwt.so conf=/etc/rjwt/other.yaml' 'required pam_unix.so try_first_pass'
	printf 'state_dir: /var/lib/rjwt-other\nissuer: other\naudience: other\n' >/etc/rjwt/other.yaml
	tries 1 try.mint
	rjwt-keyd -c /etc/rjwt/other.yaml init
	tries 0
	rm -rf /var/lib/rjwt-other
}

@test "Ctrl-C ends it, and revokes the token first" {
	printf '#!/bin/sh\nexec sleep 1000\n' >"$work/hang"
	chmod +x "$work/hang"
	stack 'sufficient pam_rjwt.so' "required pam_exec.so $work/hang"
	rjwt-keyd try alice rjwt-test </dev/null >"$work/out" 3>&- &
	pid=$!
	await pgrep -x sleep
	kill -INT $pid
	status=0
	wait $pid || status=$?
	[ $status -eq 1 ]
	grep -q '^try: FAIL: 1 service, interrupted' "$work/out"
	no_token_live
}
