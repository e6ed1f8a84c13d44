#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is written about the programs is true of them: help texts, manual pages, rjwt.yaml, completions.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	use_folder "$BATS_TEST_TMPDIR"
	programs='rjwt-issue rjwt-verify rjwt-keyd rjwt-grant'
}

# options PROGRAM - "LETTER NAME ARGUMENT" of each option, or - for what it has not, as --help prints the program's table
options()
{
	"$RJWT_BUILD/$1" --help | sed -nE \
		-e 's/^  -(.), --([a-z-]+) ([^ ]+)  .*/\1 \2 \3/p;t' -e 's/^  -(.), --([a-z-]+)  .*/\1 \2 -/p;t' \
		-e 's/^      --([a-z-]+) ([^ ]+)  .*/- \1 \2/p;t' -e 's/^      --([a-z-]+)  .*/- \1 -/p' | sort
}

# listed PAGE - the same, from the option lists of the page
listed()
{
	grep '^\.It .*Fl Fl ' "$RJWT_SOURCE/man/$1" | sed 's/^\.It //;s/ , /\n/g' | awk '
		{ argument = "-" }
		/ Ar / { argument = toupper($0); sub(/^.*FL [^ ]+ AR /, "", argument); gsub(/ |NS |AR /, "", argument) }
		$2 != "Fl" { letter = $2; next }
		{ print (letter == "" ? "-" : letter), $3, argument; letter = "" }' | sort
}

# completed PROGRAM - the same, from the completion, which has no names for arguments: ARG. The words that it offers, and the
# patterns of those whose argument it completes.
completed()
{
	perl -ne '
		if (/^\t(-[^)]*)\)/) {
			my $before;
			for (split / \| /, $1) {
				if (/^-([a-zA-Z])$/) { $before = $1; next }
				if (/^--(.+)/) { $argument{$1} = 1; $letter{$1} = $before if $before }
				undef $before;
			}
		} else {
			$word{$1} = 1 while /(?<![a-z-])--([a-z-]+)/g;
		}
		END { printf "%s %s %s\n", $letter{$_} || "-", $_, $argument{$_} ? "ARG" : "-" for keys %word }
	' "$RJWT_SOURCE/etc/completions/$1" | sort
}

# defaults - "key: default" of each key whose default is no name of the source, in the order of the table
defaults() { sed -n 's/^KEY(\([a-z_]*\), *[A-Z]*, *[^,]*, *"\([^"]\+\)",.*/\1: \2/p' "$RJWT_SOURCE/lib/config/config.def"; }

# names - of the configuration's keys, in the order of the table
names() { sed -n 's/^KEY(\([a-z_]*\),.*/\1/p' "$RJWT_SOURCE/lib/config/config.def"; }

# bats test_tags=long
@test "--help lists options that the program accepts, with an argument or without" {
	for program in $programs; do
		run -0 --separate-stderr "$RJWT_BUILD/$program" --help
		[ -z "$stderr" ]
		[ "$output" = "$("$RJWT_BUILD/$program" -h)" ]
		# the paths of this build apart: they are as long as whoever configured it wished
		[ "$(sed 's#/[^ )]*##g' <<<"$output" | awk 'length > 100')" = '' ]
		[ "$(grep -cE '^  (-.,|   ) --[a-z]' <<<"$output")" -eq "$(options "$program" | wc -l)" ]
		[ "$(options "$program" | wc -l)" -ge 10 ]
		while read -r letter name argument; do
			if [ "$argument" = - ]; then
				run -2 "$RJWT_BUILD/$program" "--$name=x"
				says "--$name=x: this option takes no argument"
				[ "$letter" = - ] || run "$RJWT_BUILD/$program" "-$letter" --help
			else
				run -2 "$RJWT_BUILD/$program" "--$name"
				says "--$name: the argument is missing"
				[ "$letter" = - ] || run -2 "$RJWT_BUILD/$program" "-$letter"
			fi
			[[ $output != *'unknown option'* ]]
		done < <(options "$program")
		run -2 "$RJWT_BUILD/$program" --unknown
		says '--unknown: unknown option'
	done
}

