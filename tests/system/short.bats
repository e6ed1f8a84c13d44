#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Short codes at real prompts: sudo, su, login, ssh.

bats_require_minimum_version 1.5.0

setup()
{
	. tests/system/helpers.bash
	fresh_keyset 'leeway: 0s'
	for service in sshd sudo su login; do pam_service $service both; done
	log_mark
}

teardown()
{
	no_token_logged
}

@test "short: sudo on a terminal takes a code, once" {
	code=$(mint --short -s sudo alice)
	run -0 on_terminal $'Token: \t'"${code,,}" as alice sudo id -un
	[ "${lines[-1]}" = root ]
	pam_service sudo token
	run -1 sudo_stdin alice "$code" true
	decisions 'accepted user=alice service=sudo' 'rejected reason=spent user=alice service=sudo'
}

@test "short: su takes the target's code, and not the caller's" {
	run -1 on_terminal $'Token: \t'"$(mint --short -s su bob)" as bob su alice -c 'id -un'
	decisions 'rejected reason=user .*user=alice'
	log_mark
	run -0 on_terminal $'Token: \t'"$(mint --short -s su alice)" as bob su alice -c 'id -un'
	[ "${lines[-1]}" = alice ]
	decisions 'accepted user=alice service=su'
}

@test "short: login takes a code, typed with blanks and in small letters" {
	code=$(mint --short -s login alice)
	typed=${code//-/ }
	run -0 on_terminal $'login: \talice\nToken: \t'"${typed,,}"$'\n\\$ \techo "<$RJWT_SUB>"\n\\$ \texit' login
	[[ $output == *'<alice>'* ]]
	decisions 'accepted user=alice service=login'
}

@test "short: login takes a password of the form of a code, and says nothing of it" {
	mint --short -s login alice
	echo 'alice:0123-4567-89ab-cdef' | chpasswd
	run -0 on_terminal $'login: \talice\nToken: \t0123-4567-89ab-cdef\n\\$ \techo "<$USER>"\n\\$ \texit' login
	echo "alice:$alice_password" | chpasswd
	[[ $output == *'<alice>'* ]]
	decisions
}

@test "short: ssh takes a code by both methods, and tells its holder nothing of who is there" {
	start_sshd
	run -0 ssh_kbd alice "$(mint --short alice)" 'id -un'
	[ "$output" = alice ]
	run -0 ssh_password alice "$(mint --short alice)" 'id -un'
	[ "$output" = alice ]
	# who has a code of alice's learns nothing of who is there
	code=$(mint --short alice)
	run ssh_kbd bob "$code" 'id -un'
	sed 's/bob@/X@/' $prompts >$work/there
	run ssh_kbd nobody-of-that-name "$code" 'id -un'
	sed 's/nobody-of-that-name@/X@/' $prompts >$work/not_there
	diff $work/there $work/not_there
	run -0 ssh_kbd alice "$code" 'id -un'
	stop_sshd
}

@test "short: who guesses codes is locked out by pam_faillock, and the log has no word of it but its own" {
	rm -rf $work/faillock
	cat >/etc/pam.d/su <<-END
		auth requisite pam_faillock.so preauth silent deny=3 dir=$work/faillock
		auth sufficient pam_rjwt.so
		auth [default=die] pam_faillock.so authfail deny=3 dir=$work/faillock
		account required pam_permit.so
		session required pam_permit.so
	END
	code=$(mint --short -s su alice)
	for guess in 0123-4567-89AB-CDEF 0123-4567-89AB-CDEG 0123-4567-89AB-CDEH; do
		run -1 on_terminal $'Token: \t'"$guess" as bob su alice -c 'id -un'
	done
	# locked: the right one is not good either, until the lock is taken off
	run ! on_terminal $'Token: \t'"$code" as bob su alice -c 'id -un'
	[[ $output != *alice* ]]
	decisions
	[ -z "$(log_since '0123-?4567')" ]
	faillock --dir $work/faillock --user alice --reset
	run -0 on_terminal $'Token: \t'"$code" as bob su alice -c 'id -un'
	[ "${lines[-1]}" = alice ]
	decisions 'accepted user=alice service=su'
}

@test "short: without pam_faillock guesses are passwords, however many, and the code is good afterwards" {
	pam_service su token
	code=$(mint --short -s su alice)
	for n in {10..29}; do
		run -1 on_terminal $'Token: \t'"0123-4567-89AB-CD$n" as bob su alice -c 'id -un'
	done
	decisions
	[ -z "$(log_since '0123-?4567')" ]
	run -0 on_terminal $'Token: \t'"$code" as bob su alice -c 'id -un'
	decisions 'accepted user=alice service=su'
}

@test "short: of sixteen who type one code at once, one gets in" {
	code=$(mint --short -s su alice)
	give_replies "$code"
	pam_service su token
	for n in {1..16}; do
		as bob su alice -c 'echo in' <$replies >"$BATS_TEST_TMPDIR/$n" 2>/dev/null 3>&- &
		clients[n]=$!
	done
	for n in {1..16}; do wait "${clients[n]}" || true; done
	[ "$(cat "$BATS_TEST_TMPDIR"/[0-9]* | grep -c '^in$')" -eq 1 ]
	run -0 log_since 'pam_rjwt.*: accepted '
	[ ${#lines[@]} -eq 1 ]
	run -0 log_since 'pam_rjwt.*: rejected reason=spent'
	[ ${#lines[@]} -eq 15 ]
}

@test "codes: a break-glass code whose token was signed anew opens sudo, once; what was revoked is gone" {
	fresh_keyset 'leeway: 0s' 'max_lifetime: 60s' 'default_lifetime: 60s' 'codes: [sudo]'
	rjwt-keyd codes 2 --lifetime 30d --scope sudo alice >$work/codes
	log_mark
	before=$(cat /var/lib/rjwt/private/parked/* | sha256sum)
	sleep 31
	rjwt-keyd once
	[ "$(cat /var/lib/rjwt/private/parked/* | sha256sum)" != "$before" ]
	code=$(sed -n 1p $work/codes)
	run -0 on_terminal $'Token: \t'"$code" as alice sudo id -un
	[ "${lines[-1]}" = root ]
	decisions 'accepted user=alice service=sudo'
	pam_service sudo token
	run -1 sudo_stdin alice "$code" true
	rjwt-keyd revoke --sub alice
	run -1 sudo_stdin alice "$(sed -n 2p $work/codes)" true
	[ -z "$(ls /var/lib/rjwt/private/parked)" ]
}
