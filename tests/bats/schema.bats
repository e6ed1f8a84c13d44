#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What programs read: the members of each JSON object and their types, and the codes of findings, as monitors of an earlier
# version know them. Lines here are added, and none is changed or removed: rjwt-keyd(8) promises that within a schema.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq
	fresh
}

# members - of the objects on standard input, each with its type; [] is an element
members()
{
	jq -r 'def name: map(if type == "number" then "[]" else . end) | join(".");
		[paths as $p | ($p | name) + " " + (getpath($p) | type)] | .[]' | sort -u
}

# still_has - standard input has these, "TYPE NAME..." a line; what is missing is shown
still_has()
{
	local want
	want=$(awk '{ for (i = 2; i <= NF; i++) print $i, $1 }' | sort -u)
	diff <(comm -23 <(echo "$want") <(sort -u <<<"$1")) - </dev/null
}

# used - tokens of each kind, a retired key and one that is revoked
used()
{
	issue -s ssh -s sudo alice >/dev/null
	keyd rotate
	keyd revoke --kid "$(jq -r .kid "$state/keys/1.jwk")"
	issue --reason why --actor carol --uses 2 bob >/dev/null
	issue alice >"$dir/token"
}

@test "schema 1: status" {
	used
	all=$(keyd status --json && configure 'leeway: 1h' && { keyd status --json || true; })
	[ "$(jq -r .schema <<<"$all" | uniq)" = 1 ]
	[ "$(jq -r '[.level, .state] | @csv' <<<"$all" | tr '\n' ' ')" = '"ok","well" "fail","broken" ' ]
	still_has "$(members <<<"$all")" <<-'E'
		number schema generation now next_event_at keys.[].published keys.[].since keys.[].retired keys.[].until keys.[].revoked
		number keys.[].minted tokens.count tokens.issued tokens.live.ssh
		number findings.[].line findings.[].column notes.[].line notes.[].column
		string level state config state_dir issuer audience next_event keys.[].kid keys.[].alg keys.[].state
		string findings.[].level findings.[].area findings.[].code findings.[].path findings.[].text findings.[].fix
		string notes.[].level notes.[].code notes.[].path notes.[].text
		boolean writable clock.suspect clock.synchronised
		object tokens tokens.live clock keys.[] findings.[] notes.[]
		array keys findings notes
	E
	jq -e '.keys | map(.state) == ["revoked", "active", "next"]' < <(configure && keyd status --json)
}

@test "schema 1: check" {
	all=$(keyd check --json && configure 'leeway: 1h' && { keyd check --json || true; })
	[ "$(jq -r .schema <<<"$all" | uniq)" = 1 ]
	still_has "$(members <<<"$all")" <<-'E'
		number schema counts.ok counts.warn counts.fail findings.[].line findings.[].column
		string level findings.[].level findings.[].area findings.[].code findings.[].path findings.[].text findings.[].fix
		object counts findings.[]
		array findings
	E
}

@test "schema 1: list" {
	used
	all=$(keyd list --json)
	[ "$(jq -r .schema <<<"$all")" = 1 ]
	still_has "$(members <<<"$all")" <<-'E'
		number schema now tokens.[].issued tokens.[].from tokens.[].until tokens.[].uses
		string tokens.[].jti tokens.[].user tokens.[].scope.[] tokens.[].audience.[] tokens.[].kid tokens.[].by tokens.[].actor tokens.[].why
		boolean tokens.[].here tokens.[].once
		array tokens tokens.[].scope tokens.[].audience tokens.[].used
	E
}

@test "rjwt-issue --json and rjwt-verify --json" {
	used
	still_has "$(issue --json alice | members)" <<-'E'
		number size claims.exp claims.iat claims.nbf
		string token claims.aud claims.iss claims.jti claims.scope claims.sub header.alg header.kid header.typ fits.[]
		boolean claims.once
		object claims header
		array fits
	E
	all=$(verify --json -u alice -s sshd <"$dir/token"; verify --json -u alice -s sudo <"$dir/token" || true)
	[ "$(jq -r .verdict <<<"$all" | tr '\n' ' ')" = 'accepted rejected ' ]
	still_has "$(members <<<"$all")" <<-'E'
		number claims.exp claims.iat claims.nbf
		string verdict reason kid fix claims.aud claims.iss claims.jti claims.scope claims.sub
		string checks.[].check checks.[].code checks.[].group checks.[].outcome checks.[].expected checks.[].found
		boolean claims.once
		object claims checks.[]
		array checks
	E
}

@test "codes of findings" {
	still_has "$(sed -n 's/^FINDING("\([^"]*\)".*/\1 code/p' "$RJWT_SOURCE/tools/findings.def")" < <(sed 's/^/code /' <<-'E'
		clock.suspect clock.unsynchronised clock.wrong codes.ending codes.none config.invalid config.missing disk.failed
		disk.full disk.inodes disk.readonly fleet.ahead fleet.before fleet.behind fleet.bundle_key fleet.denials
		fleet.follow fleet.fork fleet.keyset fleet.mirror fleet.missing fleet.old fleet.rollback fleet.roster fleet.stale
		fleet.stopped fleet.unlisted fleet.unpublished fleet.unusable issue.scope issue.unknown keyset.key keyset.machine
		keyset.marks keyset.missing keyset.mode keyset.private keyset.readable keyset.shared_secret keyset.tpm
		keyset.unusable keyset.waiting keyset.writable log.unreachable module.argument module.copy module.missing
		module.unloadable pam.expired_password pam.faillock pam.lockout pam.not_root pam.open pam.password_age pam.prompt pam.readenv
		pam.required pam.session_order pam.unit pam.unreadable pam.unused pam.useless rotation.never rotation.none
		rotation.overdue services.twin sshd.kbdint sshd.methods sshd.penalties sshd.root_login sshd.usepam sudo.free
		sudo.other_user sudo.prompt sudo.timestamp sudo.unreadable try.account try.both try.closed try.faillock try.hung
		try.mint try.no_password try.not_root try.open try.password try.revoke try.stack try.token way_in.none
	E
	)
}

@test "what is missing, or of another type, is seen" {
	run -1 still_has 'a string' <<<'string a b'
	[[ $output == *'< b string'* && $output != *'a string'* ]]
	run -1 still_has 'a number' <<<'string a'
	run -0 still_has $'a string\nb number' <<<'string a'
	[ "$(members <<<'{"a":[{"b":1},{"c":null}]}' | tr '\n' '|')" = 'a array|a.[] object|a.[].b number|a.[].c null|' ]
}
