#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A host of a fleet: which files follow reads, what a carrier asks for, and what status, check and list say of a host that
# has no keyset of its own. tests/bats/fleet.bats has what is published, joined, followed and denied.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	. "$RJWT_SOURCE/tests/bats/fleet.bash"
	fleet_folder
	mkdir "$top"/{i,a,c,spool}
	machine i 'issuer: i.example' 'leeway: 1s'
	machine a 'leeway: 1s'
	url=http://i.example/fleet.jws
	read -r _ _ _ key < <(on i keyd fleet init --key "$top/fleet.key" "$url" 2>"$top/said")
	file=$top/i/state/www/fleet.jws
	on a keyd join "$url" "$key"
}

serial() { jq .followed.serial "$top"/a/state/fleet/*/keyset.json; }

@test "follow reads the files of a directory whose names end in .jws, and shows no other name" {
	cp "$file" "$top/spool/i.jws"
	mkdir "$top/spool/d.jws"
	ln -s "$file" "$top/spool/link.jws"
	mkfifo "$top/spool/fifo.jws"
	cp "$file" "$top/spool/.new.jws"
	printf x >"$top/spool/"$'\e[31mevil.jws'
	printf x >"$top/spool/i.answered"
	run -1 timeout 20 "$RJWT_BUILD/rjwt-keyd" -c "$top/a.yaml" follow "$top/spool"
	says 'installed serial'
	says "$top/spool/link.jws: not a regular file"
	says "$top/spool/fifo.jws: not a regular file"
	says "$top/spool/d.jws: not a regular file"
	[[ $output != *evil* && $output != *answered* && $output != *.new* ]]
	[ "$(serial)" -gt 1 ]
	rm -r "$top"/spool/{d,link,fifo}.jws
	run -0 on a keyd follow "$top/spool"
	says 'nothing new'
}

@test "follow reads at most 16 files of a directory, says that there are more, and installs what the others offer" {
	for n in {1..16}; do cp "$file" "$top/spool/$n.jws"; done
	run -0 on a keyd follow "$top/spool"
	says 'installed serial'
	for n in {17..40}; do cp "$file" "$top/spool/$n.jws"; done
	run -1 on a keyd follow "$top/spool"
	says 'not read: more than 16 files'
	[ "$(grep -c 'more than' <<<"$output")" -eq 1 ]
}

@test "mirrors prints the address that join was told, then that of each issuer; --agent what the host has" {
	run -0 on a keyd mirrors
	[ "$output" = "$url" ]
	run -0 on a keyd mirrors --agent
	[ "$output" = 'rjwt/1 a n=0' ]
	on a keyd follow "$file"
	run -0 on a keyd mirrors
	[ "$output" = "$url" ]
	run -0 on a keyd mirrors --agent
	[ "$output" = "rjwt/1 a n=$(jq .roster.n "$top/a/state/fleet.json") $(jq -r '.roster.issuers[0].name' "$top/a/state/fleet.json")=$(serial)" ]
	run -0 on i keyd mirrors    # an issuer is in its fleet too
	[ "$output" = "$url" ]
	mkdir "$top/b"
	machine b
	run -1 on b keyd mirrors
	says 'joined no fleet'
}

@test "mirrors --agent is one word for the host, whatever it is called" {
	rm -r "$top/a/state"
	machine a
	sed -i 's/^audience: a$/audience: "a b\\"c; $(x)"/' "$top/a.yaml"
	on a keyd join "$url" "$key"
	run -0 on a keyd mirrors --agent
	[ "$output" = 'rjwt/1 a_b_c____x_ n=0' ]
}

@test "status and check of a host that only follows: no news is WARN, and FAIL when its tokens stop" {
	on a keyd follow "$file"
	name=$(jq -r '.roster.issuers[0].name' "$top/a/state/fleet.json")
	run -0 on a keyd status
	[[ ${lines[0]} =~ ^"OK    a: follows 1 issuer; $name serial $(serial), "[0-9]+"s ago"$ ]]
	[[ ${lines[1]} == 'ISSUER '*'SIGNS '*'SERIAL  NEWS '*'MIRROR  TOKENS STOP IN' ]]
	[[ ${lines[2]} =~ ^"$name ".*\.1\ .*"s ago  -       "(6d23h|7d)$ ]]
	[ "${#lines[@]}" -eq 3 ]
	run -0 on a keyd status --json
	[ "$(jq -r '.level, .fleet.roster > 1, .fleet.issuers[0].issuer, .fleet.issuers[0].serial, (.keys | length)' <<<"$output" | tr '\n' ' ')" = \
		"ok true $name $(serial) 0 " ]
	[ "$(jq '.fleet.issuers[0] | .stale_at - .issued' <<<"$output")" -eq 604800 ]
	on a keyd check >"$top/checked" || true    # the machine's PAM and log may be as they are
	# and whatever this machine has of systemd and cron: tests/system/fleet.bats says which of the two it must be
	grep -qE '^(OK    fleet    follows 1 issuer, by roster |WARN  fleet    neither a unit of systemd nor cron )' "$top/checked"
	run -1 grep -E '^[A-Z]+ +(keyset|rotation) ' "$top/checked"
	run -0 on a keyd list
	[ "$output" = '0 tokens live' ]
	run -0 on a keyd list --json
	[ "$(jq '.tokens | length' <<<"$output")" -eq 0 ]
	run -0 on a keyd once
}

@test "check says on an issuer for how long a host may be away" {
	# away NAME - what it says; the machine's PAM and log may be as they are
	away() { { on "$1" keyd check --json || true; } | jq -r '.findings[] | select(.code == "rotation.away") | .level, .text'; }
	[[ "$(away i)" == ok$'\n''keys rotate every 7d: a host that hears nothing for so long '* ]]
	machine i 'rotate_every: 1d'
	[[ "$(away i)" == ok$'\n''keys rotate every 1d: '* ]]
	machine i 'rotate_every: 0'
	[ -z "$(away i)" ]
	machine own
	on own keyd init
	[ -z "$(away own)" ]
	[ -z "$(away a)" ]
}

# aged SECONDS - what is installed is so much older
aged() { reseal ".followed.issued = $(($(date +%s) - $1))" "$top"/a/state/fleet/*/keyset.json; }

