#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A real sshd and a real ssh: tokens in the keyboard-interactive and the password method.

bats_require_minimum_version 1.5.0

prompt='(alice@127.0.0.1) Token: '

setup()
{
	. tests/system/helpers.bash
	fresh_keyset 'leeway: 0s'
	pam_service sshd token
	start_sshd
	log_mark
}

teardown()
{
	stop_sshd
	no_token_logged
}

@test "ssh keyboard-interactive: a token logs in, and one line says so" {
	token=$(mint alice)
	run -0 ssh_kbd alice "$token" 'id -un'
	[ "$output" = alice ]
	asked "$prompt"
	decisions "accepted user=alice service=sshd rhost=127\.0\.0\.1 kid=[A-Za-z0-9_-]+\.1 jti=$(claim jti "$token") sub=alice exp="
	log_since 'sshd.*: Accepted keyboard-interactive/pam for alice'
}

@test "ssh password method: a token logs in, and one line says so" {
	token=$(mint alice)
	run -0 ssh_password alice "$token" 'id -un'
	[ "$output" = alice ]
	decisions "accepted user=alice service=sshd .*jti=$(claim jti "$token")"
	log_since 'sshd.*: Accepted password for alice'
}

@test "ssh with Debian's KbdInteractiveAuthentication no: the password method takes the token" {
	stop_sshd
	start_sshd 'KbdInteractiveAuthentication no'
	run -0 ssh_by keyboard-interactive,password alice "$(mint alice)" 'id -un'
	[ "$output" = alice ]
	asked "alice@127.0.0.1's password: "
}

@test "ssh over IPv6: rhost is logged" {
	run -0 ssh_kbd alice "$(mint alice)" -o HostName=::1 'id -un'
	decisions 'accepted user=alice service=sshd rhost=::1 '
}

