#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What hosts say of themselves in the log of a web server: rjwt-keyd fleet LOG, revoke --wait, and strings that lie.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	. "$RJWT_SOURCE/tests/bats/fleet.bash"
	fleet_folder
	machine i 'issuer: i.example'
	on i keyd fleet init --key "$top/fleet.key" http://i.example/fleet.jws >/dev/null
	log=$top/access.log
	: >"$log"
	name=$(jq -r '.roster.issuers[0].name' "$top/i/state/fleet.json")
	n=$(jq .roster.n "$top/i/state/fleet.json")
	serial=$(published serial)
	now=$(date +%s)
}

published() { jq ".$1" "$top/i/state/private/published.json"; }

# aged SECONDS - as if the newest had been published so much earlier
aged() { reseal ".iat -= $1" "$top/i/state/private/published.json"; }

# line SECONDS_AGO AGENT [STATUS] - in the log, as nginx writes it
line()
{
	printf '192.0.2.7 - - [%s] "GET /fleet.jws HTTP/1.1" %s 1417 "-" "%s"\n' \
		"$(TZ=UTC date -d "@$((now - $1))" '+%d/%b/%Y:%H:%M:%S +0000')" "${3:-200}" "$2"
}

# poll SECONDS_AGO HOST [SERIAL [ROSTER]]
poll() { line "$1" "rjwt/1 $2 n=${4:-$n} $name=${3:-$serial}" >>"$log"; }

fleet() { on i keyd fleet "$@"; }

@test "a row for each host, with what it says to have and when; all well exits with 0" {
	aged 100
	poll 90 web1 $((serial - 1))
	poll 30 web1
	poll 60 web2 $((serial - 1))
	poll 10 web2
	line 5 'curl/7.88.1' >>"$log"
	run -0 --separate-stderr fleet "$log"
	[[ ${lines[0]} == HOST*ROSTER*$name*'LAST POLL' ]]
	[[ ${lines[1]} == web1*$n*$serial*' ago' ]]
	[[ ${lines[2]} == web2*$n*$serial*' ago' ]]
	[[ ${lines[3]} =~ ^'OK    2 hosts have all that is newest here; p50 '1[0-3]'s, p99 '4[0-3]s$ ]]
	[ "${lines[4]}" = 'from agent strings, which prove nothing' ]
	[ "${#lines[@]}" -eq 5 ]
	[ -z "$stderr" ]
	run -0 fleet -q "$log"
	[ "${#lines[@]}" -eq 1 ]
	run -0 fleet - <"$log"
	[[ ${lines[1]} == web1* ]]
}

