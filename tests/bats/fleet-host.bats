#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A host of a fleet: which files follow reads, what a carrier asks for, and what status, check and list say of a host that
# has no keyset of its own. tests/bats/fleet.bats has what is published, joined, followed and denied.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq
	use_folder "$BATS_TEST_TMPDIR"
	top=$dir
	mkdir "$top"/{i,a,spool}
	machine i 'issuer: i.example' 'leeway: 1s'
	machine a 'leeway: 1s'
	url=http://i.example/fleet.jws
	read -r _ _ _ key < <(on i keyd fleet init --key "$top/fleet.key" "$url" 2>"$top/said")
	file=$top/i/state/www/fleet.jws
	on a keyd join "$url" "$key"
}

# machine NAME [LINE...] - a configuration with an audience of that name
machine()
{
	local name=$1
	shift
	printf '%s\n' "state_dir: $top/$name/state" "audience: $name" "$@" >"$top/$name.yaml"
}

# on NAME PROGRAM [ARG...]
on() { "$RJWT_BUILD/rjwt-$2" -c "$top/$1.yaml" "${@:3}"; }

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