# bats test_tags=long
@test "rjwt-keyd accepts an option with the commands that --help names for it, and with no other" {
	configure
	group=
	while IFS= read -r line; do
		case $line in
		'Options of '*) group=" ${line#Options of }" group=${group//[,:]/ } ;;
		'Common '*) break ;;
		'      --'*)
			read -r option argument _ <<<"$line"
			[[ $argument =~ ^[A-Z.]+$ ]] && value=1.1 || value=
			for command in init once rotate list revoke status jwks check try run; do
				[ "$command" != run ] || [[ $group != *' run '* ]] || continue
				run keyd "$command" "$option${value:+=$value}"
				if [[ $group == *" $command "* ]]; then
					[[ $output != *'does not take'* ]]
				else
					says "$command does not take $option"
				fi
			done
			;;
		esac
	done < <("$RJWT_BUILD/rjwt-keyd" --help)
	[[ $group == *' once  rotate  revoke '* ]]
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
	awk -f "$RJWT_SOURCE/etc/make-yaml" "$RJWT_SOURCE/lib/config/config.def" | diff - "$file"
	[ "$(defaults | wc -l)" -ge 13 ]
	while read -r line; do grep -Fxq -- "#$line" "$file"; done < <(defaults)
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
	for name in rjwt-askpass.1 rjwt-issue.1 rjwt-verify.1 rjwt-keyd.8 rjwt-grant.8 pam_rjwt.8 rjwt.yaml.5 rjwt.3 rjwt.7 rjwt-operations.7 rjwt-fleet.7; do
		run -0 mandoc -T lint -W warning "$RJWT_SOURCE/man/$name"
		[ -z "$output" ]
	done
}

# bats test_tags=long
@test "each program's page lists its options as --help does: letter, name, argument" {
	for program in $programs; do
		diff <(options "$program") <(listed "$(basename "$RJWT_SOURCE/man/$program".[18])")
	done
}

@test "rjwt.yaml(5) has each key once, with its type and default, as the table has them" {
	file=$RJWT_SOURCE/man/rjwt.yaml.5
	cd "$RJWT_SOURCE"
	awk -v page="$file" -f etc/make-yaml lib/*.h lib/*/*.h lib/config/config.def lib/config/rules.def | diff - "$file"
	[ "$(sed -n '/^\.Sh KEYS/,/^\.El/s/^\.It Cm \([a-z_]*\) Pq .*/\1/p' "$file")" = "$(names)" ]
	[ "$(sed -n '/^\.Sh RULES/,/^\.El/s/^\.It Cm \([a-z_]*\) Pq .*/\1/p' "$file")" = "$(sed -n 's/^RULE(\([a-z_]*\),.*/\1/p' lib/config/rules.def)" ]
	while IFS=': ' read -r name default; do
		grep -q "^\.It Cm $name Pq .*; default: $default\$" "$file" || { echo "$name has not the default $default"; return 1; }
	done < <(defaults)
	# numbers that the table has by name, and durations
	grep -Fxq '.It Cm rsa_bits Pq a number from 2048 to 16384; default: 3072' "$file"
	grep -Fxq '.It Cm rotate_every Pq a duration from 0s to 3650d; default: 24h' "$file"
	grep -Fxq '.It Cm user_suffix Pq a text of 0 to 255 bytes; default: \(dq\(dq' "$file"
	# a page that is behind is seen
	sed 's/^KEY(leeway, \(.*\)"30s", 0, 300,/KEY(leeway, \1"40s", 0, 301,/' lib/config/config.def >"$dir/config.def"
	run -1 diff <(awk -v page="$file" -f etc/make-yaml lib/*.h lib/*/*.h "$dir/config.def" lib/config/rules.def) "$file"
	says '< .It Cm leeway Pq a duration from 0s to 5m1s; default: 40s'
}

# bats test_tags=long
@test "rjwt(3) has each function" {
	for name in $(sed -n 's/^\t\([a-z_]*\);$/\1/p' "$RJWT_SOURCE/lib/librjwt.map"); do
		grep -q "^\.F[no] $name\( \|\$\)" "$RJWT_SOURCE/man/rjwt.3" || { echo "no $name"; return 1; }
	done
}

