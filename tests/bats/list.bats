#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-keyd list: who can log in now.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq
	fresh
}

@test "list: nobody, and with a table and as JSON" {
	run -0 keyd list
	[ "$output" = '0 tokens live' ]
	keyd list --json | jq -e '.schema == 1 and .tokens == [] and (.now | type) == "number"'
}

@test "list: how many uses are left, for each scope" {
	local one two
	used() { "$RJWT_BUILD/tests/fault/login" "$conf" alice sshd "$one"; }
	one=$(issue -t 30m --uses 3 alice)
	two=$(issue -t 40m --uses 2 -s ssh -s sudo bob)
	run -0 keyd list
	[[ ${lines[2]} =~ ^$(claim .jti "$one")\ .*\ 3\ of\ 3\ left\  ]]
	[[ ${lines[3]} =~ ^$(claim .jti "$two")\ .*\ ssh\ 2\ of\ 2\ left,\ sudo\ 2\ of\ 2\ left\  ]]
	try 0 used
	try 0 used
	keyd list >"$dir/list"
	grep -q ' 1 of 3 left ' "$dir/list"
	keyd list --json | jq -e '[.tokens[] | select(.user == "alice") | .uses, .once, .used[0].scope, .used[0].times] == [3, false, "ssh", 2]'
	try 0 used
	try 1 used
	run -0 keyd list
	[[ $output != *alice* ]]
	# a revocation counts the one that has uses left
	run -0 --separate-stderr keyd revoke --jti "$(claim .jti "$two")"
	run -0 keyd list
	[ "$output" = '0 tokens live' ]
}

@test "list: each live token, those that end soonest first; a revoked one is not there" {
	local short long gone id
	long=$(issue -t 30m -s ssh -s sudo --reason 'ticket "4711"' alice)
	short=$(SUDO_UID=0 issue -t 2m bob)
	gone=$(issue -t 5m carol)
	issue -t 40m --reusable ed >/dev/null 2>&1
	issue -t 20m --not-before +30m -a host.example.org -a other.example dora >/dev/null 2>&1
	keyd revoke --jti "$(claim .jti "$gone")"
	run -0 keyd list
	[ "${lines[0]}" = '4 tokens live, of 4 users; 1 reusable' ]
	[[ ${lines[1]} =~ ^ID\ +USER\ +OPENS\ +HOST\ +LEFT\ +USED\ +BY$ ]]
	[[ ${lines[2]} =~ ^$(claim .jti "$short")\ +bob\ +ssh\ +here\ +[12]m[0-9s]*\ +-\ +root\ \(sudo\)$ ]]
	[[ ${lines[3]} =~ ^$(claim .jti "$long")\ +alice\ +ssh\ sudo\ +here\ +[23][09]m[0-9s]*\ +-\ +[^\ ]+$ ]]
	[[ ${lines[4]} =~ \ ed\ +ssh\ +here\ +[0-9ms]+\ +any\  ]]
	[[ ${lines[5]} =~ \ dora\ +ssh\ +host.example.org,other.example\ +in\ [23][09]m[0-9s]*\ +-\  ]]
	[ "${#lines[@]}" -eq 6 ]
	# one width for each column
	[ "$(printf '%s\n' "${lines[@]:1}" | cut -c23-24 | sort -u)" = '  ' ]
	# as JSON: all that the table says, and why
	keyd list --json >"$dir/json"
	jq -e '[.tokens[].user] | sort == ["alice","bob","dora","ed"]' "$dir/json"
	jq -e --arg id "$(claim .jti "$long")" '.tokens[] | select(.jti == $id) | .why == "ticket \"4711\"" and
		.scope == ["ssh","sudo"] and .audience == ["host.example.org"] and .here and .once and .used == [] and
		.until - .issued == 1800 and .from == .issued and (.kid | length) > 2' "$dir/json"
	jq -e '.tokens[] | select(.user == "ed") | .once == false and has("used") == false and has("why") == false' "$dir/json"
}

@test "list: who acts as the user, unless that is who minted it" {
	local me
	me=$(id -un)
	issue --actor carol -t 2m web >/dev/null
	issue --actor "$me" -t 4m web >/dev/null
	run -0 keyd list
	[[ ${lines[2]} == *" web "*" $me for carol" && ${lines[3]} == *" web "*" $me" ]]
	[ "$(keyd list --json | jq -c '[.tokens[].actor] | sort')" = "$(jq -nc --arg me "$me" '["carol", $me] | sort')" ]
}

@test "list --by: what one user minted, whoever reported it, and of nobody else" {
	local me
	me=$(id -un)
	issue -t 2m alice >/dev/null
	issue -t 4m --actor carol bob >/dev/null
	run -0 keyd list --by "$me"
	[ "${lines[0]}" = "2 live tokens minted by $me, of 2 users; 0 reusable" ]
	# as rjwt-grant and sudo would have it in the record
	find "$state/issued" -type f -exec sed -i -e "/\"alice\"/s/\"by\":\"$me\"/\"by\":\"carol\"/" \
		-e "/\"bob\"/s/\"by\":\"$me\"/\"by\":\"dave (sudo)\"/" {} +    # they may end in two files
	run -0 keyd list --by carol
	[ "${lines[0]}" = '1 live token minted by carol, of 1 user; 0 reusable' ]
	[[ ${#lines[@]} -eq 3 && ${lines[2]} == *' alice '*' carol' ]]
	run -0 keyd list --by dave
	[[ ${#lines[@]} -eq 3 && ${lines[2]} == *' bob '*' dave (sudo) for carol' ]]
	[ "$(keyd list --by dave --json | jq -c '[.tokens[].user]')" = '["bob"]' ]
	for name in "$me" car carol2 'dave (sudo' ''; do
		run -0 keyd list --by "$name"
		[ "$output" = "0 live tokens minted by $name" ]
		[ "$(keyd list --by "$name" --json | jq -c .tokens)" = '[]' ]
	done
	run -0 keyd list --by $'x\e[31m'
	[ "$output" = '0 live tokens minted by x\x1b[31m' ]
}

@test "list: 1 token, 1 user, and names of any form are safe on a terminal" {
	issue $'al\u202eice' >/dev/null
	run -0 keyd list
	[ "${lines[0]}" = '1 token live, of 1 user; 0 reusable' ]
	[[ ${lines[2]} == *'al\xe2\x80\xaeice '* ]]
}

@test "list: wrong use" {
	run -2 --separate-stderr keyd list --dry-run
	[[ $stderr == *'list does not take --dry-run'* ]]
	run -2 --separate-stderr keyd list alice
	[[ $stderr == *'alice: unexpected argument'* ]]
	run -2 --separate-stderr keyd list --by alice --by bob
	[[ $stderr == *'--by: given twice'* ]]
	run -2 --separate-stderr keyd status --by alice
	[[ $stderr == *'status does not take --by'* ]]
}

@test "list: who may not read the record is told to run it as root" {
	[ "$(id -u)" -ne 0 ] || skip "root is not bound by this"
	issue alice >/dev/null
	chmod 0 "$state/issued"
	run -1 --separate-stderr keyd list
	chmod 0700 "$state/issued"    # the directory of the test can be removed
	[[ $stderr == *'/issued: '*'Permission denied (run it as root)' ]]
}
