#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A fleet of two issuers and a host, which are three state directories: rosters, merged files, clones.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	. "$RJWT_SOURCE/tests/bats/fleet.bash"
	fleet_folder
	machine i 'issuer: i.example' 'leeway: 1s'
	machine j 'issuer: j.example' 'leeway: 1s'
	machine a 'leeway: 1s'
	url=http://i.example/fleet.jws
	read -r _ _ _ key < <(on i keyd fleet init --key "$top/fleet.key" "$url" 2>/dev/null)
	file=$top/i/state/www/fleet.jws
	other=$top/j/state/www/fleet.jws
}

# roster NAME add|drop|roll [ARG...] - with the fleet key that is in force
roster() { on "$1" keyd fleet "$2" --key "$top/fleet.key" "${@:3}"; }

# listed NAME - the names of the issuers in the roster that a host has taken
listed() { jq -r '[.roster.issuers[].name] | sort | join(" ")' "$top/$1/state/fleet.json"; }

base() { jq -r .base "$top/$1/state/keyset.json"; }

# judged NAME VERDICT TOKEN
judged()
{
	run on "$1" verify -u alice -s sshd <<<"$3"
	[[ $output == "$2"* ]]
}

mint() { on "$1" issue -a "${@:2}" 2>/dev/null; }

joined()
{
	local name
	for name; do
		on "$name" keyd join "$url" "$key"
		on "$name" keyd follow "$file"
	done
}

# aged NAME SECONDS - as if its next key, and its last line, had been published so much earlier
aged() { reseal ".next_since -= $2 | .iat -= $2" "$top/$1/state/private/published.json"; }

serial() { jq .serial "$top/$1/state/private/published.json"; }

