#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The last of all (see run): what syslog received while the tests ran holds no secret.

bats_require_minimum_version 1.5.0

setup()
{
	. tests/system/helpers.bash
	fresh_keyset
	pam_service rjwt-test both debug
}

look() { tests/system/find_secrets "$1" "$tokens" "$typed" "$keys"; }

# Where it runs alone, there is something to look for, too.
@test "log: no token, no part of one, no key, nothing that was typed and no control character is in it" {
	for alg in ES256 HS256; do
		fresh_keyset "alg: $alg"
		for reply in "$(mint -s rjwt-test alice)" "$(mint -s rjwt-test bob)" "$wrong_password"; do
			type_in "$reply" | pamtester rjwt-test $'alice\nx' authenticate || true
			type_in "$reply" | pamtester rjwt-test alice authenticate || true
		done
	done
	log_settle
	grep -q 'debug .*pam_rjwt(rjwt-test:auth): opened' "$syslog"
	grep -q 'pam_rjwt(rjwt-test:auth): accepted' "$syslog"
	grep -q 'pam_rjwt(rjwt-test:auth): rejected' "$syslog"
	run look "$syslog"
	echo "# ${lines[-1]}" >&3
	[ "$status" -eq 0 ] || { echo "$output"; return 1; }
}

@test "log: each line of ours is one that rjwt(7) lists" {
	run tests/system/log_words man/rjwt.7 "$syslog"
	[ "$status" -eq 0 ] || { echo "$output"; return 1; }
	cp "$syslog" "$BATS_TEST_TMPDIR/log"
	echo 'authpriv.notice rjwt-keyd[1]: promoted kid=a.1 cause=time sub=x' >>"$BATS_TEST_TMPDIR/log"
	run -1 tests/system/log_words man/rjwt.7 "$BATS_TEST_TMPDIR/log"
	[ "$output" = 'not in the table: authpriv.notice rjwt-keyd[1]: promoted kid=a.1 cause=time sub=x' ]
}

# found WHY LINE - one more line in the log would be found, and why
found()
{
	{
		cat "$BATS_TEST_TMPDIR/log"
		echo "authpriv.notice pam_rjwt(sshd:auth): $2"
	} >"$BATS_TEST_TMPDIR/planted"
	run -1 look "$BATS_TEST_TMPDIR/planted"
	[[ ${lines[0]} == "$1: "* ]]
	[ ${#lines[@]} -eq 2 ]
}

@test "log: what is planted in it is found" {
	token=$(mint alice)
	type_in "$wrong_password" >/dev/null
	type_in tweedledum >/dev/null
	IFS=. read -r header payload signature <<<"$token"
	key=$(grep -v -e ----- /var/lib/rjwt/private/1.key | tr -d '\n')
	hex=$(base64 -d <<<"$key" | od -An -v -tx1 | tr -d ' \n')
	echo 'authpriv.notice pam_rjwt(sshd:auth): accepted user=alice jti=BqXpO9wMXkWtKbB3ya3QWQ' >"$BATS_TEST_TMPDIR/log"
	run -0 look "$BATS_TEST_TMPDIR/log"
	found 'a part of a token or key' "got $token"
	found 'a part of a token or key' "$header.$payload"
	found 'a part of a token or key' "jti=$signature"
	found 'a part of a token or key' "x${signature:30:16}x"
	found 'a part of a token or key' "${payload:10:20} "
	found 'a part of a token or key' "key ${key:60:16}"
	found 'a part of a token or key' "$(grep -v -- ----- /var/lib/rjwt/private/1.key | head -n 1)"
	found 'a part of a key, in hexadecimal' "${hex:80:32}"
	found 'a part of a key, in hexadecimal' "${hex^^}"
	found 'a part of a key, as bytes' "$(sed 's/../\\x&/g' <<<"${hex:80:32}")"
	found 'a part of a key, as bytes' "$(sed 's/../<&>/g' <<<"${hex:72:40}")"
	fresh_keyset 'alg: HS256' # its private/ has the secret itself
	found 'a part of a token or key' "$(base64 -w 0 /var/lib/rjwt/private/1.key)"
	found 'a part of a key, in hexadecimal' "$(od -An -v -tx1 /var/lib/rjwt/private/2.key | tr -d ' \n')"
	found 'what was typed' "user=tweedledum"
	found 'a control character' 'user=a<0a>b'
	found 'a control character' 'user=<1b>[2J'
	found 'a control character' 'user=<c2><9b>2J'
}

# A sender's bytes are still to be seen in what the listener writes.
@test "log: what is sent raw is found" {
	cp "$syslog" "$BATS_TEST_TMPDIR/log"
	mint alice >/dev/null
	type_in "$wrong_password" >/dev/null
	log_mark
	run -0 look "$BATS_TEST_TMPDIR/log"
	logger -u /dev/log -t 'rjwt-planted[1]' -- $'a\033[2Jb'
	log_since ' rjwt-planted' >"$BATS_TEST_TMPDIR/planted"
	cp "$BATS_TEST_TMPDIR/log" "$syslog"
	run -1 look "$BATS_TEST_TMPDIR/planted"
	[[ ${lines[0]} == 'a control character: '* ]]
}
