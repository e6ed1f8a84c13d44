#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# private_keys: tpm2, with a TPM of swtpm.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	. "$RJWT_SOURCE/tests/bats/tpm.bash"
	need jq
	tpm_need
	use_folder "$BATS_TEST_TMPDIR"
	configure 'private_keys: tpm2'
	tpm_start
}

teardown() { tpm_end; }

accepts() { verify -u alice -s sshd "$@"; }

@test "tpm: init, mint, verify, rotate; both keys verify, and the retired private half is erased" {
	keyd init
	is_wrapped 1 2
	issue alice >"$dir/first"
	run -0 accepts "$dir/first"
	keyd rotate
	is_wrapped 2 3
	[ ! -e "$state/private/1.key" ]
	issue alice >"$dir/second"
	run -0 accepts "$dir/first" "$dir/second"
	run -0 keyd status
}

@test "tpm: without it nothing is minted and no key is made, it is named, and tokens verify" {
	keyd init
	issue alice >"$dir/token"
	tpm_stop
	run -1 issue alice
	says "$TPM2OPENSSL_TCTI: the TPM does not answer"
	run -1 keyd rotate
	says "$TPM2OPENSSL_TCTI: the TPM does not answer"
	run -0 accepts "$dir/token"
	[ "$(jq -r .active.version "$state/keyset.json")" -eq 1 ]
	tpm_start
	run -0 issue alice
	run -0 keyd rotate
}

@test "tpm: an algorithm that TPMs lack is refused with the configuration, its twin is not" {
	for alg in HS256 HS384 HS512 ES512 EdDSA Ed448; do
		configure 'private_keys: tpm2' "alg: $alg"
		run -1 keyd init
		says "alg: a TPM has no $alg keys" 'expects ES256'
		[ ! -e "$state" ]
	done
	for bits in 2056 3080 4096; do
		configure 'private_keys: tpm2' 'alg: PS256' "rsa_bits: $bits"
		run -1 keyd init
		says "a TPM has no RSA keys of $bits bits" 'expects 2048 or 3072'
	done
	configure 'private_keys: tpm2' 'rsa_bits: 4096'
	run -0 keyd init
	configure 'private_keys: tpm'
	run -1 issue alice
	says 'is not tpm2 or file'
}

# A keyset with its active, its next and, after two rotations, all keys of this algorithm.
works_with()
{
	rm -rf "$state"
	keyd init
	issue alice >"$dir/first"
	keyd rotate
	issue alice >"$dir/second"
	is_wrapped 2 3
	run -0 accepts "$dir/first" "$dir/second"
}

@test "tpm: ES256 and ES384" {
	for alg in ES256 ES384; do
		configure 'private_keys: tpm2' "alg: $alg"
		works_with
		[ "$(jq -r .alg "$state/keys/3.jwk")" = "$alg" ]
	done
}

# bats test_tags=long
@test "tpm: RS and PS with 2048 bits" {
	for alg in RS256 RS384 RS512 PS256 PS384 PS512; do
		configure 'private_keys: tpm2' "alg: $alg" 'rsa_bits: 2048'
		works_with
		[ "$(jq -r .alg "$state/keys/3.jwk")" = "$alg" ]
	done
}

# bats test_tags=long
@test "tpm: RS and PS with 3072 bits" {
	for alg in RS256 PS512; do
		configure 'private_keys: tpm2' "alg: $alg" 'rsa_bits: 3072'
		works_with
	done
}

# bats test_tags=long
@test "tpm: tokens are accepted by another implementation" {
	"$python" -c 'import jwt' 2>/dev/null || skip 'python3-jwt is not installed'
	for alg in ES256 PS256 RS512; do
		rm -rf "$state"
		configure 'private_keys: tpm2' "alg: $alg" 'rsa_bits: 2048'
		keyd init
		issue alice >"$dir/token"
		keyd jwks >"$dir/jwks"
		"$python" - "$dir/token" "$dir/jwks" "$alg" <<'EOF'
import json, sys, jwt
token, alg = open(sys.argv[1]).read().strip(), sys.argv[3]
keys = {k["kid"]: k for k in json.load(open(sys.argv[2]))["keys"]}
key = jwt.PyJWK(keys[jwt.get_unverified_header(token)["kid"]]).key
assert jwt.decode(token, key, algorithms=[alg], audience="host.example.org")["sub"] == "alice"
EOF
	done
}

