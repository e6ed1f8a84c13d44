#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Real su, su - and login. PAM_USER is the target.

bats_require_minimum_version 1.5.0

setup()
{
	. tests/system/helpers.bash
	fresh_keyset 'leeway: 0s'
	for service in su su-l login; do pam_service $service token; done
	log_mark
}

teardown()
{
	no_token_logged
}

@test "su: a token of the target is accepted, and one line says so" {
	token=$(mint -s su alice)
	run -0 on_terminal $'Token: \t'"$token" as bob su alice -c 'id -un; echo "$RJWT_SUB $RJWT_JTI"'
	[ "${lines[-2]}" = alice ]
	[ "${lines[-1]}" = "alice $(claim jti "$token")" ]
	decisions "accepted user=alice service=su .*jti=$(claim jti "$token") sub=alice"
}

@test "su: the caller's own token is refused in silence, the target's is good" {
	run -1 on_terminal $'Token: \t'"$(mint -s su bob)" as bob su alice -c 'id -un'
	decisions 'rejected reason=user .*user=alice'
	run -0 on_terminal $'Token: \t'"$(mint -s su alice)" as bob su alice -c 'id -un'
}

@test "su to root: needs root's token" {
	run -0 on_terminal $'Token: \t'"$(mint -s su root)" as bob su -c 'id -un'
	[ "${lines[-1]}" = root ]
	run -1 on_terminal $'Token: \t'"$(mint -s su alice)" as bob su -c 'id -un'
	decisions 'accepted user=root' 'rejected reason=user .*user=root'
}

@test "su -: a token for su is accepted by the service su-l" {
	run -0 on_terminal $'Token: \t'"$(mint -s su alice)" as bob su - alice -c 'id -un; pwd'
	[ "${lines[-1]}" = /home/alice ]
	decisions 'accepted user=alice service=su-l'
}

@test "su: an expired token is told so in the prompt, where a fresh one is accepted" {
	expired=$(expired_token -s su alice)
	run -0 on_terminal $'Token: \t'"$expired"$'\nToken expired [0-9]+s ago. Token: \t'"$(mint -s su alice)" \
		as bob su alice -c 'id -un'
	[ "${lines[-1]}" = alice ]
	decisions 'rejected reason=expired' 'accepted user=alice'
}

@test "su: a token is good once" {
	token=$(mint -s su alice)
	run -0 on_terminal $'Token: \t'"$token" as bob su alice -c true
	run -1 on_terminal $'Token: \t'"$token"$'\nalready used. Token: \t'"$token" as bob su alice -c true
	decisions 'accepted user=alice' 'rejected reason=spent'
}

@test "su with pam_unix below: a password typed at our prompt" {
	pam_service su both
	run -0 on_terminal $'Token: \t'"$alice_password" as bob su alice -c 'id -un'
	[ "${lines[-1]}" = alice ]
	run -1 on_terminal $'Token: \t'"$wrong_password" as bob su alice -c 'id -un'
	decisions
}

@test "login: a token is accepted, and the session has its variables" {
	token=$(mint -s login alice)
	run -0 on_terminal $'login: \talice\nToken: \t'"$token"$'\n\\$ \techo "<$RJWT_SUB $RJWT_JTI>"\n\\$ \texit' login
	[[ $output == *"<alice $(claim jti "$token")>"* ]]
	decisions "accepted user=alice service=login .*jti=$(claim jti "$token")"
}

@test "login: a token for ssh is refused, with the reason in the prompt; one for login is good there" {
	run -0 on_terminal $'login: \talice\nToken: \t'"$(mint alice)"$'\nToken: \t'"$(mint -s login alice)"$'\n\\$ \texit' login
	decisions 'rejected reason=scope' 'accepted user=alice service=login'
}

@test "login with pam_unix below: a password typed at our prompt" {
	pam_service login both
	run -0 on_terminal $'login: \talice\nToken: \t'"$alice_password"$'\n\\$ \techo "<$USER>"\n\\$ \texit' login
	[[ $output == *'<alice>'* ]]
	decisions
}
