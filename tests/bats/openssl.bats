#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the host's openssl.cnf makes of OpenSSL: with whatever providers, tokens are judged rightly or not at all, keys stay as
# they are, and nothing is called damaged that is not.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	[ -x "$RJWT_BUILD/tests/fault/login" ] || skip 'tests/fault/login is not built'
	fresh 'max_lifetime: 1h'
	cnf=$dir/openssl.cnf
}

# cnf PROVIDERS [ALGORITHMS [SECTION]] - an openssl.cnf: lines of the three sections. "on" and "off" are sections.
cnf()
{
	printf '%s\n' 'openssl_conf = all' '[all]' 'providers = providers' ${2:+'alg_section = algorithms'} '[providers]' "$1" \
		'[algorithms]' "${2-}" '[on]' 'activate = 1' '[off]' 'activate = 0' "${3-}" >"$cnf"
}

by_cnf() { OPENSSL_CONF=$cnf "$@"; }
login() { by_cnf "$RJWT_BUILD/tests/fault/login" "$conf" alice sshd "$1"; }
digest() { (cd "$state" && find . -type f -exec sha256sum {} + | sort | sha256sum); }

# works - with this file all is as without it
works()
{
	token=$(issue alice)
	forged=${token%?????}AAAAA
	try 1 login "$forged"
	[[ $output == signature* ]]
	try 0 login "$token"
	try 1 login "$token"
	[[ $output == spent* ]]
	try 0 login "$(by_cnf issue alice)"
	try 0 by_cnf keyd rotate
}

# fails_closed - with this file no token is accepted or spent, and no file changes; without it, it is accepted
fails_closed()
{
	local before
	token=$(issue alice)
	before=$(digest)
	try 2 login "$token"
	[[ $output == *'OpenSSL has no SHA-256 here'* ]]
	try 2 by_cnf verify - <<<"$token"
	for args in rotate 'revoke --all' 'init --adopt' once; do
		# shellcheck disable=SC2086    # words
		try 1 by_cnf keyd $args
		[[ $stderr == *'OpenSSL has no SHA-256 here'* ]]
	done
	try 1 by_cnf issue alice
	[ -z "$output" ]
	[ "$(digest)" = "$before" ]
	try 0 "$RJWT_BUILD/tests/fault/login" "$conf" alice sshd "$token"
}

@test "openssl.cnf: with other providers beside the default one, or one that is missing, all is as ever" {
	cnf 'default = on'
	works
	cnf $'default = on\nbase = on\nlegacy = on'
	works
	cnf $'default = on\nlegacy = off'
	works
	cnf $'default = on\nother = other' '' $'[other]\nmodule = /nonexistent/other.so\nactivate = 1'
	works
	cnf 'default = on' 'default_properties = ?fips=yes'
	works
	echo '[[[' >"$cnf"
	works
}

@test "openssl.cnf: without the default provider nothing is judged, and nothing changes" {
	cnf 'base = on'
	fails_closed
	cnf 'null = on'
	fails_closed
	cnf 'other = other' '' $'[other]\nmodule = /nonexistent/other.so\nactivate = 1'
	fails_closed
}

@test "openssl.cnf: fips=yes for all, without a provider that has it: nothing is judged, and nothing changes" {
	cnf 'default = on' 'default_properties = fips=yes'
	fails_closed
	sed -i '1i config_diagnostics = 1' "$cnf"
	fails_closed
}

# Debian 13 and later: openssl-provider-fips
@test "openssl.cnf: fips=yes for all, with OpenSSL's own FIPS provider" {
	fips=$(compgen -G '/usr/lib/*/ossl-modules/fips.so') || skip 'openssl-provider-fips is not installed'
	openssl fipsinstall -quiet -module "$fips" -out "$dir/fips.cnf"
	cnf $'base = on\nfips = fips_sect' 'default_properties = fips=yes' ".include $dir/fips.cnf"
	works
}

@test "openssl.cnf: keys of every algorithm, legacy on and off, and fips=yes" {
	for alg in $("$RJWT_BUILD/rjwt-issue" --algorithms | sed 's/ .*//'); do
		rm -rf "$state"
		configure 'max_lifetime: 1h' "alg: $alg"
		keyd init 2>/dev/null
		cnf $'default = on\nlegacy = on'
		token=$(by_cnf issue alice)
		cnf $'default = on\nlegacy = off'
		try 0 login "$token"
		cnf 'default = on' 'default_properties = fips=yes'
		try 2 login "$(issue alice)"
	done
}
