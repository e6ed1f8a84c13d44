#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-askpass: which prompts it answers, where its tokens come from, and that nothing else of a file or a command is seen.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	use_folder "$BATS_TEST_TMPDIR"
	token=eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.AAAA_-
	other=eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJib2IifQ.BBBB
	unset RJWT_TOKEN_FILE RJWT_TOKEN_COMMAND RJWT_ASKPASS_NEXT
}

askpass() { "$RJWT_BUILD/rjwt-askpass" "$@"; }

# token_file LINE... - the file is there, private
token_file()
{
	export RJWT_TOKEN_FILE=$dir/tokens
	rm -f "$RJWT_TOKEN_FILE"
	(umask 077 && printf '%s\n' "$@" >"$RJWT_TOKEN_FILE")
}

# command TEXT... - a program that does this is the command
command_is()
{
	printf '%s\n' '#!/bin/sh' "$@" >"$dir/command"
	chmod 755 "$dir/command"
	export RJWT_TOKEN_COMMAND="$dir/command with  words"
}

# none TEXT PROMPT - no token, and why
none()
{
	try 1 askpass "$2"
	[ -z "$output" ]
	output=$stderr
	says "$1"
	[[ $stderr != *eyJ* ]]
	[ "$(wc -l <<<"$stderr")" -eq 1 ]
}

@test "askpass: a prompt for a token is answered, whatever ssh puts before it" {
	token_file $token
	for prompt in 'Token: ' 'Token:' 'Token or password: ' '(alice@web1) Token: ' '(alice@web1.example.org) Token or password: ' \
		$'\nToken: '; do
		try 0 askpass "$prompt"
		[ "$output" = $token ] && [ -z "$stderr" ]
	done
}

# bats test_tags=long
@test "askpass: other prompts go to the next program, or to nobody" {
	token_file $token
	for prompt in 'Password: ' "Enter PIN for 'token 1': " '' "alice@web1's password: " 'Token' 'YourToken: ' 'Token: is that you?' \
		'Are you sure you want to continue connecting (yes/no/[fingerprint])? '; do
		none 'does not ask for a token' "$prompt"
	done
	printf '%s\n' '#!/bin/sh' 'echo "answer to $1"' 'exit 7' >"$dir/next"
	chmod 755 "$dir/next"
	export RJWT_ASKPASS_NEXT=$dir/next
	try 7 askpass 'Password: '
	[ "$output" = 'answer to Password: ' ]
	try 0 askpass 'Token: '
	[ "$output" = $token ]
	RJWT_ASKPASS_NEXT=$dir/missing
	none "$dir/missing: No such file or directory" 'Password: '
}

@test "askpass: the reason of a rejection is told, and no token is given" {
	token_file $token $other
	none 'the host rejected the last token: Token already used.' 'Token already used. Token: '
	none 'the host rejected the last token: Token expired 40s ago.' '(alice@web1) Token expired 40s ago. Token or password: '
	none 'Token \x1b[31mred.' $'Token \e[31mred. Token: '
	try 0 askpass 'Token: '
	[ "$output" = $token ]
}

@test "askpass: each prompt takes the next line of the file, and the last one stays" {
	token_file $token '' $other
	try 0 askpass 'Token: '
	[ "$output" = $token ]
	[ "$(stat -c %a "$RJWT_TOKEN_FILE")" = 600 ]
	for n in 1 2; do
		try 0 askpass 'Token: '
		[ "$output" = $other ]
	done
	printf %s $token >"$RJWT_TOKEN_FILE"
	try 0 askpass 'Token: '
	[ "$output" = $token ]
}

@test "askpass: 16 prompts at once take 16 tokens" {
	mapfile -t all < <(for n in {10..26}; do echo "$token$n"; done)
	token_file "${all[@]}"
	for n in {1..16}; do askpass 'Token: ' >"$dir/got$n" & done
	wait
	diff <(sort "$dir"/got*) <(printf '%s\n' "${all[@]:0:16}")
	[ "$(<"$RJWT_TOKEN_FILE")" = "${all[16]}" ]
}

