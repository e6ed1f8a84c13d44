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
