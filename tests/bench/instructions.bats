#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a token and a login cost in instructions, beside what nobody can do without, counted in the same run: the
# bare operation of OpenSSL, or a PAM module that does nothing but one of them. Times are for make bench.

bats_require_minimum_version 1.5.0

setup_file()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need "$python" jq valgrind strip pamtester openssl
	# Of a build for debuggers, coverage or sanitizers they would tell nothing.
	if grep -qE '^(CFLAGS|HARDEN_CFLAGS) = .*(-O0|-fsanitize|--coverage)' "$RJWT_BUILD/Makefile"; then
		skip 'this is no optimized build'
	fi
	export BENCH_JSON=$BATS_FILE_TMPDIR/counts
	"$python" "$RJWT_SOURCE/tests/bench/measure.py" "$RJWT_BUILD" counts
}

# times NAME BASE - how many times as many instructions NAME takes
times()
{
	local count
	count=$(jq -s --arg name "$1" --arg base "$2" \
		'def of($n): map(select(.count == $n))[0].instructions; of($name) / of($base)' "$BENCH_JSON")
	echo "$1: $count times $2"
	awk -v count="$count" -v most="$3" 'BEGIN { exit !(count > 0 && count <= most) }'
}

@test "verifying, warm, takes little more than EVP's own verify" {
	times 'verify ES256' 'verify-bare ES256' 1.08
	times 'verify EdDSA' 'verify-bare EdDSA' 1.05
}

# An HMAC costs next to nothing: what is left is what the verifier itself does.
@test "all that is checked of a token takes a hundredth of a cold login" {
	times 'verify HS256' floor 0.0068
	times 'verify-set HS256' floor 0.0058
}

@test "minting, warm, takes little more than EVP's own signature" {
	times 'mint ES256' 'mint-bare ES256' 1.14    # of which 0.003 for issuer, audience, caller and reason in the record
}

@test "a cold login takes a tenth more than one P-256 verify in a module of its own" {
	times 'pam_rjwt reusable' floor 1.10
	times 'pam_rjwt one-time' floor 1.10
}

@test "rjwt-issue takes no more than openssl pkeyutl -sign" {
	times rjwt-issue 'openssl pkeyutl -sign' 1.02
}

# A login before there were fleets took 1.0024 times as many as one without a fleet takes now.
@test "a login in a fleet of eight issuers takes 1.022 times as many by the own keyset, and 1.032 by one that is followed" {
	export BENCH_JSON=$BATS_TEST_TMPDIR/logins
	/usr/bin/python3 "$RJWT_SOURCE/tests/bench/fleet.py" "$RJWT_BUILD" few
	within() { jq -es --arg name "$1" --argjson most "$2" 'map(select(.name == $name))[0].ratio | . > 1 and . <= $most' "$BENCH_JSON"; }
	within 'own, 3 issuers, 0 denials' 1.014
	within 'one of 3 issuers, 0 denials' 1.023
	within 'own, 8 issuers, 0 denials' 1.0223
	within 'one of 8 issuers, 0 denials' 1.032
}