# second - j issues in the fleet, too, and each has heard of the other
second()
{
	entry=$(on j keyd fleet request http://j.example/fleet.jws j)
	joined j
	roster i add "$entry" >/dev/null
	on j keyd follow "$file"
	on j keyd publish
	on i keyd follow "$other"
}

# token_of_second - a second issuer, j, which the host a follows, and $token of it for alice, which is accepted there
token_of_second()
{
	second
	joined a
	on a keyd follow "$other"
	settle a
	token=$(mint j a --reusable alice)
	judged a accepted "$token"
}

@test "a second issuer: request, add, and a token of each opens the host, which hears of both from either" {
	second
	[ "$(listed i)" = "$(listed j)" ]
	[[ $(listed i) == *j* ]]
	[ "$(wc -l <"$file")" -eq 4 ]    # two rosters, two bundles
	diff <(sort "$file") <(sort "$other")
	on a keyd join "$url" "$key"
	on a keyd follow "$other"
	settle a
	judged a accepted "$(mint i a alice)"
	judged a accepted "$(mint j a alice)"
	token=$(mint j a alice)
	on i keyd revoke --sub alice
	on j keyd follow "$file"
	on a keyd follow "$other"    # what i said comes through j as well
	judged a 'rejected: denied' "$token"
	[ ! -e "$top/i/state/fleet/$(base i)" ]    # nobody follows his own keyset
	[ ! -e "$top/j/state/fleet/$(base j)" ]
}

@test "an issuer that is dropped and listed again while a host was away verifies as before, without a new bundle" {
	token_of_second
	roster i drop j >/dev/null
	cp "$file" "$top/dropped"
	roster i add "$entry" >/dev/null
	cp -a "$top/a/state" "$top/kept"
	run -0 on a keyd follow "$top/dropped" "$file"
	says 'with 1 issuer' 'with 2 issuers'
	judged a accepted "$token"
	# one after the other, and its keys go with the first
	rm -r "$top/a/state"
	mv "$top/kept" "$top/a/state"
	on a keyd follow "$top/dropped"
	on a keyd follow "$file"
	judged a 'rejected: key_unknown' "$token"
}

@test "an issuer mints for nobody whom another issuer denied, until the date, and says when; others it mints for" {
	second
	sed -i 's/^leeway: .*/leeway: 5m/' "$top/i.yaml"
	run -0 on i keyd revoke --sub alice
	says 'alice: recorded; no token of it is known here, but other issuers may have minted some'
	run -0 on j issue -a a alice    # it has not heard yet
	on j keyd follow "$file"
	heard=$(echo "$top/j/state/fleet/$(base i)"/denied/sub/*)
	until=$(cat "$heard")
	run -1 on j issue -a a alice
	says "tokens for alice are denied until $(date -u -d "@$until" +%FT%TZ)"
	run -0 on j issue -a a bob
	run -1 on j issue --batch < <(printf '%s\n' '{"sub":"alice","aud":"a"}' '{"sub":"bob","aud":"a"}')
	says 'denied until'
	[ "$(grep -c '^eyJ' <<<"$output")" -eq 1 ]
	echo $(($(date +%s) - 1)) >"$heard"
	run -0 on j issue -a a alice    # the date has passed
}

@test "an issuer that is dropped verifies nothing from then on; what it denied stays denied, and comes back with it" {
	second
	joined a
	on a keyd follow "$other"
	settle a
	token=$(mint j a --reusable alice)
	denied=$(mint i a --reusable bob)
	judged a accepted "$token"
	run -0 on j keyd revoke --sub bob    # it knows no token of bob, but i may
	on a keyd follow "$other"
	run -1 roster i drop nobody
	says 'no issuer "nobody"'
	run -0 roster i drop j
	says 'with 1 issuer'
	judged a accepted "$token"    # it has not heard yet
	on a keyd follow "$file"
	judged a 'rejected: key_unknown' "$token"
	run -1 on a verify -u bob -s sshd <<<"$denied"
	says 'rejected: denied'
	[ "$(wc -l <"$file")" -eq 3 ]    # nothing of j is passed on
	on j keyd follow "$file"
	run -1 on j keyd publish
	says 'does not list base'
	roster i add "$entry" >/dev/null
	on j keyd follow "$file"
	on j keyd publish
	on a keyd follow "$file" "$other"
	judged a accepted "$token"
}

@test "denials that are removed while an issuer is not listed leave their date in its directory, too" {
	printf '%s\n' 'max_lifetime: 1s' 'default_lifetime: 1s' 'previous_key_ttl: 3s' | tee -a "$top/i.yaml" "$top/a.yaml" >>"$top/j.yaml"
	second
	joined a
	on a keyd follow "$other"
	gone=$top/a/state/fleet/$(base j)
	run on j keyd revoke --sub bob    # 1: it knows no token of bob
	on a keyd follow "$other"
	roster i drop j
	on a keyd follow "$file"
	[ "$(jq .followed.before "$gone/keyset.json")" -eq 0 ]
	forgive 6
	on i keyd publish
	run -0 on a keyd follow "$file"
	says 'of expired tokens removed'
	[ "$(jq .followed.before "$gone/keyset.json")" -eq "$(jq .before "$top/a/state/fleet.json")" ]
	[ "$(jq .before "$top/a/state/fleet.json")" -gt 0 ]
}

@test "an entry replaces the one with its name or with its base; what would contradict the roster is refused" {
	second
	before=$(md5sum <"$file")
	run -1 roster i add "$(jq -c '.key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"' <<<"$entry")"
	says 'cannot have a second one'
	run -1 roster i add "$(jq -c --arg n "$(jq -r '.roster.issuers[] | select(.name != "j").name' "$top/i/state/fleet.json")" '.name = $n' <<<"$entry")"
	says 'drop it first'
	run -2 roster i add "$(jq -c '.name = "J"' <<<"$entry")"
	says 'not an entry'
	run -2 roster i add j
	run -1 roster i add "$(jq -c '.name = "k" | .base = "another"' <<<"$entry")"    # with the key of j
	says 'listed twice'
	[ "$(md5sum <"$file")" = "$before" ]
	run -0 roster i add "$(jq -c '.name = "new"' <<<"$entry")"
	[[ $(listed i) == *new* && $(listed i) != *j* ]]
	on j keyd follow "$file"
	run -0 on j keyd publish
	says 'of new'
	machine k 'issuer: k.example'
	on k keyd fleet request http://k.example/f new >"$top/entry"
	run -0 roster i add "$(cat "$top/entry")"
	says 'with 2 issuers'
	[ "$(jq -r '.roster.issuers[] | select(.name == "new").base' "$top/i/state/fleet.json")" = "$(base k)" ]
}

@test "the fleet keys are rolled: hosts that slept catch up, those that join are given the new key, the old one signs no more" {
	second
	joined a
	on a keyd join "$url" "$key"
	roster i drop j >/dev/null
	run -0 roster i roll "$top/new.key"
	says 'hosts that join from now on'
	new=$(sed -n 's/.*are given the key //p' <<<"$output")
	[ "$(stat -c %a "$top/new.key")" = 600 ]
	run -1 roster i drop j
	says 'no key in it may sign'
	run -1 on i keyd fleet roll --key "$top/new.key" "$top/new.key"
	says 'listed already'
	run -0 on i keyd fleet add --key "$top/new.key" "$entry"
	on a keyd follow "$file"    # from the second of six rosters to the last
	[ "$(listed a)" = "$(listed i)" ]
	machine b
	on b keyd join "$url" "$new"
	on b keyd follow "$file"
	[ "$(listed b)" = "$(listed i)" ]
	machine c
	on c keyd join "$url" "$key"    # the line of an older page
	on c keyd follow "$file"
	[ "$(listed c)" = "$(listed i)" ]
	run -0 on a keyd join --check "$url" "$key"
	run -1 on b keyd join --check "$url" "$key"
	says 'joined with another key'
	[ "$(grep -c "^$(head -n 1 "$file" | cut -d. -f1)\." "$file")" -eq 3 ]    # the first, the roll, the newest
}

@test "where the fleet key is there need be no keyset, but the newest roster" {
	second
	machine k
	run -1 roster k drop j
	says 'joined no fleet'
	run -1 on k keyd join --check "$url" "$key"
	on k keyd join "$url" "$key"
	run -1 roster k drop j
	says 'no roster is known here'
	cp "$file" "$top/fetched"
	roster k drop j "$top/fetched" >"$top/line"
	[ "$(wc -l <"$top/line")" -eq 1 ]
	[ ! -e "$top/k/state/keyset.json" ]
	run -0 on i keyd follow "$top/line"
	says 'with 1 issuer'
	grep -qxFf "$top/line" "$file"    # it is passed on
	roster k add "$entry" >/dev/null    # from what it made itself
	on i keyd follow "$top/k/state/www/fleet.jws"
	[[ $(listed i) == *j* ]]
	run -1 on k keyd fleet drop j --key "$top/none"
	run -2 roster k drop
}

@test "two rosters of one number: none is taken, the one that is taken stays, and the next number heals it" {
	second
	on a keyd join "$url" "$key"
	for _ in {1..20}; do    # ahead of the clock: the next number is one more, whoever makes it
		roster i add "$entry" >/dev/null 2>&1
	done
	cp "$file" "$top/before"
	on a keyd follow "$top/before"
	cp -a "$top/i" "$top/twin"
	sed "s|$top/i/|$top/twin/|" "$top/i.yaml" >"$top/twin.yaml"
	roster i drop j >"$top/one"
	roster twin add "$(jq -c '.name = "other"' <<<"$entry")" >"$top/two"
	run -1 on a keyd follow "$top/one" "$top/two"
	says 'have the number'
	[[ $(listed a) == *j* ]]
	run -0 on i keyd follow "$file"
	run -1 on i keyd follow "$top/two"
	says 'have the number'
	grep -qxFf "$top/one" "$file"    # what it has taken it still passes on
	run ! grep -qxFf "$top/two" "$file"
	run -0 roster i add "$entry"
	run -0 on a keyd follow "$top/one" "$top/two" "$file"
	[ "$(listed a)" = "$(listed i)" ]
}

@test "a clone of an issuer, or one that was restored, stops publishing until init --adopt and a new entry" {
	second
	cp -a "$top/j" "$top/copy"
	sed "s|$top/j/|$top/copy/|" "$top/j.yaml" >"$top/copy.yaml"
	on j keyd publish
	run -0 on j keyd follow "$other"    # its own line is its own
	cp "$other" "$top/mine"
	run -1 on copy keyd follow "$top/mine"
	says 'is not of this host'
	says 'stopped'
	run -1 on copy keyd publish
	says 'rjwt-keyd init --adopt'
	old=$(base j)
	run -1 on copy keyd init --adopt
	says 'until a roster names this one'
	renewed=$(tail -n 1 <<<"$output")
	[ "$(jq -r .name <<<"$renewed")" = j ]
	[ "$(jq -r .base <<<"$renewed")" != "$old" ]
	[ "$(jq -r .key <<<"$renewed")" != "$(jq -r .key <<<"$entry")" ]
	run -1 on copy keyd publish
	says 'does not list base'
	run -0 on copy keyd follow "$top/mine"
	[ ! -e "$top/copy/state/fleet/$old" ]    # it never follows what it was
	roster i add "$renewed" >/dev/null
	on copy keyd follow "$file"
	run -0 on copy keyd publish
	joined a
	on a keyd follow "$top/copy/state/www/fleet.jws"
	settle a
	judged a accepted "$(mint copy a alice)"
	judged a 'rejected: key_unknown' "$(mint j a alice)"
}

@test "a line ahead of its keyset stops an issuer too, and an earlier one of its own does not" {
	second
	cp "$other" "$top/earlier"
	cp -a "$top/j" "$top/backup"
	aged j 130
	on j keyd rotate
	run -0 on j keyd follow "$top/earlier"
	cp "$other" "$top/later"
	on i keyd follow "$top/later"
	rm -rf "$top/j" && cp -a "$top/backup" "$top/j"
	reseal '.serial += 1000000' "$top/j/state/private/published.json"
	run -1 on j keyd follow "$file"
	says 'is not of this host'
	run -1 on j keyd publish
}

@test "rotate --compromised on an issuer begins a new base and a new bundle key, and prints the entry" {
	token_of_second
	on j keyd revoke --sub bob || true
	old=$(base j) before=$(md5sum <"$top/j/state/private/bundle.key")
	run -1 on j keyd rotate --compromised
	says 'until a roster names this one'
	renewed=$(tail -n 1 <<<"$output")
	[ "$(base j)" != "$old" ]
	[ "$(md5sum <"$top/j/state/private/bundle.key")" != "$before" ]
	run -1 on j keyd publish
	on a keyd follow "$other"
	judged a 'rejected: key_unknown' "$token"    # the last line of the old key said so
	roster i add "$renewed" >/dev/null
	on a keyd follow "$file"
	on j keyd follow "$file"
	on j keyd publish
	on a keyd follow "$other"
	settle a
	judged a accepted "$(mint j a alice)"
	run -0 on a keyd init    # the twin: who issues nothing
	run -0 on a keyd rotate --compromised
	[ "$(wc -l <<<"$output")" -le 2 ]
}

@test "the next key is not promoted before it was out for two minutes, but for a count" {
	second
	for what in 'rotate' 'revoke --all' "revoke --kid $(base i).1"; do
		# shellcheck disable=SC2086    # words
		run -1 on i keyd $what
		says 'hosts that follow may not know the next key yet: wait '
	done
	[ "$(jq .active.version "$top/i/state/keyset.json")" -eq 1 ]
	aged i 60
	run -1 on i keyd rotate
	aged i 61
	run -0 on i keyd rotate
	[ "$(jq .active.version "$top/i/state/keyset.json")" -eq 2 ]
	run -1 on i keyd rotate    # the new one is not out yet
	echo 'max_tokens_per_key: 1' >>"$top/i.yaml"
	mint i a alice
	run -0 on i issue -a a alice
	says 'faster than hosts follow'
	[ "$(jq .active.version "$top/i/state/keyset.json")" -gt 2 ]
	run -0 on a keyd init
	run -0 on a keyd rotate    # nobody follows this one
}

@test "what has not changed is published again after ten minutes, not earlier, and by once; a week is the default for a key" {
	second
	before=$(serial i)
	on i keyd once
	[ "$(serial i)" = "$before" ]
	aged i 400
	on i keyd once
	[ "$(serial i)" = "$before" ]
	aged i 201
	touch -d '2 seconds ago' "$file"
	mtime=$(stat -c %Y "$file")
	on i keyd once
	[ "$(serial i)" -gt "$before" ]
	[ "$(stat -c %Y "$file")" -gt "$mtime" ]
	reseal '.active.since -= 200000' "$top/i/state/keyset.json"
	aged i 300
	on i keyd once
	[ "$(jq .active.version "$top/i/state/keyset.json")" -eq 1 ]    # two days: not yet
	reseal '.active.since -= 500000' "$top/i/state/keyset.json"
	on i keyd once
	[ "$(jq .active.version "$top/i/state/keyset.json")" -eq 2 ]
	rm -r "$top/i/state/www"
	echo >"$top/i/state/www"    # a file, in which there is no room for another
	aged i 700
	run -0 on i keyd once    # prevents nothing else, and is said
	says 'not published'
}

@test "a bundle key or a record that is lost or damaged is answered by init --adopt; no base gets a second key" {
	second
	old=$(base j)
	mv "$top/j/state/private/bundle.key" "$top/lost"
	run -1 on j keyd publish
	run -1 on j keyd fleet request http://j.example/fleet.jws j
	says 'cannot have a second one'
	mv "$top/lost" "$top/j/state/private/bundle.key"
	[ "$(on j keyd fleet request http://j.example/fleet.jws j 2>/dev/null)" = "$entry" ]    # the twin
	rm "$top/j/state/private/bundle.key"
	run -1 on j keyd init --adopt
	renewed=$(tail -n 1 <<<"$output")
	[ "$(jq -r .base <<<"$renewed")" != "$old" ]
	roster i add "$renewed" >/dev/null
	on j keyd follow "$file"
	run -0 on j keyd publish
	echo torn >"$top/j/state/private/published.json"
	run -1 on j keyd publish
	says 'is damaged'
	run -1 on j keyd init --adopt
	says 'until a roster names this one'
	roster i add "$(tail -n 1 <<<"$output")" >/dev/null
	run -0 on j keyd follow "$file"
	run -0 on j keyd publish
	[ "$(find "$top/j/state/fleet" -mindepth 1 -maxdepth 1 -printf %f)" = "$(base i)" ]    # nothing that it was is followed here
}

@test "an issuer gives no token that it cannot record: a denial is dated after the newest record" {
	rm -r "$top/i/state/issued"
	: >"$top/i/state/issued"
	run --separate-stderr -1 on i issue -a a alice
	[ -z "$output" ]
	[[ $stderr == *"$top/i/state/issued: "*': a token that is not recorded could not be denied'* ]]
	rm "$top/i/state/issued"
	run -0 --separate-stderr on i issue -a a alice
	[ -n "$output" ]
	machine own 'leeway: 1s'
	on own keyd init
	rm -rf "$top/own/state/issued"
	: >"$top/own/state/issued"
	run -0 --separate-stderr on own issue alice
	[ -n "$output" ]
	[[ $stderr == *'the token was minted but not recorded: '* ]]
}
