#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-keyd where nobody watches: from a real cron, and as a daemon.

bats_require_minimum_version 1.5.0

setup()
{
	. tests/system/helpers.bash
	fresh_keyset 'leeway: 0s'
	pam_service cron password
	pam_service rjwt-test token
	log_mark
}

teardown()
{
	for name in cron keyd; do
		[ -e "$work/$name.pid" ] || continue
		kill -KILL "$(<"$work/$name.pid")" 2>/dev/null || true
		wait "$(<"$work/$name.pid")" 2>/dev/null || true
		rm -f "$work/$name.pid"
	done
	no_token_logged
}

# start_cron LINE - a real cron with this one job
start_cron()
{
	rm -rf /etc/crontab /etc/cron.d /run/crond.reboot /run/crond.pid
	mkdir -m 0755 /etc/cron.d
	printf 'PATH=/usr/sbin:/usr/bin:/sbin:/bin\n%s\n' "$1" >/etc/cron.d/rjwt
	chmod 0644 /etc/cron.d/rjwt
	cron -f </dev/null >/dev/null 2>&1 3>&- &
	echo $! >"$work/cron.pid"
}

# start_keyd - rjwt-keyd run
start_keyd()
{
	: >"$work/keyd.out"    # before: await must not read what an earlier one wrote
	rjwt-keyd run </dev/null >"$work/keyd.out" 2>&1 3>&- &
	echo $! >"$work/keyd.pid"
}

# stop_keyd - by SIGTERM; its exit status
stop_keyd()
{
	local pid status=0
	pid=$(<"$work/keyd.pid")
	kill -TERM "$pid"
	wait "$pid" || status=$?
	rm -f "$work/keyd.pid"
	return $status
}