# bats test_tags=long
@test "askpass: a file that others can read, is no file, is empty, or has something else, is refused" {
	token_file $token
	for mode in 640 604 660 606 644; do
		chmod $mode "$RJWT_TOKEN_FILE"
		try 1 askpass 'Token: '
		[[ -z $output && $stderr == *'(chmod '* ]]
	done
	chmod 400 "$RJWT_TOKEN_FILE"
	try 0 askpass 'Token: '
	mv "$RJWT_TOKEN_FILE" "$dir/real"
	ln -s real "$RJWT_TOKEN_FILE"
	none "RJWT_TOKEN_FILE: $dir/tokens: " 'Token: '
	rm "$RJWT_TOKEN_FILE"
	none 'No such file or directory' 'Token: '
	mkfifo -m 600 "$RJWT_TOKEN_FILE"
	none 'not a regular file' 'Token: '
	for path in /dev/zero "$dir" "$dir/" ''; do
		RJWT_TOKEN_FILE=$path
		none '' 'Token: '
	done
	token_file
	none 'is empty' 'Token: '
	for text in 'root:$y$secret:19000' "$token.more" "$token x" "not.a" "$(printf '%70000s' '' | tr ' ' a).b.c"; do
		token_file "$text" $token
		none 'its first line is not a token' 'Token: '
	done
}

@test "askpass: a command prints a token; no shell reads its words" {
	command_is "echo $token" 'echo "$# $1 $2 $RJWT_PROMPT" >&2' 'read -r line || echo no input >&2'
	try 0 askpass '(alice@web1) Token: '
	[ "$output" = $token ]
	[ "$stderr" = $'2 with words (alice@web1) Token: \nno input' ]
	RJWT_TOKEN_COMMAND="$dir/command; echo x"
	try 1 askpass 'Token: '
	[ -z "$output" ]
	RJWT_TOKEN_COMMAND="echo $token"
	try 0 askpass 'Token: '
	[ "$output" = $token ]
}

# bats test_tags=long
@test "askpass: a command that fails, prints no token, two lines or too much, or is not there" {
	command_is "echo $token" 'exit 3'
	none 'failed with status 3' 'Token: '
	command_is "echo $token" "kill -9 \$\$"
	none 'was ended' 'Token: '
	for text in 'echo' 'true' "echo $token; echo $token" "echo ' $token'" 'echo secret' 'yes 2>/dev/null'; do
		command_is "$text"
		none 'did not print a token, alone on one line' 'Token: '
	done
	RJWT_TOKEN_COMMAND=$dir/missing
	none "$dir/missing: No such file or directory" 'Token: '
	RJWT_TOKEN_COMMAND='  '
	none 'expected a program' 'Token: '
	RJWT_TOKEN_COMMAND="echo $(printf '%s ' {1..64})"
	none 'expected a program' 'Token: '
}

# bats test_tags=long
@test "askpass: a command that waits is ended after 30 s, with what it started" {
	command_is "sleep 300 & echo \$! >$dir/pid; wait"
	none 'no token within 30 s' 'Token: '
	await eval "! kill -0 $(<"$dir/pid") 2>/dev/null"
}

@test "askpass: neither or both of file and command; wrong use" {
	none 'set RJWT_TOKEN_FILE or RJWT_TOKEN_COMMAND' 'Token: '
	token_file $token
	command_is "echo $token"
	none 'both set' 'Token: '
	for arguments in '' 'a b'; do
		# shellcheck disable=SC2086    # words
		try 2 askpass $arguments
		[[ $stderr == *'expected exactly one PROMPT'* ]]
	done
	try 0 askpass --version
	[[ $output == 'rjwt-askpass '[0-9]* ]]
	try 0 askpass --help
	[[ $output == Usage:* ]]
	# the page has each variable that --help has, and no other
	diff <(grep -o 'RJWT_[A-Z_]*' <<<"$output" | sort -u) <(grep -o 'RJWT_[A-Z_]*' "$RJWT_SOURCE/man/rjwt-askpass.1" | sort -u)
}
