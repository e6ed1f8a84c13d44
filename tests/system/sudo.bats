#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A real sudo: on a terminal, -S, -A, -i. In auth PAM_USER is the one who runs it.
#
# RJWT_SUDO=sudo-rs tests/system/run tests/system/sudo.bats: the same with sudo-rs, from Debian 13 on. It shows prompts
# otherwise, goes on to ask where nothing is left to read, and leaves its caller's limits as they are.

bats_require_minimum_version 1.5.0

setup()
{
	. tests/system/helpers.bash
	fresh_keyset 'leeway: 0s'
	pam_service sudo token
	pam_service sudo-i token
	log_mark
	again=('rejected reason=io user=alice') told_again=()
	if sudo_is_rs; then
		again=('rejected reason=empty user=alice' 'rejected reason=empty user=alice')
		told_again=("${again[@]}" 'rejected reason=empty user=alice')
	fi
}

teardown()
{
	no_token_logged
}

@test "sudo on a terminal: a token is accepted, and one line says so" {
	token=$(mint -s sudo alice)
	run -0 on_terminal $'Token: \t'"$token" as alice sudo id -un
	[ "${lines[-1]}" = root ]
	decisions "accepted user=alice service=sudo .*jti=$(claim jti "$token") sub=alice"
}

@test "sudo -S: a token is accepted" {
	run -0 sudo_stdin alice "$(mint -s sudo alice)" id -un
	[ "$output" = "$(sudo_output 'Token: ' root)" ]
	decisions 'accepted user=alice service=sudo'
}

@test "sudo -A: a token is accepted" {
	need_askpass
	run -0 sudo_askpass alice "$(mint -s sudo alice)" id -un
	[ "$output" = root ]
	asked 'Token: '
	decisions 'accepted user=alice service=sudo'
}

@test "sudo -i: a token for sudo is accepted by the service sudo-i" {
	run -0 sudo_stdin alice "$(mint -s sudo alice)" -i id -un
	[ "$output" = "$(sudo_output 'Token: ' root)" ]
	service=sudo-i
	if sudo_is_rs; then service=sudo; fi    # as Debian builds it
	decisions "accepted user=alice service=$service .*"
}

@test "sudo -u bob: the token is for the one who runs sudo, not for bob" {
	run -0 sudo_stdin alice "$(mint -s sudo alice)" -u bob id -un
	[ "$output" = "$(sudo_output 'Token: ' bob)" ]
	run -1 sudo_stdin alice "$(mint -s sudo bob)" -u bob id -un
	# sudo asks again, and there is nothing left to read
	decisions 'accepted user=alice' 'rejected reason=user .*user=alice' "${again[@]}"
}

@test "sudo: one token for ssh and sudo is good once in each" {
	pam_service sshd token
	start_sshd
	token=$(mint -s ssh -s sudo alice)
	run -0 ssh_kbd alice "$token" true
	run -0 sudo_stdin alice "$token" true
	run -1 sudo_stdin alice "$token" true
	stop_sshd
	decisions 'accepted .*service=sshd' 'accepted .*service=sudo' 'rejected reason=spent' "${told_again[@]}"
}

@test "sudo: a token for ssh is refused; one for sudo is good" {
	run -1 sudo_stdin alice "$(mint alice)" true
	decisions 'rejected reason=scope' "${told_again[@]}"
	run -0 sudo_stdin alice "$(mint -s sudo alice)" true
}

@test "sudo: an expired token is told so in the prompt, where a fresh one is accepted" {
	need_askpass
	expired=$(expired_token -s sudo alice)
	run -0 sudo_askpass alice "$expired"$'\n'"$(mint -s sudo alice)" id -un
	[ "$output" = root ]
	asked 'Token: ' 'Token expired Ns ago. Token: '
	decisions 'rejected reason=expired' 'accepted user=alice'
}

