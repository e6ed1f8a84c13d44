#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-issue: what its options put into a token, and where the token goes. Refusals: issue-refused.bats

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq
	fresh
}

# bats test_tags=long
@test "a token, alone on one line of stdout; stderr is silent when it is no terminal" {
	run -0 --separate-stderr issue alice
	[ "${#lines[@]}" -eq 1 ]
	[ -z "$stderr" ]
	[[ $output =~ ^eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}$ ]]
	[ "$(header 'keys_unsorted' "$output")" = '["alg","kid","typ"]' ]
	[ "$(header '[.alg, .kid, .typ]' "$output")" = "[\"ES256\",\"$(kid)\",\"login+jwt\"]" ]
	[ "$(claim 'keys_unsorted | join(" ")' "$output")" = 'iss sub aud iat nbf exp jti scope once' ]
	[ "$(claim '[.iss, .sub, .aud, .scope, .once, .nbf - .iat, .exp - .iat]' "$output")" = \
		'["ca.example.org","alice","host.example.org","ssh",true,0,300]' ]
	now=$EPOCHSECONDS iat=$(claim .iat "$output")
	[ $((now - iat)) -ge 0 ]
	[ $((now - iat)) -lt 60 ]
	[[ $(claim .jti "$output") =~ ^[A-Za-z0-9_-]{22}$ ]]
	[ "$(claim .jti "$output")" != "$(claim .jti "$(issue alice)")" ]
}

# bats test_tags=long
@test "each option is in the claims" {
	while IFS='|' read -r filter value options; do
		eval "part 2 \"\$(issue $options alice 2>/dev/null)\"" >>"$dir/claims"
		echo >>"$dir/claims"
		program+="${program:+, }(.[$((n++))] | $filter)"
		wanted+="$value  $options"$'\n' cases+=("$options")
	done <<-'E'
		.aud|host.example.org|
		.aud|a.example|-a a.example
		.aud|["a.example","b"]|--audience a.example -a b
		.scope|ssh|
		.scope|sudo|-s sudo
		.scope|ssh sudo my.app:x/y-z|-s ssh --scope sudo -s my.app:x/y-z
		.exp - .iat|90|-t 90s
		.exp - .iat|900|--lifetime 15m
		.exp - .iat|3600|-t 1h
		.exp - .iat|1|-t1s
		.nbf - .iat > 590 and .nbf - .iat <= 600|true|--not-before +10m
		.exp - .nbf|300|--not-before +10m
		.exp - .iat|300|--not-before 2001-02-03T04:05:06Z
		.nbf|981173106|--not-before 2001-02-03T04:05:06Z
		.nbf|981173106|--not-before 2001-02-03T05:35:06+01:30
		.nbf|981173106|--not-before 981173106
		.once|true|
		.once|null|--reusable
		[.uses,.once]|[2,null]|--uses 2
		.act|{"sub":"carol"}|--actor carol
		.act|null|
		.iss|other.example|-i other.example
		.iss|other.example|--issuer other.example
		.ticket|INC-1=2|-C ticket=INC-1=2
		.n|7|-C n:=7
		[.n]|["7"]|-C n=7 -C m=1
		.o|{"a":[1,{"b":null}]}|--claim 'o:={"a":[1,{"b":null}]}'
		[.a, .b]|["x y",false]|-C 'a=x y' -C b:=false
		[.e, .reason]|["",null]|-C e= --reason "ticket 7"
	E
	mapfile -t found < <(jq -rcs "$program" "$dir/claims")
	for n in "${!cases[@]}"; do found[n]+="  ${cases[n]}"; done
	diff <(printf %s "$wanted") <(printf '%s\n' "${found[@]}")
	[ "$(header .ctx "$(issue -H ctx=one --header 'n:={"x":1}' alice)")" = one ]
	[ "$(header .n.x "$(issue -H ctx=one -H 'n:={"x":1}' alice)")" = 1 ]
}

