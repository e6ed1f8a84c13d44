#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A fleet of an issuer and two hosts, which are three state directories: what is published, joined, followed and denied.
# tests/unit/test_document.c has each rule about a line.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	. "$RJWT_SOURCE/tests/bats/fleet.bash"
	fleet_folder
	mkdir "$top"/{i,a,b}
	machine i 'issuer: i.example' 'leeway: 1s'
	machine a 'leeway: 1s'
	machine b 'leeway: 1s'
	url=http://i.example/fleet.jws
}

begin()
{
	read -r _ _ _ key < <(on i keyd fleet init --key "$top/fleet.key" "$url" 2>"$top/said")
	file=$top/i/state/www/fleet.jws
}

# joined NAME... - these follow the issuer, and remember used tokens for long enough to take new ones
joined()
{
	local name
	for name; do
		on "$name" keyd join "$url" "$key"
		on "$name" keyd follow "$file"
	done
	settle "$@"
}

mint() { on i issue -a "$@" 2>/dev/null; }

# judged NAME VERDICT TOKEN
judged()
{
	run on "$1" verify -u alice -s sshd <<<"$3"
	[[ $output == "$2"* ]]
}

base() { jq -r .base "$top/i/state/keyset.json"; }

@test "nothing to a login on a second host: fleet init, join, follow, and a token of the issuer is accepted once it is for this host" {
	begin
	[ "$(stat -c %a "$top/fleet.key" "$top/i/state/private/bundle.key" "$file" | tr '\n' ' ')" = '600 600 644 ' ]
	[ "$(wc -l <"$file")" -eq 2 ]
	run -2 on a verify -u alice -s sshd <<<"$(mint a alice)"    # nothing joined, no keyset
	joined a b
	token=$(mint a alice)
	judged a accepted "$token"
	judged b 'rejected: audience' "$token"
	judged i 'rejected: audience' "$token"
	run -0 on a verify -u alice -s sshd --explain <<<"$token"
	says 'issuer i.example, audience a'
	[ ! -e "$top/a/state/private/bundle.key" ]
	[ -z "$(find "$top/a/state" -name '*.key')" ]
	run -1 on a issue alice    # it only follows
	says 'no keyset of its own'
}

@test "join and fleet init change nothing the second time, and follow with nothing new writes nothing" {
	begin
	joined a
	first=$key
	before=$(find "$top/a/state" -type f ! -name lock -printf '%p %T@ %i\n' | sort)
	run -0 on a keyd join "$url" "$key"
	says 'nothing changed'
	[ "$(find "$top/a/state" -type f ! -name lock -printf '%p %T@ %i\n' | sort)" = "$before" ]
	states() { find "$top/a/state" -printf '%p %T@ %C@ %i\n' | sort; }    # of the lock, too
	before=$(states)
	run -0 on a keyd follow "$file"
	says 'nothing new'
	[ "$(states)" = "$before" ]
	on i keyd publish
	run -0 on a keyd follow "$file"
	says 'installed serial'
	[ "$(states)" != "$before" ]
	begin
	[ "$key" = "$first" ]
	[ "$(wc -l <"$file")" -eq 2 ]
}

@test "revoke --sub on the issuer is a denial: published before the command returns, and it closes the host with the next follow" {
	begin
	joined a b
	sed -i 's/leeway: 1s/leeway: 5s/' "$top/i.yaml"    # a slow machine needs more than a second for the next commands
	token=$(mint a --reusable alice)
	other=$(on i issue -a a --reusable bob 2>/dev/null)
	active=$(jq .active.version "$top/i/state/keyset.json")
	run -0 on i keyd revoke --sub alice
	says 'tokens of alice minted until'
	[ "$(jq .active.version "$top/i/state/keyset.json")" -eq "$active" ]    # it promotes nothing
	judged a accepted "$token"
	run -1 on i issue -a a alice
	says 'denied: tokens for alice are denied until'
	on a keyd follow "$file"
	judged a 'rejected: denied' "$token"
	run -0 on a verify -u bob -s sshd <<<"$other"
	judged i 'rejected: ' "$token"
	forgive 10
	judged a accepted "$(mint a alice)"
}

@test "revoke --jti denies one token and no other" {
	begin
	joined a
	token=$(mint a --reusable alice)
	other=$(mint a --reusable alice)
	run -0 on i keyd revoke --jti "$(cut -d. -f2 <<<"$token" | basenc --base64url -d 2>/dev/null | jq -r .jti)"
	on a keyd follow "$file"
	judged a 'rejected: denied' "$token"
	judged a accepted "$other"
}

@test "an older file is a rollback: nothing is installed, and what was denied stays so" {
	begin
	joined a
	token=$(mint a --reusable alice)
	cp "$file" "$top/old"
	on i keyd revoke --sub alice
	on a keyd follow "$file"
	judged a 'rejected: denied' "$token"
	run -1 on a keyd follow "$top/old"
	says 'a rollback'
	judged a 'rejected: denied' "$token"
	cat "$top/old" "$file" >"$top/both"    # order means nothing
	run -0 on a keyd follow "$top/both" "$top/both"
	judged a 'rejected: denied' "$token"
}