active() { rjwt-keyd status --json | /usr/bin/python3 -c 'import json, sys
print([k["kid"] for k in json.load(sys.stdin)["keys"] if k["state"] == "active"][0].rpartition(".")[2])'; }

active_is() { [ "$(active)" -eq "$1" ]; }
active_above() { [ "$(active)" -gt "$1" ]; }

@test "cron runs rjwt-keyd once: what is due is done" {
	[ "$(active)" -eq 1 ]
	old=$(mint --reusable -s rjwt-test alice)
	printf 'leeway: 0s\nrotate_every: 1s\nprevious_key_ttl: 2h\n' >/etc/rjwt/rjwt.yaml
	sleep 1.1
	start_cron '@reboot root rjwt-keyd once && touch /run/rjwt-tests/cron-done'
	await active_is 2
	await test -e "$work/cron-done"
	run -0 pamtester rjwt-test alice authenticate <<<"$old"
	run -0 log_since 'CRON.*rjwt-keyd once'
}

@test "cron runs rjwt-keyd once: nothing due changes nothing, and is success" {
	rm -f "$work/cron-done"
	before=$(sha256sum /var/lib/rjwt/keyset.json)
	start_cron '@reboot root rjwt-keyd once && touch /run/rjwt-tests/cron-done'
	await test -e "$work/cron-done"
	[ "$before" = "$(sha256sum /var/lib/rjwt/keyset.json)" ]
}

@test "cron with pam_rjwt above pam_unix runs its jobs; with a token alone it does not" {
	rm -f "$work/cron-done"
	pam_service cron both
	start_cron '@reboot root touch /run/rjwt-tests/cron-done'
	await test -e "$work/cron-done"
	kill "$(<"$work/cron.pid")"
	rm -f "$work/cron-done"
	pam_service cron token
	log_mark
	start_cron '@reboot root touch /run/rjwt-tests/cron-done'
	await log_since 'CRON.*(FAILED|ermission denied|denied|redential)'
	[ ! -e "$work/cron-done" ]
}

@test "rjwt-keyd run: rotates on time, by itself" {
	printf 'leeway: 0s\nrotate_every: 2s\nprevious_key_ttl: 2h\n' >/etc/rjwt/rjwt.yaml
	start_keyd
	await active_above 2
	stop_keyd
}

@test "rjwt-keyd run: SIGTERM ends it with 0, and the keyset is whole" {
	start_keyd
	await grep -q started "$work/keyd.out"
	stop_keyd
	run -0 rjwt-keyd status
	run -0 pamtester rjwt-test alice authenticate <<<"$(mint -s rjwt-test alice)"
}

@test "rjwt-keyd run: SIGHUP takes a new configuration" {
	start_keyd
	sleep 0.5
	[ "$(active)" -eq 1 ]
	printf 'leeway: 0s\nrotate_every: 1s\nprevious_key_ttl: 2h\n' >/etc/rjwt/rjwt.yaml
	kill -HUP "$(<"$work/keyd.pid")"
	await active_above 1
	stop_keyd
}

# active_in_file - of keyset.json: with a bad configuration no program tells
active_in_file() { sed 's/.*"active":{"version":\([0-9]*\).*/\1/' /var/lib/rjwt/keyset.json; }
rotated_since() { [ "$(active_in_file)" -gt "$1" ]; }

@test "rjwt-keyd run: SIGHUP refuses a bad configuration, says so, and keeps the old one" {
	printf 'leeway: 0s\nrotate_every: 2s\nprevious_key_ttl: 2h\n' >/etc/rjwt/rjwt.yaml
	start_keyd
	sleep 0.5
	printf 'rotate_evry: 1s\n' >/etc/rjwt/rjwt.yaml
	kill -HUP "$(<"$work/keyd.pid")"
	await grep -qE 'rotate_evry' "$work/keyd.out" "$syslog"
	await rotated_since "$(active_in_file)"
	stop_keyd
}

@test "rjwt-keyd run: a configuration that was changed is read when something is due" {
	printf 'leeway: 0s\nrotate_every: 2s\nprevious_key_ttl: 2h\n' >/etc/rjwt/rjwt.yaml
	start_keyd
	await grep -q started "$work/keyd.out"
	printf 'leeway: 0s\nrotate_every: 24h\n' >/etc/rjwt/rjwt.yaml
	await grep -q 'reread the configuration' "$work/keyd.out"
	now=$(active)
	sleep 2.5
	[ "$(active)" -eq "$now" ]
	stop_keyd
}

@test "rjwt-keyd run: ready and stopping are told to the service manager" {
	cat >"$work/notify.py" <<-END
		import os, socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind("$work/notify")
		while True:
		    print(s.recv(4096).decode(), flush=True)
	END
	rm -f "$work/notify"
	/usr/bin/python3 "$work/notify.py" >"$work/notified" 3>&- &
	python=$!
	await test -S "$work/notify"
	export NOTIFY_SOCKET=$work/notify
	start_keyd
	await grep -q READY=1 "$work/notified"
	stop_keyd
	await grep -q STOPPING=1 "$work/notified"
	kill $python
}

@test "rjwt-keyd run beside rotate and once by hand: one keyset, no version twice" {
	printf 'leeway: 0s\nrotate_every: 1s\nprevious_key_ttl: 2h\n' >/etc/rjwt/rjwt.yaml
	start_keyd
	for n in {1..10}; do
		rjwt-keyd rotate >"$work/rotated.$n" 2>&1 3>&- &
		rjwt-keyd once >"$work/once.$n" 2>&1 3>&- &
		wait $!
	done
	await grep -q 'signs now' "$work/keyd.out"
	stop_keyd
	wait
	# what each of them, and the daemon, says it has made active: every version, and each once
	sed -n 's/.*\.\([0-9]*\) signs now, .*/\1/p' "$work"/rotated.* "$work"/once.* "$work/keyd.out" | sort -n >"$work/became_active"
	seq 2 "$(active)" | diff - "$work/became_active"
	run -0 rjwt-keyd check
	run -0 pamtester rjwt-test alice authenticate <<<"$(mint -s rjwt-test alice)"
}

# rotates LEVEL - what check says of the rotation
rotates()
{
	rjwt-keyd check --json >"$work/check" || true
	jq -e --arg level "$1" '.findings | any(.area == "rotation" and .level == $level)' "$work/check" >/dev/null
}

@test "check: a user's crontab, and what a user calls rjwt-keyd, rotate no keys" {
	local tab=/var/spool/cron/crontabs
	rm -rf /etc/crontab /etc/cron.d $tab
	install -d -m 1730 $tab
	rotates warn
	echo '* * * * * rjwt-keyd once' >$tab/alice
	chmod 0600 $tab/alice
	chown alice $tab/alice
	rotates warn
	mv $tab/alice $tab/root
	chown root $tab/root
	rotates ok
	rm $tab/root
	rotates warn
	as alice /usr/bin/python3 -c 'import time; time.sleep(60)' rjwt-keyd run </dev/null >/dev/null 2>&1 3>&- &
	echo $! >"$work/cron.pid"
	await pgrep -u alice -f 'rjwt-keyd run'
	rotates warn
	start_keyd
	await rotates ok
}
