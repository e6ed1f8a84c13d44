#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-grant through Debian's polkitd and pkexec, with the rule of etc/polkit-1: bob of the helpdesk, and eve.

bats_require_minimum_version 1.5.0

bob_password='curiouser-and-curiouser' eve_password='off-with-her-head'

setup_file()
{
	. tests/system/helpers.bash
	local polkitd
	for name in carol eve; do make_user $name; done
	set_password bob "$bob_password"
	set_password eve "$eve_password"
	groupadd -f helpdesk
	gpasswd -M bob helpdesk >/dev/null
	mkdir -p /run/dbus
	dbus-uuidgen --ensure
	dbus-daemon --system --nofork --nopidfile </dev/null >$work/dbus.log 2>&1 3>&- &
	echo $! >$work/polkit.pids
	await test -S /run/dbus/system_bus_socket
	install -m 0644 etc/polkit-1/rules.d/50-rjwt.rules /etc/polkit-1/rules.d/
	polkitd=$(dpkg -L polkitd | grep '/polkitd$' | head -n 1)
	"$polkitd" --no-debug </dev/null >$work/polkit.log 2>&1 3>&- &
	echo $! >>$work/polkit.pids
	await pkaction --action-id org.freedesktop.policykit.exec >/dev/null
}

teardown_file()
{
	. tests/system/helpers.bash
	xargs kill <$work/polkit.pids
	rm -f /etc/polkit-1/rules.d/50-rjwt.rules
	make_user bob
	for name in carol eve; do userdel -f -r $name >/dev/null 2>&1; done
	groupdel helpdesk
}

setup()
{
	. tests/system/helpers.bash
	fresh_keyset 'leeway: 0s' 'issue:' '- who: ["%helpdesk", eve]' '  users: [carol]' '  scopes: [ssh]' '  max_lifetime: 10m'
	pam_service sshd token
	export RJWT_PAUSE_MS=500    # the prompt is there before pkexec turns the echo off, and drops what was typed
	log_mark
}

teardown() { no_token_logged; }

# by USER PASSWORD COMMAND... - pkexec on a terminal, beside the agent that asks; pkexec's own has "No session for cookie"
by()
{
	# shellcheck disable=SC2016    # the inner shell expands it
	on_terminal $'Password: \t'"$2" as "$1" bash -c 'exec 9< <(pkttyagent --notify-fd 8 --process $$ 8>&1 >/dev/tty); read -r -N 1 <&9
		pkexec --disable-internal-agent "$@"; exit $?' bash "${@:3}"
}

@test "polkit: bob of the helpdesk mints by pkexec, after his own password" {
	run -0 by bob "$bob_password" rjwt-grant --reason 'lost key' carol
	[[ $output == *'Authenticating as: bob'* ]]
	token=${lines[-1]}
	echo "$token" >>$tokens
	[ "$(claim sub "$token")" = carol ]
	run -0 log_since 'rjwt-grant.*issued by=root caller=bob via=pkexec (loginuid=[0-9]+ )?rule=1 sub=carol .* why="lost key"'
	run -0 pamtester sshd carol authenticate <<<"$token"
	# what his rule does not grant, is refused after the password
	run -1 by bob "$bob_password" rjwt-grant -s sudo carol
	[[ ${lines[-1]} == *'scopes: found sudo (expected ssh)' ]]
	log_mark
	run -127 by bob "$alice_password" rjwt-grant carol
	[[ $output == *'Not authorized'* && $output != *eyJ* ]]
	run -1 log_since 'rjwt-grant\['
}

@test "polkit: pkexec says who calls, whatever the environment of its caller" {
	export PKEXEC_UID=0 SUDO_UID=0 DOAS_USER=root OPENSSL_CONF=/nonexistent
	run -0 by bob "$bob_password" rjwt-grant carol
	echo "${lines[-1]}" >>$tokens
	run -0 log_since 'rjwt-grant.*issued by=root caller=bob via=pkexec '
}

@test "polkit: who is not of the helpdesk, another program, another user and a link are the administrator's to allow" {
	# eve has a rule of rjwt.yaml, and none of polkit
	run -127 by eve "$eve_password" rjwt-grant carol
	[[ $output == *'Authenticating as: root'*'Not authorized'* ]]
	ln -s /usr/bin/rjwt-grant $work/rjwt-grant
	for command in 'rjwt-issue carol' '--user eve rjwt-grant carol' "env SUDO_UID=1 rjwt-grant carol" "$work/rjwt-grant carol"; do
		run -127 by bob "$bob_password" $command
		[[ $output == *'Authenticating as: root'*'Not authorized'* && $output != *eyJ* ]]
	done
	rm $work/rjwt-grant
	# without a terminal there is nobody to ask
	run -127 as bob pkexec --disable-internal-agent rjwt-grant carol
	run -1 log_since 'rjwt-(grant|issue)\['
}