@test "tpm: revoking and --compromised" {
	keyd init
	issue alice >"$dir/old"
	keyd revoke --sub alice
	run -1 accepts "$dir/old"
	issue alice >"$dir/token"
	run -0 accepts "$dir/token"
	keyd revoke --all
	run -1 accepts "$dir/token"
	issue alice >"$dir/token"
	run -0 accepts "$dir/token"
	keyd rotate --compromised
	run -1 accepts "$dir/token"
	versions=$(find "$state/private" -name '*.key' -printf '%f\n' | sort -n | cut -d. -f1)
	[ "$(wc -w <<<"$versions")" -eq 2 ]
	# shellcheck disable=SC2086    # words
	is_wrapped $versions
	issue alice >"$dir/token"
	run -0 accepts "$dir/token"
}

@test "tpm: max_tokens_per_key is exact while a crowd mints" {
	echo 'max_tokens_per_key: 5' >>"$conf"
	keyd init
	# shellcheck disable=SC2016    # for that shell
	tpm_managed bash -c '
		for i in $(seq 24); do
			timeout 60 "$RJWT_BUILD/rjwt-issue" -c "$1" alice >"$2/$i.token" 3>&- &
			pids[i]=$!
		done
		for pid in "${pids[@]}"; do wait "$pid" || exit; done' crowd "$conf" "$dir"
	for i in $(seq 24); do
		cut -d. -f1 "$dir/$i.token" | tr -- -_ +/ | base64 -d 2>/dev/null | grep -o '"kid":"[^"]*"'
	done | sort | uniq -c >"$dir/kids"
	[ "$(awk '{ n += $1 } END { print n }' "$dir/kids")" -eq 24 ]
	[ "$(awk '$1 > 5' "$dir/kids")" = '' ]
	[ "$(wc -l <"$dir/kids")" -eq 5 ]
	run -0 accepts "$dir"/*.token
}

# what_follows - after a command whose TPM was gone: the keyset is whole, what it has minted verifies, and all goes on
what_follows()
{
	run -0 accepts "$dir/token"
	run -0 issue alice
	keyd once 2>/dev/null
	next=$(jq .next.version "$state/keyset.json")    # versions that a rotation has claimed in vain do not come again
	run -0 keyd rotate
	[ "$(jq .active.version "$state/keyset.json")" -eq "$next" ]
	run -0 keyd status
	# Nothing that no keyset.json accounts for is left.
	[ "$(find "$state/private" -name '*.key' | wc -l)" -eq 2 ]
}

# sweep_init - init, as often as it takes, with a TPM that is gone after each of its commands
sweep_init()
{
	for ((n = 0; n < 400; n++)); do
		if through "$n" - keyd init; then return; fi
		[ ! -e "$state/keyset.json" ]
		grep -q "$tpm/proxy" "$dir/err"
	done
	return 1
}

# bats test_tags=long
@test "tpm: gone after each of its commands, while a keyset is made" {
	sweep_init
	[ "$n" -gt 20 ]
	issue alice >"$dir/token"
	what_follows
}

# bats test_tags=long
@test "tpm: gone after each of its commands, while keys rotate" {
	keyd init
	issue alice >"$dir/token"
	for ((n = 0; n < 400; n++)); do
		before=$(jq .active.version "$state/keyset.json")
		if through "$n" - keyd rotate; then break; fi
		grep -q "$tpm/proxy: the TPM" "$dir/err"
		[ "$(jq .active.version "$state/keyset.json")" -eq "$before" ]
		run -0 accepts "$dir/token"
		if ((n % 10 == 0)); then run -0 issue alice; fi
	done
	[ "$n" -gt 20 ]
	what_follows
}

@test "tpm: gone after each of its commands, while a token is minted" {
	keyd init
	issue alice >"$dir/token"
	for ((n = 0; n < 400; n++)); do
		if through "$n" - issue alice; then break; fi
		[ ! -s "$dir/out" ]
		grep -q "$tpm/proxy: the TPM" "$dir/err"
	done
	[ "$n" -gt 8 ]
	run -0 accepts "$dir/out"
	what_follows
}

@test "tpm: gone within a batch: tokens until then are good, later lines are empty and say why; then it goes on" {
	keyd init
	issue alice >"$dir/token"
	through 1000 - issue alice
	once=$passed
	for _ in $(seq 40); do echo '{"sub":"alice","reusable":true}'; done >"$dir/lines"
	run ! through $((once + 20)) - issue --batch <"$dir/lines"
	[ "$(wc -l <"$dir/out")" -eq 40 ]
	grep -q "$tpm/proxy: the TPM" "$dir/err"
	grep . "$dir/out" >"$dir/good"
	[ "$(wc -l <"$dir/good")" -gt 1 ]
	[ "$(wc -l <"$dir/good")" -lt 40 ]
	verify --lines -u alice -s sshd "$dir/good" >"$dir/verdicts"
	[ "$(grep -c '^accepted' "$dir/verdicts")" -eq "$(wc -l <"$dir/good")" ]
	what_follows
}

@test "tpm: one that denies, is busy or in lockout is told from one that is gone" {
	keyd init
	for code in 0x922 0x921 0x98e 0x9a2 0x101; do
		for command in 'issue alice' 'keyd rotate'; do
			for limit in 0 6; do
				# shellcheck disable=SC2086    # words
				run ! through "$limit" "$code" $command
				grep -q "$tpm/proxy: the TPM" "$dir/err"
			done
		done
	done
	issue alice >"$dir/token"
	what_follows
}

@test "tpm: another TPM, or one that was cleared, cannot read the keys; --compromised makes new ones" {
	keyd init
	issue alice >"$dir/token"
	tpm_stop
	tpm_start other
	for command in 'issue alice' 'keyd rotate'; do
		# shellcheck disable=SC2086    # words
		run -1 $command
		says "$state/private/" 'this TPM cannot read it' 'rjwt-keyd rotate --compromised'
	done
	run -3 keyd status
	run -0 accepts "$dir/token"
	run -0 keyd rotate --compromised
	run -1 accepts "$dir/token"
	issue alice >"$dir/token"
	run -0 accepts "$dir/token"
	tpm2_clear -T "$TPM2OPENSSL_TCTI"
	run -1 issue alice
	says 'this TPM cannot read it'
	run -0 keyd rotate --compromised
	issue alice >"$dir/token"
	what_follows
}

@test "tpm: a keyset that is copied is worth nothing elsewhere, and init --adopt takes it over" {
	keyd init
	issue alice >"$dir/token"
	cp -a "$state" "$dir/copy"
	tpm_stop
	tpm_start other
	printf 'state_dir: %s\nissuer: ca.example.org\naudience: host.example.org\nprivate_keys: %s\n' "$dir/copy" file >"$dir/copy.yaml"
	run -1 "$RJWT_BUILD/rjwt-issue" -c "$dir/copy.yaml" alice
	says 'this TPM cannot read it'
	run -0 "$RJWT_BUILD/rjwt-verify" -c "$dir/copy.yaml" -u alice -s sshd "$dir/token"
	run -0 "$RJWT_BUILD/rjwt-keyd" -c "$dir/copy.yaml" init --adopt
	run -0 "$RJWT_BUILD/rjwt-issue" -c "$dir/copy.yaml" alice
	run -1 "$RJWT_BUILD/rjwt-verify" -c "$dir/copy.yaml" -u alice -s sshd "$dir/token"
}

# The setting counts for the next key that is made: KIND that signs and is next, after each rotation.
kinds()
{
	local version
	for version in $(jq '.active.version, .next.version' "$state/keyset.json"); do
		if is_wrapped "$version"; then printf 'tpm2 '; else printf 'file '; fi
	done
}

@test "tpm: from file to tpm2 and back, with live tokens; mixed keysets sign and verify in both directions" {
	configure
	keyd init
	issue alice >"$dir/0.token"
	[ "$(kinds)" = 'file file ' ]
	i=1
	for step in 'tpm2:file tpm2 ' 'tpm2:tpm2 tpm2 ' 'file:tpm2 file ' 'file:file file ' 'tpm2:file tpm2 '; do
		configure "private_keys: ${step%%:*}"
		keyd rotate
		[ "$(kinds)" = "${step#*:}" ]
		issue alice >"$dir/$i.token"
		run -0 accepts "$dir"/*.token
		run -0 keyd status
		i=$((i + 1))
	done
	# With a key that is a file the TPM may be gone, until it is to make one.
	tpm_stop
	run -0 issue alice
	run -1 keyd rotate
	configure
	run -1 keyd rotate    # the next key is the TPM's
	says "$TPM2OPENSSL_TCTI: the TPM does not answer"
	run -0 accepts "$dir"/*.token
}

@test "tpm: without it a token id can be revoked; everything by private_keys: file and --compromised" {
	keyd init
	issue alice >"$dir/token"
	issue alice >"$dir/other"
	tpm_stop
	for what in '--sub alice' --all; do
		# shellcheck disable=SC2086    # words
		run -1 keyd revoke $what
		says "$TPM2OPENSSL_TCTI: the TPM does not answer"
	done
	run -0 keyd revoke --jti "$(cut -d. -f2 "$dir/token" | tr -- -_ +/ | base64 -d 2>/dev/null | grep -o '"jti":"[^"]*"' | cut -d'"' -f4)"
	run -1 accepts "$dir/token"
	run -0 accepts "$dir/other"
	configure
	run -0 keyd rotate --compromised
	run -1 accepts "$dir/other"
	run -0 issue alice
}

@test "tpm: OpenSSL's provider is not installed: it is named, and so is its package" {
	keyd init
	issue alice >"$dir/token"
	mkdir "$dir/empty"
	for command in 'issue alice' 'keyd rotate' 'keyd rotate --compromised'; do
		# shellcheck disable=SC2086    # words
		run -1 env OPENSSL_MODULES="$dir/empty" "$RJWT_BUILD/rjwt-${command%% *}" -c "$conf" ${command#* }
		says "OpenSSL's provider tpm2 cannot be loaded (install tpm2-openssl)"
	done
	run -0 env OPENSSL_MODULES="$dir/empty" "$RJWT_BUILD/rjwt-verify" -c "$conf" -u alice -s sshd "$dir/token"
	run -0 issue alice
}

findings() { keyd check --json | jq -r '.findings[] | select(.code // "" | test("^keyset.(tpm|private)$|bundle")) | "\(.level) \(.code)"'; }

@test "tpm: check tries the keys that are there, and, where the setting is new, one that it makes" {
	configure
	keyd init
	tpm_stop
	[ "$(findings)" = '' ]
	configure 'private_keys: tpm2'
	[ "$(findings)" = 'fail keyset.tpm' ]
	run keyd check
	says "$TPM2OPENSSL_TCTI: the TPM does not answer: the next rotation will fail" 'rjwt-operations(7)'
	tpm_start
	[ "$(findings)" = '' ]
	keyd rotate
	[ "$(findings)" = '' ]
	tpm_stop
	[ "$(findings)" = 'fail keyset.tpm' ]
	tpm_start other
	[ "$(findings)" = 'fail keyset.private' ]
}

@test "tpm: damaged keys are told from those of another TPM" {
	keyd init
	cp "$state/private/1.key" "$dir/saved"
	sed -i '2s/^..../AAAA/' "$state/private/1.key"
	run -1 issue alice
	says 'private/1.key: not a key wrapped by a TPM'
	cp "$state/private/2.key" "$state/private/1.key"
	run -1 issue alice
	says 'private/1.key is not the key of keys/1.jwk'
	cp "$dir/saved" "$state/private/1.key"
	run -0 issue alice
}

@test "tpm: verifying never loads the provider and never asks for a TPM; minting does" {
	need strace
	need_root    # programs of ours are not dumpable: nobody else may read the names that they open
	strace -o /dev/null true 2>/dev/null || skip 'nothing may be traced here'
	keyd init
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0    # that search cannot be traced
	strace -f -e trace=%file,%network -o "$dir/minting" "$RJWT_BUILD/rjwt-issue" -c "$conf" alice >"$dir/token"
	strace -f -e trace=%file,%network -o "$dir/verifying" "$RJWT_BUILD/rjwt-verify" -c "$conf" -u alice -s sshd "$dir/token"
	for what in ossl-modules/tpm2.so libtss2 "$tpm/socket"; do
		grep -q "$what" "$dir/minting"
		run ! grep "$what" "$dir/verifying"
	done
	grep -q keyset.json "$dir/verifying"
}

@test "tpm: an issuer of a fleet is told that its bundle key stays a file" {
	configure
	keyd fleet init --key "$dir/fleet.key" https://ca.example.org/fleet.jws >"$dir/out" 2>&1 || { cat "$dir/out"; false; }
	[ "$(findings)" = '' ]
	configure 'private_keys: tpm2'
	[ "$(findings)" = 'ok fleet.bundle_key' ]
	run keyd check
	says 'TPMs have no Ed25519 keys'
	[ "$(head -n 1 "$state/private/bundle.key")" = '-----BEGIN PRIVATE KEY-----' ]
	run -0 keyd publish
}

# bats test_tags=long
@test "tpm: killed, cut off from power and with failing calls, init, rotate and mint keep what they promise" {
	[ -e "$RJWT_BUILD/tests/fault/shim.so" ] || skip 'the shim is not built'
	case $(sed -n 's/^HARDEN_CFLAGS = //p' "$RJWT_BUILD/Makefile") in *-fsanitize*) skip 'the shim is not for sanitizers' ;; esac
	run -0 "$python" "$RJWT_SOURCE/tests/fault/crash.py" "$RJWT_BUILD" --tpm --share 60 init rotate issue
}
