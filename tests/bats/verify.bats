#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-verify: its options, what it prints, how it ends. Hostile tokens: verify-forged.bats

bats_require_minimum_version 1.5.0

setup_file()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	use_folder "$BATS_FILE_TMPDIR"
	configure
	keyd init
	issue --reusable -s ssh -s sudo alice >"$dir/token"
	issue --reusable bob >"$dir/bob"
	issue alice >"$dir/once"
}

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq
	use_folder "$BATS_FILE_TMPDIR"
	cp "$conf" "$BATS_TEST_TMPDIR/rjwt.yaml"    # for tests that change it
	conf=$BATS_TEST_TMPDIR/rjwt.yaml own=$BATS_TEST_TMPDIR
	chmod go-w "$own" "${own%/*}"
	token=$(<"$dir/token")
	iat=$(claim .iat "$token")
}

# judged VERDICT OPTION... - what is said of the token: accepted, or a reason
judged()
{
	local verdict=$1 status=1
	shift
	if [ "$verdict" = accepted ]; then status=0; fi
	try $status verify "$@" <"$dir/token"
	if [ $status -eq 1 ]; then verdict="rejected: $verdict: "; fi
	[[ $output == "$verdict"* && $output != *$'\n'* && -z $stderr ]] || { echo "$*: $output $stderr"; return 1; }
}

# bats test_tags=long
@test "each option decides what it should" {
	while read -r verdict options; do
		# shellcheck disable=SC2086    # words
		judged "$verdict" $options
	done <<-E
		accepted
		accepted -u alice
		accepted -u alice -s sshd
		accepted --user alice --service sudo
		accepted -u alice -s sudo-i
		accepted -u alice -s ssh
		scope -u alice -s su
		scope -s login
		scope -s SSHD
		user -u bob -s sshd
		user -u Alice
		user -u alice@host
		user -u ali
		audience -a other.example
		audience -a HOST.example.org
		accepted -a other.example -a host.example.org
		accepted --audience host.example.org
		issuer -i other.example
		accepted --issuer ca.example.org
		typ --typ JWT
		accepted --typ login+jwt
		accepted --typ LOGIN+JWT
		lifetime --max-lifetime 299s
		accepted --max-lifetime 300s
		accepted --at $((iat + 329))
		expired --at $((iat + 330))
		expired --leeway 0s --at $((iat + 300))
		accepted --leeway 0s --at $((iat + 299))
		accepted --leeway 60s --at $((iat + 359))
		accepted --at $((iat - 30))
		not_yet_valid --at $((iat - 31))
		expired --at +10m
		not_yet_valid --at 2001-02-03T04:05:06Z
	E
	judged user -u ''
	judged scope -s ''
	for option in -a -i --typ; do
		run -2 verify "$option" '' <"$dir/token"
	done
}

@test "the sentence says what was expected and what was found" {
	run -1 verify -u bob <"$dir/token"
	[ "$output" = 'rejected: user: the token is for another user (expected bob, found alice)' ]
	run -1 verify -s su <"$dir/token"
	[ "$output" = 'rejected: scope: the token is not for this service (expected su, found ssh sudo)' ]
	run -1 verify --at $((iat + 330)) <"$dir/token"
	says "expected before $(date -u -d @$((iat + 330)) +%FT%TZ), found $(date -u -d @$((iat + 330)) +%FT%TZ)"
}

@test "a token that is good from a time on, and one that was issued later than now" {
	late=$(issue --reusable --not-before +10m alice)
	refused 1 'rejected: not_yet_valid' verify <<<"$late"
	run -0 verify --at +10m <<<"$late"
	early=$(issue --reusable --not-before 2001-01-01T00:00:00Z alice)
	run -0 verify <<<"$early"
	refused 1 'rejected: issued_in_future' verify --at $((iat - 60)) <<<"$early"
}

@test "several files: each with its name in front, and the worst status" {
	cd "$dir"
	run -0 verify token
	[ "$output" = 'accepted, without user and service' ]
	run -0 verify token bob
	[ "$output" = $'token: accepted, without user and service\nbob: accepted, without user and service' ]
	run -1 verify -s sshd -u alice token bob
	[ "${lines[0]}" = 'token: accepted' ]
	[[ ${lines[1]} == 'bob: rejected: user: '* ]]
	run -1 verify -u alice bob token
	run -2 --separate-stderr verify -u alice token missing bob
	[ "${lines[0]}" = 'token: accepted, without service' ]
	[[ ${lines[1]} == 'bob: rejected: user: '* ]]
	[ "$stderr" = 'rjwt-verify: missing: No such file or directory' ]
	run -2 verify missing
	run -2 verify .
}

