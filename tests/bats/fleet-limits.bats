#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a host of a fleet does with numbers at their ends, bases that others took, rubbish, images and clocks, each beside its
# honest twin. Two issuers, i and j, in one roster that is written here with the fleet's key; the host a follows both.

bats_require_minimum_version 1.5.0

setup_file()
{
	. "$RJWT_SOURCE/tests/bats/fleet_documents.bash"
	make_world
}

setup()
{
	. "$RJWT_SOURCE/tests/bats/fleet_documents.bash"
	copy_world
}

last=9007199254740992    # 2^53, the last serial and the last number of a roster

# bats test_tags=long
@test "limits: a serial at its end is the last one of its base, and a new base heals it; one above, and other spellings, do not count" {
	before=$(serial i)
	for bad in 9007199254740993 -1 0 1.5 1e15 '"5"' null; do
		changed i . | sed "s/\"serial\":[0-9]*/\"serial\":$bad/" | bundle i >"$top/line"
		run -0 follow "$top/line"
		says '1 line skipped'
		[ "$(serial i)" -eq "$before" ]
	done
	changed i . | sed "s/\"serial\":[0-9]*/\"serial\":$last/" | bundle i >"$top/line"
	run -0 follow "$top/line"
	[ "$(serial i)" -eq $last ]
	judged accepted "$token_i"
	changed i . | bundle i >"$top/honest"
	run -1 follow "$top/honest"
	says 'a rollback'
	run -1 on i keyd rotate --compromised
	new=$(grep -o '{"name".*' <<<"$output" | jq -c '.name = "i"')
	roster $((n + 2)) "$new" "$entry_j" >"$top/line"
	run -0 on i keyd follow "$top/line"
	run -0 on i keyd publish
	run -0 follow "$top/i/state/www/fleet.jws"
	judged 'rejected: key_unknown' "$token_i"
	judged accepted "$(mint i)"
	judged accepted "$token_j"
}

@test "limits: a roster with the last number is the last of its chain, and join with another key begins a new one" {
	for bad in 9007199254740993 -1 0 1.5 '"5"'; do
		payload i 1 | jq -c ".issuers = [$entry_i]" | tr -d '\n' | sed "s/\"n\":[0-9]*/\"n\":$bad/" |
			lines sign "$top/i.key" rjwt-roster+jws >"$top/line"    # jq would round it
		run -0 follow "$top/line"
		says '1 line skipped'
		judged accepted "$token_j"
	done
	roster $last "$entry_j" >"$top/line"
	run -0 follow "$top/line"
	judged 'rejected: key_unknown' "$token_i"
	roster $((n + 5)) "$entry_i" "$entry_j" >"$top/line"
	run follow "$top/line"
	judged 'rejected: key_unknown' "$token_i"
	on a keyd join http://j.example/fleet.jws "$(lines public "$top/j.key")"
	run ! on a verify -u alice -s sshd <<<"$token_j"    # nothing counts before a roster of the new chain lists it
	payload j 1 | jq -c ".issuers = [$entry_i, $entry_j]" | tr -d '\n' | lines sign "$top/j.key" rjwt-roster+jws >"$top/line"
	run -0 follow "$top/line" "$top/i.jws"    # whose keys went with the roster that dropped it
	judged accepted "$token_i"
	judged accepted "$token_j"
}

@test "limits: a base has one bundle key for life: an entry with another verifies nothing, and the first one counts again" {
	other=$(lines public "$top/j.key")    # a key that no entry has
	roster $((n + 2)) "$(jq -c ".key = \"$other\"" <<<"$entry_i")" "$entry_j" >"$top/line"
	run -0 follow "$top/line"
	judged 'rejected: key_unknown' "$token_i"
	changed i . | lines sign "$top/j.key" rjwt-bundle+jws >"$top/news"
	run -1 follow "$top/news"
	says 'a base cannot have a second one'
	judged 'rejected: key_unknown' "$token_i"
	judged accepted "$token_j"
	roster $((n + 3)) "$entry_i" "$entry_j" >"$top/line"
	run follow "$top/line" "$top/news"
	judged accepted "$token_i"
}

@test "limits: a roster with a name, a base or a key twice, or a ninth issuer, does not count; eight do" {
	numbered() { jq -c ".name = \"x$1\" | .base = \"X$1\"" <<<"$entry_i"; }
	keys=()
	for k in 1 2 3 4 5 6 7; do
		openssl genpkey -algorithm ed25519 -out "$top/x$k.pem" 2>/dev/null
		keys+=("$(numbered $k | jq -c ".key = \"$(lines public "$top/x$k.pem")\"")")
	done
	for bad in "$(jq -c '.name = "i"' <<<"$entry_j")" "$(jq -c ".base = \"$(base i)\"" <<<"$entry_j")" \
		"$(jq -c ".key = $(jq .key <<<"$entry_i")" <<<"$entry_j")"; do
		roster $((n + 2)) "$entry_i" "$bad" >"$top/line"
		run -0 follow "$top/line"
		says '1 line skipped'
		judged accepted "$token_j"
	done
	roster $((n + 2)) "$entry_i" "$entry_j" "${keys[@]}" >"$top/line"
	run -0 follow "$top/line"
	says '1 line skipped'
	judged accepted "$token_j"
	roster $((n + 2)) "$entry_i" "${keys[@]}" >"$top/line"
	run -0 follow "$top/line"
	judged accepted "$token_i"
	judged 'rejected: key_unknown' "$token_j"
}