@test "who is behind, silent, or about to hear; --json says the same" {
	aged 300
	poll 10 good
	poll 20 behind $((serial - 9))
	poll -100 older "$serial" $((n - 1))    # its time is in the number of the roster
	poll 290 coming $((serial - 9))
	poll 3700 silent
	run -1 fleet "$log"
	says 'behind; on that host: journalctl -u rjwt-follow' 'silent; on that host: systemctl status rjwt-follow.timer'
	says 'WARN  5 hosts, 1 well, 1 about to hear, 2 behind, 1 silent'
	run -1 --separate-stderr fleet --json "$log"
	[ "$(jq -c '[.level, .ok, .coming, .behind, .silent, .roster]' <<<"$output")" = "[\"warn\",1,1,2,1,$n]" ]
	[ "$(jq -r '.hosts[] | "\(.host) \(.state)"' <<<"$output")" = $'behind behind\ncoming coming\ngood ok\nolder behind\nsilent silent' ]
	[ "$(jq ".hosts[] | select(.host == \"good\").serials.$name" <<<"$output")" -eq "$serial" ]
	[ "$(jq '.hosts[] | select(.host == "good").polled' <<<"$output")" -eq $((now - 10)) ]
}

@test "the last poll counts, whatever the order of files and lines, and only one that the server has answered" {
	poll 500 a 5
	poll 10 a
	poll 300 a 5
	line 1 "rjwt/1 a n=1 $name=1" 404 >>"$log"
	poll 900 a 1
	run -0 --separate-stderr fleet "$log"
	[ "$stderr" = 'rjwt-keyd: 1 poll not counted: the web server answered with an error' ]
	head -1 "$log" >"$top/other.log"
	run -0 fleet "$log" "$top/other.log"
	says 'OK    1 host has all'
	: >"$log"
	run -1 fleet "$log"
	says 'WARN  0 hosts: no host has asked'
}

@test "an issuer does not name itself, and is not behind for it" {
	[ "$(on i keyd mirrors --agent)" = "rjwt/1 i n=$n" ]
	line 10 "rjwt/1 i n=$n" >>"$log"
	run -0 fleet "$log"
	says 'OK    1 host has all'
}

@test "strings of anybody: nothing of them reaches the terminal, and others are still counted" {
	poll 10 good
	for agent in 'rjwt/1' 'rjwt/1 ' 'rjwt/2 a n=1' 'rjwt/1 a' 'rjwt/1 a n=' 'rjwt/1 a n=-1' 'rjwt/1 a n=01' \
		"rjwt/1 a n=99999999999999999999 $name=1" "rjwt/1 a n=1 $name=9007199254740992" 'rjwt/1 a n=1 x' 'rjwt/1 a n=1  x=1' \
		'rjwt/1 a n=1 a=1 b=1 c=1 d=1 e=1 f=1 g=1 h=1 i=1' $'rjwt/1 \e[2J\e[31m n=1' 'rjwt/1 \x1b[2J n=1' $'rjwt/1 \u202eevil n=1' \
		"rjwt/1 $(printf '%0300d' 0) n=1" 'rjwt/1 a\" n=1'; do
		line 5 "$agent"
	done >>"$log"
	run -0 --separate-stderr fleet "$log"
	[ "$(wc -l <<<"$output")" -eq 4 ]
	[[ $stderr == 'rjwt-keyd: '*' lines skipped: not what rjwt-keyd mirrors --agent prints' ]]
	[[ $output$stderr != *$'\e'* && $output != *evil* ]]
	# the strings are in other places of a line, or what is around them is no line
	printf '%s\n' "1.2.3.4 - rjwt/1 [29/Nov/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 1 \"rjwt/1 ref n=1\" \"x\"" \
		'"rjwt/1 evil n=1"' '[29/Nov/2026:10:00:00 +0000] "rjwt/1 evil n=1' "$(line 1 'rjwt/1 evil n=1' | tr '[]' '()')" \
		"$(line 1 'rjwt/1 evil n=1' | sed 's/\[..\/.../[99\/Foo/')" "$(line 1 'rjwt/1 evil n=1' | sed 's/:[0-9][0-9] +/:61 +/')" \
		"1.2.3.4 - - [29/Nov/2026:10:00:00 +0000] \"GET /\\\" 200 1 \\\"-\\\" \\\"rjwt/1 evil n=1\" 200 1 \"-\" \"x\"" '' '"' '""' >"$top/other"
	head -c 100000 /dev/urandom >>"$top/other"
	printf '\n%s\0%s\n' '"rjwt/' x >>"$top/other"
	head -c 300000 /dev/zero | tr '\0' '"' >>"$top/other"
	run -0 --separate-stderr fleet "$log" "$top/other"
	[[ $output != *evil* && $output != *$'\e'* ]]
	says 'OK    1 host has all'
}

@test "a hundred thousand names take bounded memory, and those that are left out are said" {
	poll 10 good
	line 5 'rjwt/1 x n=1' | sed 's/" 200.*//' >"$top/head"
	awk -v head="$(<"$top/head")" 'BEGIN { for (i = 0; i < 100000; i++) print head "\" 200 1 \"-\" \"rjwt/1 h" i " n=1\"" }' >>"$log"
	# a sanitizer's memory has no bounds
	run -1 --separate-stderr in_a_shell eval '[ -n "${ASAN_OPTIONS-}" ] || ulimit -v 300000; fleet -q "$log"'
	[[ $output == 'WARN  65536 hosts'* ]]
	[ "$stderr" = 'rjwt-keyd: 34465 polls not counted: more than 65536 names' ]
}

@test "what cannot be read: fifo, directory, missing; a host of no fleet; options of the other kind" {
	mkfifo "$top/fifo"
	run -1 timeout 10 "$RJWT_BUILD/rjwt-keyd" -c "$top/i.yaml" fleet "$top/fifo"
	says 'not a regular file'
	run -1 fleet "$top"
	says 'not a regular file'
	run -1 fleet "$top/missing"
	says 'No such file'
	run -2 fleet ad
	says 'fleet ad: expected init, request, add, drop, roll or the file of a log (written as ./ad)'
	machine a
	run -1 on a keyd fleet "$log"
	says 'joined no fleet'
	run -2 fleet --key x "$log"
	says 'fleet: --key belongs to'
	run -2 fleet init --json http://i.example/fleet.jws
	says 'fleet init does not take --json'
	[ -e /var/log/nginx/rjwt.log ] || {
		run -2 fleet
		says '/var/log/nginx/rjwt.log: No such file or directory (type rjwt-keyd fleet LOG'
	}
}

@test "revoke --wait ends when every host of the last hour says that it has the serial" {
	poll 10 web1
	poll 4000 silent
	(
		until [ "$(published serial)" -gt "$serial" ]; do sleep 0.1; done
		sleep 1.2
		now=$(date +%s)
		poll 0 web1 "$(published serial)"
	) &
	run -1 on i keyd revoke --sub alice --wait 60s --log "$log"    # 1: no token of alice is known
	says '1 host that asked within the last hour says that it has it (this proves nothing)' 'no live token of it is known'
	wait
	on i issue -a i bob >/dev/null
	poll -3 web1 99999999999
	run -0 on i keyd revoke --sub bob --wait 60s --log "$log"
}

@test "revoke --wait lists who has not said so, and follows a log that is rotated" {
	on i issue -a i alice >/dev/null
	poll 10 web1
	poll 10 web2 99999999999
	run -1 --separate-stderr on i keyd revoke --sub alice --wait 1s --log "$log"
	[[ $output == *web1* && $output != *web2* ]]
	[[ $stderr == *'1 of 2 hosts have not said that they have it' ]]
	(
		sleep 1.2
		mv "$log" "$log.1"
		now=$(date +%s)
		poll 0 web1 99999999999
	) &
	run -1 on i keyd revoke --sub carol --wait 60s --log "$log"
	says '2 hosts that asked within the last hour say that they have it'
	wait
}

@test "revoke --wait refuses before anything is revoked: no issuer, no log, no duration" {
	machine h 'issuer: h.example'
	on h keyd init
	for args in '--wait 1m' '--wait x --log log' '--wait 0s --log log' '--wait 2d --log log' '--log log' '--dry-run --wait 1m --log log'; do
		# shellcheck disable=SC2086
		[ -e /var/log/nginx/rjwt.log ] && [[ $args != *log* ]] || run -2 on i keyd revoke --all ${args/ log/ $log}
	done
	run -1 on h keyd revoke --all --wait 1m --log "$log"
	says 'joined no fleet'
	run -1 on i keyd revoke --all --wait 1m --log "$top/missing"
	[ "$(published serial)" -eq "$serial" ]
	run -1 on i keyd revoke --sub alice --wait 1m --log "$log"
	says 'no host has asked within the last hour'
}
