#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Every program under clocks that are set: tests/fault/clock.c moves them, and no other process's.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	use_folder "$BATS_TEST_TMPDIR"
	shim=(env LD_PRELOAD="$RJWT_BUILD/tests/fault/clock.so" RJWT_CLOCK_FILE="$dir/clock"
		RJWT_CLOCK_BOOT_ID="$dir/boot_id")
	keyd() { "${shim[@]}" "$RJWT_BUILD/rjwt-keyd" -c "$conf" "$@"; }
	issue() { "${shim[@]}" "$RJWT_BUILD/rjwt-issue" -c "$conf" "$@"; }
	verify() { "${shim[@]}" "$RJWT_BUILD/rjwt-verify" -c "$conf" "$@"; }
	need jq
	wall=0 boot=0 pid=''
	move
	fresh 'max_lifetime: 4h'
}

teardown()
{
	if [ -n "$pid" ]; then
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	fi
}

# --- the clocks --------------------------------------------------------------------------------------

move()
{
	[ -e "$dir/boot_id" ] || echo 11111111-1111-1111-1111-111111111111 >"$dir/boot_id"
	echo "$wall $boot" >"$dir/clock.new"
	mv "$dir/clock.new" "$dir/clock"
}

# step S - somebody sets the clock. pass S - time passes. Steps have half a minute more than their test
# says: a second that is rounded away must not make an hour 59 minutes.
step() { wall=$((wall + $1)) && move; }
pass() { wall=$((wall + $1)) boot=$((boot + $1)) && move; }

# boot_at TIME - the machine was off, and boots with its clock there
boot_at()
{
	local up
	read -r up _ </proc/uptime
	wall=$(($1 - $(date +%s))) boot=$((10 - ${up%.*}))
	echo 22222222-2222-2222-2222-222222222222 >"$dir/boot_id"
	move
}

# --- tokens ------------------------------------------------------------------------------------------

# login REASON TOKEN [USER] - what the module says to it: ok and 0, or why not and 1; and rjwt-verify too
login()
{
	local code=1
	[ "$1" != ok ] || code=0
	try $code "${shim[@]}" "$RJWT_BUILD/tests/fault/login" "$conf" "${3-alice}" sshd "$2"
	[[ $output == "$1 "* ]] || { echo "$output, not $1"; return 1; }
	[ "$1" = ok ] || refused 1 "$1" verify -u "${3-alice}" -s sshd - <<<"$2"
}

# new - a token opens at once, and once
new()
{
	local token
	token=$(issue alice 2>"$dir/issue.err")
	login ok "$token"
	login spent "$token"
}

# prepare - tokens for four hours: of the key that signs a good one, a spent one and a revoked one; of a
# key that has retired a good one, and one of a user who is revoked
prepare()
{
	retired=$(issue --reusable -t 4h alice 2>/dev/null)
	bobs=$(issue --reusable -t 4h bob 2>/dev/null)
	keyd revoke --sub bob
	kept=$(issue --reusable -t 4h alice 2>/dev/null)
	spent=$(issue -t 4h alice 2>/dev/null)
	revoked=$(issue --reusable -t 4h alice 2>/dev/null)
	login ok "$spent"
	keyd revoke --jti "$(claim .jti "$revoked")"
	try 0 keyd status
	stay=$(cd "$state" && find keys spent revoked -type f)
	[ "$(wc -l <<<"$stay")" -eq 6 ]    # three keys, three marks
}

# all_stays - of keys and marks nothing is removed
all_stays()
{
	local file
	for file in $stay; do
		[ -e "$state/$file" ] || { echo "$file is gone"; return 1; }
	done
}

# judge KEPT RETIRED SPENT REVOKED BOBS - what becomes of each token; and nothing is removed
judge()
{
	login "$1" "$kept"
	login "$2" "$retired"
	login "$3" "$spent"
	login "$4" "$revoked"
	login "$5" "$bobs" bob
	all_stays
}
well() { judge ok ok spent revoked revoked; }
too_early() { judge not_yet_valid not_yet_valid not_yet_valid not_yet_valid not_yet_valid; }

# suspect TEXT - status and check say so; status ends with 1
suspect()
{
	refused 1 "clock suspect: it went $1" keyd status
	keyd check --json >"$dir/check" || [ $? -eq 1 ]    # behind the keyset's own times is a failure, too
	jq -e --arg text "clock suspect: it went $1" '.findings | any(.code == "clock.suspect" and .level == "warn" and (.text | startswith($text)))' "$dir/check"
	try 1 keyd status --json
	[ "$(jq -r .state <<<"$output")" = attention ]
}

# warned TEXT COMMAND... - it does its work and says so; once is enough
warned()
{
	local text=$1
	refused 0 "warning: clock suspect: it went $text" "${@:2}"
	try 0 "${@:2}"
	[[ $stderr != *suspect* ]] || { echo "told twice: $stderr"; return 1; }
}

