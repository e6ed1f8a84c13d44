#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The installed units under a real systemd (tests/system/boot): first start, service and timers, what their restrictions
# leave possible, the journal, and pam_systemd's sessions.

bats_require_minimum_version 1.5.0

setup_file()
{
	. tests/system/helpers.bash
	start_systemd
}

teardown_file()
{
	. tests/system/helpers.bash
	stop_systemd
}

setup()
{
	. tests/system/helpers.bash
	need_systemd
	rm -rf /var/lib/rjwt /etc/rjwt /var/spool/rjwt/*
	mkdir -m 0755 /etc/rjwt
	cp -a /etc/pam.d "$work/pam.before"
	cursor=$(inside journalctl -q -n 1 --show-cursor | sed -n 's/^-- cursor: //p')
}

teardown()
{
	[ -d "$work/pam.before" ] || return 0
	inside systemctl stop rjwt-keyd.service rjwt-keyd.timer rjwt-follow.timer rjwt-follow-again.timer rjwt-fetch.service \
		rjwt-tests-sshd.service 2>/dev/null || true
	inside systemctl reset-failed
	rm -rf /etc/pam.d /run/systemd/system/rjwt-look.service /srv/issuer
	mv "$work/pam.before" /etc/pam.d
}

# journal ARG... - what came since the test began
journal() { inside journalctl --sync && inside journalctl -q -o cat --after-cursor="$cursor" "$@"; }

# journal_has REGEX [ARG...] - or what is there is shown
journal_has()
{
	journal "${@:2}" | grep -E -- "$1" || { journal "${@:2}"; return 1; }
}

@test "units: the first start makes the keyset, the next ones keep it" {
	inside systemctl start rjwt-keyd.service
	unit_active rjwt-keyd.service
	[ "$(stat -c '%a %U' /var/lib/rjwt /var/lib/rjwt/private | tr '\n' ' ')" = '755 root 700 root ' ]
	journal_has 'created a keyset for sandbox' -u rjwt-keyd-init.service
	run -0 rjwt-keyd status -q
	before=$(jq -r .base /var/lib/rjwt/keyset.json)
	inside systemctl restart rjwt-keyd.service
	unit_active rjwt-keyd.service
	[ "$(jq -r .base /var/lib/rjwt/keyset.json)" = "$before" ]
}

@test "units: the service and the timer end each other, and each cares for the keyset" {
	inside systemctl start rjwt-keyd.service
	inside systemctl start rjwt-keyd.timer
	unit_active rjwt-keyd.timer
	unit_active rjwt-keyd.service inactive
	inside systemctl start rjwt-keyd-once.service
	journal_has 'nothing was due' -u rjwt-keyd-once.service
	inside systemctl start rjwt-keyd.service
	unit_active rjwt-keyd.service
	unit_active rjwt-keyd.timer inactive
	unit_active rjwt-keyd-once.service inactive
}

@test "units: what is due is done by both, and logged" {
	printf '%s\n' 'rotate_every: 3s' 'previous_key_ttl: 1h' 'max_lifetime: 10m' >/etc/rjwt/rjwt.yaml
	rjwt-keyd init 2>/dev/null
	sleep 3
	inside systemctl start rjwt-keyd-once.service
	await journal_has 'promoted kid=[^ ]*\.2 cause=time' -t rjwt-keyd
	inside systemctl start rjwt-keyd.service
	await journal_has 'promoted kid=[^ ]*\.3 cause=time' -u rjwt-keyd.service
	run -0 rjwt-verify -u alice -s sshd <<<"$(mint alice)"
}

@test "units: a mistake in rjwt.yaml is in the journal with file and line; a start is tried again, a reload keeps the old settings" {
	echo 'leewy: 1s' >/etc/rjwt/rjwt.yaml
	: >"$BATS_TEST_TMPDIR/empty"
	rjwt-keyd -c "$BATS_TEST_TMPDIR/empty" init 2>/dev/null
	run ! inside systemctl start rjwt-keyd.service
	journal_has '/etc/rjwt/rjwt.yaml:1:1: unknown key "leewy"' -u rjwt-keyd.service
	unit_active rjwt-keyd.service activating
	echo 'leeway: 1s' >/etc/rjwt/rjwt.yaml
	inside systemctl restart rjwt-keyd.service    # start would wait for the minute to pass
	echo 'leewy: 2s' >/etc/rjwt/rjwt.yaml
	inside systemctl reload rjwt-keyd.service
	await journal_has 'unknown key "leewy"' -u rjwt-keyd.service
	unit_active rjwt-keyd.service
}

# look NAME - what check finds, codes and levels, where the unit NAME runs it in place of its program
look()
{
	sed -e 's/^Type=.*/Type=oneshot/' -e "s:^ExecStart=.*:ExecStart=rjwt-keyd check --json:" -e '/^Restart/d' -e '/^Conflicts/d' \
		-e "/^Type=/a StandardOutput=truncate:$work/look" "/lib/systemd/system/$1" >/run/systemd/system/rjwt-look.service
	inside systemctl daemon-reload
	inside systemctl start rjwt-look.service || true    # a FAIL is 1
	codes <$work/look
}

