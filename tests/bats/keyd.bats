#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-keyd: init, once, rotate, status, jwks, check. `run` has a file of its own.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq
	fresh
}

# modes - every file of the state directory with its mode
modes() { (cd "$state" && find . -printf '%m %P\n' | sort -k2); }

# edit FILTER - change keyset.json by jq, and seal it
edit()
{
	jq -c "$1" "$state/keyset.json" | seal >"$dir/edited"
	cat "$dir/edited" >"$state/keyset.json"
}

# backdate SECONDS - as if the active key had become active that much earlier
backdate() { edit ".active.since -= $1 | .next.published -= $1"; }

@test "init makes the keyset, with these modes under any umask" {
	expected='755 
700 issued
644 jwks.json
755 keys
644 keys/1.jwk
644 keys/2.jwk
644 keyset.json
700 private
600 private/1.key
600 private/1.minted
600 private/2.key
600 private/2.minted
600 private/lock
711 revoked
711 revoked/jti
711 revoked/sub
700 spent'
	for mask in 000 022 077 177; do
		rm -r "$state"
		run -0 --separate-stderr bash -c "umask $mask; exec \"\$@\"" - "$RJWT_BUILD/rjwt-keyd" -c "$conf" init
		[ -z "$output" ]
		[[ $stderr == "rjwt-keyd: created a keyset for host.example.org in $state: "*".1 signs now" ]]
		[ "$(modes)" = "$expected" ]
	done
	run -0 jq -c '[.format, .issuer, .audience, .active.version, .next.version, .next_version]' "$state/keyset.json"
	[ "$output" = '[1,"ca.example.org","host.example.org",1,2,3]' ]
}

@test "init twice is an error, with --if-missing success; the keyset stays as it is" {
	before=$(snapshot)
	refused 1 "$state: already has a keyset" keyd init
	run -0 --separate-stderr keyd init --if-missing
	[[ -z $output && $stderr == *"$state: the keyset exists and is left unchanged" ]]
	[ "$before" = "$(snapshot)" ]
	rm -r "$state"
	run -0 keyd --if-missing init
	run -0 keyd check
}

@test "init records issuer and audience, and takes base_kid; a new base for each keyset" {
	first=$(jq -r .base "$state/keyset.json")
	[[ $first =~ ^[A-Za-z0-9_-]{8}$ ]]
	rm -r "$state"
	keyd init
	[ "$first" != "$(jq -r .base "$state/keyset.json")" ]
	rm -r "$state"
	configure 'base_kid: prod-1' 'issuer: [new.example, old.example]' 'audience: [a.example, b.example]'
	keyd init
	run -0 jq -c '[.base, .issuer, .audience]' "$state/keyset.json"
	[ "$output" = '["prod-1","new.example","a.example"]' ]
}

@test "init refuses a host without a name of its own, unless issuer and audience are configured" {
	need_root
	need unshare "$python"
	unshare -u true 2>/dev/null || skip 'no UTS namespace can be made here'
	cat >"$dir/named" <<-'E'    # hostname(1) sets no empty name
		import os, socket, sys
		socket.sethostname(sys.argv[1])
		os.execv(sys.argv[2], sys.argv[2:])
	E
	init=("$RJWT_BUILD/rjwt-keyd" -c "$conf" init)
	for name in localhost LocalHost localhost.localdomain '(none)' ''; do
		rm -r "$state"
		printf 'state_dir: %s\n' "$state" >"$conf"
		refused 1 'set issuer and audience' unshare -u "$python" "$dir/named" "$name" "${init[@]}"
		[ ! -e "$state/keyset.json" ]
		configure
		run -0 unshare -u "$python" "$dir/named" "$name" "${init[@]}"
	done
	rm -r "$state"
	printf 'state_dir: %s\n' "$state" >"$conf"
	run -0 unshare -u "$python" "$dir/named" Web7.Example "${init[@]}"
	[ "$(jq -r .audience "$state/keyset.json")" = web7.example ]
}