# rotates_in S - the next rotation is due then, and not before
rotates_in()
{
	local version
	version=$(active)
	pass $(($1 - 30))
	keyd once
	[ "$(active)" -eq "$version" ]
	pass 60
	keyd once
	[ "$(active)" -eq $((version + 1)) ]
}

# --- once, status, rjwt-issue, rjwt-verify, logins --------------------------------------------------------

@test "back by 1 s: nobody is told, nothing changes" {
	prepare
	step -1
	try 0 keyd status
	well
	try 0 keyd once
	[[ $stderr != *suspect* ]]
	try 0 keyd status
	new
	[[ $(<"$dir/issue.err") != *suspect* ]]
	well
	rotates_in 86400
}

# back S TEXT - before a writer has seen it, when one has, and when the clock is right again
back()
{
	prepare
	step "-$1"
	suspect "back by $2"
	too_early
	step "$1"
	try 0 keyd status    # no writer saw it
	well
	step "-$1"
	warned "back by $2" keyd once
	suspect "back by $2"
	new
	too_early
	step "$1"
	suspect "forward by $2"
	warned "forward by $2" keyd once
	new
	# What retired in a future that was none has retired when that was seen: a thief's key must not wait for it.
	judge ok key_retired spent revoked key_retired
}

@test "back by 1 h, and right again" { back 3630 '1h'; }
@test "back by 30 days, and right again" { back 2592030 '30d'; }

@test "back by 30 days: the next rotation is no later than rotate_every from then" {
	prepare
	step -2592030
	keyd once
	rotates_in 86400
}

@test "back: who mints sees it too" {
	prepare
	step -3630
	new
	grep -qF 'warning: clock suspect: it went back by 1h' "$dir/issue.err"
	new
	[[ $(<"$dir/issue.err") != *suspect* ]]
	suspect 'back by 1h'
	all_stays
}

@test "it is told until the clocks have run in step for max_lifetime and leeway" {
	step -3630
	keyd once
	pass 14400
	suspect 'back by 1h'
	pass 60
	try 0 keyd status
}

@test "forward by 1 h, and back again" {
	prepare
	step 3630
	suspect 'forward by 1h'
	well
	warned 'forward by 1h' keyd once
	suspect 'forward by 1h'
	[ "$(active)" -eq 2 ]
	new
	well
	late=$(issue --reusable alice)
	step -3630
	suspect 'back by 1h'
	warned 'back by 1h' keyd once
	login not_yet_valid "$late"
	new
	well
	rotates_in 86400
}

@test "forward by 10 years, and back again: one rotation, and nothing is forgotten" {
	prepare
	step 315360030
	suspect 'forward by 3650d'
	says 'rotation is overdue'
	judge expired key_retired expired expired key_retired
	warned 'forward by 3650d' keyd once
	[ "$(active)" -eq 3 ]
	suspect 'forward by 3650d'
	new
	all_stays
	step -315360030
	suspect 'back by 3650d'
	well
	warned 'back by 3650d' keyd once
	[ "$(active)" -eq 3 ]
	new
	well
	rotates_in 86400
}

@test "forward by 10 years: what has expired goes when the clocks have run in step, not before" {
	prepare
	step 315360030
	keyd once
	pass 14400
	keyd once
	all_stays
	pass 60
	keyd once
	[ ! -e "$state/keys/1.jwk" ]
	[ -e "$state/keys/2.jwk" ]    # retired by the rotation of then: it verifies for a day
	[ -n "$(ls "$state/spent/2")" ]
	pass 86400
	keyd once
	[ ! -e "$state/keys/2.jwk" ]
	[ ! -e "$state/spent/2" ]
}

@test "1970 at boot, and then right" {
	prepare
	boot_at 100
	suspect 'back by 20'
	too_early
	warned 'back by 20' keyd once
	new
	too_early
	step $((-wall))
	suspect 'forward by 20'
	warned 'forward by 20' keyd once
	[ "$(active)" -eq 3 ]    # it was due by then
	new
	judge ok key_retired spent revoked key_retired
}

@test "1970 when the keyset is made, and then right" {
	rm -r "$state"
	boot_at 100
	fresh 'max_lifetime: 4h'
	try 0 keyd status
	new
	step $((-wall))
	suspect 'forward by 20'
	new
	grep -qF 'warning: clock suspect: it went forward by 20' "$dir/issue.err"
	[ "$(active)" -eq 2 ]
	rotates_in 86400
}

@test "another boot is no step, whatever CLOCK_BOOTTIME shows" {
	prepare
	boot_at "$(date +%s)"
	try 0 keyd status
	well
	try 0 keyd once
	[[ $stderr != *suspect* ]]
	new
	well
}

# --- the daemon ------------------------------------------------------------------------------------------

start()
{
	: >"$dir/log"    # before: await must not read what an earlier one wrote
	"${shim[@]}" "$RJWT_BUILD/rjwt-keyd" -c "$conf" run </dev/null >"$dir/out" 2>"$dir/log" 3>&- &
	pid=$!
	await grep -q started "$dir/log"
	reloaded=0
}

