#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-verify and tokens whose signature is good: whoever holds the key may have signed anything.

bats_require_minimum_version 1.5.0

setup_file()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	use_folder "$BATS_FILE_TMPDIR"
	configure 'alg: HS256'
	keyd init
}

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq "$python"
	use_folder "$BATS_FILE_TMPDIR"
	now=$EPOCHSECONDS
	good_header="{\"alg\":\"HS256\",\"kid\":\"$(kid)\",\"typ\":\"login+jwt\"}"
	good_claims="{\"iss\":\"ca.example.org\",\"sub\":\"alice\",\"aud\":\"host.example.org\",\"iat\":$now,\"exp\":$((now + 300)),\"scope\":\"ssh\"}"
}

# expect VERDICT HEADER CLAIMS - of a token with these, signed by the active key; judge_all asks
expect()
{
	verdicts+=("$1")
	parts+=("$2" "$3")
}

# expect_each JSON PART - of a table on stdin, VERDICT|FILTER: JSON, changed by jq's FILTER, as PART of a token
expect_each()
{
	local verdict filter program='' json
	local -a wanted=()
	while IFS='|' read -r verdict filter; do
		wanted+=("$verdict")
		program+="${program:+, }($filter)"
	done
	while IFS= read -r json; do
		case $2 in
		header) expect "${wanted[0]}" "$json" "$good_claims" ;;
		claims) expect "${wanted[0]}" "$good_header" "$json" ;;
		esac
		wanted=("${wanted[@]:1}")
	done < <(jq -c "$program" <<<"$1")
	[ ${#wanted[@]} -eq 0 ]
}

# judge_all - for alice and sshd, all that was expected since the last time
judge_all()
{
	local n files=() found
	forge "$state/private/1.key" "${parts[@]}" | (cd "$BATS_TEST_TMPDIR" && split -l 1 -d -a 3 - case.)
	files=("$BATS_TEST_TMPDIR"/case.*)
	run -1 verify -u alice -s sshd "${files[@]}" /dev/null    # two files at least: each line has a name in front
	[ "${#lines[@]}" -eq $((${#verdicts[@]} + 1)) ]
	for n in "${!verdicts[@]}"; do
		found=${lines[n]#"${files[n]}: "}
		found=${found#rejected: }
		[ "${found%%:*}" = "${verdicts[n]}" ] || { echo "not ${verdicts[n]} for ${parts[2 * n]} ${parts[2 * n + 1]}: $found"; return 1; }
	done
	verdicts=() parts=()
	rm "${files[@]}"
}

@test "claims: each of its type, present, in range" {
	expect accepted "$good_header" "$good_claims"
	expect_each "$good_claims" claims <<-'E'
		claims|del(.iss)
		claims|del(.aud)
		claims|del(.iat)
		claims|del(.exp)
		claims|del(.sub)
		claims|.exp = "\(.exp)"
		claims|.exp += 0.5
		claims|.iat = true
		claims|.nbf = null
		claims|.iat = -1
		claims|.aud = []
		claims|.aud = 7
		claims|.aud = ["host.example.org", 7]
		claims|.aud = {"host.example.org": 1}
		accepted|.aud = ["a", "host.example.org"]
		audience|.aud = ["a", "host.example.org."]
		claims|.iss = ["ca.example.org"]
		issuer|.iss = "CA.example.org"
		claims|.sub = ["alice"]
		claims|.sub = ""
		user|.sub = "alice "
		user|.sub = "Alice"
		claims|.sub = "alice\n"
		claims|.scope = "ssh  sudo"
		claims|.scope = " ssh"
		claims|.scope = ["ssh"]
		scope|del(.scope)
		scope|.scope = "sshd"
		scope|.scope = "SSH"
		accepted|.scope = "su ssh"
		claims|.once = "true"
		claims|.once = 1
		claims|.once = true
		accepted|.once = true | .jti = "x"
		accepted|.once = false
		claims|.jti = ""
		claims|.jti = 7
		lifetime|.exp = .iat + 3601
		accepted|.exp = .iat + 3600
		lifetime|.exp = .iat
		expired|.iat -= 400 | .exp -= 400
		not_yet_valid|.nbf = .iat + 100
		issued_in_future|.iat += 100
		accepted|.x = [[[[[[1]]]]]]
		claims|.x = [[[[[[[[1]]]]]]]]
	E
	judge_all
}

@test "JSON that readers do not agree on is refused" {
	for text in '{}' '[]' '""' ' ' '{' "$good_claims{}" "${good_claims%\}},\"sub\":\"root\"}" "${good_claims%\}},\"su\\u0062\":\"root\"}" \
		"${good_claims%\}},\"sub\\u0000x\":\"root\"}" "${good_claims%\}},}" "${good_claims%\}},'x':1}" "${good_claims%\}},\"x\":NaN}" \
		"${good_claims%\}},\"x\":01}" "${good_claims%\}},\"x\":\"$(printf '\001')\"}" "${good_claims%\}},\"x\":\"\\ud800\"}" \
		"${good_claims%\}},\"x\":\"$(printf '\300\257')\"}" "${good_claims/\"exp\"/\"exp\":1e10,\"y\"}" "$(printf '\357\273\277')$good_claims" "/**/$good_claims"; do
		expect claims "$good_header" "$text"
	done
	for number in 9007199254740993 99999999999999999999 1e400 -0 1.0; do
		expect claims "$good_header" "$(sed "s/\"exp\":[0-9]*/\"exp\":$number/" <<<"$good_claims")"
	done
	expect accepted "$good_header" " ${good_claims/alice/\\u0061lice} "
	judge_all
}

@test "header: what it may not have, what it must have" {
	expect_each "$good_header" header <<-'E'
		header|.crit = ["exp"]
		header|.crit = []
		header|.b64 = true
		header|.zip = "DEF"
		header|.cty = "JWT"
		header|.jwk = {"kty": "oct", "k": "AA"}
		header|.jku = "https://x.example/"
		header|.x5c = []
		header|.x5u = ""
		header|.x5t = ""
		accepted|.x = {"crit": 1}
		header|del(.alg)
		header|.alg = null
		alg|.alg = "none"
		alg|.alg = "hs256"
		alg|.alg = "HS384"
		alg|.alg = "ES256"
		kid|del(.kid)
		header|.kid = 1
		kid|.kid += "."
		kid|.kid += " "
		kid|.kid |= sub("[.]1$"; ".01")
		kid|.kid |= sub("[.]1$"; ".+1")
		kid|.kid |= sub("[.]1$"; "")
		kid|.kid |= sub("[.]1$"; ".0")
		kid|.kid |= sub("[.]1$"; ".2147483648")
		kid|.kid |= sub("[.]1$"; ".\u0661")
		kid|.kid = "../../../../etc/passwd"
		kid|.kid = ""
		key_unknown|.kid |= sub("[.]1$"; ".3")
		key_unknown|.kid = "other.1"
		key_unknown|.kid |= "x" + .
		signature|.kid |= sub("[.]1$"; ".2")
		typ|del(.typ)
		typ|.typ = "JWT"
		typ|.typ = "login+jwt2"
		header|.typ = 1
		accepted|.typ = "Application/Login+JWT"
	E
	expect header "[$good_header]" "$good_claims"
	expect header "${good_header%\}},\"alg\":\"none\"}" "$good_claims"
	expect header '{}' "$good_claims"
	expect malformed '' "$good_claims"
	judge_all
}

@test "token_type: JWT also accepts none; user_suffix must be there, and is cut off once" {
	conf=$BATS_TEST_TMPDIR/rjwt.yaml
	configure 'token_type: JWT' 'user_suffix: "@example.org"'
	chmod go-w "$BATS_TEST_TMPDIR"
	header=$(jq -c 'del(.typ)' <<<"$good_header")
	expect user "$header" "$good_claims"
	expect accepted "$header" "${good_claims/alice/alice@example.org}"
	expect user "$header" "${good_claims/alice/alice@example.org@example.org}"
	expect user "$header" "${good_claims/alice/@example.org}"
	expect typ "$good_header" "${good_claims/alice/alice@example.org}"
	judge_all
	configure 'user_claim: email' 'services: {sshd: shell, sudo: ""}' 'issuer: [new, ca.example.org]' 'audience: [other, host.example.org]'
	expect claims "$good_header" "$good_claims"
	good_claims=${good_claims/\"sub\":\"alice\"/\"sub\":\"x\",\"email\":\"alice\"}
	expect scope "$good_header" "$good_claims"
	expect accepted "$good_header" "${good_claims/:\"ssh\"/:\"shell\"}"
	judge_all
	refused 1 'an empty scope rejects all tokens' verify -s sudo < <(forge "$state/private/1.key" "$good_header" "${good_claims/:\"ssh\"/:\"sudo\"}")
}

@test "cnf and src are refused as the module does; with a JWK Set they are not checked, and it says so" {
	expect_each "$good_claims" claims <<-'E'
		binding|.cnf = {"kid": "x"}
		source|.src = ["::1"]
		accepted|.cnf2 = {"kid": "x"} | .src2 = ["::1"]
	E
	judge_all
	forge "$state/private/1.key" "$good_header" "$(jq -c '.cnf = {"kid": "x"} | .src = ["::1"]' <<<"$good_claims")" >"$BATS_TEST_TMPDIR/bound"
	run -1 verify "$BATS_TEST_TMPDIR/bound"
	says 'rejected: binding: '
	jq -nc --arg kid "$(kid)" --arg k "$(b64 <"$state/private/1.key")" \
		'{keys: [{kty: "oct", alg: "HS256", kid: $kid, k: $k}]}' >"$BATS_TEST_TMPDIR/set"
	chmod go-w "$BATS_TEST_TMPDIR"
	run -0 verify -j "$BATS_TEST_TMPDIR/set" -u alice -s sshd --explain "$BATS_TEST_TMPDIR/bound"
	says 'not checked  binding' 'not checked  source' 'passed       scope'
	[ "${lines[0]}" = accepted ]
}

@test "a token that a retired key signed after it had retired" {
	cp -a "$state" "$BATS_TEST_TMPDIR/state"
	state=$BATS_TEST_TMPDIR/state conf=$BATS_TEST_TMPDIR/rjwt.yaml
	chmod go-w "$BATS_TEST_TMPDIR"
	configure 'alg: HS256'
	keyd rotate
	expect accepted "$good_header" "$good_claims"
	judge_all
	jq -c '.retired -= 100' "$state/keys/1.jwk" | seal >"$BATS_TEST_TMPDIR/key"
	cat "$BATS_TEST_TMPDIR/key" >"$state/keys/1.jwk"
	expect key_retired "$good_header" "$good_claims"
	expect accepted "$good_header" "$(jq -c '.iat -= 90' <<<"$good_claims")"
	judge_all
}

@test "nothing raw from a token reaches the terminal: control characters, escapes, bidirectional text" {
	cd "$BATS_TEST_TMPDIR"
	evil=$(printf '\\u001b[31m\\r\\n\\u0007\\u007f\302\233\302\205\342\200\256\342\200\213\357\273\277')
	raw=$'[\x01-\x08\x0b-\x1f\x7f]|\u009b|\u0085|\u202e|\u200b|\ufeff'
	printf 'a\033b' | grep -qP "$raw"    # it finds what there is
	forge "$state/private/1.key" "$good_header" "$(jq -c ".x = \"$evil\"" <<<"$good_claims")" >one
	forge "$state/private/1.key" "${good_header%\}},\"y\":\"$evil\"}" "${good_claims%\}},\"x\":\"$evil\"}" >two
	forge "$state/private/1.key" "${good_header/login+jwt/$evil}" "$good_claims" >three
	forge "$state/private/1.key" "$good_header" "${good_claims/alice/${evil#*007f}}" >four
	forge "$state/private/1.key" "${good_header/$(kid)/$evil}" "$good_claims" >five
	forge "$state/private/1.key" "$good_header" "${good_claims/host.example.org/$evil}" >six
	printf 'eyJ\033[31m.\302\233.x' >$'seven\033[31m\302\233'
	for file in one two three four five six seven*; do
		for option in '' --explain --json; do
			run verify ${option:+"$option"} -u alice -s sshd "$file" "$dir/missing"$'\033[31m'
			[ "$status" -eq 2 ]
			[ "${#output}" -gt 40 ]
			if printf %s "$output" | grep -qP "$raw"; then
				printf 'raw in %s %s: %s\n' "$option" "$file" "$(printf %s "$output" | od -c | tail -n 40)"
				return 1
			fi
		done
	done
}
