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

# hold_all KIND:LOCK... - a process each that takes the lock and does not give it back; prints their numbers
hold_all()
{
	"$python" - "$@" 3>&- <<-'E'
		import fcntl, os, signal, sys, time
		for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
		    signal.signal(number, signal.SIG_IGN)
		for kind, lock in (argument.split(":") for argument in sys.argv[1:]):
		    fd = os.open(lock, os.O_RDWR)
		    held, holds = os.pipe()
		    pid = os.fork()
		    if pid == 0:
		        fcntl.flock(fd, fcntl.LOCK_EX)
		        os.write(holds, b"!")
		        os.dup2(2, 1)
		        if kind == "stopped":
		            os.kill(os.getpid(), signal.SIGSTOP)
		        while kind == "spins":
		            pass
		        time.sleep(1000)
		        os._exit(0)
		    os.close(fd)
		    os.read(held, 1)
		    print(pid, flush=True)
	E
}

# slowed WAY COMMAND... - runs it so; slow WAY PID does it to a process
slowed()
{
	local way=$1
	shift
	case $way in
	idle) chrt -i 0 "$@" ;;
	batch) chrt -b 0 nice -n 19 "$@" ;;
	io) ionice -c 3 nice -n 5 "$@" ;;
	core) taskset -c "$core" "$@" ;;
	all) chrt -i 0 ionice -c 3 taskset -c "$core" nice -n 19 "$@" ;;
	limits) prlimit --nofile=16 --fsize=4096 --cpu=1 --stack=65536:8388608 --nproc=50 "$@" ;;
	esac
}
slow()
{
	case $1 in idle | all) chrt -i -p 0 "$2" ;; batch) chrt -b -p 0 "$2" && renice 19 "$2" ;; esac
	case $1 in io | all) ionice -c 3 -p "$2" ;; esac
	case $1 in core | all) taskset -cp "$core" "$2" ;; esac
	case $1 in limits) prlimit --pid "$2" --nofile=16 --fsize=4096 --stack=65536:8388608 ;; esac
}

# rotate_again_and_again WAY - as a caller of sudo can
rotate_again_and_again() { while :; do slowed "$1" "$RJWT_BUILD/rjwt-keyd" -c "$conf" rotate; done; }

# timed FILE COMMAND... - its status and how many seconds it took
timed()
{
	local start=$SECONDS status=0
	"${@:2}" >/dev/null 2>"$1.err" || status=$?
	echo "$status $((SECONDS - start))" >"$1"
}

@test "thirty ways to hold the lock, at once: each revocation comes through within 35 seconds" {
	need prlimit renice
	core=$(last_core)
	token=$(issue --reusable alice)
	good=$state n=0 locks=() ways=() revoking=()
	for kind in stopped sleeps spins one two; do    # held for ever; or rotations by one caller, and by two
		for way in idle batch io core all limits; do
			n=$((n + 1)) conf=$dir/$n.yaml state=$dir/$n
			cp -a "$good" "$state"
			configure
			case $kind in
			one | two) ;;
			*) locks+=("$kind:$state/private/lock") ways+=("$way") && continue ;;
			esac
			rotate_again_and_again "$way" >/dev/null 2>&1 3>&- &
			pids+=($!)
			[ "$kind" = two ] || continue
			rotate_again_and_again "$way" >/dev/null 2>&1 3>&- &
			pids+=($!)
		done
	done
	[ "$n" -eq 30 ]
	mapfile -t holders < <(hold_all "${locks[@]}")
	pids+=("${holders[@]}")
	[ "${#holders[@]}" -eq 18 ]
	for i in "${!holders[@]}"; do slow "${ways[i]}" "${holders[i]}" >/dev/null; done
	busy "$core" 2
	for ((i = 1; i <= n; i++)); do
		timed "$dir/$i.took" "$RJWT_BUILD/rjwt-keyd" -c "$dir/$i.yaml" revoke --all 3>&- &
		revoking+=($!)
	done
	wait "${revoking[@]}"
	for ((i = 1; i <= n; i++)); do
		read -r status took <"$dir/$i.took"
		[ "$status" -eq 0 ] && [ "$took" -le 35 ] || { echo "$i: status $status, $took s: $(<"$dir/$i.took.err")"; return 1; }
		conf=$dir/$i.yaml
		refused 1 rejected verify -u alice -s sshd <<<"$token"
		[ "$i" -gt 18 ] || grep -q "ended process ${holders[i - 1]} " "$dir/$i.took.err"
	done
}