@test "rjwt-verify(1) has each check in its order, and each reason once" {
	need jq
	file=$RJWT_SOURCE/man/rjwt-verify.1
	configure
	keyd init
	run -1 --separate-stderr verify --json </dev/null
	diff <(jq -r '.checks[].check' <<<"$output") \
		<(sed -n '/^\.Bl -enum/,/^\.El/{/^\./!p}' "$file")
	diff <(sed -n 's/^\tCODE([A-Z_]*, "\([a-z_]*\)".*/\1/p' "$RJWT_SOURCE/lib/rjwt.h" | sort) \
		<(sed -n 's/^\.It Sy //p' "$file" | sort)
}

# bats test_tags=long
@test "rjwt-verify(1) has each group of checks, and what to do about each reason" {
	need jq
	file=$RJWT_SOURCE/man/rjwt-verify.1
	configure
	keyd init
	run -1 --separate-stderr verify --json </dev/null
	diff <(jq -r '[.checks[] | {group, check}] | group_by(.group)[] | .[0].group, ([.[].check] | join(", "))' <<<"$output") \
		<(sed -n '/^\.Bl -tag -compact -width "form"/,/^\.El/{/^\.[BE]/!p}' "$file" | sed 's/^\.It //' | paste - - | sort | tr '\t' '\n')
	diff <(sed -n 's/^FIX(RJWT_\([A-Z_]*\), "\(.*\)")$/\L\1\E \2/p' "$RJWT_SOURCE/tools/fixes.def" | sort) \
		<(awk '/^\.It Sy / { word = $3 } /^Fix: / { sub(/^Fix: /, ""); sub(/\.$/, ""); gsub(/\\/, ""); print word, $0 }' "$file" | sort)
	# each verdict about a token has one, and what is no verdict has none
	diff <(sed -n '/define RJWT_VERDICTS/,/^$/s/^\tCODE(\(RJWT_[A-Z_]*\),.*/\1/p' "$RJWT_SOURCE/lib/rjwt.h" | grep -vx RJWT_RULE) \
		<(sed -n 's/^FIX(\(RJWT_[A-Z_]*\),.*/\1/p' "$RJWT_SOURCE/tools/fixes.def")
}

# bats test_tags=long
@test "rjwt-issue(1) has each limit of the table of prompts, and who needs --reusable" {
	# NAME LIMIT [reusable] of each service; 0: not known
	sed -nE 's/^\t\{ "([a-z0-9-]+)", ([0-9]+), [0-9]+, (true|false) \},$/\1 \2 \3/p' "$RJWT_SOURCE/lib/token/prompt_limits.c" |
		sed 's/ false$//; s/ true$/ reusable/' | sort >"$BATS_TEST_TMPDIR/rows"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/rows")" -ge 20 ]
	sed -n '/^\.Ss Prompt limits/,/^\.El/s/^\.It \(.* Ta .*\)/\1/p' "$RJWT_SOURCE/man/rjwt-issue.1" | grep -v '^Sy ' |
		while IFS= read -r row; do
			limit=$(sed 's/^[^T]* Ta \([^T]*[^ T]\) Ta.*/\1/; s/not known/0/' <<<"$row")
			reusable=''
			[[ $row != *'Fl Fl reusable' ]] || reusable=' reusable'
			for name in $(sed 's/ Ta .*//; s/,//g' <<<"$row"); do echo "$name $limit$reusable"; done
		done | sort | diff "$BATS_TEST_TMPDIR/rows" -
}

# bats test_tags=long
@test "pam_rjwt(8) has each sentence of the second prompt" {
	grep -o '"Token [a-z][^"%,]*\|"No token [^"]*\|"Nothing arrived[^"]*' "$RJWT_SOURCE/pam/tell.c" | tr -d '"' | sed 's/ *$//' |
		sort -u >"$BATS_TEST_TMPDIR/sentences"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/sentences")" -ge 12 ]
	while read -r sentence; do
		sed 's/^\.It \(\\&\)\?//' "$RJWT_SOURCE/man/pam_rjwt.8" | grep -q -F -- "$sentence"
	done <"$BATS_TEST_TMPDIR/sentences"
}