# codes - of each finding of the JSON on standard input; free inodes are another number each time
codes() { jq -r '.findings[] | select(.area != "disk") | [.level, .area, .code // "", .path // "", .text] | join(" ")'; }

@test "units: what the daemon finds at its start is what check finds by hand, but for the clock, which its unit keeps from it" {
	cp etc/pam.d/{sshd,sudo,su,login} /etc/pam.d/
	sed -i 's/^@include common-auth/auth sufficient pam_permit.so/' /etc/pam.d/login
	sed -i 's/timestamp_timeout=0/timestamp_timeout=60/' /etc/sudoers
	inside systemctl start rjwt-keyd.service
	inside rjwt-keyd check --json | codes >$work/by-hand || true
	grep -q '^fail pam pam.open' $work/by-hand
	grep -q '^warn sshd sshd.kbdint' $work/by-hand
	grep -q '^warn sudo sudo.timestamp' $work/by-hand
	findings=$(grep -v ' clock ' $work/by-hand | grep -vc '^ok ')
	# By name: of a process that has ended when the journal reads its line, the journal does not know the unit.
	logged() { [ "$(journal -t rjwt-keyd | grep -c '^finding ')" -eq "$findings" ]; }
	# The daemon's child reads the files after the start has been told: they stay as they are until it has.
	await logged || await logged || await logged || { journal -t rjwt-keyd; cat $work/by-hand; false; }
	look rjwt-keyd.service >$work/by-unit
	diff <(grep -v ' clock ' $work/by-hand) <(grep -v ' clock ' $work/by-unit)
	grep -Fx 'ok clock   not checked: adjtimex is not allowed here' $work/by-unit
	mkdir -p /run/systemd/timesync
	touch /run/systemd/timesync/synchronized
	look rjwt-keyd.service | grep '^ok clock   synchronised'
	rm -r /run/systemd/timesync
	write_sudoers
}

# systemd_sshd - sshd as a unit; the shipped file over a common-session as Debian's libpam-systemd makes it
systemd_sshd()
{
	run_sshd()
	{
		inside systemd-run -q --collect --unit=rjwt-tests-sshd /usr/sbin/sshd -D -f $work/sshd_config
		await bash -c "exec 9<>/dev/tcp/127.0.0.1/$port"
	}
	cp etc/pam.d/sshd /etc/pam.d/sshd
	echo 'session optional pam_systemd.so' >>/etc/pam.d/common-session
	start_sshd
}

@test "units: a login by a token is a session of logind, and in the journal; cap_session ends it when the token ends" {
	command -v loginctl >/dev/null
	fresh_keyset
	systemd_sshd
	session='s=$(sed -n "s/^0:.*[/]//p" /proc/self/cgroup); echo $s; systemctl show -P RuntimeMaxUSec $s'
	token=$(mint -t 10m alice)
	run -0 ssh_kbd alice "$token" "$session"
	[[ ${lines[0]} =~ ^session-[c0-9]+\.scope$ && ${lines[1]} == infinity ]]
	journal_has "accepted user=alice service=sshd .* jti=$(claim jti "$token") "
	printf '%s\n' 'cap_session: true' 'leeway: 1s' >/etc/rjwt/rjwt.yaml
	run -0 ssh_kbd alice "$(mint -t 10m alice)" "$session"
	[[ ${lines[1]} =~ ^(9min|10min) ]]
	SECONDS=0
	run ! ssh_kbd alice "$(mint -t 3s alice)" 'echo in; sleep 120; echo still here'
	[[ ${lines[0]} == in && $output != *'still here'* ]]
	[ "$SECONDS" -lt 60 ]    # not 120
}

