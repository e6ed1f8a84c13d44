#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The shipped stacks on a host where pam_rjwt.so cannot be loaded: the other lines decide. Then it is back.

bats_require_minimum_version 1.5.0

setup_file()
{
	. tests/system/helpers.bash
	local name
	for name in sshd sudo su login; do cp etc/pam.d/$name /etc/pam.d/$name; done
	sed -i '1i Defaults passwd_tries=1' /etc/sudoers
	start_sshd
	give_key alice
}

teardown_file()
{
	. tests/system/helpers.bash
	stop_sshd
	write_sudoers
	rm -r /home/alice/.ssh
}

setup()
{
	. tests/system/helpers.bash
	module=/usr/lib/$(gcc -print-multiarch)/security/pam_rjwt.so
	fresh_keyset
	token=$(mint alice)    # the programs need the library, too, that is taken away below
	cp -p "$module" "$work/module"
	log_mark
}

teardown()
{
	rm -rf "$module"
	cp -p "$work/module" "$module"
	[ ! -e "$work/away" ] || mv "$work/away"/* "$libraries"
	cp etc/pam.d/sshd /etc/pam.d/sshd
	no_token_logged
}

# enter WAY REPLY - as alice, or as root by alice: succeeds when that gets in
enter()
{
	case $1 in
	ssh) ssh_kbd alice "$2" true ;;
	sudo) sudo_stdin alice "$2" true ;;
	su) type_in "$2" | as bob su alice -c true 3>&- ;;
	login)
		on_terminal $'login: \talice\n(Token or password|Password): \t'"$2"$'\n\\$ \techo $((6*7))in; exit' login >"$work/seen" &&
			grep -q 42in "$work/seen"
		;;
	esac
}

# scope_of WAY
scope_of() { case $1 in ssh) echo ssh ;; *) echo "$1" ;; esac }

# passwords_alone - as on a host without rjwt: the password and the key, and neither a token nor a wrong password
passwords_alone()
{
	for way in ssh sudo su login; do
		run -0 enter $way "$alice_password"
	done
	asked '(alice@127.0.0.1) Password: '
	run -0 ssh_by publickey alice '' -i "$work/key" true
	run ! enter ssh "$token"
	run ! enter sudo "$wrong_password"
	decisions
	log_since 'PAM unable to dlopen\(pam_rjwt.so\)'
}

# tokens_again - the module is back, and with it what it refuses
tokens_again()
{
	rm -rf "$module"
	cp -p "$work/module" "$module"
	for way in ssh sudo su login; do
		run -0 enter $way "$(mint -s "$(scope_of $way)" alice)"
	done
	run -0 enter ssh "$alice_password"
	decisions 'accepted .*service=sshd' 'accepted .*service=sudo' 'accepted .*service=su ' 'accepted .*service=login'
}

@test "outage: pam_rjwt.so is missing" {
	rm "$module"
	passwords_alone
	tokens_again
}

@test "outage: pam_rjwt.so cannot be read" {
	rm "$module"
	mkdir "$module"
	passwords_alone
	tokens_again
}

@test "outage: pam_rjwt.so is of another architecture" {
	printf '\001' | dd of="$module" bs=1 seek=4 conv=notrunc status=none    # 32 bits
	printf '\050' | dd of="$module" bs=1 seek=18 conv=notrunc status=none   # ARM
	passwords_alone
	tokens_again
}

@test "outage: pam_rjwt.so is empty, or ends within its headers" {
	: >"$module"
	passwords_alone
	head -c 100 "$work/module" >"$module"
	run -0 enter ssh "$alice_password"
	tokens_again
}

@test "outage: a library that pam_rjwt.so needs is missing" {
	libraries=/usr/lib/$(gcc -print-multiarch)
	mkdir "$work/away"
	mv "$libraries"/libyaml-0.so.* "$work/away"
	passwords_alone
	mv "$work/away"/* "$libraries"
	rmdir "$work/away"
	tokens_again
}

@test "outage: without the module a stack that takes tokens alone lets in by key, and nobody by a prompt" {
	cp etc/pam.d/sshd-token-only /etc/pam.d/sshd
	rm "$module"
	run ! enter ssh "$alice_password"
	run ! enter ssh "$token"
	run -0 ssh_by publickey alice '' -i "$work/key" true
	decisions
	cp -p "$work/module" "$module"
	run -0 enter ssh "$(mint alice)"
	decisions 'accepted user=alice service=sshd'
}

@test "outage: a login by the profile of pam-auth-update goes on without the module" {
	cp etc/pam-configs/rjwt /usr/share/pam-configs/rjwt
	DEBIAN_FRONTEND=noninteractive pam-auth-update --force --enable rjwt </dev/null 3>&-
	printf '@include common-%s\n' auth account session >/etc/pam.d/rjwt-test
	all=(authenticate acct_mgmt 'setcred(PAM_ESTABLISH_CRED)' open_session close_session)
	rm "$module"
	run -0 pamtester rjwt-test alice "${all[@]}" <<<"$alice_password"
	run -1 pamtester rjwt-test alice "${all[@]}" <<<"$wrong_password"
	cp -p "$work/module" "$module"
	run -0 pamtester rjwt-test alice "${all[@]}" <<<"$(mint -s rjwt-test alice)"
	DEBIAN_FRONTEND=noninteractive pam-auth-update --disable rjwt </dev/null 3>&-
	rm /usr/share/pam-configs/rjwt /etc/pam.d/rjwt-test
}
