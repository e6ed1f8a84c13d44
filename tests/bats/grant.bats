#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-grant without root: the keyset is the test's own, and the caller is who the environment says. Real sudo and doas:
# tests/system/grant.bats; the rules: tests/unit/test_rules.c.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq
	fresh 'issue:' '- {who: daemon, users: games, scopes: [ssh, login], max_lifetime: 10m}' \
		'- {who: "%bin", users: self, scopes: ssh, max_lifetime: 5m, reason: required, reusable: true, root: true}' \
		'- {who: nobody-else, users: secret-user, scopes: secret-scope, max_lifetime: 1m}'
}

# by UID ARG... - as the user of that uid calls it with sudo
by() { SUDO_UID=$1 "$RJWT_BUILD/tests/bats/grant_here" "$conf" "${@:2}"; }

# no CODE TEXT UID ARG... - refused so, and no ticket was taken
no()
{
	local before
	before=$(stat -c %s "$state/private/1.minted")
	run -"$1" --separate-stderr by "${@:3}"
	[[ -z $output && $stderr == 'rjwt-grant: '*"$2"* && $stderr != *eyJ* && $stderr != *secret* ]] ||
		{ printf 'no "%s" in: %s%s\n' "$2" "$output" "$stderr"; return 1; }
	[ "$(stat -c %s "$state/private/1.minted")" -eq "$before" ]
}

@test "a rule's request is minted, for who, where and how long it says" {
	run -0 --separate-stderr by 1 -s login -s ssh -t 90s --not-before +1m --reason 'lost key' games
	[ "$(claim '[.sub, .aud, .scope, .once, .exp - .nbf] | tostring' "$output")" = '["games","host.example.org","login ssh",true,90]' ]
	[ "$(jq -c '[.by, .rule, .why, .sub, .act]' "$state"/issued/*)" = '["daemon",1,"lost key","games","daemon"]' ]
	[ "$(claim '.act | tojson' "$output")" = '{"sub":"daemon"}' ]
	run -0 --separate-stderr by 1 --json games
	[ "$(jq -r '.claims.sub, .header.alg, .fits[]' <<<"$output" | xargs)" = 'games ES256 ssh' ]
	run -0 --separate-stderr by 1 games
	echo "$output" >"$dir/token"
	run -0 verify -u games -s sshd "$dir/token"
	[ "$output" = accepted ]
	run -0 keyd list
	says 'daemon (rule 1)'
}

# bats test_tags=long
@test "a group's member is found by uid, and self is the caller" {
	run -0 --separate-stderr by 2 --reason x --uses 2 bin
	[ "$(claim '[.uses,.once]|tojson' "$output")" = '[2,null]' ]
	run -1 --separate-stderr by 1 --uses 2 games
	[ "$output" = "" ]
	[[ $stderr == *'uses: found 2 uses (expected a one-time token)'* ]]
	run -0 --separate-stderr by 2 --reason x --reusable bin
	[ "$(claim '.sub, .once' "$output" | xargs)" = 'bin null' ]
	[[ $stderr == *'this token is a password until it expires'* ]]
	no 1 'rule: no rule lets bin issue this' 2 --reason x daemon
	no 1 'rule: none of the 3 rules is for games' 5 games
	no 1 'reason: found none (expected a reason)' 2 bin
}

