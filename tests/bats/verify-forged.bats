#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-verify and tokens whose signature is good: whoever holds the key may have signed anything. What each
# part may hold is the table of tests/rejection; here is what depends on files and on the terminal.

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
	: >"$BATS_TEST_TMPDIR/empty"
	run -1 verify -u alice -s sshd "${files[@]}" "$BATS_TEST_TMPDIR/empty"    # two files at least: each line has a name in front
	[ "${#lines[@]}" -eq $((${#verdicts[@]} + 1)) ]
	for n in "${!verdicts[@]}"; do
		found=${lines[n]#"${files[n]}: "}
		found=${found#rejected: }
		[ "${found%%:*}" = "${verdicts[n]}" ] || { echo "not ${verdicts[n]} for ${parts[2 * n]} ${parts[2 * n + 1]}: $found"; return 1; }
	done
	verdicts=() parts=()
	rm "${files[@]}"
}

# bats test_tags=long
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

@test "cnf and src are refused as the module does; with a JWK Set they are not checked without a key and an address, and it says so" {
	expect_each "$good_claims" claims <<-'E'
		claims|.cnf = {"kid": "x"}
		claims|.src = ["::1"]
		binding|.cnf = {"kid": "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU"}
		source|.src = ["::1/128"]
		accepted|.cnf2 = {"kid": "x"} | .src2 = ["::1"]
	E
	judge_all
	forge "$state/private/1.key" "$good_header" "$(jq -c '.cnf = {"kid": "x"} | .src = ["::1"]' <<<"$good_claims")" >"$BATS_TEST_TMPDIR/bound"
	run -1 verify "$BATS_TEST_TMPDIR/bound"
	says 'rejected: claims: '
	jq -nc --arg kid "$(kid)" --arg k "$(b64 <"$state/private/1.key")" \
		'{keys: [{kty: "oct", alg: "HS256", kid: $kid, k: $k}]}' >"$BATS_TEST_TMPDIR/set"
	chmod go-w "$BATS_TEST_TMPDIR"
	run -0 verify -j "$BATS_TEST_TMPDIR/set" -u alice -s sshd --explain "$BATS_TEST_TMPDIR/bound"
	says '?     use     binding not checked (no ssh key was given); source not checked (no source address was given); scope ssh;'
	[ "${lines[0]}" = 'accepted, without ssh key, source address and revocation' ]
}

# bats test_tags=long
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

# bats test_tags=long
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
