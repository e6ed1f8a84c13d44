#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Who calls by sudo hands on how fast we run, and may stop us: a revocation comes through all the same. It takes up to
# 35 s each: a stage of ./check runs it.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need_root
	need jq flock chrt ionice taskset nice
	fresh
	pids=()
}

teardown()
{
	local pid
	for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
}

# busy CORE N - N loops on one core
busy()
{
	local n
	for ((n = 0; n < $2; n++)); do
		taskset -c "$1" sh -c 'while :; do :; done' 3>&- &
		pids+=($!)
	done
}

# last_core - the highest that we may use
last_core() { taskset -pc $$ | sed 's/.*[-, ]//'; }

# hold - a process holds the lock and is stopped: $holder
hold()
{
	: >"$dir/holder"
	"$python" - "$state/private/lock" >"$dir/holder" 3>&- <<-'E' &
		import fcntl, os, signal, sys, time
		fd = os.open(sys.argv[1], os.O_RDWR)
		fcntl.flock(fd, fcntl.LOCK_EX)
		print(os.getpid(), flush=True)
		os.kill(os.getpid(), signal.SIGSTOP)
		time.sleep(1000)
	E
	pids+=($!)
	await test -s "$dir/holder"
	holder=$(<"$dir/holder")
	await grep -q '^State:.T' "/proc/$holder/status"
}

# within SECONDS COMMAND...
within()
{
	local start=$SECONDS
	try 0 "${@:2}"
	[ $((SECONDS - start)) -le "$1" ] || { echo "took $((SECONDS - start)) s"; return 1; }
}

@test "class, nice value, cores and I/O class of the caller's are undone" {
	"$RJWT_BUILD/rjwt-keyd" -c "$conf" run 2>/dev/null 3>&- &
	plain=$!
	pids+=("$plain")
	chrt -i 0 ionice -c 3 taskset -c 0 nice -n 19 "$RJWT_BUILD/rjwt-keyd" -c "$conf" run 2>"$dir/log" 3>&- &
	slow=$!
	pids+=("$slow")
	await grep -q started "$dir/log"
	[ "$(chrt -p $slow)" = "$(chrt -p $plain | sed "s/$plain/$slow/")" ]
	[ "$(taskset -p $slow | sed 's/.*: //')" = "$(taskset -p $plain | sed 's/.*: //')" ]
	[ "$(ionice -p $slow)" = "$(ionice -p $plain)" ]
	[ "$(cut -d' ' -f19 /proc/$slow/stat)" = 0 ]
}

@test "a caller with the least of everything on a busy core holds no lock that matters" {
	token=$(issue --reusable alice)
	core=$(last_core)
	busy "$core" 6
	for n in 1 2 3 4; do
		(while :; do
			chrt -i 0 ionice -c 3 taskset -c "$core" nice -n 19 "$RJWT_BUILD/rjwt-keyd" -c "$conf" rotate
		done >/dev/null 2>&1 3>&-) &
		pids+=($!)
	done
	within 35 keyd revoke --all
	refused 1 rejected verify -u alice -s sshd <<<"$token"
}

@test "revoke kills a stopped process that holds the lock; so does rotate --compromised" {
	for what in 'revoke --all' 'rotate --compromised'; do
		token=$(issue --reusable alice)
		hold
		# shellcheck disable=SC2086
		within 35 keyd $what
		[[ $stderr == *"ended process $holder (python3"*'which held the lock for more than 20s'* ]]
		[ ! -e "/proc/$holder" ] || grep -q '^State:.Z' "/proc/$holder/status"
		refused 1 rejected verify -u alice -s sshd <<<"$token"
	done
}

@test "rotate and once end nobody, and nor does revoke when it is not surely the holder" {
	hold
	refused 1 'locked for 30s, last by' keyd rotate
	[ -e "/proc/$holder/status" ]
	grep -q '^State:.T' "/proc/$holder/status"
	# Who has the file open, and is named in it, but has no lock.
	sleep 100 3>&- 4<>"$state/private/lock" &
	bystander=$!
	pids+=("$bystander")
	echo "process $bystander (sleep)" >"$state/private/lock"
	within 35 keyd revoke --all
	[[ $stderr == *"ended process $holder "* ]]
	[ -e "/proc/$bystander" ]
}