# bats test_tags=long
@test "the completions for zsh and fish are those that --help makes, and the shells read them" {
	need zsh fish
	export HOME=$BATS_TEST_TMPDIR    # fish writes there
	for program in $programs; do
		"$RJWT_BUILD/$program" --help >"$BATS_TEST_TMPDIR/help"
		make_completion() { awk -f "$RJWT_SOURCE/etc/make-completion" -v program="$program" -v shell="$1" "$BATS_TEST_TMPDIR/help"; }
		diff <(make_completion zsh) "$RJWT_SOURCE/etc/completions/zsh/_$program"
		diff <(make_completion fish) "$RJWT_SOURCE/etc/completions/fish/$program.fish"
		zsh -n "$RJWT_SOURCE/etc/completions/zsh/_$program"
		# each option that --help has is offered, with its letter
		fish -c "source $RJWT_SOURCE/etc/completions/fish/$program.fish; complete -C '$program -'" >"$BATS_TEST_TMPDIR/offered"
		while read -r letter name _; do
			grep -q "^--$name	" "$BATS_TEST_TMPDIR/offered"
			[ "$letter" = - ] || grep -q "^-$letter	" "$BATS_TEST_TMPDIR/offered"
			grep -q -- "--$name\\b" "$RJWT_SOURCE/etc/completions/zsh/_$program"
		done < <(options "$program")
	done
	run -0 fish -c "source $RJWT_SOURCE/etc/completions/fish/rjwt-keyd.fish; complete -C 'rjwt-keyd re'"
	[ "$output" = $'revoke\treject tokens from now on' ]
}

# bats test_tags=long
@test "the completions know the options as --help lists them: name, and argument with letter" {
	for program in $programs; do
		diff <(options "$program" | sed 's/^. \(.* -\)$/- \1/;t;s/[^ ]*$/ARG/' | sort) <(completed "$program")
	done
	# and each command
	completion=$(<"$RJWT_SOURCE/etc/completions/rjwt-keyd")
	for command in $("$RJWT_BUILD/rjwt-keyd" --help | sed -n 's/^  \([a-z]\+\)  .*/\1/p'); do
		[[ $completion =~ (^|[^a-z-])$command($|[^a-z-]) ]] || { echo "no $command"; return 1; }
	done
}

# examples COMMAND ARG... - see examples.py
examples() { "$python" "$bats/examples.py" "$@"; }

