#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The files of etc/ as an administrator copies them: PAM stacks, sshd_config.d, pam-auth-update, cron.d.

bats_require_minimum_version 1.5.0

setup_file()
{
	DEBIAN_FRONTEND=noninteractive pam-auth-update --force </dev/null >/dev/null 2>&1 3>&-
	rm -rf /etc/ssh/sshd_config.d
	mkdir /etc/ssh/sshd_config.d
}

setup()
{
	. tests/system/helpers.bash
	fresh_keyset
	log_mark
}

teardown()
{
	stop_sshd
	[ ! -e "$work/cron.pid" ] || kill -KILL "$(<"$work/cron.pid")" || true
	rm -f "$work/cron.pid"
	no_token_logged
}

# use SERVICE [FILE] - the example as that service's file
use() { cp "etc/pam.d/${2-$1}" "/etc/pam.d/$1"; }

# debian_sshd - sshd with the configuration that Debian ships
debian_sshd()
{
	{
		printf 'Port %s\nListenAddress 127.0.0.1\nHostKey %s\nPidFile none\n' "$port" "$work/host_key"
		without_penalties
		cat /usr/share/openssh/sshd_config
	} >"$work/sshd_config"
	[ -e "$work/host_key" ] || ssh-keygen -q -t ed25519 -N '' -f "$work/host_key"
	run_sshd
}

@test "examples: pam.d/sshd takes a token or the password, on Debian's sshd with sshd_config.d/rjwt.conf" {
	use sshd
	cp etc/sshd_config.d/rjwt.conf /etc/ssh/sshd_config.d/10-rjwt.conf
	debian_sshd
	token=$(mint alice)
	run -0 ssh_kbd alice "$token" 'id -un; echo "$RJWT_SUB $RJWT_JTI"'
	[ "${lines[-2]}" = alice ]
	[ "${lines[-1]}" = "alice $(claim jti "$token")" ]
	asked '(alice@127.0.0.1) Token or password: '
	run -0 ssh_kbd alice "$alice_password" true
	run -255 ssh_kbd alice "$wrong_password" true
	run -0 ssh_password alice "$(mint alice)" true
	decisions 'accepted user=alice' 'accepted user=alice'
}