@test "ssh: the session has RJWT_JTI, RJWT_SUB and RJWT_EXP of the token" {
	token=$(mint alice)
	run -0 ssh_kbd alice "$token" 'env | grep ^RJWT_ | sort'
	[ "$output" = "RJWT_EXP=$(claim exp "$token")
RJWT_JTI=$(claim jti "$token")
RJWT_SUB=alice" ]
}

@test "ssh password method: the session has them too" {
	token=$(mint alice)
	run -0 ssh_password alice "$token" 'env | grep ^RJWT_ | sort'
	[ "${lines[1]}" = "RJWT_JTI=$(claim jti "$token")" ]
	[ ${#lines[@]} -eq 3 ]
}

@test "ssh: an expired token is told so in a second prompt, where a fresh one is accepted" {
	expired=$(expired_token alice)
	run -0 ssh_kbd alice "$expired"$'\n'"$(mint alice)" 'id -un'
	asked "$prompt" '(alice@127.0.0.1) Token expired Ns ago. Token: '
	decisions 'rejected reason=expired .*user=alice' 'accepted user=alice'
}

@test "ssh: two prompts at most" {
	expired=$(expired_token alice)
	other=$(expired_token alice)
	run -255 ssh_kbd alice "$expired"$'\n'"$other"$'\n'"$(mint alice)" 'id -un'
	asked "$prompt" '(alice@127.0.0.1) Token expired Ns ago. Token: '
	decisions 'rejected reason=expired' 'rejected reason=expired'
}

@test "ssh: the same expired token in both prompts is judged and logged once" {
	expired=$(expired_token alice)
	run -255 ssh_kbd alice "$expired"$'\n'"$expired" 'id -un'
	decisions 'rejected reason=expired'
}

@test "ssh password method: an expired token is refused, judged and logged once" {
	run -255 ssh_password alice "$(expired_token alice)" 'id -un'
	decisions 'rejected reason=expired'
}

@test "ssh: another user's token is refused in silence, and is still good for its own user" {
	token=$(mint bob)
	run -255 ssh_kbd alice "$token"$'\n'"$(mint alice)" 'id -un'
	asked "$prompt"
	decisions 'rejected reason=user .*user=alice'
	run -0 ssh_kbd bob "$token" 'id -un'
	[ "$output" = bob ]
}

@test "ssh: a token is good once" {
	token=$(mint alice)
	run -0 ssh_kbd alice "$token" true
	run -255 ssh_kbd alice "$token"$'\n'"$token" true
	[ "$(head -n 1 "$prompts")" = "$prompt" ]
	grep -q 'used' "$prompts"
	decisions 'accepted user=alice' 'rejected reason=spent'
}

@test "ssh: a reusable token is good again" {
	token=$(mint --reusable alice)
	run -0 ssh_kbd alice "$token" true
	run -0 ssh_password alice "$token" true
	decisions 'accepted user=alice' 'accepted user=alice'
}

@test "ssh: of sixteen logins at once with one token, one gets in" {
	token=$(mint alice)
	sixteen=$(for _ in {1..16}; do echo "$token"; done)
	give_replies "$sixteen"
	for n in {1..16}; do
		SSH_ASKPASS=$work/askpass SSH_ASKPASS_REQUIRE=force ssh -F /dev/null -p "$port" \
			-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR \
			-o NumberOfPasswordPrompts=1 -o PreferredAuthentications=password \
			alice@127.0.0.1 "echo in" </dev/null >"$BATS_TEST_TMPDIR/$n" 2>/dev/null 3>&- &
		clients[n]=$!
	done
	for n in {1..16}; do wait "${clients[n]}" || true; done
	[ "$(cat "$BATS_TEST_TMPDIR"/* | grep -c '^in$')" -eq 1 ]
	run -0 log_since 'pam_rjwt.*: accepted '
	[ ${#lines[@]} -eq 1 ]
	run -0 log_since 'pam_rjwt.*: rejected reason=spent'
	[ ${#lines[@]} -eq 15 ]
}

@test "ssh: a token for sudo is refused, with the reason; one for both is good" {
	token=$(mint -s sudo alice)
	run -255 ssh_kbd alice "$token"$'\n'"$token" true
	[ "$(wc -l <"$prompts")" -eq 2 ]
	decisions 'rejected reason=scope'
	run -0 ssh_kbd alice "$(mint -s sudo -s ssh alice)" true
}

@test "ssh: a token for another host is refused; one for both hosts is good" {
	token=$(mint -a elsewhere alice)
	run -255 ssh_kbd alice "$token"$'\n'"$token" true
	decisions 'rejected reason=audience'
	run -0 ssh_kbd alice "$(mint -a elsewhere -a sandbox alice)" true
}

@test "ssh: a token that is not yet valid is refused; the same without --not-before is good" {
	token=$(mint --not-before +10m alice)
	run -255 ssh_kbd alice "$token"$'\n'"$token" true
	decisions 'rejected reason=not_yet_valid'
	run -0 ssh_kbd alice "$(mint alice)" true
}

@test "ssh: one changed character in the signature is refused in silence" {
	token=$(mint --reusable alice)
	case ${token: -20:1} in A) other=B ;; *) other=A ;; esac
	run -255 ssh_kbd alice "${token:0:${#token}-20}$other${token: -19}" true
	asked "$prompt"
	decisions 'rejected reason=signature'
	run -0 ssh_kbd alice "$token" true
}

@test "ssh: a token of 1,060 bytes is cut by the client, and the log says truncated; one of 1,020 is not" {
	run -255 ssh_kbd alice "$(token_of 1060 alice)" true
	decisions 'rejected reason=truncated'
	run -0 ssh_kbd alice "$(token_of 1020 alice)" true
}

@test "ssh: a user who does not exist is refused, whoever the token is for" {
	run -255 ssh_kbd nobody-here "$(mint nobody-here)" true
	decisions 'rejected reason=malformed user=nobody-here service=sshd' # sshd gives junk in place of the reply
	run -0 ssh_kbd alice "$(mint alice)" true
}

@test "ssh with pam_unix below: a password typed at our prompt logs in, a wrong one does not" {
	pam_service sshd both
	run -0 ssh_kbd alice "$alice_password" 'id -un; env | grep ^RJWT_ || echo none'
	[ "$output" = "alice
none" ]
	asked "$prompt"
	run -0 ssh_password alice "$alice_password" 'id -un'
	run -255 ssh_kbd alice not-the-password true
	decisions
	run -0 ssh_kbd alice "$(mint alice)" true
	decisions 'accepted user=alice'
	if log_since not-the-password; then false; fi
}

@test "ssh with pam_unix below: a refused token is not tried as a password" {
	pam_service sshd both
	token=$(mint bob)
	run -255 ssh_kbd alice "$token" true
	decisions 'rejected reason=user'
	set_password alice "$token"
	run -255 ssh_kbd alice "$token" true
	set_password alice "$alice_password"
	run -0 ssh_kbd alice "$alice_password" true
}

@test "ssh without a keyset: we do not ask, pam_unix does" {
	pam_service sshd both
	rm -r /var/lib/rjwt
	run -0 ssh_kbd alice "$alice_password" 'id -un'
	asked '(alice@127.0.0.1) Password: '
	run -0 log_since 'pam_rjwt.*keyset'
	fresh_keyset
	run -0 ssh_kbd alice "$alice_password" 'id -un'
	asked "$prompt"
}

@test "ssh without a keyset and nothing below: refused without a question" {
	rm -r /var/lib/rjwt
	run -255 ssh_kbd alice x true
	asked
}

@test "ssh by public key alone: account lets in, and no RJWT_ variable is there" {
	give_key alice
	printf 'RJWT_SUB DEFAULT=root\nRJWT_JTI DEFAULT=made-up\n' >/home/alice/.pam_environment
	sed -i '/session optional pam_rjwt/i session required pam_env.so user_readenv=1' /etc/pam.d/sshd
	run -0 ssh_by publickey alice '' -i "$work/key" 'id -un; env | grep ^RJWT_ || echo none'
	[ "$output" = "alice
none" ]
	decisions
	# the twin: with a token they are there, and they are the token's
	token=$(mint alice)
	run -0 ssh_kbd alice "$token" 'echo $RJWT_SUB $RJWT_JTI'
	[ "$output" = "alice $(claim jti "$token")" ]
	rm -r /home/alice/.pam_environment
}

@test "ssh by public key and token: both are needed" {
	stop_sshd
	start_sshd 'AuthenticationMethods publickey,keyboard-interactive'
	give_key alice
	run -0 ssh_by publickey,keyboard-interactive alice "$(mint alice)" -i "$work/key" 'id -un'
	run -255 ssh_by keyboard-interactive alice "$(mint alice)" true
	decisions 'accepted user=alice'
}

@test "ssh: a token that expires before the account phase is refused there; one that lasts is not" {
	sed -i '/^account .*pam_rjwt/i account required pam_exec.so quiet /bin/sleep 3' /etc/pam.d/sshd
	run -255 ssh_kbd alice "$(mint -t 2s alice)" true
	decisions 'accepted user=alice' 'rejected reason=expired'
	run -0 ssh_kbd alice "$(mint -t 60s alice)" true
}

@test "ssh: cap_session reaches the session, which is another process, and leaves no variable behind" {
	build_pam_cap
	echo "session required $work/pam_cap.so" >>/etc/pam.d/sshd
	run -0 ssh_kbd alice "$(mint -t 10m alice)" 'env | grep -c ^RJWT_'
	[ "$output" = 3 ]
	run -0 log_since 'runtime_max_sec='
	[[ $output == *=none ]]
	echo 'cap_session: true' >/etc/rjwt/rjwt.yaml
	log_mark
	run -0 ssh_kbd alice "$(mint -t 10m alice)" 'env | grep -c ^RJWT_'
	[ "$output" = 3 ]
	run -0 log_since 'runtime_max_sec='
	[[ $output =~ =(59[0-9]|60[0-9]|6[0-3][0-9])$ ]]
}

@test "ssh: a token of the retired key still logs in, and a new one too" {
	old=$(mint alice)
	run -0 rjwt-keyd rotate
	run -0 ssh_kbd alice "$old" true
	run -0 ssh_kbd alice "$(mint alice)" true
	decisions 'accepted .* kid=[^ ]+\.1 ' 'accepted .* kid=[^ ]+\.2 '
}

@test "ssh: a token of a keyset that is gone is refused" {
	old=$(mint alice)
	fresh_keyset
	run -255 ssh_kbd alice "$old" true
	asked "$prompt"
	decisions 'rejected reason=key_unknown'
	run -0 ssh_kbd alice "$(mint alice)" true
}
