#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What is written for those who work on rjwt is true of the tree: the files that are named exist, and so do the tests.
#
# In these documents a file or directory of the tree is named `path/of/it`, a test `path/of/its/file: name`. The name of
# a bats test may be cut off.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	dir=$BATS_TEST_TMPDIR
	cd "$RJWT_SOURCE"
	documents='ARCHITECTURE.md CONTRIBUTING.md AUDIT.md KNOWN_RISKS.md SECURITY.md docs/attacks.md'
}

# named DOCUMENT... - what stands between ` and `, but in blocks of code
named() { sed '/^```/,/^```/d' "$@" | grep -oP '`\K[^`]+(?=`)' | sort -u; }

# files DOCUMENT... - of these the files: what begins with a directory of the tree, or has a suffix that only files have
files()
{
	named "$@" | sed 's/: .*//' |
		grep -xE '(\.ci|docs|etc|lib|man|pam|tests|tools)/[A-Za-z0-9_./*-]*|[A-Za-z_]+\.(md|am|ac)|check|quickstart|LICENSE'
}

# tests_of DOCUMENT... - "file name" of each test
tests_of() { named "$@" | sed -nE 's/^(tests\/[A-Za-z0-9_./-]+\.(c|bats)): (.+)$/\1 \3/p'; }

# is_there FILE - a pattern stands for one file at least
is_there() { compgen -G "$1" >/dev/null; }

# missing_tests - of lines "file name", those of which the file has no such test: defined there, and of C also in the list
# that main() runs. One process for all: there are hundreds.
missing_tests()
{
	awk '
		function text_of(file,    line) {
			if (!(file in text)) {
				text[file] = "\n"
				while ((getline line <file) > 0)
					text[file] = text[file] line "\n"
				close(file)
			}
			return text[file]
		}
		function has(file, what) { return index(text_of(file), what) > 0 }
		{
			file = $1
			name = substr($0, length(file) + 2)
			if (file ~ /\.bats$/)
				good = has(file, "@test \"" name)
			else
				good = has(file, "\n" name "(void **state)\n") && (has(file, "(" name ",") || has(file, "(" name ")"))
			if (!good)
				print
		}'
}

# bats test_tags=long
@test "every file that the documents name is there" {
	[ "$(files $documents | wc -l)" -ge 100 ]
	for document in $documents; do
		for file in $(files "$document"); do
			is_there "$file" || { echo "$document: there is no $file"; return 1; }
		done
	done
}

# bats test_tags=long
@test "every test that the documents name is there" {
	[ "$(tests_of $documents | wc -l)" -ge 100 ]
	for document in $documents; do
		missing=$(tests_of "$document" | missing_tests)
		[ -z "$missing" ] || { echo "$document: there is no test $missing"; return 1; }
	done
}

# of_rules - "number file name" of each test that rules.txt names
of_rules()
{
	awk '/^[0-9]+ / { rule = $1 } /^\t/ { sub(/^\t/, ""); print rule, $0 }' tests/rejection/rules.txt | sort
}

# of_attacks - the same of docs/attacks.md
of_attacks()
{
	sed -nE -e 's/^### ([0-9]+)\. .*/\1/p' -e 's/^- `([^`:]+)(: ([^`]*))?`.*/\t\1 \3/p' -e 's/^- the table$/\ttable/p' docs/attacks.md |
		awk '/^[0-9]+$/ { rule = $1 } /^\t/ { sub(/^\t/, ""); sub(/ +$/, ""); print rule, $0 }' | sort
}

# bats test_tags=long
@test "docs/attacks.md has the rules of rules.txt, and for each the same tests" {
	[ "$(of_rules | wc -l)" -ge 120 ]
	diff <(of_rules) <(of_attacks)
	diff <(grep -oP '^[0-9]+(?= )' tests/rejection/rules.txt) <(grep -oP '^### \K[0-9]+(?=\. )' docs/attacks.md)
	# the public mistakes that rules.txt names are there too
	cves() { grep -o 'CVE-[0-9]*-[0-9]*' "$1" | sort -u; }
	[ "$(cves tests/rejection/rules.txt | wc -l)" -ge 10 ]
	[ -z "$(comm -23 <(cves tests/rejection/rules.txt) <(cves docs/attacks.md))" ]
}

@test "what looks at the documents notices what is missing" {
	printf '%s\n' 'In `lib/none.c`, `tests/unit/test_alg.c: of_jwk` and' '`tests/bats/docs.bats: --help lists`; `a word`.' \
		'```' '`lib/in-a-block.c`' '```' >"$dir/page.md"
	[ "$(files "$dir/page.md" | tr '\n' ' ')" = 'lib/none.c tests/bats/docs.bats tests/unit/test_alg.c ' ]
	[ "$(tests_of "$dir/page.md" | tr '\n' '+')" = 'tests/bats/docs.bats --help lists+tests/unit/test_alg.c of_jwk+' ]
	is_there lib/rjwt.h
	is_there 'lib/*.h'
	run -1 is_there lib/none.c
	printf '%s\n' 'tests/unit/test_alg.c of_jwk' 'tests/unit/test_alg.c of_jw' 'tests/bats/docs.bats --help lists' \
		'tests/bats/docs.bats -help lists' 'tests/none.bats a' >"$dir/tests"
	[ "$(missing_tests <"$dir/tests" | tr '\n' '+')" = \
		'tests/unit/test_alg.c of_jw+tests/bats/docs.bats -help lists+tests/none.bats a+' ]
}

# A mutant that is listed and not there hides nothing, but its reason is read, and believed.
@test "each mutant of tests/mutation/equivalent.txt can still be made" {
	grep -vP '^(#|\t|$)' tests/mutation/equivalent.txt | sort >"$dir/listed"
	mapfile -t files < <(cut -d: -f1 "$dir/listed" | sort -u)
	/usr/bin/python3 -B tests/mutation/mutate.py --list "${files[@]}" | cut -d' ' -f2- | sort -u >"$dir/made"
	[ "$(wc -l <"$dir/made")" -gt 1000 ]
	diff <(comm -23 "$dir/listed" "$dir/made") /dev/null
	# one that is not is found
	echo 'lib/base/file.c: nobody: true: here' >>"$dir/listed"
	[ "$(comm -23 <(sort "$dir/listed") "$dir/made")" = 'lib/base/file.c: nobody: true: here' ]
}