stop()
{
	local status=0
	kill -TERM "$pid"
	wait "$pid" || status=$?
	pid=
	[ "$status" -eq 0 ]
}

told() { grep -qF -- "$1" "$dir/log"; }
suspects() { grep -c 'clock suspect' "$dir/log" || true; }
active_is() { [ "$(active)" -eq "$1" ]; }
lines_are() { [ "$(grep -cF -- "$1" "$dir/log")" -eq "$2" ]; }

# settled - it has done all that is due by now
settled()
{
	reloaded=$((reloaded + 1))
	kill -HUP "$pid"
	await lines_are 'reread the configuration' $reloaded
	try 0 keyd once    # takes the lock when the daemon has given it back
	[[ $stderr == *'nothing was due'* ]]
}

@test "the daemon is not told of 1 s" {
	prepare
	start
	step -1
	settled
	step 2
	settled
	[ "$(suspects)" -eq 0 ]
	stop
	well
}

# run_through S TEXT TEXT LEFT - the daemon sees each step when it happens, tells it once, and rotates in time:
# LEFT seconds after the last step
run_through()
{
	prepare
	start
	step "$1"
	await told "warning: clock suspect: it went $2"
	new
	all_stays
	step "-$1"
	await told "warning: clock suspect: it went $3"
	settled
	[ "$(suspects)" -eq 2 ]
	new
	all_stays
	login ok "$kept"
	login spent "$spent"
	login revoked "$revoked"
	version=$(active)
	pass 14000
	settled
	all_stays
	pass $(($4 - 14030))
	settled
	active_is "$version"
	pass 60    # nobody is told: its timer alone wakes it
	await active_is $((version + 1))
	[ "$(suspects)" -eq 2 ]
	stop
}

@test "the daemon: back by 1 h, and right again" { run_through -3630 'back by 1h' 'forward by 1h' 82770; }
@test "the daemon: back by 30 days, and right again" { run_through -2592030 'back by 30d' 'forward by 30d' 86400; }
@test "the daemon: forward by 1 h, and back again" { run_through 3630 'forward by 1h' 'back by 1h' 86400; }
@test "the daemon: forward by 10 years, and back again" { run_through 315360030 'forward by 3650d' 'back by 3650d' 86400; }

@test "the daemon: 1970 at boot, and then right" {
	prepare
	boot_at 100
	start
	await told 'warning: clock suspect: it went back by 20'
	new
	step $((-wall))
	await told 'warning: clock suspect: it went forward by 20'
	await active_is 3
	new
	judge ok key_retired spent revoked key_retired
	stop
}

@test "the daemon: a clock that is set between its look and its sleep is seen at once" {
	prepare
	start
	settled
	wall=-3630
	echo "$wall $boot" >"$dir/clock.next"
	kill -HUP "$pid"    # any reason to arm the timer anew
	await told 'warning: clock suspect: it went back by 1h'
	[ ! -e "$dir/clock.next" ]
	new
	stop
}

@test "the daemon with rotate_every 0 sees a step, too" {
	configure 'rotate_every: 0' 'max_lifetime: 4h'
	start
	step -3630
	await told 'warning: clock suspect: it went back by 1h'
	stop
}

@test "status and check tell for how long the clock was not set; after it was, that is not known" {
	known='^now +[^,]*Z(, clock (not )?synchronised)?'    # the last is not known in a container
	run -0 keyd status
	[[ ! $output =~ 'in step for '[0-9]+[hd] ]]
	pass 266400
	run -1 keyd status    # a rotation is overdue
	grep -qE "$known, in step for 3d2h\$" <<<"$output"
	run keyd check
	[[ $output != *'clock    synchronised'* || $output == *'clock    synchronised, in step for 3d2h'* ]]
	run -1 keyd status --json
	jq -e '.clock.in_step_s | . >= 266400 and . < 266500' <<<"$output"
	step -3600
	run -1 keyd status
	grep -qE "$known\$" <<<"$output"
	says 'clock suspect: it went back'
	run -1 keyd status --json
	jq -e '.clock | .suspect and (has("in_step_s") | not)' <<<"$output"
	boot_at "$(date +%s)"
	run -0 keyd status
	grep -qE "$known\$" <<<"$output"
}

# passes - what changes whenever the daemon takes the lock
passes() { stat -c %.9Y "$state/private/lock"; }

@test "the daemon rests while the clock is suspect, where a code has ended by it" {
	local before
	configure 'codes: [ssh]' 'max_lifetime: 4h'
	keyd codes 1 --lifetime 2h --scope ssh alice >"$dir/code"
	start
	step 7230
	await told 'recorded the clock change'
	sleep 1.2    # what was to be done in this second is done in the next one
	before=$(passes)
	sleep 2
	[ "$(passes)" = "$before" ]
	stop
}