@test "init refuses a folder that others can write to, one reached by a link, and a parent that is missing" {
	rm -r "$state"
	mkdir -p "$dir/open/in"
	ln -s "$dir" "$dir/link"
	chmod 0777 "$dir/open"
	refused 1 "$dir/open: writable by its group or by others" keyd -d "$dir/open/in" init
	refused 1 "$dir/link: not a directory (symbolic links are not followed)" keyd -d "$dir/link/state" init
	refused 1 "$dir/no" keyd -d "$dir/no/such/state" init
	chmod 0755 "$dir/open"
	run -0 keyd -d "$dir/open/in" init
	chmod 1777 "$dir/open"    # sticky is fine, above
	run -0 keyd -d "$dir/open/in" check
}

@test "once: nothing due is success and commits nothing; what is due by time is done" {
	before=$(sha256sum "$state"/*.json "$state"/keys/* "$state"/private/[0-9]*)
	old=$(kid) next=$(kid next)
	run -0 --separate-stderr keyd once
	[[ -z $output && $stderr == "rjwt-keyd: nothing was due, $old still signs" ]]
	[ "$before" = "$(sha256sum "$state"/*.json "$state"/keys/* "$state"/private/[0-9]*)" ]
	backdate 86400
	run -0 --separate-stderr keyd once
	[[ -z $output && $stderr == "rjwt-keyd: $next signs now, $old verifies until "*" (ES256) is next" ]]
	[ "$(active) $(active next) $(jq .next_version "$state/keyset.json")" = '2 3 4' ]
	# the private half is gone, and all that vouches for the key is stamped
	[ "$(cd "$state/private" && echo *.key)" = '2.key 3.key' ]
	run -0 jq -e '.exp - .retired == 86400 and .nbf < .retired' "$state/keys/1.jwk"
	run -0 jq -c '[.keys[] | [.kid[-2:], has("exp")]]' "$state/jwks.json"
	[ "$output" = '[[".1",true],[".2",false],[".3",false]]' ]
	run -0 keyd once
	says "nothing was due"
}

@test "rotate_every: 0 is never due, and check says what that means" {
	configure 'rotate_every: 0'
	backdate 86400000
	run -0 keyd once
	says 'nothing was due'
	run -0 keyd check
	says 'rotate_every is 0' OK
}

@test "rotate promotes the next key, and prints its kid alone" {
	old=$(issue --reusable alice)
	next=$(kid next)
	run -0 --separate-stderr keyd rotate
	[ "$output" = "$next" ]
	[[ $stderr == "rjwt-keyd: $next signs now, "* ]]
	[ "$(kid)" = "$next" ]
	new=$(issue --reusable alice)
	[ "$(header .kid "$new")" = "$next" ]
	verify -u alice -s sshd <<<"$old"
	verify -u alice -s sshd <<<"$new"
	configure 'alg: ES384'
	run -0 keyd rotate    # signs after the second rotation from now, and rotate says so
	says '(ES384) is next'
	[ "$(header .alg "$(issue alice)")" = ES256 ]
	keyd rotate
	[ "$(header .alg "$(issue alice)")" = ES384 ]
}

@test "--dry-run says what would be done, and changes no byte" {
	next=$(kid next)
	for due in no yes; do
		[ $due = no ] || backdate 86400
		before=$(snapshot; stat "$state/private/lock")
		run -0 --separate-stderr keyd once --dry-run
		if [ $due = no ]; then expected="nothing was due"; else expected="$next signs now"; fi
		[[ -z $output && $stderr == *"dry run, would do: $expected"* ]]
		run -0 keyd --dry-run rotate
		says 'dry run, would do: ' "$next signs now"
		[ "$before" = "$(snapshot; stat "$state/private/lock")" ]
	done
}

# bats test_tags=long
@test "a key signs max_tokens_per_key tokens, exactly: one after another, and by 12 at once" {
	configure 'max_tokens_per_key: 3'
	for n in 1 2 3 4 5 6 7; do kids+=$(header .kid "$(issue alice)" | tail -c 2); done
	[ "$kids" = 1112223 ]
	for n in {1..12}; do issue alice >"$dir/token.$n" 3>&- & pids+=($!); done
	for pid in "${pids[@]}"; do wait "$pid"; done
	cat "$dir"/token.* | while read -r token; do header .kid "$token"; done | sort | uniq -c >"$dir/counts"
	[ "$(awk '{ n += $1; if ($1 > 3) bad = 1 } END { print n, bad + 0 }' "$dir/counts")" = '12 0' ]
	for n in {1..12}; do verify "$dir/token.$n"; done
}

# bats test_tags=long
@test "16 at once rotate once: by time, and by hand" {
	backdate 86400
	for n in {1..16}; do keyd once 2>"$dir/once.$n" 3>&- & done
	wait
	[ "$(active)" -eq 2 ]
	[ "$(grep -l '\.2 signs now' "$dir"/once.* | wc -l)" -eq 1 ]
	need flock
	exec {lock}<>"$state/private/lock"
	flock $lock
	for n in {1..16}; do keyd rotate >"$dir/kid.$n" 2>/dev/null 3>&- {lock}>&- & done
	sleep 1    # until all of them wait
	exec {lock}>&-
	wait
	[ "$(active)" -eq 3 ]
	[ "$(sort -u "$dir"/kid.*)" = "$(kid)" ]
	[ "$(cat "$dir"/kid.* | wc -l)" -eq 16 ]
}

@test "what a crash left is removed, private keys and temporary files too, and a version is never used twice" {
	edit '.next_version = 4'    # claimed for a rotation that did not come to its commit
	cp "$state/private/2.key" "$state/private/3.key"
	touch "$state/private/3.minted" "$state/keys/3.jwk" "$state/keys/.new.3.jwk" "$state/private/.new.3.key"
	rm "$state/jwks.json"
	run -0 keyd check    # a rotation under way looks the same
	run -0 keyd once
	[ "$(cd "$state/private" && echo .new* *)" = '.new* 1.key 1.minted 2.key 2.minted lock' ]
	[ "$(cd "$state/keys" && echo .new* *)" = '.new* 1.jwk 2.jwk' ]
	run -0 jq -e '.keys | length == 2' "$state/jwks.json"
	keyd rotate
	[ "$(active) $(active next)" = '2 4' ]
}

@test "a retired key is forgotten when its time has passed by a clock that ran in step" {
	configure 'max_lifetime: 20s' 'default_lifetime: 20s' 'leeway: 0s' 'previous_key_ttl: 21s'
	keyd rotate
	sed -n 1p "$state/keys/1.jwk" | jq -c '.retired -= 25 | .exp -= 25' | seal >"$dir/key"
	cat "$dir/key" >"$state/keys/1.jwk"
	run -0 keyd once
	[ -e "$state/keys/1.jwk" ]
	edit '.clock.wall -= 25 | .clock.boottime -= 25'
	run -0 keyd once
	says 'keys below version 2 are removed'
	[ ! -e "$state/keys/1.jwk" ]
	[ "$(jq .floor "$state/keyset.json")" -eq 2 ]
}

# bats test_tags=long
@test "status: text and JSON say the same; 0 well, 1 needs attention, 3 broken" {
	issue alice >/dev/null
	run -0 keyd status
	says "keyset   $state" 'issuer ca.example.org, audience host.example.org' 'next     rotation in ' "$(kid) " "$(kid next) "
	keyd status --json | jq -e '.state == "well" and .issuer == "ca.example.org" and .next_event == "rotation" and
		[.keys[].state] == ["active", "next"] and .keys[0].minted == 1 and .notes == []'
	keyd rotate
	run -0 keyd status --json
	[ "$(jq -c '[.keys[].state]' <<<"$output")" = '["retired","active","next"]' ]
	sed -n 1p "$state/keys/1.jwk" | jq -c '.nbf -= 60 | .retired -= 40' | seal >"$dir/key"
	cat "$dir/key" >"$state/keys/1.jwk"
	keyd revoke --kid "$(jq -r .kid "$state/keys/1.jwk")"
	run -0 keyd status
	[[ $output =~ "$(jq -r .kid "$state/keys/1.jwk")  revoked  " ]]
	run -0 keyd status --json
	[ "$(jq '.keys[0].revoked' <<<"$output")" = "$(jq .revoked "$state/keys/1.jwk")" ]
	for trouble in 'overdue|backdate 120000' 'clock suspect|edit .clock.wall+=9999|.clock.boottime+=9'; do
		cp -a "$state" "$dir/saved"
		${trouble#*|}
		refused 1 "${trouble%%|*}" keyd status
		run -1 keyd status --json
		[ "$(jq -r '.state, .notes[0].level' <<<"$output" | uniq)" = attention ]
		refused 0 "${trouble%%|*}" keyd check
		run -0 keyd once    # mends both, but what happened to the clock is told until it can be believed again
		if [[ $trouble == clock* ]]; then
			refused 1 'clock suspect: it went back by 2h' keyd status
			configure 'max_lifetime: 1s' 'default_lifetime: 1s' 'leeway: 0s'
			edit '.clock.wall -= 9 | .clock.boottime -= 9'
		fi
		run -0 keyd status
		configure
		rm -r "$state"
		mv "$dir/saved" "$state"
	done
	rm "$state/keyset.json"
	refused 3 'rjwt-keyd init creates one' keyd status
	run -3 keyd status --json
	[ "$(jq -r .state <<<"$output")" = broken ]
}

@test "jwks prints the public keys and nothing of the private ones; HS* has no entry, and check warns" {
	keyd rotate
	keyd jwks | cmp - "$state/jwks.json"
	keyd jwks | jq -e '[.keys[] | .kty == "EC" and .use == "sig" and (has("d") or has("k") | not)] == [true, true, true]'
	rm -r "$state"
	configure 'alg: HS256'
	keyd init
	[ "$(keyd jwks)" = '{"keys":[]}' ]
	run -0 keyd check
	says 'shared secret (HS*)' OK
}

@test "status tells since when a rotation has been due" {
	backdate 86460
	run -0 keyd status
	[[ $output =~ next\ +rotation\ was\ due\ 1m([0-9]+s)?\ ago,\ 20[0-9T:-]+Z ]]
	run -0 keyd status --json
	jq -e '.next_event == "rotation" and .now - .next_event_at >= 60' <<<"$output"
}

@test "check: an area a line, FILE:LINE:COLUMN, what to do, the verdict last; it changes nothing" {
	before=$(snapshot)
	run -0 --separate-stderr keyd check
	[ -z "$stderr" ]
	[[ $output =~ $'\n'?OK\ \ \ \ keyset\ \ \ "$state: $(kid) signs" ]]
	verdict='^check: (OK|WARN): 0 FAIL, [0-9]+ WARN, [0-9]+ OK$'    # what else runs on this host changes the numbers
	[[ ${lines[-1]} =~ $verdict ]]
	run -0 keyd check -q
	[[ $output =~ $verdict ]]
	configure 'leeway: 1h'
	run -1 --separate-stderr keyd check
	[[ -z $stderr && ${lines[-1]} == 'check: FAIL: 1 FAIL, '* ]]
	says "FAIL  config   $conf:4:9: leeway: " '          fix: mend the file'
	run -1 keyd check --quiet
	[[ $output == 'check: FAIL: 1 FAIL, '* ]]
	run -3 keyd status --json
	[ "$(jq -c '.notes[0] | [.line, .column, .code]' <<<"$output")" = '[4,9,"config.invalid"]' ]
	[ "$before" = "$(snapshot)" ]
}

# codes - the findings of services and rules, each with its text
codes() { keyd check --json | jq -r '.findings[] | select(.code and (.area | IN("services", "issue"))) | "\(.level) \(.code) \(.text)"'; }

@test "check: a service that is closed to tokens while its twin is named, and open" {
	for pair in 'sudo sudo-i' 'su su-l' 'login remote'; do
		# shellcheck disable=SC2086    # words
		set -- $pair
		for two in "$1 $2" "$2 $1"; do
			configure "services: {${two% *}: \"\", ${two#* }: word}"
			[ "$(codes)" = "warn services.twin services closes ${two% *} to tokens, and opens ${two#* }" ]
			keyd check --json | jq -e --arg conf "$conf" '.findings[] | select(.code == "services.twin") | .path == $conf and (.fix | length > 0)'
			configure "services: {${two% *}: \"\"}"    # closes the other too
			[ -z "$(codes)" ]
			configure "services: {${two% *}: \"\", ${two#* }: \"\"}"
			[ -z "$(codes)" ]
			configure "services: {${two% *}: one, ${two#* }: word}"
			[ -z "$(codes)" ]
		done
	done
	configure
	run -0 keyd check
	says 'OK    services none of this host is closed to tokens'
	[ -e /etc/pam.d/login ] || skip 'no /etc/pam.d/login'
	configure 'services: {login: ""}'
	run -0 keyd check
	says 'OK    services closed to tokens: login'
}

@test "check: a rule whose scope opens no service here" {
	[ -e /etc/pam.d/login ] || skip 'no /etc/pam.d/login'
	rule() { configure "$@" 'issue:' '  - {who: [root], users: [root], scopes: [login, no-such], max_lifetime: 1m}'; }
	rule
	[ "$(codes)" = 'warn issue.scope rule 1: scope no-such opens no PAM service of this host' ]
	keyd check --json | jq -e '.findings[] | select(.code == "issue.scope").line > 1'
	rule 'services: {su: no-such}'
	[ -z "$(codes)" ]
	rule 'services: {login: ""}'
	[ "$(codes | cut -d' ' -f 1-6)" = $'warn issue.scope rule 1: scope login\nwarn issue.scope rule 1: scope no-such' ]
	# what another host has is not known here
	rule
	sed -i 's/max_lifetime/audience: [other.example.org], max_lifetime/' "$conf"
	[ -z "$(codes)" ]
}

@test "check --json: one object, schema 1, with the same exit status" {
	run -0 --separate-stderr keyd check --json
	[ "${#lines[@]}" -eq 1 ]
	jq -e '.schema == 1 and (.level == "ok" or .level == "warn") and .counts.fail == 0 and
		(.findings | length) == ([.counts[]] | add) and
		(.findings | all((.level | IN("ok", "warn", "fail")) and (.area | length > 0) and (.text | length > 0))) and
		(.findings | all(.level == "ok" or (.code | startswith("")) and (.fix | length > 0)))' <<<"$output"
	jq -e '[.findings[].area] | index("config") < index("keyset") and index("keyset") < index("pam")' <<<"$output"
	configure 'leeway: 1h'
	run -1 keyd check --json
	jq -e --arg conf "$conf" '.level == "fail" and .counts.fail == 1 and (.findings[] | select(.level == "fail")
		| .code == "config.invalid" and .area == "config" and .path == $conf and .line == 4 and .column == 9)' <<<"$output"
	[[ $output != *null* ]]
}

@test "check: a clock behind the keyset's own times is a failure; one that is ahead is not" {
	edit '.active.since += 4000 | .next.published += 4000' || edit '.active.since += 4000'
	run -1 keyd check --json
	jq -e '.findings | any(.code == "clock.wrong" and .level == "fail")' <<<"$output"
	edit '.active.since -= 8000'
	run -0 keyd check --json
	jq -e '.findings | any(.code == "clock.wrong") | not' <<<"$output"
}

# bats test_tags=long
@test "wrong use ends with 2, and says what was wrong" {
	before=$(snapshot)
	while IFS='|' read -r text arguments; do
		# shellcheck disable=SC2086    # words
		refused 2 "$text" keyd $arguments
		[[ $output == 'rjwt-keyd: '*"Try \`rjwt-keyd --help'." ]]
	done <<-'E'
		COMMAND is missing|
		unknown command; did you mean rotate?|rotat
		unknown command|frobnicate
		unexpected argument|rotate now
		unknown option|--frob once
		unknown option|-x once
		does not take --dry-run|init --dry-run
		does not take --json|once --json
		does not take --if-missing|rotate --if-missing
		does not take --json|run --json
		does not take --adopt|once --adopt
		does not take --compromised|revoke --compromised
		does not take --sub|rotate --sub alice
		cannot be combined|init --adopt --if-missing
		name exactly one of --jti, --sub, --kid and --all|revoke
		name exactly one of --jti, --sub, --kid and --all|revoke --all --kid x.1
		given twice|revoke --kid x.1 --kid x.2
		unexpected argument|revoke --all alice
		the argument is missing|once --state-dir
		--config and --state-dir cannot be used: each stack says which configuration it reads|try root
		does not take --dry-run|try --dry-run root
	E
	refused 2 'try: --config and --state-dir cannot be used' "$RJWT_BUILD/rjwt-keyd" -d "$state" try root
	refused 2 'try: USER is missing' "$RJWT_BUILD/rjwt-keyd" try
	refused 2 'try: no user no-such-user on this host' "$RJWT_BUILD/rjwt-keyd" try no-such-user
	for name in no-such-service ../passwd ''; do
		refused 2 "try: no service $name: there is no such file in /etc/pam.d" "$RJWT_BUILD/rjwt-keyd" try root "$name"
	done
	[ "$before" = "$(snapshot)" ]
}

# bats test_tags=long
@test "revoke: what has the wrong shape is wrong use, what hits nothing says so, and an id may be cut short" {
	token=$(issue alice)
	other=$(issue alice)
	id=$(claim .jti "$token")
	refused 2 "--jti \"jti=$id\": not a token id (leave out \"jti=\")" keyd revoke "--jti=jti=$id"
	refused 2 'not a token id' keyd revoke "--jti=$id,"
	refused 2 'not a token id' keyd revoke "--jti=${id:0:5}"
	refused 2 'not a token id' keyd revoke "--jti=${id}x"
	refused 1 'no live token begins with it; nothing was revoked' keyd revoke --jti AAAAAAA
	[ -z "$(ls -A "$state/revoked/jti")" ]
	verify -u alice -s sshd <<<"$token"
	try 0 keyd revoke "--jti=${id:0:6}"
	[[ $stderr == *$'\nrjwt-keyd: 1 live token was revoked' ]]
	try 1 verify -u alice -s sshd <<<"$token"
	try 0 keyd revoke "--jti=$id"
	[[ $stderr == *'its live tokens were revoked before' ]]
	# a whole id that nobody knows is recorded: it may be another machine's record that was lost
	try 1 keyd revoke --jti AAAAAAAAAAAAAAAAAAAAAA
	[[ $stderr == *'AAAAAAAAAAAAAAAAAAAAAA: recorded, but no live token of it is known: check the spelling' ]]
	[ "$(find "$state/revoked/jti" -type f | wc -l)" -eq 2 ]
	verify -u alice -s sshd <<<"$other"
	try 1 keyd revoke --sub alcie
	[[ $stderr == *'alcie: recorded, but no live token of it is known (did you mean alice?)' ]]
	try 0 keyd revoke --dry-run --sub alice
	[[ $stderr == *'1 live token would be revoked' ]]
	try 1 keyd revoke --sub alice alcie
	[[ $stderr == *$'1 live token was revoked\nrjwt-keyd: alcie: recorded, but no live token of it is known (did you mean alice?)' ]]
	try 1 verify -u alice -s sshd <<<"$other"
	try 0 keyd revoke --all
	[[ $stderr == *'its live tokens were revoked before' ]]
}

@test "revoke: a record that cannot be read prevents nothing, and two ids that begin alike are told" {
	token=$(issue alice)
	file=$(find "$state/issued" -type f)
	cp -p "$file" "$dir/kept"
	sed "s/\"jti\":\"[^\"]*\"/\"jti\":\"abcdefAAAAAAAAAAAAAAAA\"/p; s/abcdefA/abcdefB/; \$a not JSON" "$dir/kept" >"$file"
	refused 1 '2 live tokens begin with it; nothing was revoked' keyd revoke --jti abcdef
	try 0 keyd revoke --jti abcdefB
	rm "$file"
	mkdir -m 0700 "$file"
	refused 1 'abcdef: cannot be looked up; nothing was revoked (name the whole id)' keyd revoke --jti abcdef
	try 0 keyd revoke --sub alice
	[[ $stderr == 'rjwt-keyd: warning: cannot count live tokens: '* ]]
	try 1 verify -u alice -s sshd <<<"$token"
}