# host_of_examples NAME [LINE...] - the programs in PATH, as a host of this name has them, and the LINEs as rjwt.yaml
host_of_examples()
{
	local program
	export RJWT_STATE=$state RJWT_CONF=$conf
	mkdir -p "$dir/bin"
	for program in $programs; do
		printf '#!/bin/sh\nexec "%s" -c "$RJWT_CONF" "$@"\n' "$RJWT_BUILD/$program" >"$dir/bin/$program"
		chmod +x "$dir/bin/$program"
	done
	PATH=$dir/bin:$PATH
	configure "issuer: $1" "audience: $1"
	[ $# -eq 1 ] || printf '%s\n' "${@:2}" >"$conf"
	cd "$dir" || return
}

# Those of rjwt-fleet(7), which are of two hosts, by fleet.bats.
@test "examples: each that shows output is run, here or by tests/system/docs.bats" {
	cd "$RJWT_SOURCE"
	diff <(examples list README.md man/*.[1578] | cut -d' ' -f1,2 | sort | uniq -c | sed 's/^ *//') - <<-'END'
		4 README.md host
		3 README.md run
		1 pam_rjwt.8 host
		3 rjwt-fleet.7 run
		3 rjwt-issue.1 run
		5 rjwt-keyd.8 run
		3 rjwt-verify.1 run
		1 rjwt.yaml.5 run
	END
}

# bats test_tags=long
@test "examples: README.md shows what the programs print" {
	host_of_examples sandbox
	examples run "$RJWT_SOURCE/README.md"
	# one that is not true is found
	sed 's/365 bytes/366 bytes/' "$RJWT_SOURCE/README.md" >other.md
	run -1 examples run other.md
	says '+rjwt-issue: 365 bytes, fits'
	sed 's/created a keyset for sandbox/created a keyset for sandbax/' "$RJWT_SOURCE/README.md" >other.md
	run -1 examples run other.md
	says 'created a keyset for sandbax' 'created a keyset for sandbox'
}

# bats test_tags=long
@test "examples: rjwt-keyd(8) shows what it prints" {
	page=$RJWT_SOURCE/man/rjwt-keyd.8
	host_of_examples vm
	examples run "$page"
	sed 's/_.2 signs now/_.3 signs now/' "$page" >other.8    # another key
	run -1 examples run other.8
	sed 's/^now      \(.*\):36:55Z/now      \1:26:55Z/' "$page" >other.8    # ten minutes between what is at once
	run -1 examples run other.8
	sed 's/rotation in 1d,/rotation in 2d,/' "$page" >other.8
	run -1 examples run other.8
	sed 's/^\(nw.*active   |=*\)-/\1=/' "$page" >other.8    # a key that signs for longer
	run -1 examples run other.8
}

# bats test_tags=long
@test "examples: rjwt-issue(1) shows what it prints" {
	need jq
	page=$RJWT_SOURCE/man/rjwt-issue.1
	host_of_examples vm
	examples run "$page"
	rm alice.jwt
	sed 's/"scope":"ssh"/"scope":"sudo"/' "$page" >other.1
	run -1 examples run other.1
	run -1 examples run "$page"    # alice.jwt is there: a command that fails is found
	says '+rjwt-issue: '
}

# bats test_tags=long
@test "examples: rjwt-verify(1) shows what it prints" {
	page=$RJWT_SOURCE/man/rjwt-verify.1
	host_of_examples vm
	keyd init
	issue alice >alice.jwt
	examples run "$page"
	sed 's/T00:53:19Z/T00:43:19Z/' "$page" >other.1
	run -1 examples run other.1
}

# bats test_tags=long
@test "examples: rjwt.yaml(5) shows what a mistake looks like, and its examples are good" {
	page=$RJWT_SOURCE/man/rjwt.yaml.5
	host_of_examples vm 'rotate_evry: 7d'
	examples run "$page"
	sed 's/yaml:1:1:/yaml:1:/' "$page" >other.5
	run -1 examples run other.5
	for first in issuer: services: issue:; do
		sed -n "/^$first/,/^\\.Ed/{/^\\./!p}" "$page" >"$conf"
		[ "$(wc -l <"$conf")" -ge 3 ]
		rm -rf "$state"
		keyd -d "$state" init
		run -0 keyd -d "$state" check
	done
}

# bats test_tags=long
@test "rjwt-keyd(8) has each finding of check, under its level" {
	page() { sed -n "/^\.Sy $1 /,/^\.El/s/^\.It Sy //p" "$RJWT_SOURCE/man/rjwt-keyd.8" | sed 's/ , /\n/g' | sort; }
	table() { sed -n "s/^FINDING(\"\([a-z_.]*\)\", $1,.*/\1/p" "$RJWT_SOURCE/tools/findings.def" | sort; }
	for level in FAIL WARN OK; do
		[ "$(table $level | wc -l)" -ge 2 ]
		diff <(table $level) <(page $level)
	done
	[ "$(grep -c '^FINDING(' "$RJWT_SOURCE/tools/findings.def")" -eq "$(for level in FAIL WARN OK; do table $level; done | sort -u | wc -l)" ]
	# what the library finds, and what the program does, is in the table
	grep -oEh '"[a-z_]+\.[a-z_]+"' "$RJWT_SOURCE"/lib/status{,_fleet,_denials,_issuer,_tpm,_writing}.c "$RJWT_SOURCE"/tools/{keyd_check,check_*,keyd_try,try_judge}.c | tr -d '"' | sort -u >"$dir/used"
	grep -E '^(config|services|issue|codes|keyset|disk|clock|log|rotation|fleet|module|pam|sshd|sudo|way_in|try)\.' "$dir/used" | grep -Ev '\.(so|h)$' |
		diff - <(for level in FAIL WARN OK; do table $level; done | sort)
}

@test "rjwt-keyd(8) explains messages that the programs have" {
	cd "$RJWT_SOURCE"
	mapfile -t sources < <(find lib pam tools -name '*.[ch]')
	examples messages man/rjwt-keyd.8 "${sources[@]}"
	[ "$(grep -c '^\.It Li ' man/rjwt-keyd.8)" -ge 10 ]
	sed 's/^\.It Li is damaged/.It Li is worn/' man/rjwt-keyd.8 >"$dir/other.8"
	run -1 examples messages "$dir/other.8" "${sources[@]}"
	says 'no such message: is worn'
}

# bats test_tags=long
@test "rjwt-issue(1) has the sizes that tokens have" {
	use_folder "$BATS_TEST_TMPDIR"
	page=$RJWT_SOURCE/man/rjwt-issue.1
	for row in HS256:HS256 ES256:'ES256 (the default), EdDSA' EdDSA:'ES256 (the default), EdDSA' ES384:ES384 Ed448:Ed448 \
		ES512:ES512; do
		configure 'issuer: web1.example.org' 'audience: web1.example.org' "alg: ${row%%:*}"
		rm -rf "$state"
		keyd init
		token=$(issue alice)
		grep -Fq ".It ${row#*:} Ta ${#token} Ta all" "$page" || { echo "$row: ${#token} bytes"; return 1; }
		longer=$(issue -s ssh -s sudo alice)
		[ $((${#longer} - ${#token})) -eq 7 ]
	done
	grep -A1 'ssh -s sudo' "$page" | grep -q 'adds 7 bytes'
}

# bats test_tags=long
@test "rjwt(7) has each member of keyset.json, of a key file and of issued/, and each name in the state directory" {
	need jq
	fresh
	page=$RJWT_SOURCE/man/rjwt.7
	issue alice >"$dir/token"
	keyd rotate
	keyd revoke --jti "$(claim .jti "$(<"$dir/token")")"
	keyd revoke --kid "$(kid next)"
	section() { sed -n "/^\\.S[sh] $1\$/,/^\\.S[sh] /p" "$page"; }
	diff <(jq -r 'keys_unsorted[]' "$state/keyset.json") \
		<(section keyset.json | sed -n 's/^\.It //p' | tr -d ' ' | tr , '\n')
	for word in $(jq -r '(.active, .next, .clock, .trial) | keys_unsorted[]' "$state/keyset.json" | grep -vx version); do
		section keyset.json | grep -qw -- "$word" || { echo "no $word"; return 1; }
	done
	for word in $(cat "$state"/keys/*.jwk | jq -r 'keys_unsorted[]' | sort -u) ; do
		section 'Key files' | grep -qw -- "$word" || { echo "no $word"; return 1; }
	done
	for word in $(cat "$state"/issued/* | jq -r 'keys_unsorted[]'); do
		section 'The state directory' | grep -qw -- "$word" || { echo "no $word"; return 1; }
	done
	for name in $(ls "$state"); do
		section 'The state directory' | grep -q "^\\.It Pa $name\\(/\\| \\)" || { echo "no $name"; return 1; }
	done
	for path in private/4.key private/4.minted private/lock revoked/jti revoked/sub; do [ -e "$state/$path" ]; done
	# and each mode
	[ "$(cd "$state" && stat -c '%n %a' keyset.json keys/1.jwk private/*.key private/*.minted jwks.json spent issued issued/* private/lock |
		sed 's/[0-9]\{5,\} /hour /;s#/[0-9]*\.#/version.#' | sort -u)" = "issued 700
issued/hour 600
jwks.json 644
keys/version.jwk 644
keyset.json 644
private/lock 600
private/version.key 600
private/version.minted 600
spent 700" ]
}

# Of disk.failed, an error of the disk, only the word differs from disk.full; those of a fleet are asserted by their text
# (fleet-host.bats, fleet-issuers.bats, fleet_carrier.bats).
@test "each finding of check and try is one that a test asserts by its code" {
	for code in $(sed -n 's/^FINDING("\([^"]*\)".*/\1/p' "$RJWT_SOURCE/tools/findings.def" | grep -v -e '^fleet\.' -e '^disk\.failed$'); do
		grep -rqFw "$code" "$RJWT_SOURCE/tests" --include='*.bats' --include='test_*.c' --exclude=schema.bats || { echo "no test has $code"; return 1; }
	done
}