@test "lines that nobody signed who counts are skipped, alone" {
	begin
	on a keyd join "$url" "$key"
	{ head -c 300000 /dev/zero | tr '\0' A; echo; echo rubbish; sed 's/.$/x/' "$file"; tac "$file"; } >"$top/mixed"
	run -0 on a keyd follow "$top/mixed"
	says 'installed serial'
	says '4 lines skipped'
	settle a
	judged a accepted "$(mint a alice)"
}

@test "another fleet's lines are not believed, nor is its pin taken without join; join with another key begins anew" {
	begin
	joined a
	token=$(mint a --reusable alice)
	mv "$top/i" "$top/i.1"
	mkdir "$top/i"
	mv "$top/fleet.key" "$top/fleet.key.1"
	first=$key
	begin    # as a stranger would
	[ "$key" != "$first" ]
	forged=$(mint a --reusable alice)
	run -0 on a keyd follow "$file"
	says '2 lines skipped'
	judged a 'rejected: key_unknown' "$forged"
	judged a accepted "$token"
	on a keyd join "$url" "$key"
	run -2 on a verify -u alice -s sshd <<<"$token"    # no roster of this chain came yet
	says 'no issuer has been heard from yet'
	on a keyd follow "$file"
	judged a 'rejected: key_unknown' "$token"
	settle a
	judged a accepted "$(mint a alice)"
}

@test "a followed token has the iss of its roster's entry, whatever issuer says in rjwt.yaml" {
	begin
	joined a
	echo 'issuer: other.example' >>"$top/a.yaml"
	judged a accepted "$(mint a --reusable alice)"
	judged a 'rejected: issuer' "$(on i issue -i other.example -a a --reusable alice 2>/dev/null)"
}

@test "a one-time token is spent on the host, and one from before the host was there counts as spent" {
	begin
	early=$(mint a alice)
	on a keyd join "$url" "$key"
	on a keyd follow "$file"
	judged a 'rejected: spent' "$early"
	settle a
	judged a accepted "$(mint a alice)"
	rm -r "$top"/a/state/fleet/*/spent
	token=$(mint a alice)
	run -2 on a verify -u alice -s sshd <<<"$token"
	says spent
	on a keyd follow "$file"
	judged a 'rejected: spent' "$token"    # nobody knows
	settle a
	judged a accepted "$(mint a alice)"
}

@test "an issuer that was not heard from for fleet_max_age gets no verdict, and its tokens count again after the next follow" {
	begin
	joined a
	echo 'fleet_max_age: 60s' >>"$top/a.yaml"
	token=$(mint a --reusable -t 10m alice)
	judged a accepted "$token"
	run -2 on a verify --at +61s -u alice -s sshd <<<"$token"
	says stale
	run -0 on a verify --at +50s -u alice -s sshd <<<"$token"
}

@test "a host with a keyset of its own judges both; a fleet.json that is torn closes the followed one alone" {
	printf '%s\n' "state_dir: $top/a/state" 'audience: a' 'issuer: a.example' 'leeway: 1s' >"$top/a.yaml"
	on a keyd init
	begin
	joined a
	own=$(on a issue --reusable alice)
	token=$(mint a --reusable alice)
	judged a accepted "$own"
	judged a accepted "$token"
	truncate -s -9 "$top/a/state/fleet.json"
	judged a accepted "$own"
	run -2 on a verify -u alice -s sshd <<<"$token"
	says fleet.json
	on a keyd join "$url" "$key"
	on a keyd follow "$file"
	judged a accepted "$token"
	on a keyd revoke --sub alice    # on this host alone
	judged a 'rejected: denied' "$token"
	judged a 'rejected: denied' "$own"
}

@test "denials that are missing give no verdict, and a damaged one rejects until it is written again" {
	begin
	joined a
	token=$(mint a --reusable alice)
	mv "$top/a/state/denied" "$top/a/denied"
	run -2 on a verify -u alice -s sshd <<<"$token"
	mv "$top/a/denied" "$top/a/state/denied"
	judged a accepted "$token"
	on i keyd revoke --sub alice
	on a keyd follow "$file"
	forgive 10
	token=$(mint a --reusable alice)
	judged a accepted "$token"
	: >"$(find "$top"/a/state/fleet/*/denied/sub -type f)"
	judged a 'rejected: denied' "$token"
	on i keyd publish
	on a keyd follow "$file"
	judged a accepted "$token"
}