@test "a one-time token is judged, and never marked as used" {
	before=$(snapshot)
	for n in 1 2; do run -0 verify -u alice -s sshd "$dir/once"; done
	run -0 verify --explain "$dir/once"
	says '  ?     use     scope not checked (no service was given); not bound; not revoked; not spent'
	[ "$before" = "$(snapshot)" ]
}

@test "--explain: six groups of checks, what was found in each, what failed, and what to do" {
	id=$(kid)
	shape() { sed -E 's/ for [0-9ms]+ more/ for TIME more/; s/issued [0-9ms]+ ago, [^,]*/issued TIME/; s/^(  OK    form    )[0-9]+/\1N/' <<<"$output"; }
	run -0 verify --explain -u alice -s sshd "$dir/once"
	diff - <(shape) <<-E
		accepted: alice may use sshd for TIME more, once
		  OK    form    N bytes, three parts, ES256, kid $id
		  OK    key     of this keyset, not revoked; the signature is good
		  OK    type    login+jwt; claims complete
		  OK    who     user alice; issuer ca.example.org, audience host.example.org
		  OK    time    issued TIME, for 5m; leeway 30s
		  OK    use     scope ssh; not bound; not revoked; not spent
	E
	run -1 verify --explain -u alice -s sudo "$dir/once"
	diff - <(shape | sed 2,6d) <<-E
		rejected: scope: the token is not for this service
		  FAIL  use     scope: expected sudo (service sudo), found ssh
		        fix: issue one that opens this service: rjwt-issue -s sudo alice
		  -     not reached: binding source revoked denied spent
	E
	run -1 verify --explain -u bob -s sshd "$dir/token"
	diff - <(shape | sed 2,4d) <<-E
		rejected: user: the token is for another user
		  FAIL  who     user: expected bob, found alice
		        fix: issue one for this user: rjwt-issue bob
		  -     not reached: issuer stale audience time use
	E
	# what is not safe to paste is left open
	run -1 verify --explain -u 'bob;x' -s sshd "$dir/token"
	says 'fix: issue one for this user: rjwt-issue USER'
	run -1 verify --explain -u alice -s sshd --at +1h "$dir/token"
	says 'rejected: expired: the token expired 5' ' (leeway 30s), found 20' \
		'fix: issue a new one; if the time is wrong: chronyc tracking' 'not reached: not_yet_valid issued_in_future lifetime key_retired use'
	run -0 verify --explain "$dir/token"
	[ "${lines[0]}" = 'accepted, without user and service' ]
	says '?     who     user not checked (no user was given); issuer ca.example.org' '?     use     scope not checked (no service was given); '
}

@test "--explain colours the verdict and the levels on a terminal, and nowhere else" {
	need script
	shown() { env -u NO_COLOR TERM=$1 $2 script -qec "'$RJWT_BUILD/rjwt-verify' -c '$conf' --explain -u alice -s login '$dir/token'" /dev/null </dev/null; }
	run shown xterm
	[[ $output == $'\e[31mrejected\e[0m: scope: '*$'  \e[32mOK\e[0m    form    '*$'  \e[31mFAIL\e[0m  use     '* ]]
	run shown dumb
	[[ $output != *$'\e'* && $output == 'rejected: scope: '*'  OK    form    '* ]]
	run shown xterm NO_COLOR=1
	[[ $output != *$'\e'* && $output == 'rejected: scope: '* ]]
}

@test "--json: one object; claims only when the signature is good" {
	run -0 verify --json -u alice -s sshd "$dir/token"
	jq -e --arg kid "$(kid)" '(keys_unsorted | join(" ")) == "verdict reason kid checks claims" and .verdict == "accepted"
		and .kid == $kid and .claims.sub == "alice" and (.checks | length) == 28 and
		([.checks[].group] | reduce .[] as $g ([]; if .[-1] == $g then . else . + [$g] end) | join(" ")) == "form key type who time use"' <<<"$output"
	run -1 verify --json -u bob "$dir/token"
	jq -e '.verdict == "rejected" and .reason == "user" and .claims.sub == "alice" and
		[.checks[] | select(.outcome == "failed") | .expected, .found] == ["bob", "alice"]' <<<"$output"
	run -1 verify --json <<<"${token%.*}.$(head -c 64 /dev/zero | b64)"
	jq -e '.reason == "signature" and .claims == {}' <<<"$output"
	run -1 verify --json </dev/null
	jq -e '.reason == "empty" and .kid == "" and .claims == {}' <<<"$output"
}

