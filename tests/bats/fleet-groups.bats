#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Groups of hosts: an audience that begins with @, which hosts share; the name of an issuer in the roster. Each machine is a
# state directory.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	. "$RJWT_SOURCE/tests/bats/fleet.bash"
	fleet_folder
	machine i 'issuer: i.example' 'leeway: 1s'
	url=http://i.example/fleet.jws
	here=$(uname -n | tr '[:upper:]' '[:lower:]')
}

# host NAME AUDIENCE - a machine with that list
host()
{
	machine "$1" 'leeway: 1s'
	sed -i "s/^audience: .*/audience: $2/" "$top/$1.yaml"
}

begin()
{
	read -r _ _ _ key < <(on i keyd fleet init --key "$top/fleet.key" "$url" 2>/dev/null)
}

joined()
{
	local name
	for name; do
		on "$name" keyd join "$url" "$key"
		on "$name" keyd follow "$top/i/state/www/fleet.jws"
	done
	settle "$@"
}

mint() { on i issue -a "$@" 2>/dev/null; }

# refute TEXT - the last run did not print it
refute()
{
	if [[ $output == *"$1"* ]]; then
		printf '"%s" in:\n%s\n' "$1" "$output"
		return 1
	fi
}

# judged NAME VERDICT TOKEN
judged()
{
	run on "$1" verify -u alice -s sshd <<<"$3"
	[[ $output == "$2"* ]]
}

@test "groups: a token for @web opens the hosts of the group, and those alone; a host of a group keeps its own name" {
	begin
	host a '[a, "@web"]'
	host b '"@web"'    # beside the name that it has anyway
	host c '[c, "@we", "@web2", web, "web@web"]'
	joined a b c
	token=$(mint @web alice)
	judged a accepted "$token"
	judged b accepted "$token"
	judged c 'rejected: audience' "$token"
	judged a accepted "$(mint a alice)"
	judged b accepted "$(mint "$here" alice)"
	judged b 'rejected: audience' "$(mint a alice)"
	judged a 'rejected: audience' "$(mint web alice)"
	judged c accepted "$(mint web alice)"
	judged a 'rejected: audience' "$(mint @WEB alice)"
	judged c accepted "$(mint @we alice)"
	judged c accepted "$(mint @other -a c alice)"
}

@test "groups: rjwt-verify -a judges by the names that it is given, and by no recorded one" {
	begin
	host b '"@web"'
	joined b
	run -0 on b verify -u alice -s sshd -a @db <<<"$(mint @db alice)"
	run -1 on b verify -u alice -s sshd -a @db <<<"$(mint "$here" alice)"
	[[ $output == 'rejected: audience'* ]]
	run -0 on b verify -u alice -s sshd <<<"$(mint "$here" alice)"
}

@test "groups: a host of a group mints for its own name; init, join, status and mirrors know it by that" {
	host b '["@web", "@db"]'
	run -0 on b keyd init
	run -0 on b issue --json alice
	[ "$(jq -r .claims.aud <<<"${lines[-1]}")" = "$here" ]
	[ "$(on b keyd status --json | jq -r .audience)" = "$here" ]
	begin
	host c '["@web", c.example]'
	run -0 on c keyd join "$url" "$key"
	says 'rjwt-issue -a c.example USER'
	[[ $(on c keyd mirrors --agent) == 'rjwt/1 c.example '* ]]
	host d '"@web"'
	run -0 on d keyd join "$url" "$key"
	says "rjwt-issue -a $here USER"
}

@test "groups: issuing says once that a token for several hosts works on each; for one host, or reusable, it does not" {
	begin
	each='works once on each host of @web, and each of these hosts could use it on the others'
	run -0 on i issue -a @web alice
	says "$each"
	[ "$(grep -c 'works once' <<<"$output")" -eq 1 ]
	run -0 on i issue -a a -a b alice
	says 'works once on each host that it is for, and each of these hosts'
	run -0 on i issue -a @web --uses 3 alice
	says 'works 3 times on each host of @web'
	run -0 on i issue -a a alice
	refute 'on each host'
	run -0 on i issue -a @web --reusable alice
	refute 'on each host'
	echo 'one_time: always' >>"$top/i.yaml"
	run -0 on i issue -a @web --reusable alice
	says "$each"
	run -0 on i issue -a @web --uses 3 alice
	says "$each"
}

@test "groups: a host that no other follows warns of an audience that it does not accept, and an issuer does not" {
	foreign='this host does not accept the audience'
	run -0 on i keyd init
	run -0 on i issue -a a alice
	says "$foreign a"
	begin
	run -0 on i issue -a a alice
	refute "$foreign"
	run -0 on i issue -a @web alice
	refute "$foreign"
	run -0 on i issue --batch <<<'{"sub":"alice","aud":"a"}'
	refute "$foreign"
	host b '[b, "@web"]'
	run -0 on b keyd init
	run -0 on b issue -a @web alice
	refute "$foreign"
	run -0 on b issue -a @db alice
	says "$foreign @db"
	joined b    # it follows, and nobody follows it
	run -0 on b issue -a a alice
	says "$foreign a"
}

@test "groups: list shows the group of a token, also where this host is of it" {
	host i '[i, "@web"]'
	run -0 on i keyd init
	mint @web alice
	mint i bob
	run -0 on i keyd list
	grep -q '^[^ ]* *alice *ssh *@web ' <<<"$output"
	grep -q '^[^ ]* *bob *ssh *here ' <<<"$output"
}

@test "groups: the name of an issuer in the roster is that of rjwt.yaml, else of the host, and stays" {
	issuers() { jq -r '[.roster.issuers[].name] | join(" ")' "$top/$1/state/fleet.json"; }
	machine j 'issuer: j.example' 'leeway: 1s' 'fleet_issuer: tokyo'
	machine k 'issuer: k.example' 'leeway: 1s' 'fleet_issuer: osaka'
	on j keyd fleet init --key "$top/j.key" "$url" >/dev/null
	[ "$(issuers j)" = tokyo ]
	entry=$(on k keyd fleet request http://k.example/fleet.jws)
	[ "$(jq -r .name <<<"$entry")" = osaka ]
	on j keyd fleet add --key "$top/j.key" "$entry" >/dev/null
	[ "$(issuers j)" = 'tokyo osaka' ]
	[ "$(on k keyd fleet request http://k.example/fleet.jws kobe | jq -r .name)" = kobe ]
	sed -i 's/osaka/nara/' "$top/k.yaml"
	[ "$(on k keyd fleet request http://k.example/fleet.jws | jq -r .name)" = nara ]
	sed -i 's/tokyo/kyoto/' "$top/j.yaml"
	run -1 on j keyd rotate --compromised    # a new base, listed as before
	says '"name":"tokyo"'
	machine l 'fleet_issuer: To'
	run -1 on l keyd fleet init --key "$top/l.key" "$url"
	says 'fleet_issuer: must be 1 to 32'
	[ ! -e "$top/l.key" ]
}
