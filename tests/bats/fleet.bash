# shellcheck shell=bash disable=SC2154    # helpers.bash sets dir
# SPDX-License-Identifier: MIT
# Machines of a fleet, for tests/bats/fleet*.bats: each is a state directory and a configuration below $top.

# fleet_folder - the test's own, $top
fleet_folder()
{
	need jq
	use_folder "$BATS_TEST_TMPDIR"
	top=$dir
}

# machine NAME [LINE...] - a configuration with an audience of that name
machine()
{
	mkdir -p "$top/$1"
	printf '%s\n' "state_dir: $top/$1/state" "audience: $1" "${@:2}" >"$top/$1.yaml"
}

# on NAME PROGRAM [ARG...]
on() { "$RJWT_BUILD/rjwt-$2" -c "$top/$1.yaml" "${@:3}"; }

# reseal FILTER FILE - changed by jq, with the right sum
reseal()
{
	jq -c "$1" "$2" | seal >"$top/resealed"
	cat "$top/resealed" >"$2"
}

# settle NAME... - as if these had begun to remember used tokens 10 s earlier: they take what is minted now
settle()
{
	local name file
	for name; do
		for file in "$top/$name"/state/fleet{.json,/*/keyset.json}; do
			reseal '(.followed // .).born -= 10' "$file"
		done
	done
}

# forgive SECONDS - as if all that is denied had been denied so much earlier
forgive()
{
	local file
	while read -r file; do
		echo $(($(<"$file") - $1)) >"$file"
	done < <(find "$top" -path '*/denied/*' -type f)
}
