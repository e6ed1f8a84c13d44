#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-keyd codes: break-glass codes.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq
	fresh
	echo 'codes: [login, ssh]' >>"$conf"
}

@test "codes: as many as were asked for, each in a file of its own, listed until they are revoked" {
	run -0 --separate-stderr keyd codes 3 --lifetime 30d --scope ssh alice
	[ "${#lines[@]}" -eq 3 ]
	for code in "${lines[@]}"; do
		[[ $code =~ ^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$ ]]
		name=$(tr -d -- -\\n <<<"$code" | sha256sum | cut -d' ' -f1)
		[ "$(stat -c %a "$state/private/parked/$name")" = 600 ]
		sed -n 2p "$state/private/parked/$name" >"$dir/token"
		run -0 verify -u alice -s sshd "$dir/token"
	done
	keyd list --json >"$dir/json"
	jq -e '[.tokens[] | select(.user == "alice" and .code and .scope == ["ssh"] and .until - .issued == 2592000)] | length == 3' "$dir/json"
	run -0 keyd list
	[[ $output == *' here '*' code '* && $output != *"$code"* ]]
	keyd revoke --jti "$(jq -r '.tokens[0].jti' "$dir/json")"
	[ "$(find "$state/private/parked" -type f | wc -l)" -eq 2 ]
	keyd revoke --sub alice
	[ "$(find "$state/private/parked" -type f | wc -l)" -eq 0 ]
}

@test "codes: a short code is listed as well, and once is true to what it does" {
	issue --short alice >"$dir/code"
	[ "$(keyd list --json | jq -c '[.tokens[].code]')" = '[true]' ]
	keyd codes 1 --lifetime 1d --scope login bob >"$dir/code"
	run -0 keyd once
	says 'nothing was due'
}

@test "codes: what is refused, and its twin" {
	run -1 keyd codes 1 --lifetime 30d --scope sudo alice
	says 'codes does not name the scope sudo'
	run -2 keyd codes 1 --lifetime 401d --scope ssh alice
	run -2 keyd codes 0 --lifetime 30d --scope ssh alice
	run -2 keyd codes 101 --lifetime 30d --scope ssh alice
	run -2 keyd codes 1 --lifetime 30d alice
	run -2 keyd codes 1 --scope ssh alice
	run -2 keyd codes --lifetime 30d --scope ssh alice
	run -2 keyd codes 1 --lifetime 30d --scope ssh alice bob
	run -2 keyd list --scope ssh
	[ ! -e "$state/private/parked" ]
	run -0 keyd codes 1 --lifetime 400d --scope ssh alice
}

@test "codes: one that cannot be printed is told, for it was made; and is listed until it is taken back" {
	run -1 eval 'keyd codes 3 --lifetime 30d --scope ssh alice 2>&1 >/dev/full'
	[ "${#lines[@]}" -eq 2 ]
	[ "${lines[0]}" = 'rjwt-keyd: standard output: cannot write: No space left on device' ]
	[[ ${lines[1]} == 'rjwt-keyd: 1 of 3 codes made (rjwt-keyd list shows them; '* ]]
	keyd list --json >"$dir/json"
	[ "$(jq -c '[.tokens[] | .code]' "$dir/json")" = '[true]' ]
	keyd revoke --jti "$(jq -r '.tokens[0].jti' "$dir/json")"
	[ "$(find "$state/private/parked" -type f | wc -l)" -eq 0 ]
	run -0 --separate-stderr keyd codes 2 --lifetime 30d --scope ssh alice
	[ -z "$stderr" ]
}

@test "check: how many codes are left, and for whom; none, and those that end soon, are a finding" {
	codes() { jq -r '.findings[] | select(.code // .area | startswith("codes")) | "\(.level) \(.code // .area) \(.text)"' <(keyd check --json); }
	[ "$(codes)" = 'warn codes.none no break-glass code is left' ]
	keyd codes 2 --lifetime 6d --scope login bob >"$dir/codes"
	[[ $(codes) =~ ^'warn codes.ending all 2 break-glass codes end by '[0-9T:-]+'Z: bob login 2'$ ]]
	keyd codes 3 --lifetime 30d --scope ssh alice >"$dir/codes"
	[[ $(codes) =~ ^'ok codes 5 left, the last until '[0-9T:-]+'Z: '(bob login 2, alice ssh 3|alice ssh 3, bob login 2)$ ]]
	keyd revoke --sub alice
	[[ $(codes) == 'warn codes.ending all 2 '* ]]
	sed -i /^codes:/d "$conf"
	[ "$(codes)" = '' ]
}