# bats test_tags=long
@test "a refusal names each part of each rule for the caller, and nothing of other rules" {
	run -1 --separate-stderr by 1 -s sudo -s ssh -s su -a web1 -t 601s --reusable root
	[ -z "$output" ]
	[ "$stderr" = 'rjwt-grant: rule: no rule lets daemon issue this
  rule 1  users: found root (expected games)
          scopes: found sudo su (expected ssh login)
          audience: found web1 (expected self)
          max_lifetime: found 10m1s (expected at most 10m)
          reusable: found a reusable token (expected a one-time token)
          root: found a user with uid 0, scope su (expected neither a user with uid 0 nor a scope of su)' ]
	# what is typed is escaped
	run -1 --separate-stderr by 1 -s ssh -a $'a\e[31m' $'g\nrule 9'
	[[ $stderr == *'users: found g\x0arule 9 (expected games)'*'audience: found a\x1b[31m (expected self)' ]]
	# and so it is in what mints: a rule may allow more than a token can be
	sed -i 's/users: games/users: [games, "a\\u202eb"]/; s/\[ssh, login\]/[ssh, vsftpd]/' "$conf"
	no 1 'too_long: ' 1 -s vsftpd games
	no 1 'lifetime: ' 1 -t 0 games
	sed -i '/^issue:/,$d' "$conf"
	no 1 'rule: the configuration has no rules' 1 games
	echo 'issue: [{who: bin, users: self, scopes: ssh, max_lifetime: 1m}]' >>"$conf"
	no 1 'rule: the only rule is not for daemon' 1 games
}

@test "--rules prints the rules for the caller" {
	run -0 by 1 --rules
	[ "$output" = 'rule 1  users: games
        scopes: ssh login
        audience: self
        max_lifetime: 10m' ]
	run -0 by 2 --rules
	[ "$output" = 'rule 2  users: self
        scopes: ssh
        audience: self
        max_lifetime: 5m
        reusable: true
        reason: required
        root: true' ]
	run -0 by 2 --rules --json
	[ "$(jq -c . <<<"$output")" = '{"schema":1,"rules":[{"rule":2,"users":["self"],"scopes":["ssh"],"audience":["self"],"max_lifetime":300,"reusable":true,"uses":1,"reason_required":true,"root":true}]}' ]
	run -1 --separate-stderr by 5 --rules
	[ -z "$output" ]
	[ "$stderr" = 'rjwt-grant: rule: none of the 3 rules is for games' ]
	run -1 --separate-stderr by 5 --rules --json
	[ "$output" = '{"schema":1,"rules":[]}' ]
	no 2 'carol: unexpected argument' 1 --rules carol
	# a rule's lifetime is the configuration's if that is less
	sed -i '1i max_lifetime: 6m' "$conf"
	run -0 by 1 --rules
	says 'max_lifetime: 6m'
}

# bats test_tags=long
@test "the caller: one variable, one user who is not root" {
	grant() { env -u SUDO_UID "$@" "$RJWT_BUILD/tests/bats/grant_here" "$conf" games; }
	run -0 --separate-stderr grant SUDO_UID=1
	run -0 --separate-stderr grant PKEXEC_UID=1
	run -0 --separate-stderr grant DOAS_USER=daemon
	for words in X= SUDO_UID=0 PKEXEC_UID=0 DOAS_USER=root SUDO_USER=daemon; do
		run -1 grant "$words"
		[ "$output" = 'rjwt-grant: rule: it is not known who calls: type sudo rjwt-grant as yourself (root uses rjwt-issue)' ]
	done
	for words in SUDO_UID= SUDO_UID=01 SUDO_UID=-1 SUDO_UID=+1 SUDO_UID=0x1 SUDO_UID='1 ' SUDO_UID=daemon SUDO_UID=4294967297 \
		PKEXEC_UID=1.0 DOAS_USER=1 DOAS_USER= DOAS_USER=no-such-user; do
		run -1 grant "$words"
		says "rule: ${words%%=*} does not name a user of this host"
	done
	run -1 grant SUDO_UID=4000000000
	says 'rule: no user of this host has the uid of the caller'
	run -1 grant SUDO_UID=1 DOAS_USER=daemon
	says 'rule: SUDO_UID and DOAS_USER are both set, so it is not known who calls'
	run -1 grant DOAS_USER=daemon PKEXEC_UID=1
	says 'DOAS_USER and PKEXEC_UID are both set'
}

# bats test_tags=long
@test "no option of rjwt-issue that is root's alone is taken" {
	for option in -i -C -H -o -c -d --issuer --claim --header --output --alg --kid --key-version --actor --config --state-dir; do
		no 2 "$option: unknown option" 1 "$option" x games
		[[ $stderr == *"Try \`rjwt-grant --help'." ]]
	done
	for option in --force --batch --algorithms --short; do no 2 "$option: unknown option" 1 "$option" games; done
	no 2 'USER is missing' 1
	no 2 'expected exactly one USER' 1 games bin
	no 2 '--reason: longer than 512 bytes' 1 --reason "$(head -c 513 /dev/zero | tr '\0' x)" games
	no 2 'not a duration' 1 -t soon games
	no 2 'not a time' 1 --not-before soon games
	run -0 by 1 --reason "$(head -c 512 /dev/zero | tr '\0' x)" games
	run -0 "$RJWT_BUILD/rjwt-grant" --version
	[[ $output =~ ^rjwt-grant\ [0-9] ]]
}

@test "what is wrong with a file is not shown" {
	expected='(the log and rjwt-keyd check, run by root, say more)'
	echo 'SECRET: 1' >>"$conf"
	no 1 "config: the configuration is not valid $expected" 1 games
	run -1 by 1 --rules
	[ "$output" = "rjwt-grant: config: the configuration is not valid $expected" ]
	sed -i '/SECRET/d' "$conf"
	run -0 by 1 games
	printf SECRET >"$state/private/$(active).key"
	run -1 by 1 games
	[[ $output == 'rjwt-grant: '*"$expected" && $output != *SECRET* && $output != *"$state"* ]]
	rm "$conf"
	run -1 by 1 games
	[ "$output" = "rjwt-grant: config: the configuration is not valid $expected" ]
}

@test "on a terminal it says who may do what, by which rule, until when" {
	script -qec "SUDO_UID=1 '$RJWT_BUILD/tests/bats/grant_here' '$conf' -s ssh -s login games" /dev/null >"$dir/summary" </dev/null
	tr -d '\r' <"$dir/summary" >"$dir/lines"
	grep -q '^rjwt-grant: rule 1: games may use ssh login on host.example.org, once for each$' "$dir/lines"
	grep -qE '^rjwt-grant: for 5m, until 20[^ ]*Z; id [A-Za-z0-9_-]{22}$' "$dir/lines"
	grep -q '^eyJ' "$dir/lines"
}

@test "a token that cannot be written is an error" {
	run -1 bash -c 'SUDO_UID=1 "$@" >/dev/full' - "$RJWT_BUILD/tests/bats/grant_here" "$conf" games
	says 'standard output: No space left on device'
	run -1 bash -c 'SUDO_UID=1 "$@" >&-' - "$RJWT_BUILD/tests/bats/grant_here" "$conf" games
	run -0 bash -c 'SUDO_UID=1 "$@" 2>&- <&-' - "$RJWT_BUILD/tests/bats/grant_here" "$conf" games
	run -1 bash -c 'SUDO_UID=1 "$@" --rules >/dev/full' - "$RJWT_BUILD/tests/bats/grant_here" "$conf"
}
