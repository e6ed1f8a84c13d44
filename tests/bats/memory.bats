#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a stream costs in memory: as much for many lines as for few. Not for the address sanitizer, which keeps
# what was freed.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	fresh
}

many() { yes "$1" | head -n "$2" || true; }

# peak PROGRAM ARG... - KiB that it had at most
peak()
{
	"$python" -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$RJWT_BUILD/$1" -c "$conf" "${@:2}"
}

# same FEW MANY - the peaks differ by less than 512 KiB
same()
{
	echo "$1 KiB, $2 KiB"
	[ "$2" -lt $(($1 + 512)) ]
}

@test "rjwt-verify --lines needs the same memory for 10 lines and for 20,000" {
	token=$(issue --reusable alice)
	many "$token" 10 >"$dir/few"
	many "$token" 20000 >"$dir/many"
	same "$(peak rjwt-verify --lines "$dir/few")" "$(peak rjwt-verify --lines "$dir/many")"
}

@test "rjwt-issue --batch needs the same memory for 100 lines and for 20,000" {
	request='{"sub":"alice","reusable":true}'
	few=$(peak rjwt-issue --batch < <(many "$request" 100))
	same "$few" "$(peak rjwt-issue --batch < <(many "$request" 20000))"
}
