#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-issue --batch: a stream of requests, and a token for each in its order.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq
	fresh
	options=()
}

# batch CODE LINE... - what comes of these lines; $lines are the answers
batch()
{
	try "$1" issue "${options[@]}" --batch < <(printf '%s\n' "${@:2}")
	mapfile -t lines < <(printf '%s\n' "$output")
}

many() { yes '{"sub":"alice","reusable":true}' | head -n "$1"; }

@test "a token a line, in order, with all that the line asks for" {
	batch 0 '{"sub":"alice"}' \
		'{"sub":"bob","aud":["host.example.org","b.example.org"],"scope":["ssh","sudo"],"lifetime":"10m","iss":"ca.example.org","claims":{"big":99999999999999999999,"t":"ü"},"header":{"x":"1"},"reason":"why"}' \
		'{"s\u0075b":"carol","scope":"su login","lifetime":90,"nbf":"+10m","reusable":true,"cl\u0061ims":{"a":[{"b":null}]}}'
	[ "${#lines[@]}" -eq 3 ]
	[ "$(claim '[.sub,.aud,.scope,.once,.exp-.iat]|tojson' "${lines[0]}")" = '["alice","host.example.org","ssh",true,300]' ]
	[ "$(claim '[.sub,.aud[1],.scope,.exp-.iat,.iss,.t]|tojson' "${lines[1]}")" = '["bob","b.example.org","ssh sudo",600,"ca.example.org","ü"]' ]
	[[ $(part 2 "${lines[1]}") == *'"big":99999999999999999999'* ]]
	[ "$(header .x "${lines[1]}")" = 1 ]
	[ "$(claim '[.sub,.scope,.once,.exp-.nbf,.nbf-.iat,.a]|tojson' "${lines[2]}")" = '["carol","su login",null,90,600,[{"b":null}]]' ]
	verify -u alice -s sshd <<<"${lines[0]}"
	verify -u bob -s sudo <<<"${lines[1]}"
}

@test "a line may have an actor, and the option is the default" {
	options=(--actor carol)
	batch 1 '{"sub":"a"}' '{"sub":"a","actor":"bob"}' '{"sub":"a","actor":1}' '{"sub":"a","actor":""}'
	[ "$(claim .act.sub "${lines[0]}") $(claim .act.sub "${lines[1]}") ${lines[2]-}${lines[3]-}" = 'carol bob ' ]
}

@test "a line may have a number of uses, and not be reusable as well" {
	options=(--uses 7)
	batch 1 '{"sub":"a","uses":2}' '{"sub":"a"}' '{"sub":"a","uses":2,"reusable":true}'
	[ "$(claim '[.uses,.once]|tojson' "${lines[0]}")" = '[2,null]' ]
	[ "$(claim '[.uses,.once]|tojson' "${lines[1]}")" = '[7,null]' ]
	[ "${lines[2]-}" = "" ]
	[[ $stderr == *"a reusable token has no number of uses"* ]]
}

@test "options stand for what a line leaves out" {
	options=(-t 1m -s sudo -C team=blue --reusable)
	batch 0 '{"sub":"alice"}' '{"sub":"bob","lifetime":"2m","scope":"ssh","reusable":false,"claims":{"x":1}}'
	[ "$(claim '[.exp-.iat,.scope,.team,.once]|tojson' "${lines[0]}")" = '[60,"sudo","blue",null]' ]
	[ "$(claim '[.exp-.iat,.scope,.team,.x,.once]|tojson' "${lines[1]}")" = '[120,"ssh","blue",1,true]' ]
}

