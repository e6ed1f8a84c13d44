#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is written about the programs is true of them: help texts, manual pages, rjwt.yaml, completions.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	use_folder "$BATS_TEST_TMPDIR"
	programs='rjwt-issue rjwt-verify rjwt-keyd'
}

# options PROGRAM - the long options in the tables of its sources
options()
{
	local sources
	sources=$(sed -e ':a' -e '/\\$/{N;s/\\\n//;ba}' "$RJWT_SOURCE/Makefile.am" | sed -n "s/^${1//-/_}_SOURCES = //p")
	# shellcheck disable=SC2086    # names of files
	(cd "$RJWT_SOURCE" && cat ${sources//\$(TOOL)/tools/tool.h}) | grep -oP '\{ "\K[a-z-]+(?=", (required|no|optional)_argument)' | sort -u
}

# page NAME - a manual page as plain text, one line a paragraph
page() { mandoc -T ascii -O width=1000 "$RJWT_SOURCE/man/$1" | sed 's/.\x08//g'; }

# names - of the configuration's keys, in the order of the table
names() { sed -n 's/^KEY(\([a-z_]*\),.*/\1/p' "$RJWT_SOURCE/lib/config.def"; }

@test "--help lists each long option, and no other" {
	for program in $programs; do
		wanted=$(options "$program")
		[ "$(wc -l <<<"$wanted")" -ge 6 ]
		run -0 --separate-stderr "$RJWT_BUILD/$program" --help
		[ -z "$stderr" ]
		[ "$(grep -oP -- '(?<![a-z])--\K[a-z-]+' <<<"$output" | sort -u)" = "$wanted" ]
		[ "$output" = "$("$RJWT_BUILD/$program" -h)" ]
		# the paths of this build apart: they are as long as whoever configured it wished
		[ "$(sed 's#/[^ )]*##g' <<<"$output" | awk 'length > 100')" = '' ]
	done
}

@test "every command of rjwt-keyd is in its help, and nothing else is a command" {
	configure
	commands=$("$RJWT_BUILD/rjwt-keyd" --help | sed -n 's/^  \([a-z]\+\)  .*/\1/p')
	[ "$(wc -l <<<"$commands")" -ge 7 ]
	for command in $commands; do
		[ "$command" != run ] || continue
		run keyd "$command"
		[[ $output != *'unknown command'* ]]
	done
	[ "$(grep -cP '^\t\{ "[a-z]+", keyd_[a-z]+, ' "$RJWT_SOURCE/tools/rjwt-keyd.c")" -eq "$(wc -l <<<"$commands")" ]
}

@test "etc/rjwt.yaml has each key once, commented out, at its default" {
	file=$RJWT_SOURCE/etc/rjwt.yaml
	[ "$(sed -n 's/^#\([a-z_]*\):.*/\1/p' "$file")" = "$(names)" ]
	[ "$(grep -vc '^#\|^$' "$file")" -eq 0 ]
	awk -f "$RJWT_SOURCE/etc/make-yaml" "$RJWT_SOURCE/lib/config.def" | diff - "$file"
	sed -n 's/^KEY(\([a-z_]*\), *[A-Z]*, *[^,]*, *"\([^"]\+\)",.*/#\1: \2/p' "$RJWT_SOURCE/lib/config.def" >"$dir/defaults"
	[ "$(wc -l <"$dir/defaults")" -ge 13 ]
	while read -r line; do grep -Fxq -- "$line" "$file"; done <"$dir/defaults"
	# as it is, and with every default put in
	cat "$file" >"$conf"    # not cp: make distcheck has the sources read-only
	printf 'issuer: a\naudience: a\n' >>"$conf"
	keyd -d "$state" init
	run -0 keyd -d "$state" check
	sed 's/^#\([a-z_]*: .*\)/\1/' "$file" >"$conf"
	grep -q '^leeway: 30s$' "$conf"
	run -0 keyd -d "$state" check
	sed -i 's/^leeway:/leway:/' "$conf"
	run -1 keyd -d "$state" check
}

@test "manual pages have no error and no warning" {
	need mandoc
	for name in rjwt-issue.1 rjwt-verify.1 rjwt-keyd.8 pam_rjwt.8 rjwt.yaml.5 rjwt.3; do
		run -0 mandoc -T lint -W warning "$RJWT_SOURCE/man/$name"
		[ -z "$output" ]
	done
}

@test "each program's page lists each of its long options, and no other" {
	need mandoc
	for program in $programs; do
		text=$(page "$(basename "$RJWT_SOURCE/man/$program".[18])")
		for option in $(options "$program"); do
			[[ $text =~ --$option([^a-z-]|$) ]] || { echo "$program: no --$option"; return 1; }
		done
	done
}

@test "rjwt.yaml(5) has each key, rjwt(3) each function, rjwt-verify(1) each check in its order" {
	need mandoc jq
	text=$(page rjwt.yaml.5)
	for name in $(names); do
		[[ $text == *"$name"* ]] || { echo "no $name"; return 1; }
	done
	text=$(page rjwt.3)
	for name in $(sed -n 's/^\t\([a-z_]*\);$/\1/p' "$RJWT_SOURCE/lib/librjwt.map"); do
		[[ $text == *"$name"* ]] || { echo "no $name"; return 1; }
	done
	configure
	keyd init
	rest=$(page rjwt-verify.1)
	for code in $(verify --json </dev/null | jq -r '.checks[].code' | awk '!seen[$0]++'); do
		[[ $rest == *"$code"* ]] || { echo "no $code, or not in its place"; return 1; }
	done
}

@test "the completions know each long option, and no other" {
	cd "$RJWT_SOURCE"
	for program in $programs; do
		for word in $(grep -oP -- '(?<![a-z-])--\K[a-z-]+' "etc/completions/$program" | sort -u); do
			grep -qx -- "$word" <<<"$(options "$program")" || { echo "$program has no --$word"; return 1; }
		done
		for word in $(options "$program"); do
			grep -q -- "--$word" "etc/completions/$program" || { echo "no --$word in etc/completions/$program"; return 1; }
		done
	done
}
