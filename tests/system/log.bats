#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The log as a condition of minting, require_log: with a daemon that listens, with none, with the socket of a dead one,
# and with one that reads nothing.

bats_require_minimum_version 1.5.0

setup()
{
	. tests/system/helpers.bash
	fresh_keyset 'require_log: true'
	log_mark
}

teardown()
{
	# shellcheck disable=SC2046    # words: one process each
	[ ! -s $work/listener.pid ] || kill $(<$work/listener.pid) 2>/dev/null || true
	rm -f $work/listener.pid
	[ ! -e /dev/log.away ] || mv /dev/log.away /dev/log
	no_token_logged
}

# listener KIND - in the place of the sandbox's syslog daemon: full (reads nothing, and its queue is full), stream (one
# that listens to a stream and writes what it reads to $work/stream)
listener()
{
	mv /dev/log /dev/log.away
	rm -f $work/stream
	/usr/bin/python3 - "$1" $work/stream </dev/null 3>&- <<'END' &
import socket, sys, time

def full():
    taker = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    taker.bind("/dev/log.new")
    while True:  # until one that has sent nothing yet finds no room: what a giver has sent fills its own buffer, too
        giver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        giver.connect("/dev/log.new")
        giver.setblocking(False)
        sent = 0
        try:
            while True:
                giver.send(b"<86>full")
                sent += 1
        except BlockingIOError:
            pass
        if sent == 0:
            return taker

def stream():
    taker = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    taker.bind("/dev/log.new")
    taker.listen(8)
    return taker

import os
taker = {"full": full, "stream": stream}[sys.argv[1]]()
os.chmod("/dev/log.new", 0o666)
os.rename("/dev/log.new", "/dev/log")
if sys.argv[1] == "full":
    time.sleep(3600)
with open(sys.argv[2], "ab", buffering=0) as out:
    while True:
        giver, _ = taker.accept()
        while True:
            text = giver.recv(65536)
            if not text:
                break
            out.write(text)
END
	echo $! >$work/listener.pid
	await test -S /dev/log
}

# state_of_minting - what a mint leaves: tickets, and records
state_of_minting() { find /var/lib/rjwt/private /var/lib/rjwt/issued -type f ! -name lock -printf '%f %s\n' | sort; }

# refused_without_log WHY - no token, nothing on stdout, no ticket and no record, and what to do is said
refused_without_log()
{
	local before
	before=$(state_of_minting)
	for arguments in alice '--json alice' '-o /root/token alice'; do
		# shellcheck disable=SC2086    # words
		run -1 --separate-stderr rjwt-issue $arguments
		[ -z "$output" ]
		# shellcheck disable=SC2154    # run sets it
		[[ $stderr == "rjwt-issue: /dev/log: "*"$1"*"; require_log is true, so no token is issued (start the syslog daemon"* ]]
	done
	[ ! -e /root/token ]
	run -1 --separate-stderr rjwt-issue --batch <<<$'{"sub":"alice"}\n{"sub":"bob"}\n{"sub":7}'
	[ "$output" = '' ]
	[ "$(grep -c 'line [12]: /dev/log: .*require_log' <<<"$stderr")" -eq 2 ]
	grep -q 'line 3: .*sub' <<<"$stderr"
	run -1 --separate-stderr rjwt-issue --json --batch <<<'{"sub":"alice"}'
	[ "$(jq -r .refused <<<"$output")" = io ]
	[ "$(state_of_minting)" = "$before" ]
}

# minted - a token, and a line in the log
minted()
{
	token=$(mint alice)
	[ -n "$token" ]
}

# check_finds WHY - as a warning: everything else works
check_finds()
{
	run -0 rjwt-keyd check --json
	jq -e --arg why "$1" '.findings[] | select(.code == "log.unreachable") | .level == "warn" and .path == "/dev/log" and
		(.text | contains($why) and endswith("; logins, mints and revocations leave no log line"))' <<<"$output"
}

@test "log: with a daemon that listens, tokens are minted, and each has its line" {
	minted
	run -0 log_since "rjwt-issue.*issued .*jti=$(claim jti "$token")"
	[ ${#lines[@]} -eq 1 ]
	run -0 --separate-stderr rjwt-issue --batch <<<$'{"sub":"alice"}\n{"sub":"bob"}'
	[ ${#lines[@]} -eq 2 ]
	tee -a $tokens <<<"$output" >/dev/null
	run -0 log_since 'rjwt-issue.*issued'
	[ ${#lines[@]} -eq 3 ]
	run -0 rjwt-keyd check --json
	jq -e '.findings[] | select(.area == "log") | .level == "ok"' <<<"$output"
}

@test "log: without /dev/log nothing is minted; without require_log it is, and check warns" {
	mv /dev/log /dev/log.away
	refused_without_log 'no syslog daemon is listening: No such file or directory'
	check_finds 'no syslog daemon is listening: No such file or directory'
	sed -i 's/require_log: true/require_log: false/' /etc/rjwt/rjwt.yaml
	minted
	mv /dev/log.away /dev/log
}

@test "log: the socket of a dead daemon takes nothing" {
	mv /dev/log /dev/log.away
	/usr/bin/python3 -c 'import socket
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).bind("/dev/log")'
	refused_without_log 'no syslog daemon is listening: Connection refused'
	check_finds 'no syslog daemon is listening: Connection refused'
	sed -i 's/require_log: true/require_log: false/' /etc/rjwt/rjwt.yaml
	minted
}

@test "log: a file, and a socket that is closed to us, take nothing" {
	mv /dev/log /dev/log.away
	: >/dev/log
	refused_without_log 'no syslog daemon is listening: Connection refused'
	check_finds 'no syslog daemon is listening: Connection refused'
}

@test "log: a daemon that reads nothing is given up after 5 seconds" {
	listener full
	before=$EPOCHSECONDS
	run -1 --separate-stderr timeout 60 rjwt-issue alice
	[ -z "$output" ]
	[[ $stderr == *'/dev/log: the syslog daemon does not read: Resource temporarily unavailable; require_log is true'* ]]
	[ $((EPOCHSECONDS - before)) -ge 4 ]
	check_finds 'the syslog daemon does not read'
	# without require_log it costs the time, and no more
	sed -i 's/require_log: true/require_log: false/' /etc/rjwt/rjwt.yaml
	token=$(timeout 60 rjwt-issue alice 2>/dev/null | tee -a $tokens)
	[ -n "$token" ]
}

@test "log: a daemon that listens to a stream gets each line, and its end" {
	listener stream
	minted
	run -0 rjwt-keyd check --json
	jq -e '.findings[] | select(.area == "log") | .level == "ok"' <<<"$output"
	lines=()
	await grep -q issued $work/stream
	mapfile -d '' -t lines <$work/stream
	[ ${#lines[@]} -eq 1 ]
	[[ ${lines[0]} =~ ^\<85\>[A-Z][a-z]{2}\ [\ 1-3][0-9]\ [0-9:]{8}\ rjwt-issue\[[0-9]+\]:\ issued\ by=root\  ]]
}

@test "log: what syslog(3) would send is what we send" {
	minted
	run -0 log_since 'rjwt-issue'
	[[ $output =~ ^authpriv\.notice\ rjwt-issue\[[0-9]+\]:\ issued\ by=root\  ]]
	run -0 rjwt-keyd rotate
	run -0 log_since 'rjwt-keyd'
	[[ $output =~ ^authpriv\.notice\ rjwt-keyd\[[0-9]+\]:\  ]]
}