@test "status by the age of what is installed: 30 minutes, ahead of the clock, fleet_max_age" {
	on a keyd follow "$file"
	aged 1700
	run -0 on a keyd status
	aged 1900
	run -1 on a keyd status
	says ': no news for 31m' '; its tokens stop in 6d23h' 'WARN  fleet '
	aged -200
	run -0 on a keyd status
	aged -400
	run -1 on a keyd status
	says "ahead of this host's clock"
	aged 604700
	run -1 on a keyd status
	aged 604900
	run -3 on a keyd status
	says 'FAIL  a: ' 'its tokens get no verdict' stopped
	run -3 on a keyd status -q
	[ "${#lines[@]}" -eq 1 ]
	run -3 on a keyd status --json
	[ "$(jq -r '.level, .findings[0].code' <<<"$output" | tr '\n' ' ')" = 'fail fleet.stale ' ]
}

@test "status: a denial that is dated 20 minutes ahead, of this host or of an issuer, needs attention" {
	on a keyd follow "$file"
	sub=$(printf %s alice | sha256sum | cut -d' ' -f1)
	for where in "$top/a/state" "$top"/a/state/fleet/*; do
		echo $(($(date +%s) + 1100)) >"$where/denied/sub/$sub"
		run -0 on a keyd status
		echo $(($(date +%s) + 1300)) >"$where/denied/sub/$sub"
		run -1 on a keyd status
		says '1 denial is dated more than 20m ahead'
		run -1 on a keyd status --json
		[ "$(jq -r '.findings[].code' <<<"$output")" = fleet.denials ]
		echo 4070908800 >"$where/denied/jti/$sub"
		run -1 on a keyd status
		says '2 denials are dated' 'the last 2099-01-01T00:00:00Z'
		rm "$where"/denied/{sub,jti}/"$sub"
	done
	run -0 on a keyd status
}

@test "status: what removed denials left behind is broken if it is ahead of the clock" {
	on a keyd follow "$file"
	printf '%s\n' "state_dir: $top/b/state" 'audience: b' 'issuer: b.example' 'leeway: 1s' >"$top/b.yaml"
	mkdir "$top/b"
	on b keyd init    # with a keyset of its own
	on b keyd join "$url" "$key"
	on b keyd follow "$file"
	for name in a b; do
		for where in "$top/$name/state/fleet.json" "$top/$name"/state/fleet/*/keyset.json; do
			cp "$where" "$top/kept"
			reseal "(.followed // .).before = $(($(date +%s) - 5))" "$where"
			run -0 on $name keyd status
			reseal '(.followed // .).before = 4070908800' "$where"
			if [[ $name-$where == a-*/fleet.json ]]; then    # it is for tokens of its own, of which there are none
				run -0 on $name keyd status
				continue
			fi
			run -3 on $name keyd status
			says 'tokens issued until 2099-01-01T00:00:00Z are rejected'
			run -3 on $name keyd status --json
			[ "$(jq -r '.findings[].code' <<<"$output")" = fleet.before ]
			cat "$top/kept" >"$where"
			run -0 on $name keyd status
		done
	done
}

