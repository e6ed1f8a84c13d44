#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The sandbox itself, in a second one inside the first: nothing gets out, and nothing stays.

bats_require_minimum_version 1.5.0

gone() { [ -z "$(pgrep -f '^sleep 4711')" ]; }

setup()
{
	. tests/system/helpers.bash
	sandbox=$PWD/tests/system/sandbox
	"$sandbox" true 2>/dev/null || skip "no overlay on an overlay on an overlay here"
}

@test "sandbox: the exit status is the command's, standard input and output too" {
	run -7 "$sandbox" sh -c 'cat; exit 7' <<<hello
	[ "$output" = hello ]
}

@test "sandbox: the time limit kills" {
	run -137 "$sandbox" -t 1 sleep 600
	[[ $output == 'sandbox: killed: its 1 s were over, '* ]]
	run -0 "$sandbox" -t 60 sleep 0
}

@test "sandbox: wrong use is told" {
	run -2 "$sandbox"
	run -2 "$sandbox" -t soon true
	install -m 0755 "$sandbox" "$work/sandbox" # the tree may be closed to bob
	run -2 setpriv --reuid bob --clear-groups "$work/sandbox" true
	[[ $output == *root* ]]
}

@test "sandbox: what is changed inside is not seen outside" {
	run -0 "$sandbox" sh -c 'useradd inside && touch /etc/inside /tmp/inside /run/inside /dev/inside /dev/shm/inside tests/inside && rm /etc/passwd'
	id root
	run -1 id inside
	[ -z "$(ls -d /etc/inside /tmp/inside /run/inside /dev/inside /dev/shm/inside tests/inside 2>/dev/null)" ]
}

@test "sandbox: no network but loopback, no environment, no process of outside" {
	sleep 600 3>&- &
	outside=$!
	SUDO_UID=1000 SECRET=1 run -0 "$sandbox" sh -c 'ip -o link; env; ps -e -o args'
	kill $outside
	[ "$(grep -c '^[0-9]*: ' <<<"$output")" -eq 1 ]
	[[ $output != *SUDO_UID* && $output != *SECRET* && $output != *'sleep 600'* ]]
}

@test "sandbox: killed by TERM or KILL, it leaves no process and no mount" {
	for signal in TERM KILL; do
		mounts=$(findmnt -rn -o TARGET)
		"$sandbox" sleep 4711 3>&- &
		pid=$!
		await pgrep -f '^sleep 4711'
		kill -s $signal $pid
		wait $pid || true
		await gone
		run -1 pgrep -f '^sleep 4711'
		[ "$mounts" = "$(findmnt -rn -o TARGET)" ]
	done
}

# harden - this machine, the sandbox that the tests run in, as a hardened one: nothing in here should reach the inner one
harden()
{
	cp -a /etc "$BATS_TEST_TMPDIR/machine"
	cp -a /usr/share/pam-configs "$BATS_TEST_TMPDIR/pam-configs"
	sed -i '1i auth required pam_faillock.so preauth deny=1' /etc/pam.d/common-auth
	sed -i '1i auth required pam_deny.so' /etc/pam.d/common-auth
	sed -i '1i account required pam_access.so' /etc/pam.d/common-account
	sed -i '1i password requisite pam_deny.so' /etc/pam.d/common-password    # as pwquality is to "wonderland"
	sed -i '1i session required pam_limits.so' /etc/pam.d/common-session
	sed 's/^Name:.*/Name: deny/;s/^Priority:.*/Priority: 900/;s/pam_unix.so.*/pam_deny.so/' \
		/usr/share/pam-configs/unix >/usr/share/pam-configs/deny
	echo '-:ALL:ALL' >/etc/security/access.conf
	echo '* hard nproc 0' >/etc/security/limits.conf
	echo 'ALL: ALL' >/etc/hosts.deny
	echo 'exit 1' | tee /etc/profile /etc/bash.bashrc >/root/.bashrc
	printf 'UMASK 077\nPASS_MAX_DAYS 1\nENCRYPT_METHOD DES\n' >>/etc/login.defs
	printf 'INACTIVE=0\nEXPIRE=2020-01-01\nSHELL=/usr/sbin/nologin\n' >/etc/default/useradd
	echo 'ForceCommand /bin/false' >/etc/ssh/sshd_config
	echo 'Defaults requiretty' >/etc/sudoers
	chage -d 2020-01-01 -M 1 root
}

unharden()
{
	find /etc /usr/share/pam-configs -mindepth 1 -delete
	cp -a "$BATS_TEST_TMPDIR/machine/." /etc
	cp -a "$BATS_TEST_TMPDIR/pam-configs/." /usr/share/pam-configs
	rm -rf /root/.bashrc "$BATS_TEST_TMPDIR/machine"
}

# logins - what runs in the inner one: the tests' users, and each program's logins with the shipped files
logins()
{
	set -eu
	. tests/system/helpers.bash
	install_build
	make_user alice "$alice_password"
	make_user bob
	write_sudoers
	start_syslog
	fresh_keyset
	cp etc/pam.d/* /etc/pam.d
	start_sshd
	ssh_kbd alice "$(mint alice)" 'echo ssh by token, umask "$(umask)"'
	ssh_kbd alice "$alice_password" 'echo ssh by password'
	sudo_stdin alice "$alice_password" echo sudo by password 2>/dev/null
	type_in "$alice_password" >"$work/reply"
	as bob su - alice -c 'echo su by password' <"$work/reply" 2>/dev/null
	if ssh_kbd alice "$wrong_password" true; then exit 1; fi
	on_terminal $'login: \talice\n(Token|Password).*: \t'"$alice_password"$'\n\\$ \techo "login by <$USER>"\n\\$ \texit' login
}

teardown()
{
	[ ! -e "$BATS_TEST_TMPDIR/machine" ] || unharden
}

@test "sandbox: what this machine demands of passwords, accounts and logins is not demanded inside, nor is its umask kept" {
	harden
	run ! pamtester other alice authenticate <<<"$alice_password"
	umask 077
	run "$sandbox" bash -c "$(declare -f logins); logins"
	umask 022
	echo "$output"
	[ "$status" -eq 0 ]
	for login in 'ssh by token, umask 0022' 'ssh by password' 'sudo by password' 'su by password' 'login by <alice>'; do
		grep -q "$login\$" <<<"$output"
	done
	unharden
	run -0 pamtester other alice authenticate <<<"$alice_password"
}
