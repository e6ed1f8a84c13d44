#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-keyd run: the daemon.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq
	fresh 'rotate_every: 1s' 'previous_key_ttl: 2h' 'leeway: 0s'
	pid='' listener=''
}

teardown()
{
	for process in $pid $listener; do
		kill -KILL "$process" 2>/dev/null || true
		wait "$process" 2>/dev/null || true
	done
}

# start - the daemon, until it has started; its messages are in $dir/log
start()
{
	: >"$dir/log"    # here: what an earlier one wrote would say that this one has started
	"$RJWT_BUILD/rjwt-keyd" -c "$conf" run </dev/null >"$dir/out" 2>"$dir/log" 3>&- &
	pid=$!
	await grep -q started "$dir/log"
}

# stop SIGNAL - the daemon, which must end with 0
stop()
{
	local status=0
	kill "-$1" "$pid"
	wait "$pid" || status=$?
	pid=
	[ "$status" -eq 0 ]
}

told() { grep -qF -- "$1" "$dir/log"; }
active_above() { [ "$(active)" -gt "$1" ]; }
messages() { tr '\n' ' ' <"$dir/messages"; }
messages_are() { [ "$(messages)" = "$1" ]; }

# bats test_tags=long
@test "it rotates when that is due, again and again, and says so on stderr alone" {
	start
	await active_above 2
	stop TERM
	[ ! -s "$dir/out" ]
	told 'rjwt-keyd: started'
	told '.2 signs now'
	told '.3 signs now'
	[ "$(tail -n 1 "$dir/log")" = 'rjwt-keyd: ended' ]
	run -0 keyd check
}

@test "SIGTERM and SIGINT end it with 0, also while nothing will ever be due" {
	configure 'rotate_every: 0'
	for signal in TERM INT; do
		start
		stop $signal
		[ "$(active)" -eq 1 ]
	done
}

# bats test_tags=long
@test "SIGTERM in the middle of a rotation: it is finished, or was not begun, and the status is 0" {
	mkfifo "$dir/pipe"
	for n in {1..12}; do
		jq -c '.active.since -= 60' "$state/keyset.json" | seal >"$dir/edited"
		cat "$dir/edited" >"$state/keyset.json"
		"$RJWT_BUILD/rjwt-keyd" -c "$conf" run </dev/null >/dev/null 2>"$dir/pipe" 3>&- &
		pid=$!
		exec {pipe}<"$dir/pipe"
		read -r -u $pipe line    # it stands before the rotation that is due
		[ "$line" = 'rjwt-keyd: started' ]
		if [ $((n % 4)) -ne 0 ]; then sleep "0.00$((n % 4 * 3))"; fi
		stop TERM
		exec {pipe}<&-
		keyd check
		[ -z "$(find "$state" -name '.new*')" ]
	done
	active_above 6
}

@test "SIGHUP reads the configuration again; a bad one is refused and the old one kept" {
	configure 'rotate_every: 24h'
	start
	configure 'rotate_every: 1 day'
	kill -HUP "$pid"
	await told 'keeping the old configuration'
	told "$conf:4:15: rotate_every: is not a duration"
	[ "$(active)" -eq 1 ]
	configure 'rotate_every: 1s' 'previous_key_ttl: 2h'
	kill -HUP "$pid"
	await told 'reread the configuration'
	await active_above 1
	stop TERM
}

@test "a keyset that breaks is told once, and again when it works" {
	configure 'rotate_every: 24h'
	start
	cp -p "$state/keyset.json" "$dir/good"
	: >"$state/keyset.json"
	for n in 1 2 3; do
		kill -HUP "$pid"
		await sh -c "[ \"\$(grep -c 'keeping the old configuration' '$dir/log')\" -eq $n ]"
	done
	cp -p "$dir/good" "$state/keyset.json"
	kill -HUP "$pid"
	await told 'working again'
	stop TERM
	[ "$(grep -c 'is damaged or was altered' "$dir/log")" -eq 4 ]    # for each SIGHUP, and once by itself
	run -0 keyd check
}

@test "without a keyset, or with a bad configuration, it does not start" {
	refused 1 'no keyset was created' keyd -d "$dir" run
	configure 'leway: 1s'
	refused 1 'did you mean leeway?' keyd run
}

# bats test_tags=long
@test "it speaks systemd's notify protocol, to a path and to an abstract name" {
	need "$python"
	for name in "$dir/notify" "@rjwt-test-$$-$RANDOM"; do
		"$python" "$bats/notify.py" "$name" >"$dir/messages" 3>&- &
		listener=$!
		await messages_are 'listening '
		NOTIFY_SOCKET=$name start
		await messages_are 'listening READY=1 '
		kill -HUP "$pid"
		await messages_are 'listening READY=1 RELOADING=1 READY=1 '
		stop TERM
		await messages_are 'listening READY=1 RELOADING=1 READY=1 STOPPING=1 '
		kill "$listener"
		wait "$listener" || true
	done
	NOTIFY_SOCKET=$dir/nobody start    # nobody listens: that hinders nothing
	stop TERM
}

# bats test_tags=long
@test "daemon, cron job, rotations by hand and minting at the same time: every token is good" {
	start
	for n in {1..8}; do
		keyd once 2>>"$dir/once" 3>&- &
		work+=($!)
		keyd rotate >>"$dir/kids" 2>>"$dir/rotate" 3>&- &
		work+=($!)
		issue alice >"$dir/token.$n" 2>>"$dir/issue" 3>&- &
		work+=($!)
	done
	for process in "${work[@]}"; do wait "$process"; done
	stop TERM
	run -0 verify -u alice -s sshd "$dir"/token.*
	[ "$(wc -l <"$dir/kids")" -eq 8 ]
	run -0 keyd check
	[ "$(active next)" -eq $(($(active) + 1)) ]
}

# until_of VERSION - for how long after its retirement that key verifies
until_of() { jq '.exp - .retired' <(sed -n 1p "$state/keys/$1.jwk"); }

# bats test_tags=long
@test "a changed configuration is followed when something is due, a refused one when it can be read" {
	configure 'rotate_every: 1s' 'previous_key_ttl: 70m' 'leeway: 0s'
	start
	await test -e "$state/keys/4.jwk"
	[ "$(until_of 1)" -eq 4200 ]
	# it comes with a mode that is refused: the same bytes with the right one are read
	configure 'rotate_every: 1s' 'leeway: 0s' 'previous_key_ttl: 80m'
	chmod 0664 "$conf"
	await grep -q 'keeping the old configuration' "$dir/log"
	chmod 0644 "$conf"
	await grep -q 'reread the configuration' "$dir/log"
	version=$(active)
	await test -e "$state/keys/$((version + 4)).jwk"    # made after version + 1 has retired
	[ "$(until_of $((version + 1)))" -eq 4800 ]
	# the keyset is away when SIGHUP comes: the file is read when it is back
	configure 'rotate_every: 1s' 'leeway: 0s' 'previous_key_ttl: 90m'
	mv "$state" "$state.away"
	kill -HUP "$pid"
	await grep -q 'does not exist' "$dir/log"
	mv "$state.away" "$state"
	kill -HUP "$pid"
	version=$(active)
	await test -e "$state/keys/$((version + 4)).jwk"    # made after version + 1 has retired
	[ "$(until_of $((version + 1)))" -eq 5400 ]
	stop TERM
}
