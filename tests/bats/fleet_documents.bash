# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What fleet-forged.bats and fleet-limits.bats share: issuers in $top, host a, and lines that are made up.

. "$RJWT_SOURCE/tests/bats/helpers.bash"
. "$RJWT_SOURCE/tests/bats/fleet.bash"

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

# --- two issuers and a host -----------------------------------------------------------------------

have_what_signs() { command -v jq >/dev/null && /usr/bin/python3 -c 'import cryptography' 2>/dev/null; }

mint() { on "$1" issue --reusable -t 1h -a a alice 2>/dev/null; }

# make_world - issuers i and j in one roster, host a that follows both, and a token of each, once for a file
make_world()
{
	local name
	have_what_signs || return 0    # each test is skipped
	use_folder "$BATS_FILE_TMPDIR"
	top=$dir/world
	mkdir -p "$top"/{i,j,a}
	machine a 'leeway: 1s'
	issuer i
	issuer j
	entry_i=$(entry i)
	entry_j=$(entry j)
	n=$(payload i 1 | jq .n)
	on a keyd join http://i.example/fleet.jws "$(lines public "$top/i.key")"
	roster $((n + 1)) "$entry_i" "$entry_j" >"$top/both"
	on a keyd follow "$top/i.jws" "$top/both" "$top/j.jws"
	settle a    # what was minted before the host remembered used tokens counts as used
	token_i=$(mint i)
	token_j=$(mint j)
	for name in entry_i entry_j n token_i token_j; do printf '%s=%q\n' $name "${!name}"; done >"$top/names"
}

# copy_world - the test's own, with the same names
copy_world()
{
	need jq /usr/bin/python3
	[ -d "$BATS_FILE_TMPDIR/world" ] || have_what_signs || skip "no python3-cryptography here"
	use_folder "$BATS_TEST_TMPDIR"
	top=$dir/world
	cp -a "$BATS_FILE_TMPDIR/world" "$dir"
	sed -i "s|$BATS_FILE_TMPDIR|$dir|" "$top"/*.yaml
	. "$top/names"
	judged accepted "$token_i"
	judged accepted "$token_j"
}
