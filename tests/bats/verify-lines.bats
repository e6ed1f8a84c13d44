#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-verify --lines: a stream of tokens, and an answer to each in its order.

bats_require_minimum_version 1.5.0

setup_file()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	use_folder "$BATS_FILE_TMPDIR"
	configure
	keyd init
	issue --reusable alice >"$dir/token"
	issue alice >"$dir/once"
}

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq
	use_folder "$BATS_FILE_TMPDIR"
	token=$(<"$dir/token")
}

fill() { head -c "$1" /dev/zero | tr '\0' "${2-A}"; }

@test "a verdict a line, in order, the last one without its newline" {
	try 1 verify --lines -u alice < <(printf '%s\n%s\n\n%s\r\n%s\0\nBearer %s\n%s' "$token" "${token}A" "$token" "$token" "$token" "$token")
	mapfile -t lines <<<"$output"
	[ ${#lines[@]} -eq 7 ]
	[ "${lines[0]}" = 'accepted, without service' ]
	[[ ${lines[1]} == 'rejected: signature: '* ]]
	[[ ${lines[2]} == 'rejected: empty: '* ]]
	[[ ${lines[3]} == 'rejected: malformed: '* ]]
	[[ ${lines[4]} == 'rejected: malformed: '* ]]
	[[ ${lines[5]} == 'rejected: malformed: '* ]]
	[ "${lines[6]}" = 'accepted, without service' ]
	try 0 verify --lines -u alice -s sshd < <(printf '%s\n%s\n' "$token" "$token")
	[ "$output" = $'accepted\naccepted' ]
	try 0 verify --lines </dev/null
	[ -z "$output" ]
}

@test "a line of 1 MiB is too long, and those around it are judged" {
	try 1 verify --lines < <(echo "$token"; fill 1048576; echo; echo "$token"; fill 65536; echo; fill 65537; echo; echo "$token"; fill 300000)
	mapfile -t lines <<<"$output"
	[ "${#lines[@]}" -eq 7 ]
	for i in 0 2 5; do [[ ${lines[i]} == 'accepted, without '* ]]; done
	for i in 1 3 4 6; do [[ ${lines[i]} == 'rejected: too_long: '* ]]; done
}

# bats test_tags=long
@test "lines that fall across the borders of what is read at once" {
	for shift in 0 1 2 3 100 429 430 431; do
		{ fill $shift .; echo; for _ in {1..700}; do echo "$token"; done; } >"$BATS_TEST_TMPDIR/many"
		try 1 verify --lines "$BATS_TEST_TMPDIR/many"
		[ "$(grep -c '^accepted, without user and service$' <<<"$output")" -eq 700 ]
		[ "$(wc -l <<<"$output")" -eq 701 ]
	done
}

@test "answers as it is asked: a program may wait for each" {
	coproc asked { verify --lines; }
	for text in "$token" nothing "$token"; do
		echo "$text" >&"${asked[1]}"
		read -r -t 10 answer <&"${asked[0]}"
		case $text in nothing) [[ $answer == 'rejected: malformed'* ]] ;; *) [[ $answer == 'accepted, without '* ]] ;; esac
	done
	pid=$asked_PID
	exec {asked[1]}>&-
	status=0
	wait "$pid" || status=$?
	[ "$status" -eq 1 ]
}

@test "with --json, --explain, several files" {
	printf '%s\nx\n' "$token" >"$BATS_TEST_TMPDIR/two"
	try 1 verify --lines --json "$BATS_TEST_TMPDIR/two"
	[ "$(jq -rs 'map(.verdict + ":" + .reason) | join(" ")' <<<"$output")" = "accepted:ok rejected:malformed" ]
	try 1 verify --lines --explain "$BATS_TEST_TMPDIR/two"
	[ "$(grep -c '^[ar]' <<<"$output")" -eq 2 ]
	says '  OK    key     of this keyset' '  FAIL  form    malformed: expected' '  -     not reached: header alg kid key type who time use'
	try 1 verify --lines "$BATS_TEST_TMPDIR/two" "$dir/token"
	[ "$(cut -c1-300 <<<"$output" | grep -c ': accepted, without user and service$')" -eq 2 ]
	says "$BATS_TEST_TMPDIR/two: rejected: malformed" "$dir/token: accepted"
	refused 2 'cannot be combined with --explain, --json or --lines' verify --lines --jws "$BATS_TEST_TMPDIR/two"
}

@test "no verdict possible: the line says so, and the rest is judged" {
	printf '%s\n%s\n%s\n' "$token" "$(<"$dir/once")" "$token" >"$BATS_TEST_TMPDIR/three"
	mv "$state/spent" "$state/spent.away"
	status=0
	output=$(verify -s sshd --lines <"$BATS_TEST_TMPDIR/three" 2>"$BATS_TEST_TMPDIR/stderr") || status=$?
	mv "$state/spent.away" "$state/spent"
	mapfile -t lines <<<"$output"
	[ "$status" -eq 2 ] && [ ${#lines[@]} -eq 3 ]
	[ "${lines[0]}" = 'accepted, without user' ] && [ "${lines[2]}" = 'accepted, without user' ]
	[[ ${lines[1]} == 'no verdict: io: '* ]]
	[[ $(<"$BATS_TEST_TMPDIR/stderr") == 'rjwt-verify: line 2: '*spent* ]]
	try 0 verify -s sshd --lines "$BATS_TEST_TMPDIR/three"
}

# bats test_tags=long
@test "a folder, a file that is not there, a closed pipe, a full disk" {
	refused 2 'not a regular file' verify --lines /
	refused 2 'No such file' verify --lines "$BATS_TEST_TMPDIR/none"
	try 2 verify --lines "$BATS_TEST_TMPDIR/none" "$dir/token"
	says "$dir/token: accepted"
	for _ in {1..3000}; do echo "$token"; done >"$BATS_TEST_TMPDIR/many"
	status=$( (verify --lines "$BATS_TEST_TMPDIR/many" 2>"$BATS_TEST_TMPDIR/stderr"; echo $? >"$BATS_TEST_TMPDIR/status") | head -n 1 >/dev/null
		cat "$BATS_TEST_TMPDIR/status")
	[ "$status" -eq 2 ]
	[[ $(<"$BATS_TEST_TMPDIR/stderr") == *'standard output: Broken pipe'* ]]
	refused 2 'standard output: No space left' eval 'verify --lines "$BATS_TEST_TMPDIR/many" >/dev/full'
}