# make_issuer - a fleet in /srv/issuer; $line is what a host types to join it
make_issuer()
{
	mkdir -p /srv/issuer
	printf '%s\n' 'state_dir: /srv/issuer/state' 'issuer: i1' 'audience: i1' 'leeway: 1s' >/srv/issuer/rjwt.yaml
	printf '%s\n' 'audience: sandbox' 'leeway: 1s' >/etc/rjwt/rjwt.yaml
	install -d -o rjwt-fetch -g rjwt-fetch /var/spool/rjwt
	line=$(rjwt-keyd -c /srv/issuer/rjwt.yaml fleet init --key /srv/issuer/fleet.key http://127.0.0.1:8080/fleet.jws)
}

@test "units: the timer follows an issuer, by the user and within the limits of its units" {
	make_issuer
	inside systemctl start rjwt-follow.service    # nothing to do: the host is in no fleet
	unit_active rjwt-follow.service inactive
	$line
	serve
	inside systemctl start rjwt-follow.service
	journal_has 'installed serial' -u rjwt-follow.service
	[ "$(stat -c %U /var/spool/rjwt/*.jws)" = rjwt-fetch ]
	run -0 rjwt-keyd status -q
	# the timer polls; a poll that fails is tried again after 5 to 10 s
	end_server
	inside systemctl start rjwt-follow.timer
	run -0 inside systemctl show -P NextElapseUSecMonotonic rjwt-follow.timer
	[ -n "$output" ]
	inside systemctl start rjwt-follow.service || true
	unit_active rjwt-fetch.service failed
	unit_active rjwt-follow-again.timer
	newest=$(rjwt-keyd -c /srv/issuer/rjwt.yaml publish 2>&1 | grep -o 'serial [0-9]*')
	serve
	again() { [ "serial $(jq .followed.serial /var/lib/rjwt/fleet/*/keyset.json)" = "$newest" ]; }
	await again || await again
	end_server
}

# serve, end_server - the issuer's mirror
serve()
{
	/usr/bin/python3 -m http.server -b 127.0.0.1 -d /srv/issuer/state/www 8080 >/dev/null 2>&1 3>&- &
	server=$!
	await bash -c 'exec 9<>/dev/tcp/127.0.0.1/8080'
}
end_server()
{
	kill $server
	wait $server || true
}

# helper TOKEN - polkit's helper, with the restriction that polkit 127 gives it, asks PAM as it does
helper()
{
	type_in "$1" >$work/reply
	inside systemctl start polkit-agent-helper@0.service
}

@test "units: polkit's helper can mark one-time tokens as spent, the host's own and the fleet's, and short codes" {
	printf '%s\n' 'audience: sandbox' 'leeway: 1s' >/etc/rjwt/rjwt.yaml
	rjwt-keyd init 2>/dev/null
	make_issuer
	$line
	rjwt-keyd follow /srv/issuer/state/www/fleet.jws
	sleep 2.1    # what was minted before a host remembered used tokens counts as used
	pam_service polkit-1 token
	cat >/run/systemd/system/polkit-agent-helper@.service <<-END
		[Service]
		Type=oneshot
		ProtectSystem=strict
		StandardInput=file:$work/reply
		ExecStart=/usr/bin/pamtester polkit-1 alice authenticate
	END
	inside systemctl daemon-reload
	for token in "$(mint -s polkit-1 alice)" "$(rjwt-issue -c /srv/issuer/rjwt.yaml -s polkit-1 -a sandbox alice 2>/dev/null)" \
		"$(mint --short -s polkit-1 alice)"; do
		helper "$token" || { journal; rjwt-verify -s polkit-1 -u alice --explain <<<"$token"; false; }
		run ! helper "$token"
	done
	finds_unit '' ''
	# without the drop-in none could be marked, and none opens anything
	inside mount --bind /dev/null "$(inside systemctl show -P DropInPaths polkit-agent-helper@0.service)"
	inside systemctl daemon-reload
	run ! helper "$(mint -s polkit-1 alice)"
	journal_has 'rejected reason=.*Read-only file system'
	finds_unit pam.unit "polkit-agent-helper@.service: below [Service] the line ReadWritePaths=-/var/lib/rjwt/spent -/var/lib/rjwt/fleet"
	inside umount "$(inside systemctl show -P DropInPaths polkit-agent-helper@0.service)"
	# as it was: the host's own marks alone
	echo ReadWritePaths=/var/lib/rjwt/spent >>/run/systemd/system/polkit-agent-helper@.service
	echo ReadOnlyPaths=/var/lib/rjwt/fleet >>/run/systemd/system/polkit-agent-helper@.service
	sed 's:/fleet$:/fleets:' "$(inside systemctl show -P DropInPaths polkit-agent-helper@0.service)" >$work/drop-in
	inside mount --bind $work/drop-in "$(inside systemctl show -P DropInPaths polkit-agent-helper@0.service)"
	inside systemctl daemon-reload
	finds_unit pam.unit "[Service] the line ReadWritePaths=-/var/lib/rjwt/fleet"
	inside umount "$(inside systemctl show -P DropInPaths polkit-agent-helper@0.service)"
}

# finds_unit CODE FIX - of check's findings on units; both empty: none
finds_unit()
{
	[ "$(inside rjwt-keyd check --json | jq -r '.findings[] | select(.code == "pam.unit").code')" = "$1" ]
	[[ $(inside rjwt-keyd check --json | jq -r '.findings[] | select(.code == "pam.unit").fix') == *"$2" ]]
}