@test "examples: this Debian has each module that they name without a hyphen, and none reads ~/.pam_environment" {
	modules=$(dirname "$(dpkg -L libpam-modules | grep '/pam_unix\.so$')")
	named=0
	for file in etc/pam.d/*; do
		while read -r module; do
			named=$((named + 1))
			[ -e "$modules/$module" ] || { echo "$file: $module" && false; }
		done < <(grep -v '^[-#]' "$file" | grep -o 'pam_[a-z_]*\.so')
		run -1 grep '^[^#]*user_readenv' "$file"
	done
	[ $named -gt 40 ]
}

@test "examples: without sshd_config.d/rjwt.conf nobody sees our prompt, and the token is taken all the same" {
	use sshd
	rm -f /etc/ssh/sshd_config.d/*
	debian_sshd
	run -255 ssh_kbd alice "$(mint alice)" true
	asked
	run -0 ssh_password alice "$(mint alice)" true
	asked "alice@127.0.0.1's password: "
}

@test "examples: pam.d/sshd lets in by public key, and without a keyset by password" {
	use sshd
	cp etc/sshd_config.d/rjwt.conf /etc/ssh/sshd_config.d/10-rjwt.conf
	debian_sshd
	give_key alice
	run -0 ssh_by publickey alice '' -i "$work/key" 'env | grep ^RJWT_ || echo none'
	[ "${lines[-1]}" = none ]
	rm -r /var/lib/rjwt
	run -0 ssh_kbd alice "$alice_password" true
	asked '(alice@127.0.0.1) Password: '
}

@test "examples: pam.d/sshd-token-only takes a token and no password" {
	use sshd sshd-token-only
	cp etc/sshd_config.d/rjwt.conf /etc/ssh/sshd_config.d/10-rjwt.conf
	debian_sshd
	run -255 ssh_kbd alice "$alice_password" true
	run -0 ssh_kbd alice "$(mint alice)" true
	run -0 ssh_kbd bob "$(mint bob)" true
}

# chosen - what the user would like the variables to be, by ~/.pam_environment, which pam_env then reads
chosen()
{
	printf '%s\n' 'RJWT_SUB DEFAULT=root' 'RJWT_JTI DEFAULT=made-up' 'RJWT_EXP DEFAULT=1' 'RJWT_ACTOR DEFAULT=root' 'RJWT_CAP DEFAULT=1' \
		'OTHER DEFAULT=there' \
		>/home/alice/.pam_environment
}

# reads_environment - as Debian 12's own file of sshd does
reads_environment()
{
	sed -i 's/pam_env.so envfile/pam_env.so user_readenv=1 envfile/' /etc/pam.d/sshd
	[ "$(grep -c user_readenv=1\ envfile /etc/pam.d/sshd)" -eq 1 ]
}

# The token's own: what a session of alice's by TOKEN shows
of_token()
{
	printf 'OTHER=there\nRJWT_EXP=%s\nRJWT_JTI=%s\nRJWT_SUB=alice' "$(claim exp "$1")" "$(claim jti "$1")"
}

@test "examples: a user's ~/.pam_environment chooses no RJWT_ variable in sshd, by token, password or key" {
	show='env | grep -E "^(RJWT_|OTHER)" | sort'
	give_key alice
	chosen
	for file in sshd sshd-token-only; do
		use sshd $file
		reads_environment
		start_sshd
		token=$(mint alice)
		run -0 ssh_kbd alice "$token" "$show"
		[ "$output" = "$(of_token "$token")" ]
		run -0 ssh_by publickey alice '' -i "$work/key" "$show"
		[ "$output" = OTHER=there ]
		stop_sshd
	done
	use sshd
	reads_environment
	start_sshd 'ForceCommand echo "<$RJWT_SUB>"'
	run -0 ssh_by publickey alice '' -i "$work/key" true
	[ "$output" = '<>' ]
	run -0 ssh_kbd alice "$alice_password" true
	[ "$output" = '<>' ]
	run -0 ssh_kbd alice "$(mint alice)" true
	[ "$output" = '<alice>' ]
	# it is the last line that does this
	[ "$(grep -c '^session.*pam_rjwt.so' /etc/pam.d/sshd)" -eq 2 ]
	sed -i "$(grep -n '^session.*pam_rjwt.so' /etc/pam.d/sshd | tail -n 1 | cut -d: -f1)d" /etc/pam.d/sshd
	run -0 ssh_by publickey alice '' -i "$work/key" true
	[ "$output" = '<root>' ]
	rm -r /home/alice/.pam_environment /home/alice/.ssh
}

@test "examples: nor does it in su and login, where another line reads that file" {
	chosen
	for name in su login; do
		use $name
		last=$(grep -n '^session.*pam_rjwt.so' /etc/pam.d/$name | tail -n 1 | cut -d: -f1)
		sed -i "${last}i session required pam_env.so user_readenv=1" /etc/pam.d/$name
	done
	token=$(mint -s su alice)
	type_in "$token" >"$work/reply"
	run -0 --separate-stderr as bob su alice -c 'env | grep -E "^(RJWT_|OTHER)" | sort' <"$work/reply"
	[ "$output" = "$(of_token "$token")" ]
	type_in "$alice_password" >"$work/reply"
	run -0 --separate-stderr as bob su alice -c 'env | grep -E "^(RJWT_|OTHER)" | sort' <"$work/reply"
	[ "$output" = OTHER=there ]
	run -0 on_terminal $'login: \talice\nToken or password: \t'"$alice_password"$'\n\\$ \techo "<$OTHER$RJWT_SUB>"\n\\$ \texit' login
	[[ $output == *'<there>'* ]]
	rm /home/alice/.pam_environment
}

@test "examples: RJWT_ACTOR is the person of --actor in ssh, sudo, su and login, and no user's to choose" {
	for name in sshd sudo su login; do use $name; done
	reads_environment
	chosen
	start_sshd
	actor='env | grep ^RJWT_ACTOR || echo none'
	run -0 ssh_kbd alice "$(mint --actor carol@example.org alice)" "$actor"
	[ "$output" = RJWT_ACTOR=carol@example.org ]
	run -0 ssh_kbd alice "$(mint alice)" "$actor"
	[ "$output" = none ]
	run -0 ssh_kbd alice "$alice_password" "$actor"
	[ "$output" = none ]
	decisions 'accepted user=alice service=sshd .*act=carol@example.org' 'accepted user=alice service=sshd'
	[ "$(log_since 'accepted .* act=' | wc -l)" -eq 1 ]
	run -0 --separate-stderr sudo_stdin alice "$(mint --actor carol -s sudo alice)" sh -c "$actor"
	[ "$output" = RJWT_ACTOR=carol ]
	run -0 --separate-stderr sudo_stdin alice "$(mint -s sudo alice)" sh -c "$actor"
	[ "$output" = none ]
	# what the caller of sudo has in the environment is sudo's business: env_reset drops it
	type_in "$(mint -s sudo alice)" >"$work/reply"
	run -0 --separate-stderr as alice env RJWT_ACTOR=root sudo -S sh -c "$actor" <"$work/reply"
	[ "$output" = none ]
	type_in "$(mint --actor carol -s su alice)" >"$work/reply"
	run -0 --separate-stderr as bob env RJWT_ACTOR=root su alice -c "$actor" <"$work/reply"
	[ "$output" = RJWT_ACTOR=carol ]
	run -0 on_terminal $'login: \talice\nToken or password: \t'"$(mint --actor carol -s login alice)"$'\n\\$ \techo "<$RJWT_ACTOR>"\n\\$ \texit' login
	[[ $output == *'<carol>'* ]]
	rm /home/alice/.pam_environment
}

@test "examples: pam.d/sudo and sudo-i take a token or the password" {
	use sudo
	use sudo-i
	run -0 sudo_stdin alice "$(mint -s sudo alice)" id -un
	run -0 sudo_stdin alice "$alice_password" id -un
	run -0 sudo_stdin alice "$(mint -s sudo alice)" -i id -un
	run -0 sudo_stdin alice "$alice_password" -i id -un
	run -1 sudo_stdin alice "$wrong_password" id -un
	# after the wrong password sudo asks again, and there is nothing left to read
	decisions 'accepted .*service=sudo' 'accepted .*service=sudo-i' 'rejected reason=io .*service=sudo'
}

@test "examples: pam.d/su takes a token or the password, and asks root nothing" {
	use su
	run -0 on_terminal $'Token or password: \t'"$(mint -s su alice)" as bob su alice -c 'id -un'
	[ "${lines[-1]}" = alice ]
	run -0 on_terminal $'Token or password: \t'"$alice_password" as bob su alice -c 'id -un'
	run -0 su alice -c 'id -un'
	[ "$output" = alice ]
	decisions 'accepted user=alice service=su'
}

@test "examples: pam.d/login takes a token or the password" {
	use login
	run -0 on_terminal $'login: \talice\nToken or password: \t'"$(mint -s login alice)"$'\n\\$ \techo "<$RJWT_SUB>"\n\\$ \texit' login
	[[ $output == *'<alice>'* ]]
	run -0 on_terminal $'login: \talice\nToken or password: \t'"$alice_password"$'\n\\$ \techo "<$USER>"\n\\$ \texit' login
	[[ $output == *'<alice>'* ]]
	decisions 'accepted user=alice service=login'
}

@test "examples: pam-configs/rjwt is taken by pam-auth-update: a token or the password, cron goes on, and it goes away again" {
	cp etc/pam-configs/rjwt /usr/share/pam-configs/rjwt
	printf '@include common-auth\n@include common-account\n@include common-session-noninteractive\n' >/etc/pam.d/rjwt-test
	DEBIAN_FRONTEND=noninteractive pam-auth-update --enable rjwt </dev/null 3>&-
	token=$(mint --reusable -s rjwt-test alice)
	all=(authenticate acct_mgmt 'setcred(PAM_ESTABLISH_CRED)' open_session)
	run -0 pamtester rjwt-test alice "${all[@]}" <<<"$token"
	run -0 pamtester rjwt-test alice "${all[@]}" <<<"$alice_password"
	run -1 pamtester rjwt-test alice "${all[@]}" <<<"$wrong_password"
	rm -rf /etc/cron.d /run/crond.reboot /run/crond.pid "$work/cron-done"
	mkdir -m 0755 /etc/cron.d
	printf '@include common-auth\n@include common-account\n@include common-session-noninteractive\n' >/etc/pam.d/cron
	echo "@reboot root touch $work/cron-done" >/etc/cron.d/job
	cron -f </dev/null >/dev/null 2>&1 3>&- &
	echo $! >"$work/cron.pid"
	await test -e "$work/cron-done"
	DEBIAN_FRONTEND=noninteractive pam-auth-update --disable rjwt </dev/null 3>&-
	[ -z "$(grep -l pam_rjwt /etc/pam.d/common-*)" ]
	run -1 pamtester rjwt-test alice authenticate <<<"$token"
	run -0 pamtester rjwt-test alice authenticate <<<"$alice_password"
}

@test "examples: cron.d/rjwt rotates when it is due, and says nothing without a keyset or without rjwt" {
	pam_service cron password
	printf 'rotate_every: 1s\nprevious_key_ttl: 2h\n' >/etc/rjwt/rjwt.yaml
	sleep 1.1
	rm -rf /etc/cron.d /run/crond.reboot /run/crond.pid
	mkdir -m 0755 /etc/cron.d
	sed 's#^\*/10 \* \* \* \*#@reboot#' etc/cron.d/rjwt >/etc/cron.d/rjwt
	grep -q '^@reboot root ' /etc/cron.d/rjwt
	cron -f </dev/null >/dev/null 2>&1 3>&- &
	echo $! >"$work/cron.pid"
	await test -e /var/lib/rjwt/keys/3.jwk
	# what cron would run, on a host without a keyset
	command=$(sed -n 's/^@reboot root //p' /etc/cron.d/rjwt)
	kill -KILL "$(<"$work/cron.pid")"
	rm -r /var/lib/rjwt
	run -0 sh -c "$command"
	[ -z "$output" ]
	fresh_keyset
	rm /var/lib/rjwt/keyset.json
	run -1 sh -c "$command"
	[ -n "$output" ]
	run -0 env PATH=/usr/bin:/bin sh -c "$command"    # uninstalled, and this line forgotten
	[ -z "$output" ]
}