@test "files that anybody may write are read as such: no link, no fifo, no second name, not too large" {
	begin
	on a keyd join "$url" "$key"
	ln -s "$file" "$top/link"
	cp "$file" "$top/copy" && ln "$top/copy" "$top/twin"
	mkfifo "$top/fifo"
	truncate -s 4194305 "$top/large"
	for name in link twin fifo large; do
		run -1 timeout 20 "$RJWT_BUILD/rjwt-keyd" -c "$top/a.yaml" follow "$top/$name"
		[ ! -e "$top/a/state/fleet/$(base)" ]
	done
	chmod 0666 "$top/copy" && rm "$top/twin"
	run -1 on a keyd follow "$top/link" "$top/copy"    # one that is refused stops no other
	says 'installed serial'
}

# aged - as if the next key of the issuer had been out for more than two minutes
aged() { reseal '.next_since -= 130' "$top/i/state/private/published.json"; }

@test "a rotation is published by itself, and by whoever mints; a secret key cannot be" {
	begin
	joined a
	serial=$(jq .followed.serial "$top/a/state/fleet/$(base)/keyset.json")
	aged
	on i keyd rotate
	on a keyd follow "$file"
	[ "$(jq .followed.serial "$top/a/state/fleet/$(base)/keyset.json")" -gt "$serial" ]
	[ "$(jq .active.version "$top/a/state/fleet/$(base)/keyset.json")" -eq 2 ]
	judged a accepted "$(mint a alice)"
	echo 'alg: HS256' >>"$top/i.yaml"
	aged
	run -0 on i keyd rotate
	says 'not published'
	run -1 on i keyd publish
	says 'is a secret'
}

@test "what is typed wrongly is usage, and changes nothing" {
	begin
	for words in "join $url" "join ftp://i/f $key" "join $url ${key}x" "join $url AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
		'fleet init' 'fleet drop' 'fleet drop i --check' 'fleet grow i' 'publish x'; do
		# shellcheck disable=SC2086    # words
		run -2 on a keyd $words
	done
	run -2 on a keyd fleet grow i
	says 'fleet grow: expected init, request, add, drop, roll or the file of a log (written as ./grow)'
	run -1 on a keyd fleet ./grow
	says 'joined no fleet'
	run -1 on a keyd follow "$file"
	says 'joined no fleet'
	run -2 on a keyd publish || [ "$status" -eq 1 ]
	[ ! -e "$top/a/state/fleet.json" ]
}

# as_on_page - what is printed, with the names of the page's hosts, and without what is another one each time
as_on_page()
{
	sed -E -e "s|$top/fleet.key|/root/rjwt-fleet.key|; s|$top/i/state|/var/lib/rjwt|; s|i\.example/|i1.example.org/|; s/-a a /-a web1 /" \
		-e 's/ of [^ :]+: / of i1: /; s/rjwt-keyd: [^ :]+: installed/rjwt-keyd: i1: installed/; s/[0-9]{10}/N/g; s/(join [^ ]*) .*/\1 KEY/'
}

@test "rjwt-fleet(7) shows what the programs print" {
	on i keyd fleet init --key "$top/fleet.key" "$url" >"$top/printed" 2>&1
	read -r _ _ _ key < <(tail -n 1 "$top/printed")
	{
		on a keyd join "$url" "$key"
		on a keyd follow "$top/i/state/www/fleet.jws"
	} >>"$top/printed" 2>&1
	diff <(sed -n '/^\.Ss From nothing/,/^\.Ss What is trusted/p' "$RJWT_SOURCE/man/rjwt-fleet.7" | grep '^rjwt-' | as_on_page) \
		<(as_on_page <"$top/printed")
}

# bats test_tags=long
@test "the line for hosts can be typed as it is printed: no key begins as an option does" {
	for _ in {1..80}; do    # one in 64 would
		rm -rf "$top/i" "$top/fleet.key"
		mkdir "$top/i"
		begin
		[ "${#key}" -eq 43 ]
		[[ $key != -* ]]
	done
}

# bats test_tags=long
@test "64 logins beside installs: a one-time token opens the host once, and each installed bundle is whole" {
	[ -x "$RJWT_BUILD/tests/fault/login" ] || skip 'tests/fault/login is not built'
	begin
	joined a
	for round in 1 2 3; do
		token=$(mint a alice)
		(for _ in 1 2 3 4; do on i keyd publish && on a keyd follow "$file"; sleep 0.3; done) >"$top/installs" 2>&1 3>&- &
		installs=$!
		: >"$top/logins"
		pids=()
		for _ in {1..64}; do
			(status=0 && "$RJWT_BUILD/tests/fault/login" "$top/a.yaml" alice sshd "$token" >/dev/null 2>&1 || status=$?
				echo $status >>"$top/logins") 3>&- &
			pids+=($!)
		done
		wait "${pids[@]}" $installs
		[ "$(wc -l <"$top/logins")" -eq 64 ]
		[ "$(grep -cx 0 "$top/logins")" -eq 1 ] || { sort "$top/logins" | uniq -c; echo "round $round"; return 1; }
		grep -q 'installed serial' "$top/installs"
		judged a 'rejected: spent' "$token"
		judged a accepted "$(mint a alice)"
	done
}
