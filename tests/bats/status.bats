#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-keyd status: the verdict, the keys in time, what is found, and the examples that monitors read it with.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq
	fresh
}

# move SECONDS - the keyset is older by this
move()
{
	local file
	jq -c ".active.since -= $1 | .next.published -= $1" "$state/keyset.json" |
		seal >"$dir/new"
	cat "$dir/new" >"$state/keyset.json"
	for file in "$state"/keys/*.jwk; do
		jq -c ".iat -= $1 | if .nbf then .nbf -= $1 else . end | if .retired then .retired -= $1 | .exp -= $1 else . end" "$file" |
			seal >"$dir/new"
		cat "$dir/new" >"$file"
	done
}

# shown - what status prints, without what differs from run to run
shown() { sed "s/$(kid | cut -d. -f1)/AAAAAAAA/g; s#$dir/#/#g; s/ 20[0-9T:-]*Z/ TIME/
	/^now /s/, clock \(not \)\?synchronised\|, in step for [0-9]*[ms][0-9ms]*//g" <<<"$output"; }

# bats test_tags=long
@test "the keys in time: what each did, does, and will do" {
	keyd rotate
	move 21600
	issue --reusable -s ssh -s sudo alice >/dev/null
	issue alice >/dev/null
	run -0 keyd status
	diff - <(shown | sed 's/17h59m/18h/') <<-'E'
		OK    host.example.org: AAAAAAAA.2 signs, AAAAAAAA.3 takes over in 18h
		KEY         STATE       now         +1d         +2d         +3d
		AAAAAAAA.1  retired  ---|--------
		AAAAAAAA.2  active   ===|========------------
		AAAAAAAA.3  next     ...|........============------------
		                     . published  = signs  - verifies only  x revoked  | now
		now      TIME
		next     rotation in 18h, TIME
		tokens   2 live: 2 ssh, 1 sudo; 2 issued by AAAAAAAA.2
		names    issuer ca.example.org, audience host.example.org
		keyset   /state, writable; config /rjwt.yaml
	E
	run -0 keyd status -q
	[[ $output == "OK    host.example.org: $(kid) signs, $(kid next) takes over in "* && $output != *$'\n'* ]]
}

# bats test_tags=long
@test "older keys begin before the line, and of many the newest are shown" {
	for n in 1 2 3 4 5 6 7 8; do keyd rotate; done
	move 7200
	keyd rotate
	run -0 keyd status
	[[ $(shown) == *$'\nAAAAAAAA.7   retired  '*$'\nAAAAAAAA.9   retired  '* && $(shown) != *'AAAAAAAA.6 '* ]]
	[[ $(shown) == *$'\nand 6 older, the last of which verifies for another '* ]]
	# but for paths, in 80 columns
	[ "$(grep -v '^keyset ' <<<"$output" | awk 'length > 80' | wc -l)" -eq 0 ]
}

# bats test_tags=long
@test "rotate_every: 0, and a rotation that is overdue" {
	configure 'rotate_every: 0'
	run -0 keyd status
	says 'next     none by time (rotate_every: 0)' "OK    host.example.org: $(kid) signs, $(kid next) is next"
	[[ $output =~ next\ +\|\.{43} ]]
	configure
	move 120000
	run -1 keyd status
	[[ ${lines[0]} == 'WARN  host.example.org: '*'rotation is overdue'* ]]
	says 'next     rotation was due 9h20m ago, ' 'WARN  rotation ' 'fix: rjwt-keyd once; systemctl enable --now rjwt-keyd.timer'
	run -1 keyd status --json
	jq -e '.schema == 1 and .level == "warn" and .state == "attention" and .findings[0].code == "rotation.overdue" and
		.findings[0].level == "warn" and .notes[0].code == "rotation.overdue" and (.findings[0].fix | length) > 0' <<<"$output"
}

@test "JSON has what the screen has, and the members of earlier versions" {
	issue alice >/dev/null
	run -0 keyd status --json
	jq -e --arg dir "$state" '.schema == 1 and .level == "ok" and .state == "well" and .notes == [] and .findings == [] and
		.tokens == {live: {ssh: 1}, count: 1, issued: 1} and .writable and .state_dir == $dir and .clock.suspect == false and
		.keys[0].published and .keys[0].minted == 1 and .next_event_at > .now' <<<"$output"
	rm -r "$state/spent"
	run -3 keyd status --json
	jq -e '.level == "fail" and .state == "broken" and .findings[0].level == "fail" and .findings[0].code == "keyset.marks"' <<<"$output"
	run -3 keyd status -q
	[[ $output == 'FAIL  host.example.org: '*'spent is missing'* && $output != *$'\n'* ]]
}

# bats test_tags=long
@test "monitoring/prometheus.jq: a textfile with what is known" {
	jq_of() { jq -rf "$RJWT_SOURCE/etc/monitoring/prometheus.jq" <<<"$1"; }
	issue -s ssh -s sudo alice >/dev/null
	run -0 jq_of "$(keyd status --json)"
	says 'rjwt_level 0' 'rjwt_tokens_live{scope="ssh"} 1' 'rjwt_tokens_live{scope="sudo"} 1' 'rjwt_clock_suspect 0'
	[[ $output =~ $'\n'rjwt_rotation_due_seconds\ 86[34][0-9]{2}$'\n' ]]
	[ "$(grep -vcE '^(# (HELP|TYPE) rjwt_[a-z_]+ .+|rjwt_[a-z_]+(\{scope="[^"]*"\})? -?[0-9]+)$' <<<"$output")" -eq 0 ]
	move 120000
	run -0 jq_of "$(keyd status --json || true)"
	says 'rjwt_level 1' 'rjwt_rotation_due_seconds -33'
	rm "$state/keyset.json"
	run -0 jq_of "$(keyd status --json || true)"
	says 'rjwt_level 3'
	[[ $output != *$'\nrjwt_rotation_due_seconds'* && $output != *$'\nrjwt_tokens_live{'* ]]
	run -5 jq_of '{"schema":2}'
	says 'schema 2, not 1'
}

# bats test_tags=long
@test "monitoring/nagios: one line, and the exit status that Nagios knows" {
	mkdir "$dir/bin"
	printf '#!/bin/sh\nexec "%s" -c "%s" "$@"\n' "$RJWT_BUILD/rjwt-keyd" "$conf" >"$dir/bin/rjwt-keyd"
	chmod +x "$dir/bin/rjwt-keyd"
	PATH=$dir/bin:$PATH
	nagios=$RJWT_SOURCE/etc/monitoring/nagios
	run -0 sh "$nagios"
	[[ $output == 'OK    host.example.org: '* && $output != *$'\n'* ]]
	run -3 sh "$nagios" --frob
	move 120000
	run -1 sh "$nagios"
	[[ $output == 'WARN  '* ]]
	rm "$state/keyset.json"
	run -2 sh "$nagios"
	[[ $output == 'FAIL  '* && $output != *$'\n'* ]]
}

@test "status: a directory that others can write to is broken as long as tokens get no verdict for it" {
	token=$(issue alice)
	for what in revoked revoked/jti revoked/sub spent; do
		try 0 verify -u alice -s sshd <<<"$token"
		mode=$(stat -c %a "$state/$what")
		chmod o+w "$state/$what"
		try 2 verify -u alice -s sshd <<<"$token"
		try 3 keyd status
		says 'chmod go-w'
		chmod "$mode" "$state/$what"
		try 0 keyd status
	done
}