@test "sudo on a terminal: the reason is in the second prompt" {
	expired=$(expired_token -s sudo alice)
	run -0 on_terminal $'Token: \t'"$expired"$'\nToken expired [0-9]+s ago. Token: \t'"$(mint -s sudo alice)" \
		as alice sudo id -un
	[ "${lines[-1]}" = root ]
}

@test "sudo: a reply over 511 bytes is asked again, with the reason" {
	need_askpass
	long=$(mint --force -s sudo -C "note=$(printf 'x%.0s' {1..300})" alice)
	[ ${#long} -gt 511 ]
	run -0 sudo_askpass alice "$long"$'\n'"$(mint -s sudo alice)" id -un
	[ "$output" = root ]
	[ "$(wc -l <"$prompts")" -eq 2 ]
	[ "$(head -n 1 "$prompts")" = 'Token: ' ]
	[[ $(tail -n 1 "$prompts") =~ 'too long'.*'Token: '$ ]]
	run -0 log_since 'pam_rjwt.*: accepted user=alice'
}

@test "sudo -S: of a reply over 511 bytes nothing arrives, and the next one is accepted" {
	long=$(mint --force -s sudo -C "note=$(printf 'x%.0s' {1..300})" alice)
	run -0 sudo_stdin alice "$long"$'\n'"$(mint -s sudo alice)" id -un
	[[ $output == *'Nothing arrived: the token may be too long here. Token: '*root ]]
	# sudo-rs takes the rest of the line for the next reply
	if sudo_is_rs; then set -- 'rejected reason=malformed user=alice'; fi
	decisions "$@" 'accepted user=alice'
}

@test "sudo -p: the caller's prompt replaces ours, and the token is accepted" {
	run -0 sudo_stdin alice "$(mint -s sudo alice)" -p 'give: ' id -un
	if sudo_is_rs; then
		[ "$output" = $'[sudo: give: ] Token: \nroot' ]
	else
		[ "$output" = "give: root" ]
	fi
}

@test "sudo: the command's environment has RJWT_JTI of the token, not the caller's" {
	token=$(mint -s sudo alice)
	RJWT_JTI=made-up run -0 sudo_stdin alice "$token" sh -c 'echo "$RJWT_SUB $RJWT_JTI"'
	[ "$output" = "$(sudo_output 'Token: ' "alice $(claim jti "$token")")" ]
}

@test "sudo with pam_unix below: a password typed at our prompt, and a token" {
	pam_service sudo both
	run -0 sudo_stdin alice "$alice_password" id -un
	[ "$output" = "$(sudo_output 'Token: ' root)" ]
	decisions
	run -0 sudo_stdin alice "$(mint -s sudo alice)" id -un
	decisions 'accepted user=alice'
}

@test "sudo without a keyset: we do not ask, pam_unix does" {
	pam_service sudo both
	rm -r /var/lib/rjwt
	run -0 sudo_stdin alice "$alice_password" id -un
	if sudo_is_rs; then
		[ "$output" = "$(sudo_output 'Password: ' root)" ]
	else
		[ "$output" = "[sudo] password for alice: root" ]
	fi
}

@test "sudo: the caller's limits and umask do not unspend a token" {
	token=$(mint -s sudo alice)
	limited=0
	if sudo_is_rs; then limited=153; fi    # it dies of SIGXFSZ, where it writes for itself
	run -$limited as alice bash -c 'ulimit -f 0; ulimit -c 0; umask 0; sudo -S true' <<<"$token"
	run -1 sudo_stdin alice "$token" true
	decisions 'accepted user=alice' 'rejected reason=spent' "${told_again[@]}"
	[ -z "$(find /var/lib/rjwt ! -type l -perm /022)" ]
	[ -z "$(find /var/lib/rjwt ! -user root)" ]
	[ "$(stat -c %a /var/lib/rjwt/spent)" = 700 ]
}

@test "sudo by root asks nothing" {
	run -0 sudo -n id -un
	[ "$output" = root ]
	decisions
}
