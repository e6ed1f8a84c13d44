#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Tokens of all 14 algorithms that others accept, and theirs that we accept.

bats_require_minimum_version 1.5.0

algs='ES256 ES384 ES512 Ed448 EdDSA HS256 HS384 HS512 PS256 PS384 PS512 RS256 RS384 RS512'

# For each algorithm a keyset, a token and the JWK of the key that signed it.
one_keyset()
{
	local alg=$1
	conf=$dir/$alg.yaml state=$dir/$alg
	configure "alg: $alg" 'rsa_bits: 2048'
	keyd init --if-missing
	issue --reusable alice >"$dir/$alg.token"
	case $alg in
	HS*) printf '{"kty":"oct","alg":"%s","kid":"x","k":"%s"}\n' "$alg" "$(b64 <"$state/private/1.key")" >"$dir/$alg.jwk" ;;
	*) keyd jwks | jq -c --arg kid "$(kid)" '.keys[] | select(.kid == $kid)' >"$dir/$alg.jwk" ;;
	esac
}

setup_file()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	command -v jq >/dev/null || return 0    # each test skips then
	use_folder "$BATS_FILE_TMPDIR"
	for alg in $algs; do
		case $alg in RS* | PS*) continue ;; esac
		one_keyset "$alg"
	done &
	for alg in RS256 PS256; do
		one_keyset $alg
		for bits in 384 512; do    # RSA keys take long to make: the same ones, for another algorithm
			cp -a "$dir/$alg" "$dir/${alg/256/$bits}"
			for key in "$dir/${alg/256/$bits}"/keys/*; do
				sed "s/\"$alg\"/\"${alg/256/$bits}\"/" "$key" | seal >"$dir/key"
				cat "$dir/key" >"$key"
			done
			one_keyset "${alg/256/$bits}"
		done
	done
	wait
}

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq "$python"
	use_folder "$BATS_FILE_TMPDIR"
	own=$BATS_TEST_TMPDIR
	chmod go-w "$own" "${own%/*}"
}

need_module() { "$python" -c "import $1" 2>/dev/null || skip "Debian's $2 is not installed"; }

# accepted_by LIBRARY - all our tokens; and none whose claims were changed
accepted_by()
{
	local alg
	cp "$dir"/*.jwk "$dir"/*.token "$own"
	run -0 "$python" "$bats/interop.py" "$1" verify "$own"
	for alg in $algs; do says "$alg alice, root refused"; done
	[ "${#lines[@]}" -eq 14 ]
}

# minted_by LIBRARY - tokens that it mints are accepted with its JWK Set, and with no other
minted_by()
{
	"$python" "$bats/interop.py" "$1" mint "$own"
	set_accepts 14
}

# set_accepts COUNT - the tokens in $own, with the JWK Set there
set_accepts()
{
	local all=("$RJWT_BUILD/rjwt-verify" -c "$dir/ES256.yaml" --typ JWT -u alice)
	run -0 "${all[@]}" -j "$own/set" "$own"/*.token
	[ "$(grep -c ': accepted, without ' <<<"$output")" -eq "$1" ]
	# the same kids, each with the next one's key
	jq -c '.keys as $k | {keys: [range($k | length) | $k[(. + 1) % ($k | length)] + {kid: $k[.].kid}]}' "$own/set" >"$own/wrong"
	run -1 "${all[@]}" -j "$own/wrong" "$own"/*.token
	[ "$(grep -cE ': rejected: (alg|signature): ' <<<"$output")" -eq "$1" ]
}

@test "python3-jwt accepts what rjwt-issue mints, with the key from rjwt-keyd jwks" {
	need_module jwt python3-jwt
	accepted_by pyjwt
}

@test "python3-jwcrypto accepts what rjwt-issue mints" {
	need_module jwcrypto python3-jwcrypto
	accepted_by jwcrypto
}

@test "rjwt-verify --jwks accepts what python3-jwt mints" {
	need_module jwt python3-jwt
	need_module jwcrypto python3-jwcrypto
	minted_by pyjwt
}

@test "rjwt-verify --jwks accepts what python3-jwcrypto mints" {
	need_module jwcrypto python3-jwcrypto
	minted_by jwcrypto
}

@test "jose accepts what rjwt-issue mints: HS, RS, PS, ES" {
	need jose
	for alg in $algs; do
		case $alg in Ed*) continue ;; esac
		tr -d '\n' <"$dir/$alg.token" >"$own/token"    # jose takes the newline for a part of the signature
		run -0 jose jws ver -i "$own/token" -k "$dir/$alg.jwk" -O -
		[ "$(jq -r .sub <<<"$output")" = alice ]
		count=$((count + 1))
	done
	[ "$count" -eq 12 ]
	run -1 jose jws ver -i "$own/token" -k "$dir/PS256.jwk"
}

@test "rjwt-verify --jwks accepts what jose mints: HS, RS, PS, ES" {
	need jose
	now=$EPOCHSECONDS
	for alg in $algs; do
		case $alg in
		Ed*) continue ;;
		[RP]S*) [ -e "$own/rsa" ] || jose jwk gen -i '{"kty":"RSA","bits":2048}' -o "$own/rsa"
			jq -c "del(.key_ops) | .alg = \"$alg\"" "$own/rsa" >"$own/$alg.key" ;;
		*) jose jwk gen -i "{\"alg\":\"$alg\"}" -o "$own/$alg.key" ;;
		esac
		printf '{"iss":"ca.example.org","aud":"host.example.org","sub":"alice","iat":%d,"exp":%d}' "$now" $((now + 60)) |
			jose jws sig -I - -k "$own/$alg.key" -s "{\"protected\":{\"alg\":\"$alg\",\"kid\":\"$alg\",\"typ\":\"JWT\"}}" -c -o "$own/$alg.token"
		case $alg in HS*) cat "$own/$alg.key" ;; *) jose jwk pub -i "$own/$alg.key" -o - ;; esac |
			jq -c ".kid = \"$alg\""
	done | jq -cs '{keys: .}' >"$own/set"
	set_accepts 12
}