@test "--jws: the signature alone, and the payload's bytes on stdout" {
	verify --jws "$dir/token" | cmp - <(part 2 "$token")
	verify --jws --at +10h -i other -a other -u bob -s su "$dir/token" | cmp - <(part 2 "$token")
	run -1 verify --jws <<<"${token%.*}.$(head -c 64 /dev/zero | b64)"
	[[ $output == 'rejected: signature: '* ]]
	refused 2 'cannot be combined with --explain, --json or --lines' verify --jws --json "$dir/token"
	refused 2 'cannot be combined with --explain, --json or --lines' verify --jws --explain "$dir/token"
}

@test "a token never comes from argv" {
	refused 2 'every user of this machine can read the command line' verify "$token"
	[[ $output != *"$token"* ]]
	refused 2 'every user of this machine can read the command line' verify -u alice -- "$token"
	cp "$dir/token" "$own/eyJ"
	run -0 verify "$own/eyJ"
}

@test "keyset.json is read, and no private file" {
	cp -a "$state" "$own/state"
	rm -r "$own/state/private" "$own/state/issued" "$own/state/jwks.json"
	run -0 verify -d "$own/state" -u alice -s sshd "$dir/token"
	rm "$own/state/keys/1.jwk"
	refused 1 'rejected: key_unknown' verify -d "$own/state" "$dir/token"
}

# bats test_tags=long
@test "output that nobody gets is no success" {
	run -0 bash -c '"$@" >/dev/null' - "$RJWT_BUILD/rjwt-verify" -c "$conf" "$dir/token"
	for to in '>/dev/full' '>&-'; do
		for options in '' --json --jws --explain; do
			run bash -c "\"\$@\" $options $to" - "$RJWT_BUILD/rjwt-verify" -c "$conf" "$dir/token"
			[ "$status" -ne 0 ]
			says 'standard output'
		done
	done
	run -2 bash -c '"$@" >/dev/full' - "$RJWT_BUILD/rjwt-verify" -c "$conf" "$dir/nowhere" "$dir/token"    # not lowered to 1
	for option in --help --version; do
		run -2 bash -c '"$@" >/dev/full' - "$RJWT_BUILD/rjwt-verify" $option
	done
}

@test "--explain leaves out a time that there is not, and tells one that there is" {
	run -0 verify --explain -u alice -s sshd "$dir/token"
	[[ $output != *' -'* ]]
	says 'key     of this keyset, not revoked; the signature is good'
	cp -a "$state" "$own/rotated"
	keyd -d "$own/rotated" rotate
	run -0 verify -d "$own/rotated" --explain -u alice -s sshd "$dir/token"
	[[ $output != *' -'* ]]
	says 'key     of this keyset, retired, verifies until 20'
	keyd -d "$own/rotated" revoke --kid "$(kid)"
	refused 1 'rejected: key_revoked: ' verify -d "$own/rotated" "$dir/token"
	says '(expected a key that was not revoked, found revoked at 20'
}

@test "--jws on a terminal ends with a newline, and elsewhere with the payload" {
	need script
	script -qec "'$RJWT_BUILD/rjwt-verify' -c '$conf' --jws '$dir/token'" /dev/null >"$own/shown" </dev/null
	[ "$(tail -c 3 "$own/shown" | od -An -tx1 | tr -d ' ')" = 7d0d0a ]
	[ "$(verify --jws "$dir/token" | tail -c 1)" = '}' ]
}

@test "invalid request" {
	while IFS='|' read -r text arguments; do
		# shellcheck disable=SC2086    # words
		try 2 verify $arguments "$dir/token"
		[[ -z $output && $stderr == 'rjwt-verify: '*"$text"* ]] || { echo "$arguments: $output $stderr"; return 1; }
	done <<-'E'
		--frob: unknown option|--frob
		not a duration|--leeway 60
		not a duration|--leeway -1s
		--leeway 301s: out of range (expected 0s to 5m)|--leeway 301s
		--max-lifetime 0: out of range (expected 1s to 365d)|--max-lifetime 0
		--max-lifetime 366d: out of range (expected 1s to 365d)|--max-lifetime 366d
		RFC 3339, seconds since the epoch|--at yesterday
		RFC 3339, seconds since the epoch|--at -5
		No such file|-c /nonexistent/rjwt.yaml
		/nonexistent|-d /nonexistent
		/nonexistent|-j /nonexistent
	E
	run -0 --separate-stderr verify --leeway 300s --max-lifetime 365d --at +1s "$dir/token"
	refused 2 'the argument is missing' verify "$dir/token" --user
}
