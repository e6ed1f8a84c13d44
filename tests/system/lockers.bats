#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Screen lockers with the file that pam_rjwt(8) gives for them: i3lock, which runs as its user, xscreensaver, which gives
# root up before it asks PAM, and vlock, which does not. The X server is Xvfb, the fingers are xdotool.

bats_require_minimum_version 1.5.0

setup_file()
{
	. tests/system/helpers.bash
	export DISPLAY=:7
	install -d -m 1777 /tmp/.X11-unix
	if command -v Xvfb >/dev/null; then
		Xvfb $DISPLAY -ac -nolisten tcp </dev/null >$work/xvfb.log 2>&1 3>&- &
		echo $! >$work/xvfb.pid
		await test -S /tmp/.X11-unix/X7
	fi
}

teardown_file()
{
	. tests/system/helpers.bash
	[ ! -e $work/xvfb.pid ] || kill "$(<$work/xvfb.pid)"
	rm -f $work/xvfb.pid
}

setup()
{
	. tests/system/helpers.bash
	unset locker
	fresh_keyset 'leeway: 0s'
	for service in i3lock xscreensaver vlock; do page_stack >/etc/pam.d/$service; done
	log_mark
}

teardown()
{
	[ -z "${locker-}" ] || kill "$locker" 2>/dev/null || true
	no_token_logged
}

# page_stack - the file of a screen locker, as pam_rjwt(8) has it
page_stack() { sed -n '/^The file of a screen locker/,/^\.Ed/p' man/pam_rjwt.8 | grep -E '^(auth|@include) '; }

# needs PROGRAM... - tests/packages.sh lockers installs them
needs()
{
	local program
	for program; do
		command -v "$program" >/dev/null || skip "$program is not installed (tests/packages.sh lockers)"
	done
}

# typed TEXT - at the keyboard, and Return
typed()
{
	type_in "$1" >/dev/null
	xdotool type --delay 2 "$1"
	xdotool key Return
}

locked() { kill -0 "$locker" 2>/dev/null; }
unlocked() { ! locked; }

# --- i3lock ---------------------------------------------------------------------------------------

# lock_i3 - again where it could not grab the keyboard, or a busy machine let it wait
lock_i3()
{
	local n
	for n in 1 2 3; do
		as alice i3lock -n </dev/null >>$work/i3lock.log 2>&1 3>&- &
		locker=$!
		if await xdotool search --class i3lock; then break; fi
		kill "$locker" 2>/dev/null || true
	done
	locked
	sleep 0.3
	xdotool key Escape    # the first key may get lost
}

# opens_i3 TEXT, holds_i3 TEXT REASON
opens_i3()
{
	lock_i3
	typed "$1"
	await unlocked
	wait "$locker"
}

holds_i3()
{
	local n
	for n in 1 2 3; do
		typed "$1"
		if await log_since "rejected reason=$2 user=alice service=i3lock " >/dev/null; then break; fi
		if log_since 'service=i3lock ' >/dev/null; then return 1; fi
		xdotool key Escape    # none of it came: again
	done
	sleep 0.5
	locked
}

@test "lockers: i3lock is opened by a reusable token, as often as it holds, and by the password" {
	needs Xvfb xdotool i3lock
	token=$(mint --reusable -s i3lock alice)
	opens_i3 "$token"
	opens_i3 "$token"
	decisions 'accepted user=alice service=i3lock' 'accepted user=alice service=i3lock'
	opens_i3 "$alice_password"
}

@test "lockers: i3lock stays locked for a one-time token, an expired one and one for sudo; the password opens it then" {
	needs Xvfb xdotool i3lock
	once=$(mint -s i3lock alice)
	[[ $(<$work/issue.err) == *'--reusable'* ]]
	expired=$(expired_token --reusable -s i3lock alice)
	lock_i3
	holds_i3 "$once" io
	log_since 'service=i3lock .*mint with --reusable'
	holds_i3 "$expired" expired
	holds_i3 "$(mint --reusable -s sudo alice)" scope
	typed "$alice_password"
	await unlocked
	decisions 'reason=io' 'reason=expired' 'reason=scope'
}

# --- vlock ----------------------------------------------------------------------------------------

# vlock TEXT [TEXT...] - typed at its prompts, one after the other
vlock_with()
{
	local steps=$'ENTER.*\t' text
	for text; do steps+=$'\n''(Token or p|P)assword: '$'\t'$text; done
	RJWT_PAUSE_MS=300 on_terminal "$steps" as alice vlock -c    # it discards what comes before it has asked
}

@test "lockers: vlock is opened by a one-time token once, and by the password" {
	needs vlock
	token=$(mint -s vlock alice)
	run -0 vlock_with "$token"
	decisions 'accepted user=alice service=vlock'
	log_mark
	run -0 vlock_with "$token" "$alice_password"
	decisions 'rejected reason=spent user=alice service=vlock'
	run -0 vlock_with "$alice_password"
	run -0 vlock_with "$(mint --short -s vlock alice)"
}

# --- xscreensaver ---------------------------------------------------------------------------------

lock_xscreensaver()
{
	as alice xscreensaver --no-splash </dev/null >>$work/xscreensaver.log 2>&1 3>&- &
	locker=$!
	await xscreensaver_runs
	as alice xscreensaver-command -lock >/dev/null || true    # it waits for some seconds alone
	await is_locked
}

xscreensaver_runs() { as alice xscreensaver-command -time | grep -q since; }
is_locked() { as alice xscreensaver-command -time | grep -q 'locked since'; }
is_open() { as alice xscreensaver-command -time | grep -q 'non-blanked since'; }

# asks - whether xscreensaver does: a key makes it, once it has covered the screen
asks()
{
	xdotool key shift
	sleep 0.5
	pgrep -u root,alice xscreensaver-au >/dev/null
}

# try_xscreensaver TEXT - into its dialogue
try_xscreensaver()
{
	sleep 1
	await asks
	sleep 1    # until it has drawn it
	typed "$1"
}

# typed_until TEXT CONDITION... - again where it was not ready to take it: a busy machine draws late
typed_until()
{
	local n
	for n in 1 2 3; do
		try_xscreensaver "$1"
		if await "${@:2}"; then return 0; fi
	done
	return 1
}

@test "lockers: xscreensaver is opened by the password alone: no token fits, and a code is not looked up" {
	needs Xvfb xdotool xscreensaver
	run -1 rjwt-issue -s xscreensaver --reusable alice
	[[ $output == *xscreensaver* && $output == *278* ]]
	code=$(mint --short -s xscreensaver alice)
	lock_xscreensaver
	typed_until "$code" log_since 'xscreensaver-auth: pam_unix.*authentication failure.* euid='"$(id -u alice)"' .*user=alice' >/dev/null
	is_locked
	sleep 1.5    # the dialogue says so, and goes
	typed_until "$alice_password" is_open
	decisions
}