@test "limits: a host's own keyset comes first: an issuer that takes its base opens nothing with it" {
	printf '%s\n' "state_dir: $top/a/state" 'audience: a' 'issuer: a.example' 'leeway: 1s' "base_kid: $(base j)" >"$top/a.yaml"
	on a keyd init
	judged 'rejected: signature' "$token_j"
	judged accepted "$token_i"
	judged accepted "$(on a issue --reusable alice 2>/dev/null)"
}

@test "limits: 4 MiB of rubbish that nobody signed is skipped, and what is beside it installed" {
	before=$(serial i)
	head=$(head -c 53 "$top/both" | cut -d. -f1)
	# 256 lines of a payload of 12,000 bytes and a signature of 64, each with a last digit that is canonical
	paste -d . <(yes "$head" | head -n 256) <(head -c 3072000 /dev/urandom | basenc --base64url -w 16000) \
		<(head -c 16896 /dev/urandom | basenc --base64url -w 88 | sed 's/...$/A/') >"$top/rubbish"
	[ "$(wc -l <"$top/rubbish")" -eq 256 ]
	head -c 4194304 /dev/urandom >"$top/noise"
	changed i . | bundle i >"$top/line"
	run -0 timeout 20 "$RJWT_BUILD/rjwt-keyd" -c "$top/a.yaml" follow "$top/rubbish" "$top/noise" "$top/line"
	[ "$(serial i)" -eq $((before + 1000)) ]
	[ "$(tr -d '[:print:][:space:]' <<<"$output" | wc -c)" -eq 0 ]
	judged accepted "$token_i"
}

@test "limits: the image of a host that has joined takes no token before it has followed as itself, and then none from before" {
	once=$(on i issue -a a alice 2>/dev/null)
	judged accepted "$once"
	cp "$top/a/state/fleet.json" "$top/kept"
	jq -c '.machine = "'"$(printf x | sha256sum | cut -d' ' -f1)"'"' "$top/kept" | seal >"$top/image"
	cat "$top/image" >"$top/a/state/fleet.json"
	run -2 on a verify -u alice -s sshd <<<"$token_i"
	changed i . | bundle i >"$top/line"
	run -0 follow "$top/line"
	says 'this host is a; used tokens are remembered from now on'
	judged accepted "$token_i"
	judged 'rejected: spent' "$once"    # the other may have taken it
	settle a
	judged accepted "$(on i issue -a a alice 2>/dev/null)"
}

# at SECONDS COMMAND... - by a clock that is off by so much
at()
{
	echo "$1 0" >"$top/clock"
	LD_PRELOAD="$RJWT_BUILD/tests/fault/clock.so" RJWT_CLOCK_FILE="$top/clock" on a "${@:2}"
}

@test "limits: a host 30 s behind takes tokens, one in 1970 judges by its issuers' time, one a year ahead takes none until it is set" {
	[ -e "$RJWT_BUILD/tests/fault/clock.so" ] || skip 'tests/fault/clock.so is not built'
	run -0 at 0 verify -u alice -s sshd <<<"$token_i"
	sed -i 's/leeway: 1s/leeway: 30s/' "$top/a.yaml"
	run -0 at -29 verify -u alice -s sshd <<<"$token_i"
	run -0 at "-$(date +%s)" verify -u alice -s sshd <<<"$token_i"
	run -2 at 31536000 verify -u alice -s sshd <<<"$token_i"
	says stale
	run -0 at 0 verify -u alice -s sshd <<<"$token_i"
	changed i . | bundle i >"$top/line"
	run at 31536000 keyd follow "$top/line"    # what it does then takes nothing away
	run -0 at 0 verify -u alice -s sshd <<<"$token_i"
}

@test "limits: a host whose fleet.json is removed has left: it takes no token of the fleet, and none is lost when it joins again" {
	rm "$top/a/state/fleet.json"
	run ! on a verify -u alice -s sshd <<<"$token_i"
	on a keyd join http://i.example/fleet.jws "$(lines public "$top/i.key")"
	run ! on a verify -u alice -s sshd <<<"$token_i"
	run -0 follow "$top/i.jws" "$top/both" "$top/j.jws"
	judged accepted "$token_i"
	judged accepted "$token_j"
}

round=0

# without_memory COMMAND... - the host loses what was used by that command, and follows by a clock that is 10 minutes behind
without_memory()
{
	used=$(on i issue -a a alice 2>/dev/null)
	judged accepted "$used"
	"$@"
	round=$((round + 1))
	changed i ".iat = $(date +%s) | .serial += $round" | bundle i >"$top/line"
	run -0 at -600 keyd follow "$top/line"
	judged 'rejected: spent' "$used"    # it may have been used before
	sleep 2.1
	judged accepted "$(on i issue -a a alice 2>/dev/null)"
	md5sum "$top/a/state/fleet.json" "$top"/a/state/fleet/*/keyset.json >"$top/kept"
	run -0 at -600 keyd follow "$top/line"
	md5sum --quiet -c "$top/kept"    # once is enough
	run -0 at 0 keyd follow "$top/line"
	judged accepted "$(on i issue -a a alice 2>/dev/null)"
}

lose_spent() { rm -r "$top/a/state/fleet/$(base i)/spent"; }
lose_all() { rm -r "$top/a/state/fleet/$(base i)"; }
become_image()
{
	local file
	for file in "$top"/a/state/fleet{.json,/*/keyset.json}; do
		reseal ".machine = \"$(printf x | sha256sum | cut -d' ' -f1)\"" "$file"
	done
}

# bats test_tags=long
@test "limits: a clock that is behind when a host loses what was used brings no token back: the time of the bundle counts" {
	[ -e "$RJWT_BUILD/tests/fault/clock.so" ] || skip 'tests/fault/clock.so is not built'
	without_memory lose_spent
	without_memory lose_all
	without_memory become_image
}