# bats test_tags=long
@test "a bad line is told with its number, and the rest is done" {
	long=$(head -c 70000 /dev/zero | tr '\0' x)
	bad=('x' '' '[]' '{"sub":"a"} x' '{"sub":1}' '{}' '{"sub":"a","user":"b"}' '{"sub":"a","sub":"b"}'
		"{\"sub\":\"$long\"}" '{"sub":"a","lifetime":"2h"}' '{"sub":"a","lifetime":"ten"}' '{"sub":"a","lifetime":-1}'
		'{"sub":"a","lifetime":1.5}' '{"sub":"a","nbf":"soon"}' '{"sub":"a","scope":"ssh  sudo"}' '{"sub":"a","scope":[]}'
		'{"sub":"a","scope":[1]}' '{"sub":"a","aud":{}}' '{"sub":"a","aud":""}' '{"sub":"a","reusable":"yes"}' '{"sub":"a","uses":1}' '{"sub":"a","uses":101}' '{"sub":"a","uses":"2"}'
		'{"sub":"a","claims":[]}' '{"sub":"a","claims":{"exp":1}}' '{"sub":"a","header":{"kid":"x"}}'
		'{"sub":"a","reason":1}' '{"sub":"a\u0000b"}' '{"sub":""}' '{"sub":"a","iss":""}')
	reasons=(malformed malformed malformed malformed malformed user malformed malformed
		too_long lifetime malformed malformed malformed malformed scope malformed
		malformed malformed audience malformed malformed malformed malformed malformed claims header malformed malformed user issuer)
	all=()
	for line in "${bad[@]}"; do all+=("$line" '{"sub":"alice"}'); done
	batch 1 "${all[@]}"
	[ "$(grep -c '^eyJ' <<<"$output")" -eq ${#bad[@]} ]
	mapfile -t told <<<"$stderr"
	[ ${#told[@]} -eq ${#bad[@]} ]
	for i in "${!bad[@]}"; do
		[ -z "${lines[2 * i]}" ] && [[ ${lines[2 * i + 1]} == eyJ* ]]
		[[ ${told[i]} == "rjwt-issue: line $((2 * i + 1)): ${reasons[i]}: "* ]] || { echo "${bad[i]:0:80}: ${told[i]}"; return 1; }
	done
	options=(--json)
	batch 1 "${all[@]}"
	[ "$(jq -r '.refused // "ok"' <<<"$output" | paste -sd ' ')" = "$(printf '%s ok ' "${reasons[@]}" | sed 's/ $//')" ]
}

@test "answers as it is asked: a program may wait for each" {
	coproc asked { issue --batch 2>/dev/null; }
	for name in alice bob carol; do
		echo "{\"sub\":\"$name\"}" >&"${asked[1]}"
		read -r -t 10 answer <&"${asked[0]}"
		[ "$(claim .sub "$answer")" = "$name" ]
	done
	pid=$asked_PID
	exec {asked[1]}>&-
	wait "$pid"
}

# bats test_tags=long
@test "the limit of a key holds, and each token verifies" {
	configure 'max_token_bytes: 8192' 'max_tokens_per_key: 10'
	issue --batch < <(many 95) >"$dir/tokens" 2>"$dir/stderr"
	[ "$(wc -l <"$dir/tokens")" -eq 95 ]
	verify --lines -u alice -s sshd "$dir/tokens" >/dev/null
	parts 1 .kid <"$dir/tokens" | sort | uniq -c | sort -rn >"$dir/counts"
	[ "$(wc -l <"$dir/counts")" -eq 10 ]
	[ "$(head -n 1 "$dir/counts" | awk '{print $1}')" -eq 10 ]
	[ "$(grep -c 'rotation was due' "$dir/stderr")" -eq 9 ]
}

@test "each is in the list of who may get in, once" {
	issue --batch < <(many 300; echo '{"sub":"bob","lifetime":"1h"}'; many 10) >"$dir/tokens"
	parts 2 .jti <"$dir/tokens" | sort >"$dir/minted"
	cat "$state"/issued/* | jq -r .jti | sort >"$dir/listed"
	[ "$(wc -l <"$dir/minted")" -eq 311 ]
	diff "$dir/minted" "$dir/listed"
	[ "$(stat -c %s "$state"/private/1.minted)" -eq 311 ]
}

@test "wrong use, a closed pipe, a full disk" {
	refused 2 'unexpected argument (with --batch, each request names its user)' issue --batch alice </dev/null
	refused 2 'cannot be combined with --output' issue --batch -o "$dir/x" </dev/null
	try 0 issue --batch </dev/null
	[ -z "$output$stderr" ]
	many 3000 >"$dir/input"
	(issue --batch <"$dir/input" 2>"$dir/stderr" || echo $? >"$dir/status") | head -n 1 >/dev/null
	[ "$(<"$dir/status")" -eq 1 ]
	grep -q '^rjwt-issue: standard output: Broken pipe: the tokens from line [0-9]* on are lost$' "$dir/stderr"
	refused 1 'No space left on device: the tokens from line 1 on are lost' eval 'issue --batch <"$dir/input" >/dev/full'
	refused 1 'standard input: Is a directory' eval 'issue --batch </'
}

# bats test_tags=long
@test "a file that may not grow any more ends with a whole token" {
	many 3000 >"$dir/input"
	# rjwt-issue raises the limit where it may
	set -o pipefail
	bound=()
	[ "$(id -u)" -ne 0 ] || bound=(setpriv --bounding-set=-sys_resource --inh-caps=-sys_resource)
	for kib in 1 7 50; do
		status=0
		(ulimit -S -f $kib && ulimit -H -f $kib && exec "${bound[@]}" "$RJWT_BUILD/rjwt-issue" -c "$conf" --batch \
			<"$dir/input" 2>&1 >"$dir/tokens") | cat >"$dir/stderr" || status=${PIPESTATUS[0]}
		[ "$status" -eq 1 ] || { echo "$status"; cat "$dir/stderr"; return 1; }
		grep -q "File too large: the tokens from line $(($(wc -l <"$dir/tokens") + 1)) on are lost" "$dir/stderr"
		[ "$(tail -c 1 "$dir/tokens" | od -An -c | tr -d ' ')" = '\n' ]
		verify --lines "$dir/tokens" | sort -u | grep -qx 'accepted, without user and service'
		[ "$(grep -c '^eyJ' "$dir/tokens")" -gt 1 ]
	done
}

# bats test_tags=long
@test "on a terminal it says every second how far it has come, and takes that away again" {
	need script
	mkfifo "$dir/requests"
	slowly() { for i in 1 2 3 4; do echo "{\"sub\":\"user$i\"}"; sleep 0.6; done; }
	slowly >"$dir/requests" &
	script -qec "'$RJWT_BUILD/rjwt-issue' -c '$conf' --batch <'$dir/requests' >'$dir/tokens'" /dev/null >"$dir/shown" </dev/null
	grep -q $'rjwt-issue: [1-3] tokens minted \.\.\.\r' "$dir/shown"
	[ "$(tr '\r' '\n' <"$dir/shown" | grep -v '\.\.\.$' | tr -d ' \n')" = 'rjwt-issue:4tokensminted,0linesrejected' ]
	[ "$(wc -l <"$dir/tokens")" -eq 4 ]
	# not where there is no terminal, and not where the tokens themselves are seen
	slowly | issue --batch 2>"$dir/stderr"
	[ ! -s "$dir/stderr" ]
	slowly >"$dir/requests" &
	script -qec "'$RJWT_BUILD/rjwt-issue' -c '$conf' --batch <'$dir/requests'" /dev/null >"$dir/shown" </dev/null
	[ "$(grep -c '^[A-Za-z0-9_.-]*.$' "$dir/shown")" -eq 4 ]
	[ "$(grep -c "\.\.\." "$dir/shown")" -eq 0 ]
}
