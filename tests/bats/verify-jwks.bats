#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-verify --jwks: a JWK Set in place of the keyset.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq "$python"
	use_folder "$BATS_TEST_TMPDIR"
	configure
	printf 'sixteen times two is thirty-two.' >"$dir/secret"
	key="{\"kty\":\"oct\",\"k\":\"$(b64 <"$dir/secret")\",\"alg\":\"HS256\",\"kid\":\"one\"}"
	now=$EPOCHSECONDS
	header='{"alg":"HS256","kid":"one","typ":"login+jwt"}'
	claims="{\"iss\":\"ca.example.org\",\"sub\":\"alice\",\"aud\":\"host.example.org\",\"iat\":$now,\"exp\":$((now + 300)),\"scope\":\"ssh\",\"once\":true,\"jti\":\"x\"}"
	forge "$dir/secret" "$header" "$claims" >"$dir/token"
}

# set_of KEY... - as $dir/set
set_of()
{
	local IFS=,
	printf '{"keys":[%s]}\n' "$*" >"$dir/set"
}

# judged VERDICT [OPTION...] - of the token, or of $dir/token as it is now
judged()
{
	local verdict=$1 status=1
	shift
	if [ "$verdict" = accepted ]; then status=0; else verdict="rejected: $verdict: "; fi
	try $status verify -j "$dir/set" "$@" "$dir/token"
	[[ $output == "$verdict"* ]] || { echo "not $verdict: $output"; return 1; }
}

# passed_over WHY - the key is in the set and not used, and its token is told that
passed_over()
{
	judged key_unknown
	says "one, which is in the set but passed over: $1"
	try 1 verify -j "$dir/set" --explain "$dir/token"
	says "  passed over  key one: $1"
	try 1 verify -j "$dir/set" --json "$dir/token"
	jq -e --arg why "$1" '.passed_over == [{kid: "one", why: $why}]' <<<"$output" >/dev/null
}

# unfit TEXT - the set is no set
unfit() { refused 2 "$1" verify -j "$dir/set" "$dir/token"; }

@test "-j: of the kid of a key that is passed over the first 60 bytes are told" {
	local n long
	for n in 59 60 128; do
		long=$(printf "%0${n}d" 0)
		set_of "$(jq -c --arg kid "$long" '.kid = $kid | .use = "enc"' <<<"$key")"
		printf '{"alg":"ES256","kid":"%s","typ":"login+jwt"}' "$long" | base64 -w 0 | tr '+/' '-_' | tr -d = >"$dir/long"
		printf '.%s\n' "$(cut -d . -f 2- "$dir/token")" >>"$dir/long"
		try 1 verify -j "$dir/set" "$dir/long"
		says "found ${long:0:60}, which is in the set but passed over: "
	done
}

# bats test_tags=long
@test "-j -: the set is on standard input, and the tokens are in files" {
	set_of "$key"
	with_set() { verify -j - "$@" <"$dir/set"; }
	try 0 with_set -u alice -s sshd "$dir/token"
	[[ $output == accepted* ]]
	try 1 with_set -u alice -s sudo "$dir/token"
	[[ $output == 'rejected: scope: '* ]]
	# a pipe, and what the file system says of a file does not matter
	output=$(cat "$dir/set" | verify -j - --json "$dir/token")
	[ "$(jq -r .verdict <<<"$output")" = accepted ]
	# the set of a keyset that is here: what rjwt-keyd jwks prints
	keyd init 2>/dev/null
	issue alice >"$dir/own" 2>/dev/null
	output=$(keyd jwks | verify -j - "$dir/own")
	[[ $output == accepted* ]]
	rm -rf "$state"
}

@test "-j -: with tokens on standard input it is wrong use, and what to do is said" {
	set_of "$key"
	for argument in '' - "$dir/token -"; do
		# shellcheck disable=SC2086    # one or two words, or none
		try 2 verify -j - $argument <"$dir/set"
		[[ -z $output && $stderr == *'-j -: standard input has the JWK Set'*'rjwt-verify -j - FILE... <SET'* ]]
	done
	# a file that is called so is no standard input
	cp "$dir/token" "$dir/-"
	cd "$dir"
	try 0 verify -j - ./- <"$dir/set"
	try 0 verify -j set - <"$dir/token"
}

