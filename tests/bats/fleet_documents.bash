# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What fleet-forged.bats and fleet-limits.bats share, beside fleet.bash: issuers in $top, host a, and lines that are made up.

lines() { /usr/bin/python3 "$RJWT_SOURCE/tests/bats/fleet_lines.py" "$@"; }
follow() { on a keyd follow "$@"; }
bundle() { lines sign "$top/$1/state/private/bundle.key" rjwt-bundle+jws; }

# issuer NAME - NAME.key has its fleet keys, NAME.jws is what it has published
issuer()
{
	machine "$1" "issuer: $1.example" 'leeway: 1s'
	on "$1" keyd fleet init --key "$top/$1.key" "http://$1.example/fleet.jws" >/dev/null 2>&1
	cp "$top/$1/state/www/fleet.jws" "$top/$1.jws"
}

# payload NAME LINE - of what it has published: 1 is its own roster, 2 its bundle
payload() { sed -n "$2p" "$top/$1/state/www/fleet.jws" | cut -d. -f2 | basenc --base64url -d 2>/dev/null; }
entry() { payload "$1" 1 | jq -c ".issuers[0] | .name = \"$1\""; }

# roster N ENTRY... - a line by the fleet key of i
roster()
{
	local n=$1
	shift
	payload i 1 | jq -c ".n = $n | .issuers = [$(IFS=, && echo "$*")]" | tr -d '\n' | lines sign "$top/i.key" rjwt-roster+jws
}

# judged VERDICT TOKEN
judged()
{
	run on a verify -u alice -s sshd <<<"$2"
	[[ $output == "$1"* ]]
}

base() { jq -r .base "$top/$1/state/keyset.json"; }
serial() { jq .followed.serial "$top/a/state/fleet/$(base "$1")/keyset.json"; }

# changed NAME FILTER - its bundle, with a higher serial, changed by jq; without a line end
changed() { payload "$1" 2 | jq -c ".serial += 1000 | $2" | tr -d '\n'; }
