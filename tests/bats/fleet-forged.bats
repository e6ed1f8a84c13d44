#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a host of a fleet does with lines that strangers, dropped issuers and owned ones wrote, each beside its honest twin.
# Two issuers, i and j, in one roster that is written here with the fleet's key; the host a follows both.

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

@test "forged: an issuer's key signs for its own base alone, and its tokens have its own iss alone" {
	before=$(serial i)
	changed i . | bundle j >"$top/line"    # i's base, by j
	run -0 follow "$top/line"
	says '1 line skipped'
	[ "$(serial i)" -eq "$before" ]
	changed i . | bundle i >"$top/line"
	run -0 follow "$top/line"
	[ "$(serial i)" -eq $((before + 1000)) ]
	judged accepted "$token_i"
	judged 'rejected: issuer' "$(on j issue --reusable -i i.example -a a alice 2>/dev/null)"
	judged accepted "$token_j"
}

@test "forged: a roster counts by a fleet key, a bundle by its bundle key, and neither by the other" {
	roster $((n + 2)) "$entry_i" | cut -d. -f2 | basenc --base64url -d 2>/dev/null >"$top/dropped" || true
	lines sign "$top/j.key" rjwt-roster+jws <"$top/dropped" >"$top/line"                        # another fleet
	lines sign "$top/i/state/private/bundle.key" rjwt-roster+jws <"$top/dropped" >>"$top/line"    # an issuer
	lines sign "$top/i.key" rjwt-bundle+jws <"$top/dropped" >>"$top/line"                         # another type
	changed j . | lines sign "$top/i.key" rjwt-bundle+jws >>"$top/line"                           # the fleet key
	changed j . | lines sign "$top/j/state/private/bundle.key" rjwt-roster+jws >>"$top/line"
	run -0 follow "$top/line"
	says '5 lines skipped'
	judged accepted "$token_j"
	lines sign "$top/i.key" rjwt-roster+jws <"$top/dropped" >"$top/line"
	run -0 follow "$top/line"
	judged 'rejected: key_unknown' "$token_j"
	judged accepted "$token_i"
}

@test "forged: a dropped issuer verifies nothing and keeps no key, also when its old lines come again; it does not come back older" {
	before=$(serial j)
	[ -n "$(ls "$top/a/state/fleet/$(base j)/keys")" ]
	roster $((n + 2)) "$entry_i" >"$top/line"
	run -0 follow "$top/line"
	judged 'rejected: key_unknown' "$token_j"
	[ -z "$(ls "$top/a/state/fleet/$(base j)/keys")" ]
	[ "$(serial j)" -eq "$before" ]
	run -0 follow "$top/j.jws" "$top/both"    # the roster before, and the bundle
	judged 'rejected: key_unknown' "$token_j"
	roster $((n + 3)) "$entry_i" "$entry_j" >"$top/line"
	run -0 follow "$top/line" "$top/j.jws"
	judged accepted "$token_j"    # the bundle that it had brings its keys back
	changed j '.serial -= 2000' | bundle j >"$top/news"
	roster $((n + 4)) "$entry_i" >"$top/line"
	run -0 follow "$top/line"
	roster $((n + 5)) "$entry_i" "$entry_j" >"$top/line"
	run -1 follow "$top/line" "$top/news"
	says 'a rollback'
	judged 'rejected: key_unknown' "$token_j"    # an older one does not
	changed j . | bundle j >"$top/news"
	run -0 follow "$top/news"
	judged accepted "$token_j"
	[ -n "$(ls "$top/a/state/fleet/$(base i)/keys")" ]
}

@test "forged: the denials of a dropped issuer stay, but for no longer than it was listed" {
	until=$(($(date +%s) + 100000))
	hash=$(lines public "$top/i.key" | sha256sum | cut -d' ' -f1)
	changed j ".denied.sub = [\"$hash $until\"]" | bundle j >"$top/line"
	run -0 follow "$top/line"
	[ "$(cat "$top/a/state/fleet/$(base j)/denied/sub/$hash")" -eq "$until" ]
	roster $((n + 2)) "$entry_i" >"$top/line"
	run -0 follow "$top/line"
	[ "$(cat "$top/a/state/denied/sub/$hash")" -eq "$(($(payload i 1 | jq .iat) + 1))" ]
}

@test "forged: of two rosters with one number that differ neither is taken, and the next one heals it" {
	roster $((n + 2)) "$entry_i" >"$top/one"
	roster $((n + 2)) "$entry_j" >"$top/other"
	run -1 follow "$top/one" "$top/other"
	says "two rosters have the number $((n + 2)) and differ"
	judged accepted "$token_i"
	judged accepted "$token_j"
	roster $((n + 3)) "$entry_j" >"$top/next"
	run -0 follow "$top/one" "$top/other" "$top/next"
	judged accepted "$token_j"
	judged 'rejected: key_unknown' "$token_i"
}

@test "forged: an issuer's own lines do not take anything back: serial, versions, keys" {
	before=$(serial i)
	for filter in '.serial = 1' '.floor = 0' '.next.version = 1' '.next_version = 2'; do
		changed i "$filter" | bundle i >"$top/line"
		run follow "$top/line"
		[ "$(serial i)" -eq "$before" ]
	done
	# another key for a version: that of j, under its name
	x=$(payload j 2 | jq -c '.keys[0]')
	changed i ".keys[0] = ($x | .kid = \"$(payload i 2 | jq -r '.keys[0].kid')\" | .iat = $(payload i 2 | jq '.keys[0].iat'))" | bundle i >"$top/line"
	run -1 follow "$top/line"
	says 'a key id came back with another public key'
	judged accepted "$token_i"
	changed i . | bundle i >"$top/line"
	run -0 follow "$top/line"
	[ "$(serial i)" -gt "$before" ]
}

# bats test_tags=long
@test "forged: 2,000 denials are installed, 2,001 are a line that does not count; so are 257 KiB" {
	before=$(serial i) now=$(date +%s)
	many() { for ((k = 0; k < $1; k++)); do printf '"%064x %d",' $k "$now"; done | sed 's/,$//'; }
	many 2001 >"$top/list"
	payload i 2 | jq -c --slurpfile l <(echo "[$(cat "$top/list")]") '.serial += 1000 | .denied.sub = $l[0]' | tr -d '\n' | bundle i >"$top/line"
	run -0 follow "$top/line"
	says '1 line skipped'
	[ "$(serial i)" -eq "$before" ]
	many 2000 >"$top/list"
	payload i 2 | jq -c --slurpfile l <(echo "[$(cat "$top/list")]") '.serial += 1000 | .denied.sub = $l[0]' | tr -d '\n' | bundle i >"$top/line"
	{ head -c 263168 /dev/zero | tr '\0' A; echo; cat "$top/line"; } >"$top/lines"
	run -0 follow "$top/lines"
	says '1 line skipped'
	[ "$(serial i)" -gt "$before" ]
	[ "$(find "$top/a/state/fleet/$(base i)/denied/sub" -type f | wc -l)" -eq 2000 ]
	{
		changed i '.serial += 1000' | head -c -1
		printf ',"more":"%s"}' "$(head -c 200000 /dev/zero | tr '\0' A)"
	} | bundle i >"$top/line"
	[ "$(wc -c <"$top/line")" -gt 262144 ]
	run -0 follow "$top/line"
	says '1 line skipped'
	judged accepted "$token_i"
}
