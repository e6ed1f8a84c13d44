#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# private_keys: tpm2, with a TPM of swtpm.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	. "$RJWT_SOURCE/tests/bats/tpm.bash"
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