# bats test_tags=long
@test "what is no JSON, or begins another member, cannot come in through := or =" {
	while IFS= read -r text; do
		refused 2 'the text after := is not a JSON value' issue -C "x:=$text" alice
		refused 2 'the text after := is not a JSON value' issue -H "x:=$text" alice
	done <<-'E'
		1,"sub":"root"
		1}
		1},{"sub":"root"
		{}},"sub":"root",{"a":{}
		
		nothing
		'x'
		01
		NaN
		{"a":1,"a":2}
		"\u0000"
		[1
		1 2
	E
	token=$(issue -C 'x=","sub":"root' -C 'y:="\",\"sub\":\"root"' alice)
	[ "$(claim .sub "$token")" = alice ]
	[ "$(claim .x "$token")" = '","sub":"root' ]
	[ "$(claim .y "$token")" = '","sub":"root' ]
	token=$(issue -C 'a","sub":"root=x' alice)
	[ "$(claim .sub "$token")" = alice ]
	for text in '=x' ':=1' novalue; do
		refused 2 'expected NAME=TEXT or NAME:=JSON' issue -C "$text" alice
	done
}

# bats test_tags=long
@test "--alg, --kid and --key-version assert what signs, and choose nothing" {
	run -0 issue --alg ES256 --kid "$(kid)" --key-version 1 alice
	refused 1 "$(kid) signs with ES256, not with RS256" issue --alg RS256 alice
	refused 1 "$(kid) signs now, not $(kid next)" issue --kid "$(kid next)" alice
	refused 1 'version 1 signs now, not 2' issue --key-version 2 alice
	for version in 0 -1 x 1x 99999999999999999999; do
		refused 2 'expected a number from 1' issue --key-version=$version alice
	done
	keyd rotate
	run -0 issue --key-version 2 alice
	refused 1 'version 2 signs now, not 1' issue --key-version 1 alice
}

# bats test_tags=long
@test "--json: one JSON object, whose token is the one described" {
	run -0 --separate-stderr issue --json -s sudo -a a.example -C x:=1 -H y=2 alice
	[ "$(jq -r 'keys_unsorted | join(" ")' <<<"$output")" = 'token claims header size fits' ]
	token=$(jq -r .token <<<"$output")
	[ "$(jq -c .claims <<<"$output")" = "$(part 2 "$token")" ]
	[ "$(jq -c .header <<<"$output")" = "$(part 1 "$token")" ]
	[ "$(jq -c '[.size, .fits]' <<<"$output")" = "[${#token},[\"sudo\"]]" ]
	[ "$(issue --json -s su -s ssh -s kiosk -C "x=$(head -c 300 /dev/zero | tr '\0' x)" alice | jq -c .fits)" = '["su","ssh"]' ]
}

# bats test_tags=long
@test "--output: a new file of mode 0600 under any umask, with the token that stdout would have had" {
	for mask in 000 077 777; do
		run -0 bash -c "umask $mask; exec \"\$@\"" - "$RJWT_BUILD/rjwt-issue" -c "$conf" -o "$dir/token" --reusable alice
		[ "$(stat -c %a "$dir/token")" = 600 ]
		run -0 verify -u alice -s sshd "$dir/token"
		rm "$dir/token"
	done
	cd "$dir"
	run -0 --separate-stderr issue -o token --json alice
	[ -z "$output" ]
	run -0 jq -e .token token
}

@test "--output -: standard output, as rjwt-verify - is standard input" {
	cd "$dir"
	run -0 --separate-stderr issue -o - alice
	[ ! -e - ]
	[ "$(verify -u alice -s sshd - <<<"$output")" = accepted ]
	echo "$output" >./-
	[ "$(verify -u alice -s sshd ./-)" = accepted ]
}

# bats test_tags=long
@test "an issuer or an audience that this host does not accept is warned of" {
	run -0 --separate-stderr issue -a far.example alice
	[[ $stderr == 'rjwt-issue: warning: this host does not accept the audience far.example' ]]
	run -1 verify -u alice -s sshd <<<"$output"
	run -0 --separate-stderr issue -i other alice
	[[ $stderr == 'rjwt-issue: warning: this host does not accept the issuer other' ]]
	run -1 verify -u alice -s sshd <<<"$output"
	run -0 --separate-stderr issue -a far.example -a host.example.org alice
	[[ $stderr == 'rjwt-issue: warning: the token works once on each host that it is for, and each of these hosts could use it on the others' ]]
	verify -u alice -s sshd <<<"$output"
	for arguments in '-a host.example.org' '-i ca.example.org'; do
		# shellcheck disable=SC2086    # words
		run -0 --separate-stderr issue $arguments alice
		[ -z "$stderr" ]
		verify -u alice -s sshd <<<"$output"
	done
	configure 'issuer: [new.example, ca.example.org]' 'audience: [a.example, host.example.org]'
	run -0 --separate-stderr issue -i ca.example.org -a host.example.org alice
	[ -z "$stderr" ]
}

@test "the summary on a terminal says who, where, what for, until when, and which prompts it fits" {
	need script
	script -qec "'$RJWT_BUILD/rjwt-issue' -c '$conf' -s sudo -s ssh -t 90s -o '$dir/token' alice" /dev/null >"$dir/summary" </dev/null
	run -0 cat "$dir/summary"
	says 'alice may use sudo ssh on this host, once for each, from 20' '(1m30s)' ' bytes, fits the prompts of its scopes: sudo (511 bytes), ssh (1022 bytes)'
	script -qec "'$RJWT_BUILD/rjwt-issue' -c '$conf' --reusable -a far.example -o '$dir/token2' alice" /dev/null >"$dir/summary" </dev/null
	run -0 cat "$dir/summary"
	says 'this token is a password until it expires' 'alice may use ssh on far.example, any number of times'
	script -qec "'$RJWT_BUILD/rjwt-issue' -c '$conf' alice" /dev/null >"$dir/summary" </dev/null
	run -0 cat "$dir/summary"
	says 'alice may use ssh on this host, once, from 20'
	verify -u alice -s sudo "$dir/token"
}

# bats test_tags=long
@test "a prompt of which nothing is known, and a program that is not root's" {
	need script
	script -qec "'$RJWT_BUILD/rjwt-issue' -c '$conf' -s kiosk -s su -o '$dir/token' alice" /dev/null >"$dir/summary" </dev/null
	run -0 cat "$dir/summary"
	says ' bytes, fits the prompts of its scopes: su (4095 bytes); the limit of the prompt of kiosk is not known'
	for service in postgresql i3lock nginx; do
		run -0 --separate-stderr issue -s $service alice
		[[ $stderr == *"warning: $service does not run as root, so it cannot take a one-time token: it needs --reusable" ]]
		run -0 --separate-stderr issue --reusable -s $service alice
		[[ $stderr != *warning* ]]
	done
	run -0 --separate-stderr issue -s proftpd alice
	[ -z "$stderr" ]
}

@test "a reason has at most 512 bytes" {
	try 0 issue --reason "$(head -c 512 /dev/zero | tr '\0' '\1')" alice
	refused 2 '--reason: longer than 512 bytes' issue --reason "$(head -c 513 /dev/zero | tr '\0' x)" alice
	refused 1 'line 1: too_long: reason: longer than 512 bytes' eval "printf '{\"sub\":\"alice\",\"reason\":\"%0513d\"}' 0 | issue --batch"
	try 0 eval "printf '{\"sub\":\"alice\",\"reason\":\"%0512d\"}' 0 | issue --batch"
}

# bats test_tags=long
# on_terminal ARG... - rjwt-issue with a terminal as standard output; what the terminal was sent is in $dir/sent
on_terminal()
{
	script -qec "'$RJWT_BUILD/rjwt-issue' -c '$conf' $*" "$dir/typescript" </dev/null 2>&1 | tr -d '\r' >"$dir/sent"
	return "${PIPESTATUS[0]}"
}

@test "--copy: the terminal is given the token for its clipboard too, or the code" {
	for options in '' '-C p=1' '-C p=12' --short; do
		on_terminal --copy $options alice
		printed=$(sed -n 's/.*\a//p' "$dir/sent")
		[[ $options = --short && $printed =~ ^....-....-....-....$ || $printed = eyJ*.*.* ]]
		[ "$(sed -n $'s/.*\033]52;c;\\([A-Za-z0-9+/]*=*\\)\a.*/\\1/p' "$dir/sent" | base64 -d)" = "$printed" ]
	done
	on_terminal alice
	[[ $(<"$dir/sent") != *$'\033'* ]]
}

@test "--copy: only where standard output is a terminal, and nothing else was asked for" {
	run -2 --separate-stderr issue --copy alice
	[[ -z $output && $stderr == 'rjwt-issue: --copy: standard output is not a terminal'* ]]
	for options in '--json alice' --batch "-o $dir/file alice"; do
		status=0
		on_terminal --copy $options || status=$?
		[ $status -eq 2 ]
		grep -q 'rjwt-issue: --copy cannot be combined with --' "$dir/sent"
		[ ! -e "$dir/file" ]
	done
}

@test "--short: a code is printed and no token, and its file is there before" {
	run -0 --separate-stderr issue --short alice
	[[ $output =~ ^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$ ]]
	name=$(tr -d -- -\\n <<<"$output" | sha256sum | cut -d' ' -f1)
	[ "$(stat -c %a "$state/private/parked" "$state/private/parked/$name" | tr '\n' ' ')" = '700 600 ' ]
	mapfile -t parked <"$state/private/parked/$name"
	[ "${parked[0]}" = "$(claim .exp "${parked[1]}")" ]
	[ "$(claim .once "${parked[1]}")" = true ]
	run -0 verify -u alice -s sshd <<<"${parked[1]}"
	run -0 issue --short --json alice
	jq -e 'has("token") | not' <<<"$output"
	jq -e '(.code | length) == 19 and .size == 19 and .fits == ["ssh"]' <<<"$output"
	keyd list >"$dir/list"
	[ "$(grep -c ' alice ' "$dir/list")" -eq 2 ]
	# a file of its own, as a token has
	run -0 issue --short -o "$dir/code" alice
	[[ $(<"$dir/code") =~ ^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$ ]]
	# no prompt is too short for it
	try 1 issue -s sudo -C "pad=$(printf '%0400d' 0)" alice
	try 0 issue --short -s sudo -C "pad=$(printf '%0400d' 0)" alice
	for options in --reusable '--uses 2' --batch; do
		# shellcheck disable=SC2086    # words
		run -2 --separate-stderr issue --short $options ${options/--batch/-}
		[ "$output" = "" ]
	done
	run -1 --separate-stderr issue --short -a elsewhere.example alice
	[[ $stderr == 'rjwt-issue: audience: only a token for this host can have a short code'* ]]
	# without the directory nothing is minted
	rm -r "$state/private/parked"
	ln -s "$dir" "$state/private/parked"
	run -1 --separate-stderr issue --short alice
	[ "$output" = "" ]
}

@test "--uses: as many logins, and the log line says how many; one_time: always wins over it" {
	local token n
	token=$(issue --uses 3 -s ssh -s sudo alice)
	[ "$(claim '[.uses,.once]|tojson' "$token")" = '[3,null]' ]
	for n in 3 2 1; do
		run -0 verify --explain -u alice -s sshd <<<"$token"
		[[ ${lines[0]} =~ ^accepted:\ alice\ may\ use\ sshd\ for\ [0-9ms]+\ more,\ $n\ of\ 3\ times$ ]]
		[[ $(tr -s ' \n' ' ' <<<"$output") == *"; used $((3 - n)) of 3 times " ]]
		try 0 "$RJWT_BUILD/tests/fault/login" "$conf" alice sshd "$token"
	done
	try 1 "$RJWT_BUILD/tests/fault/login" "$conf" alice sshd "$token"
	run -1 verify --explain -u alice -s sshd <<<"$token"
	[[ $(tr -s ' \n' ' ' <<<"$output") == "rejected: spent: "*"expected one of its 3 uses, found used 3 of 3 times"* ]]
	# without a service: spent for one of its scopes, and then for all
	run -0 verify -u alice <<<"$token"
	[[ $output == *"; spent for ssh"* ]]
	for n in 1 2 3; do
		try 0 "$RJWT_BUILD/tests/fault/login" "$conf" alice sudo "$token"
	done
	try 1 verify -u alice <<<"$token"
	for n in 0 1 101 -1 2.0 two ''; do
		run -2 --separate-stderr issue --uses "$n" alice
		[[ $stderr == *"--uses $n: expected a number from 2 to 100"* ]]
		[ "$output" = "" ]
	done
	run -2 --separate-stderr issue --uses 2 --reusable alice
	[[ $stderr == *"--reusable cannot be combined with --uses"* ]]
	configure 'one_time: always'
	run -0 --separate-stderr issue --uses 3 alice
	[[ $stderr == *"so this token works once"* ]]
	[ "$(claim '[.uses,.once]|tojson' "$output")" = '[null,true]' ]
}

@test "--reusable says that this is a password; one_time: always wins over it" {
	run -0 --separate-stderr issue --reusable alice
	[[ $stderr == 'rjwt-issue: this token is a password until it expires: '* ]]
	[ "$(claim .once "$output")" = null ]
	configure 'one_time: always'
	run -0 --separate-stderr issue --reusable alice
	[[ $stderr == *'one_time: always, so this token works once'* ]]
	[ "$(claim .once "$output")" = true ]
}

# bats test_tags=long
@test "configuration: default_lifetime, token_type, user_claim and user_suffix, the first audience and issuer" {
	configure 'default_lifetime: 2m' 'token_type: JWT' 'user_claim: email' 'user_suffix: "@example.org"' \
		'issuer: [new.example, old.example]' 'audience: [one.example, two.example]'
	token=$(issue alice)
	[ "$(header .typ "$token")" = JWT ]
	[ "$(claim '[.exp - .iat, .email, .sub, .iss, .aud]' "$token")" = \
		'[120,"alice@example.org","alice","new.example","one.example"]' ]
	verify -u alice -s sshd <<<"$token"
	configure 'user_suffix: "@example.org"'
	[ "$(claim .sub "$(issue alice)")" = alice@example.org ]
}

# bats test_tags=long
@test "minting rotates when that is due, and says so on stderr" {
	configure 'rotate_every: 1h'
	jq -c '.active.since -= 3600' "$state/keyset.json" | seal >"$dir/edited"
	cat "$dir/edited" >"$state/keyset.json"
	next=$(kid next)
	run -0 --separate-stderr issue alice
	[[ $stderr == "rjwt-issue: rotation was due: $next signs now, "* ]]
	[ "$(header .kid "$output")" = "$next" ]
	run -0 --separate-stderr issue alice
	[ -z "$stderr" ]
}

@test "--algorithms lists all, --version and --help need no keyset" {
	rm -r "$state"
	run -0 issue --algorithms
	[ "$(tr '\n' ' ' <<<"$output")" = 'HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed448 ' ]
	run -0 issue --version
	[[ $output =~ ^rjwt-issue\ [0-9]+\.[0-9] ]]
	run -0 issue --help
	says 'Usage: rjwt-issue [options] USER'
}