@test "what removed denials left behind closes the keyset that it belongs to, so that a new base of an issuer heals it" {
	printf '%s\n' "state_dir: $top/b/state" 'audience: b' 'issuer: b.example' 'leeway: 1s' >"$top/b.yaml"
	mkdir "$top/b"
	on b keyd init
	on b keyd join "$url" "$key"
	on b keyd follow "$file"
	token=$(on i issue -a b --reusable alice 2>/dev/null)
	own=$(on b issue --reusable alice 2>/dev/null)
	run -0 on b verify -u alice -s sshd <<<"$token"
	run -0 on b verify -u alice -s sshd <<<"$own"
	where=$top/b/state/fleet.json
	cp "$where" "$top/kept"
	reseal '(.followed // .).before = 4070908800' "$where"
	run -0 on b verify -u alice -s sshd <<<"$token"
	run -1 on b verify -u alice -s sshd <<<"$own"
	says 'rejected: denied'
	cat "$top/kept" >"$where"
	where=$(echo "$top"/b/state/fleet/*/keyset.json)
	cp "$where" "$top/kept"
	reseal '(.followed // .).before = 4070908800' "$where"
	run -1 on b verify -u alice -s sshd <<<"$token"
	says 'rejected: denied'
	run -0 on b verify -u alice -s sshd <<<"$own"
}

@test "status of a host that has heard nothing, whose fleet.json is torn, or whose keyset of an issuer is" {
	run -3 on a keyd status
	says 'no roster has come yet from http://i.example/fleet.jws'
	on a keyd follow "$file"
	mv "$top/a/state/fleet" "$top/kept"
	mkdir "$top/a/state/fleet"
	run -3 on a keyd status
	says 'nothing has come yet'
	rmdir "$top/a/state/fleet"
	mv "$top/kept" "$top/a/state/fleet"
	run -0 on a keyd status
	truncate -s -9 "$top"/a/state/fleet/*/keyset.json
	run -3 on a keyd status
	says keyset.json
	truncate -s -9 "$top/a/state/fleet.json"
	run -3 on a keyd status
	says fleet.json
}

@test "a host with a keyset of its own has both in status, and an issuer does not follow itself" {
	printf '%s\n' "state_dir: $top/a/state" 'audience: a' 'issuer: a.example' 'leeway: 1s' >"$top/a.yaml"
	on a keyd init
	on a keyd follow "$file"
	run -0 on a keyd status
	says 'signs, ' 'TOKENS STOP IN'
	aged 1900
	run -1 on a keyd status
	says 'WARN  a: ' 'no news for'
	run -0 on i keyd status
	[[ $output != *ISSUER* ]]
}

# denied - how many denials the host has of its own, and of the issuer
denied() { echo "$(find "$top/a/state/denied" -type f | wc -l) $(find "$top"/a/state/fleet/*/denied -type f | wc -l)"; }

mint() { on i issue -a a "$@" 2>/dev/null; }

@test "denials go when the tokens that they reject have expired by the clock of the host and of each issuer; before stays in their place" {
	printf '%s\n' 'max_lifetime: 8s' 'default_lifetime: 8s' >>"$top/i.yaml"
	printf '%s\n' 'max_lifetime: 8s' 'default_lifetime: 8s' >>"$top/a.yaml"
	on a keyd follow "$file"
	run on i keyd revoke --sub alice    # 1: no live token of alice is known
	says 'are denied in this fleet'
	on a keyd follow "$file"
	[ "$(denied)" = '0 1' ]
	run -0 on a keyd once
	says 'nothing is due'
	[ "$(denied)" = '0 1' ]
	forgive 12
	reseal '.followed.issued -= 12' "$top"/a/state/fleet/*/keyset.json
	run -0 on a keyd once    # the issuer was not heard from since
	[ "$(denied)" = '0 1' ]
	on i keyd publish
	run -0 on a keyd follow "$file"
	says '1 denial of expired tokens removed'
	[ "$(denied)" = '0 0' ]
	date=$(jq .before "$top/a/state/fleet.json")
	[ "$date" -gt $(($(date +%s) - 30)) ]
	[ "$date" -lt "$(date +%s)" ]
	[ "$(jq .followed.before "$top"/a/state/fleet/*/keyset.json)" -eq "$date" ]
	# fleet.json is lost, and the host joins again
	cp -a "$top/a/state" "$top/whole"
	rm "$top/a/state/fleet.json"
	on a keyd join "$url" "$key"
	[ "$(jq .before "$top/a/state/fleet.json")" -eq "$date" ]
	if [ -e "$RJWT_BUILD/tests/fault/clock.so" ]; then    # also by a clock that is behind: the bundle's time is later
		echo '-3600 0' >"$top/clock"
		late() { LD_PRELOAD="$RJWT_BUILD/tests/fault/clock.so" RJWT_CLOCK_FILE="$top/clock" on a keyd "$@"; }
		rm "$top/a/state/fleet.json"
		late join "$url" "$key"
		[ "$(jq .before "$top/a/state/fleet.json")" -eq "$date" ]
		# and a directory that is lost
		rm -r "$top/a/state"
		cp -a "$top/whole" "$top/a/state"
		rm -r "$top"/a/state/fleet/*
		reseal '.roster.iat -= 1000' "$top/a/state/fleet.json"
		late follow "$file"
		[ "$(jq .followed.before "$top"/a/state/fleet/*/keyset.json)" -eq "$date" ]
	fi
	rm -r "$top/a/state"
	mv "$top/whole" "$top/a/state"
	# the issuer publishes it for longer: it is not written again
	on i keyd publish
	run -0 on a keyd follow "$file"
	[[ $output != *removed* ]]
	[ "$(denied)" = '0 0' ]
	# who publishes it keeps it for longer: other hosts may take tokens that live longer
	run -0 on i keyd once
	[ "$(find "$top/i/state/denied" -type f | wc -l)" -eq 1 ]
	printf '%s\n' 'previous_key_ttl: 10s' >>"$top/i.yaml"
	forgive 9
	run -0 on i keyd once
	says 'removed'
	[ "$(find "$top/i/state/denied" -type f | wc -l)" -eq 0 ]
	# a token from before is rejected for good, whatever the clock; a new one is accepted
	forgive 2
	run -0 on a verify -u alice -s sshd <<<"$(mint --reusable -t 4s alice)"
	reseal ".followed.before = $(($(date +%s) + 60))" "$top"/a/state/fleet/*/keyset.json
	run -1 on a verify -u alice -s sshd <<<"$(mint --reusable -t 4s alice)"
	says 'rejected: denied'
}

@test "a host that only follows denies on itself alone: a name, or an id; it has no keys to revoke" {
	machine c 'leeway: 1s'
	on c keyd join "$url" "$key"
	on a keyd follow "$file"
	on c keyd follow "$file"
	alice=$(mint --reusable alice) bob=$(mint --reusable bob)
	for token in "$alice" "$bob"; do run -0 on a verify -s sshd <<<"$token"; done
	run -1 on a keyd revoke --dry-run --sub alice
	[[ $output != *recorded* ]]
	run -0 on a verify -s sshd <<<"$alice"
	run -0 on a keyd revoke --sub alice
	says 'tokens of alice minted until ' ' are denied on this host alone'
	run -1 on a verify -s sshd <<<"$alice"
	says 'rejected: denied'
	run -0 on a verify -s sshd <<<"$bob"
	run -0 on a keyd revoke --jti "$(cut -d. -f2 <<<"$bob" | basenc -d --base64url 2>/dev/null | jq -r .jti)"
	says 'is denied on this host alone'
	run -1 on a verify -s sshd <<<"$bob"
	says 'rejected: denied'
	[ "$(denied)" = '2 0' ]
	for token in "$alice" "$bob"; do run -0 on c verify -a a -s sshd <<<"$token"; done    # nobody else hears of it
	for what in --all '--kid B.1'; do
		run -1 on a keyd revoke $what
		says 'no keyset of its own, it only follows others'
	done
	sleep 2    # longer than the leeway
	run -0 on a verify -s sshd <<<"$(mint --reusable alice)"
}

@test "a host that keeps no denials gets none from pruning, and a damaged one stays" {
	printf '%s\n' 'max_lifetime: 1s' 'default_lifetime: 1s' >>"$top/i.yaml"
	printf '%s\n' 'max_lifetime: 1s' 'default_lifetime: 1s' >>"$top/a.yaml"
	run on i keyd revoke --sub alice    # 1: no live token of alice is known
	says 'are denied in this fleet'
	run on i keyd revoke --sub bob
	on a keyd follow "$file"
	forgive 10
	damaged=$(find "$top"/a/state/fleet/*/denied/sub -type f | head -n 1)
	: >"$damaged"
	rm -r "$top/a/state/denied"
	run on a keyd once
	[ ! -e "$top/a/state/denied" ]
	[ "$(find "$top"/a/state/fleet/*/denied -type f)" = "$damaged" ]    # the other one was due
}

@test "status: a directory that is lost, or that others can write to, is broken as long as tokens get no verdict for it" {
	on a keyd follow "$file"
	settle a
	token=$(mint alice)
	for what in spent denied denied/jti keys keyset.json ''; do
		cp -a "$top/a/state" "$top/whole"
		run -0 on a verify -u alice -s sshd <<<"$token"
		run -0 on a keyd status
		rm -r "$(echo "$top"/a/state/fleet/*)/$what"
		run ! on a verify -u alice -s sshd <<<"$token"
		run -3 on a keyd status
		rm -rf "$top"/a/state/fleet/*
		run -0 on a keyd follow "$file"
		run -0 on a keyd status
		rm -r "$top/a/state"
		mv "$top/whole" "$top/a/state"
	done
	chmod o+w "$top"/a/state/fleet/*/spent
	run -2 on a verify -u alice -s sshd <<<"$token"
	run -3 on a keyd status
	says 'chmod go-w'
	rm -r "$top/a/state/denied"
	chmod o-w "$top"/a/state/fleet/*/spent
	run -2 on a verify -u alice -s sshd <<<"$token"
	run -3 on a keyd status
	says 'this host: denials cannot be read'
}
