#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-verify: bytes that are no token, nearly one, or too many.

bats_require_minimum_version 1.5.0

setup_file()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	use_folder "$BATS_FILE_TMPDIR"
	configure 'max_token_bytes: 65536'
	keyd init
	issue --reusable alice >"$dir/token"
}

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq
	use_folder "$BATS_FILE_TMPDIR"
	token=$(<"$dir/token")
}

# input REASON - what is said of the bytes on stdin
input()
{
	try 1 verify
	[[ $output == "rejected: $1: "* ]] || { echo "not $1: ${output:0:200}"; return 1; }
}

fill() { head -c "$1" /dev/zero | tr '\0' "${2-A}"; }

# bats test_tags=long
@test "one trailing newline is dropped, nothing else" {
	printf %s "$token" | verify
	printf '%s\n' "$token" | verify
	printf '%s\n\n' "$token" | input malformed
	printf '%s\r\n' "$token" | input malformed
	printf '\n%s\n' "$token" | input malformed
	printf ' %s\n' "$token" | input malformed
	printf '%s \n' "$token" | input malformed
	printf '%s\n%s\n' "$token" "$token" | input malformed
	printf '%s\n%s\n' "${token:0:100}" "${token:100}" | input malformed
	printf '%s\0\n' "$token" | input malformed
	printf '\357\273\277%s\n' "$token" | input malformed
	printf '' | input empty
	printf '\n' | input empty
}

@test "parts, alphabet, padding" {
	IFS=. read -r header claims signature <<<"$token"
	for text in . .. ... a a.b "$header.$claims" "$header.$claims.$signature.x" ".$claims.$signature" "$header..$signature" \
		"$header.$claims." "$header=.$claims.$signature" "$header.$claims.$signature==" "$header.$claims.${signature%?}+" \
		"$header.$claims.${signature%?}/" "$header.$claims.${signature}é" "Bearer $token"; do
		input malformed <<<"$text"
	done
	input signature <<<"$header.$claims.${signature}A"    # 65 bytes, well encoded
	# the last letter of 64 bytes carries 4 bits: another with the same ones is not canonical
	last=${signature: -1} letters=AQgw
	[[ $letters == *"$last"* ]]
	input malformed <<<"$header.$claims.${signature%?}$(tr AQgw BRhx <<<"$last")"
	verify <<<"$header.$claims.$signature"
}

# bats test_tags=long
@test "a token that was cut where a prompt ends" {
	for size in 504 511 1023 4095; do
		for more in 1 20 80 200; do    # into the signature, all of it, into the claims
			long=$(issue --reusable -s other -C "x=$(fill 1 x)" alice)
			long=$(issue --reusable --force -s other -C "x=$(fill $(((size + more - ${#long}) * 3 / 4 + 2)) x)" alice)
			[ ${#long} -gt $size ]
			verify -s other <<<"$long"
			head -c $size <<<"$long" | input truncated
			try 1 verify <<<"${long:0:size - 1}"
			[[ $output == 'rejected: malformed: '* || $output == 'rejected: signature: '* ]]
		done
	done
	for size in 127 278 504 511 512 1023 4095; do fill $size | input truncated; done
	for size in 277 279 503 505 510 513 1022 1024 4094 4096; do fill $size | input malformed; done
}

# bats test_tags=long
@test "64 KiB and more; max_token_bytes" {
	fill 65536 | input malformed
	fill 65537 | input too_long
	{ fill 65536; echo; } | input malformed
	{ fill 65537; echo; } | input too_long
	fill 200000 | input too_long
	fill 65536 . | input malformed
	head -c 65536 /dev/zero | input malformed
	conf=$BATS_TEST_TMPDIR/rjwt.yaml
	chmod go-w "$BATS_TEST_TMPDIR"
	configure
	fill 8192 | input malformed
	fill 8193 | input too_long
	verify <"$dir/token"
}