@test "examples: rjwt.yaml is valid as it is, and with the defaults that it shows switched on" {
	pam_service rjwt-test token
	cp etc/rjwt.yaml /etc/rjwt/rjwt.yaml
	run -0 rjwt-keyd check
	token=$(mint --reusable -s rjwt-test alice)
	run -0 pamtester rjwt-test alice authenticate <<<"$token"
	sed -nE 's/^#([a-z_]+: *[^ ])/\1/p' etc/rjwt.yaml >/etc/rjwt/rjwt.yaml
	[ "$(wc -l </etc/rjwt/rjwt.yaml)" -ge 12 ]
	run -0 rjwt-keyd check
	run -0 pamtester rjwt-test alice authenticate <<<"$token"
}

@test "examples: the systemd units are ones that systemd understands" {
	command -v systemd-analyze >/dev/null || skip "no systemd-analyze here"
	units=$(find /usr/lib/systemd/system /lib/systemd/system -name 'rjwt-keyd*' | sort -u)
	[ -n "$units" ]
	# shellcheck disable=SC2086
	run -0 systemd-analyze verify --man=no --recursive-errors=one $units
	[ -z "$output" ]
}

@test "examples: sudoers.d/rjwt gives rjwt-grant, by the first rule that rjwt.yaml(5) has" {
	groupadd -f helpdesk
	groupadd -f interns
	gpasswd -M bob helpdesk >/dev/null
	gpasswd -M alice interns >/dev/null
	sed -n '/^issue:/,/^\.Ed/{/^\./!p}' man/rjwt.yaml.5 >>/etc/rjwt/rjwt.yaml
	cp etc/sudoers.d/rjwt /etc/sudoers.grant
	echo '@include /etc/sudoers.grant' >>/etc/sudoers
	chmod 0440 /etc/sudoers.grant
	run -0 visudo -c
	set_password bob "$alice_password"
	pam_service sudo password
	run -0 --separate-stderr sudo_stdin bob "$alice_password" -p '' rjwt-grant --reason 'lost key' alice
	echo "$output" >>$tokens
	run -1 --separate-stderr sudo_stdin bob "$alice_password" -p '' rjwt-grant root
	# shellcheck disable=SC2154    # run sets it
	[[ $stderr == *'rjwt-grant: rule: no rule lets bob issue this'* ]]
	write_sudoers
	# and doas, which asks too
	cp etc/doas/doas.conf /etc/doas.conf
	run -0 doas -C /etc/doas.conf
	run -0 as bob doas -C etc/doas/doas.conf /usr/bin/rjwt-grant
	[ "$output" = permit ]
	run -1 as bob doas -C etc/doas/doas.conf /usr/bin/rjwt-issue
	[ "$output" = deny ]
	rm -f /etc/doas.conf /etc/sudoers.grant
	groupdel helpdesk
	groupdel interns
	make_user bob    # without a password again
}