# bats test_tags=long
@test "-j -: no set is no verdict, as in a file" {
	set_of "$key"
	for text in '' '{' '{"keys":1}' "$(<"$dir/token")"; do
		printf %s "$text" >"$dir/none"
		try 2 verify -j "$dir/none" "$dir/token"
		from_file=${stderr#*"$dir/none"}
		try 2 verify -j - "$dir/token" <"$dir/none"
		[[ -z $output && $stderr == "rjwt-verify: standard input$from_file" ]]
	done
	# as large as a set can be, and a byte more
	{ cat "$dir/set"; head -c $((4194304 - $(stat -c %s "$dir/set"))) /dev/zero | tr '\0' ' '; } >"$dir/large"
	try 0 verify -j - "$dir/token" <"$dir/large"
	echo >>"$dir/large"
	try 2 verify -j - "$dir/token" <"$dir/large"
	[[ $stderr == *'standard input: too large'* ]]
	# shellcheck disable=SC2016    # the inner shell expands it
	try 2 bash -c 'exec "$@" <&-' - "$RJWT_BUILD/rjwt-verify" -c "$conf" -j - "$dir/token"
	try 2 verify -j - "$dir/token" <"$dir"
	[[ $stderr == *'standard input: Is a directory'* ]]
}

@test "-j FILE opens a regular file only, and the tokens too" {
	set_of "$key"
	mkfifo "$dir/fifo"
	refused 2 'not a regular file' timeout 10 "$RJWT_BUILD/rjwt-verify" -c "$conf" -j "$dir/fifo" "$dir/token"
	refused 2 'not a regular file' timeout 10 "$RJWT_BUILD/rjwt-verify" -c "$conf" -j - "$dir/fifo" <"$dir/set"
	try 0 verify -j "$dir/set" "$dir/token"
}

@test "no state directory is opened; revoked and spent are not checked" {
	[ ! -e "$state" ]
	set_of "$key"
	judged accepted -u alice -s sshd
	run -0 verify --explain -j "$dir/set" -u alice -s sshd "$dir/token"
	says '?     use     scope ssh; not bound; revoked not checked (no keyset was opened); spent not checked (no keyset was opened)'
	judged user -u bob
	judged scope -u alice -s su
	judged expired --at $((now + 400))
	judged lifetime --max-lifetime 299s
}

@test "issuer and audience must be known: configured, or given" {
	set_of "$key"
	printf 'leeway: 1s\n' >"$conf"
	refused 2 'name both' verify -j "$dir/set" "$dir/token"
	refused 2 'name both' verify -j "$dir/set" -i ca.example.org "$dir/token"
	refused 2 'name both' verify -j "$dir/set" -a host.example.org "$dir/token"
	judged accepted -i ca.example.org -a host.example.org
	judged issuer -i other -a host.example.org
	run -0 verify --jws -j "$dir/set" "$dir/token"    # the signature alone asks for neither
	[ "$output" = "$claims" ]
}

# bats test_tags=long
@test "kids of 1 to 128 bytes, any; without one no key is found, but by --jws in a set of one" {
	while IFS= read -r kid; do
		set_of "$(jq -c --arg kid "$kid" '.kid = $kid' <<<"$key")"
		forge "$dir/secret" "$(jq -c --arg kid "$kid" '.kid = $kid' <<<"$header")" "$claims" >"$dir/token"
		judged accepted
	done <<-E
		x
		../../etc/passwd
		a b"c\\d
		schlüssel.01
		$(head -c 128 /dev/zero | tr '\0' k)
	E
	for filter in '.kid = "k" * 129' '.kid = ""' '.kid = 7'; do
		set_of "$(jq -c "$filter" <<<"$key")"
		judged key_unknown --explain
		says '  passed over  key without kid: kid is not a string of 1 to 128 bytes'
	done
	set_of "$key"
	forge "$dir/secret" "$(jq -c '.kid = "One"' <<<"$header")" "$claims" >"$dir/token"
	judged key_unknown
	forge "$dir/secret" "$(jq -c 'del(.kid)' <<<"$header")" "$claims" >"$dir/token"
	judged kid
	judged kid -u alice -s sshd
	run -0 verify --jws -j "$dir/set" "$dir/token"
	set_of "$key" "${key/one/two}"
	refused 1 'rejected: kid: ' verify --jws -j "$dir/set" "$dir/token"
}

# bats test_tags=long
@test "nbf, exp and revoked of a key are honoured, and its alg" {
	while IFS='|' read -r verdict filter; do
		set_of "$(jq -c "$filter" <<<"$key")"
		judged "$verdict"
	done <<-E
		accepted|.nbf = $((now - 10))
		key_unknown|.nbf = $((now + 100))
		accepted|.exp = $((now + 100))
		key_retired|.exp = $((now - 100))
		key_revoked|.revoked = $((now - 100))
		key_revoked|.revoked = $((now + 100))
		accepted|.use = "sig"
		key_unknown|.use = "enc"
		accepted|.key_ops = ["sign", "verify"]
		key_unknown|.key_ops = ["sign"]
		alg|.alg = "HS384" | .k = "abcd" * 16
		signature|.k |= sub("^.."; "AA")
		accepted|.x5c = ["anything else"]
	E
}

# bats test_tags=long
@test "what is no JWK Set, and keys that are not understood" {
	set_of "$key" '{"kty":"quantum","kid":"q"}' '{"kty":"EC","crv":"P-192","kid":"r","x":"AA","y":"AA"}'
	judged accepted    # RFC 7517 s5: ignored
	while IFS= read -r text; do
		printf '%s\n' "$text" >"$dir/set"
		unfit "$dir/set"
	done <<-E
		{}
		[]
		{"keys":{}}
		{"keys":[$key]}x
		{"keys":[$key],"keys":[]}
		$key
	E
	while IFS='|' read -r why text; do
		printf '%s\n' "$text" >"$dir/set"
		passed_over "$why"
	done <<-E
		k is missing|{"keys":[{"kty":"oct","alg":"HS256","kid":"one"}]}
		the member k, n, e, x or y is not base64url|{"keys":[{"kty":"oct","alg":"HS256","kid":"one","k":"AA=="}]}
		the secret is shorter than the hash of its algorithm|{"keys":[{"kty":"oct","alg":"HS256","kid":"one","k":"AAAA"}]}
		iat, nbf, retired, exp or revoked is not a time|{"keys":[$(jq -c '.revoked = {}' <<<"$key")]}
		not for verifying signatures|{"keys":[$(jq -c '.use = "enc"' <<<"$key")]}
		another key has this kid and this alg|{"keys":[$key,$key]}
	E
	printf '{"keys":[7,%s,null]}\n' "$key" >"$dir/set"
	judged accepted --explain
	says '  passed over  key without kid: not an object'
	: >"$dir/set"
	unfit "$dir/set"
	printf '{"keys":[]}\n' >"$dir/set"
	judged key_unknown
	set_of "$key"
	chmod 0666 "$dir/set"
	unfit 'writable by its group or by others'
	chmod 0644 "$dir/set"
	mv "$dir/set" "$dir/real"
	ln -s real "$dir/set"
	unfit 'is a symbolic link'
	rm "$dir/set"
	unfit "$dir/set"
	mv "$dir/real" "$dir/set"
	judged accepted
}

# bats test_tags=long
@test "tokens of others: a thumbprint, fractions, a scope of another form, an empty payload, but no more than that" {
	set_of "$key"
	while IFS=';' read -r verdict head filter options; do
		forge "$dir/secret" "$(jq -c "$head" <<<"$header")" "$(jq -c "$filter" <<<"$claims")" >"$dir/token"
		# shellcheck disable=SC2086    # words
		judged "$verdict" $options
	done <<-E
		accepted;.x5t = "AAAA" | .["x5t#S256"] = "AAAA";.;-u alice -s sshd
		header;.x5c = ["AAAA"];.;
		accepted;.;.exp += 0.5 | .iat += 0.25;-u alice -s sshd
		claims;.;.exp = "\(.exp).5";
		accepted;.;.scope = ["openid", "ssh"];-u alice
		scope;.;.scope = ["openid", "ssh"];-u alice -s sshd
		accepted;.;.scope = "https://www.example.org/auth/drive.readonly";-u alice
		scope;.;.scope = "https://www.example.org/auth/drive.readonly";-u alice -s sshd
		claims;.;.scope = 7;-u alice
	E
	forge "$dir/secret" "$header" '' >"$dir/token"
	try 0 verify --jws -j "$dir/set" "$dir/token"
	[ -z "$output" ]
	judged malformed
	# on the keyset none of it
	keyd init
	refused 1 'rejected: malformed' verify "$dir/token"
	forge "$dir/secret" "$(jq -c '.x5t = "AAAA"' <<<"$header")" "$claims" >"$dir/token"
	refused 1 'rejected: header' verify -u alice -s sshd "$dir/token"
}

@test "the set that rjwt-keyd jwks prints verifies what rjwt-issue minted, before and after a rotation" {
	keyd init
	for n in 1 2; do
		issue --reusable alice >"$dir/token"
		keyd jwks >"$dir/set"
		judged accepted -u alice -s sshd
		keyd rotate
		judged accepted -u alice -s sshd
		keyd jwks >"$dir/set"
		judged accepted -u alice -s sshd
	done
}
