#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Tokens that are bound to an ssh key or to addresses: what the programs take, refuse and say. With a real sshd:
# tests/system/bind.bats.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	need jq ssh-keygen
	fresh 'issue: [{who: daemon, users: games, scopes: [ssh, sudo], max_lifetime: 10m}]'
	ssh-keygen -q -t ed25519 -N '' -C SECRET -f "$dir/key"
	ssh-keygen -q -t ed25519 -N '' -C SECRET -f "$dir/other"
	fingerprint=$(ssh-keygen -l -f "$dir/key.pub" | cut -d ' ' -f 2)
}

# no STATUS TEXT COMMAND... - refused so: no token, no ticket, and nothing of a file
no()
{
	local before
	before=$(stat -c %s "$state/private/1.minted")
	run -"$1" --separate-stderr "${@:3}"
	[[ -z $output && $stderr == *"$2"* && $stderr != *SECRET* && $stderr != *AAAA* && $stderr != *'-----'* ]] ||
		{ printf 'no "%s" in: %s%s\n' "$2" "$output" "$stderr"; return 1; }
	[ "$(stat -c %s "$state/private/1.minted")" -eq "$before" ]
}

by_daemon() { SUDO_UID=1 "$RJWT_BUILD/tests/bats/grant_here" "$conf" "$@"; }

@test "--bind-key and --from become the claims cnf and src, and are in the record" {
	run -0 --separate-stderr issue --bind-key "$dir/key.pub" --from 192.0.2.7 --from 2001:DB8::/32 alice
	[ "$(claim '[.cnf, .src] | tostring' "$output")" = "[{\"kid\":\"$fingerprint\"},[\"192.0.2.7/32\",\"2001:db8::/32\"]]" ]
	[ "$(jq -c '[.cnf, .src]' "$state"/issued/*)" = "[\"$fingerprint\",[\"192.0.2.7\",\"2001:DB8::/32\"]]" ]
	run -0 --separate-stderr issue alice
	[ "$(claim 'has("cnf"), has("src")' "$output" | xargs)" = 'false false' ]
	run -0 --separate-stderr issue --bind-key - alice <"$dir/key.pub"
	[ "$(claim .cnf.kid "$output")" = "$fingerprint" ]
	run -0 --separate-stderr issue --bind-key "$dir/key.pub" --json alice
	[ "$(jq -r '.claims.cnf.kid' <<<"$output")" = "$fingerprint" ]
}

@test "rjwt-verify tries a key and an address" {
	issue --bind-key "$dir/key.pub" --from 192.0.2.0/24 alice >"$dir/token" 2>/dev/null
	try() { run "-$1" verify -u alice -s sshd "${@:3}" "$dir/token"; says "$2"; }
	try 1 "rejected: binding: the token is bound to an ssh key that was not used (expected ssh key $fingerprint, found no ssh key)"
	try 1 'rejected: binding: ' --source 192.0.2.7
	try 1 'rejected: source: the token is for another source address (expected 192.0.2.0/24, found no address)' --key "$dir/key.pub"
	try 1 'rejected: source: ' --key "$dir/key.pub" --source 192.0.3.0
	try 1 'rejected: binding: ' --key "$dir/other.pub" --source 192.0.2.7
	try 0 accepted --key "$dir/key.pub" --source 192.0.2.7
	try 0 accepted --key "$dir/other.pub" --key "$dir/key.pub" --source ::ffff:192.0.2.255
	run -0 verify -u alice -s sshd --key "$dir/key.pub" --source 192.0.2.7 --explain "$dir/token"
	says "OK    use     scope ssh; ssh key $fingerprint; from 192.0.2.7; not revoked; not spent"
	run -1 verify -u alice -s sshd --key "$dir/other.pub" --source 192.0.2.7 --explain "$dir/token"
	says "binding: expected ssh key $fingerprint, found SHA256:" 'fix: log in with the ssh key' 'not reached: source revoked denied spent'
	run -1 verify -u alice -s sshd --key "$dir/key.pub" --json "$dir/token"
	[ "$(jq -r '.reason, (.checks[] | select(.check == "binding" or .check == "source").outcome)' <<<"$output" | xargs)" = \
		'source passed failed' ]
	issue --from ::/0 alice >"$dir/token" 2>/dev/null
	try 1 'rejected: source: ' --source 192.0.2.7
	try 0 accepted --source 2001:db8::7
	for address in '' localhost 192.0.2 192.0.2.0/24 fe80::1%lo 192.0.2.07 '192.0.2.7 '; do
		run -2 verify --source "$address" "$dir/token"
	done
	run -2 verify --jws --key "$dir/key.pub" "$dir/token"
	run -2 verify --jws --source ::1 "$dir/token"
}

@test "--bind-key: what is no public key is refused, and nothing of it is shown" {
	no 1 'a private key (expected the public one' issue --bind-key "$dir/key" alice
	ssh-keygen -q -t rsa -b 2048 -m PEM -N '' -f "$dir/pem"
	no 1 'a private key' issue --bind-key "$dir/pem" alice
	cat "$dir/key.pub" "$dir/other.pub" >"$dir/two"
	no 1 'two: several lines (expected one public key' issue --bind-key "$dir/two" alice
	: >"$dir/empty"
	no 1 'empty: empty (expected one public key' issue --bind-key "$dir/empty" alice
	printf '\n\n' >"$dir/blank"
	no 1 'blank: empty' issue --bind-key "$dir/blank" alice
	for text in SECRET 'root:$y$j9T$SECRET:19000:0:99999:7:::' "ssh-rsa $(cut -d ' ' -f 2 "$dir/key.pub") SECRET" \
		"no-pty $(<"$dir/key.pub")" 'ssh-ed25519 SECRET' "$(cut -c 1-40 "$dir/key.pub") SECRET" '# SECRET'; do
		echo "$text" >"$dir/text"
		no 1 'text: not a public key of OpenSSH (expected TYPE BASE64 [COMMENT]; ssh-keygen -y prints it)' issue \
			--bind-key "$dir/text" alice
		no 1 'standard input: not a public key of OpenSSH' issue --bind-key - alice <"$dir/text"
	done
	head -c 65537 /dev/zero | tr '\0' S >"$dir/large"
	no 1 'large: too large for a public key' issue --bind-key "$dir/large" alice
	no 1 'standard input: too large' issue --bind-key - alice <"$dir/large"
	no 1 'missing: No such file or directory' issue --bind-key "$dir/missing" alice
	no 1 'not a regular file' issue --bind-key "$dir" alice
	no 1 'not a regular file' issue --bind-key /dev/zero alice
	mkfifo "$dir/fifo"
	no 1 'not a regular file' timeout 5 "$RJWT_BUILD/rjwt-issue" -c "$conf" --bind-key "$dir/fifo" alice
	run -2 --separate-stderr verify --key "$dir/key" </dev/null
	[[ $stderr == *'a private key'* && $stderr != *-----* ]]
	run -2 --separate-stderr verify --key "$dir/fifo" </dev/null
	no 2 'given twice' issue --bind-key "$dir/key.pub" --bind-key "$dir/other.pub" alice
	printf '%s\r\n\n' "$(<"$dir/key.pub")" >"$dir/crlf"
	run -0 --separate-stderr issue --bind-key "$dir/crlf" alice
	[ "$(claim .cnf.kid "$output")" = "$fingerprint" ]
}

@test "--bind-key: a certificate binds to the key in it" {
	ssh-keygen -q -s "$dir/other" -I x -n alice "$dir/key.pub"
	run -0 --separate-stderr issue --bind-key "$dir/key-cert.pub" alice
	[ "$(claim .cnf.kid "$output")" = "$fingerprint" ]
}

@test "--from: what is no range, or has bits behind its prefix" {
	for text in 192.0.2.7/24 192.0.2.0/33 192.0.2.0/ 192.0.2.0/024 2001:db8::1/64 2001:db8::/129 fe80::1%lo \
		::ffff:192.0.2.0/120 ::ffff:192.0.2.7 localhost host.example.org '*' '' 192.0.2 ' 192.0.2.7' 192.0.2.0/24,::/0 \
		0x7f000001 127.1 $'192.0.2.7\n' $'192.0.2.7\e[31m'; do
		no 1 'rjwt-issue: source: ' issue --from "$text" alice
		no 1 'rjwt-issue: source: ' issue --from ::1 --from "$text" alice
	done
	no 1 'bits are set behind the prefix' issue --from 192.0.2.7/24 alice
	mapfile -t many < <(printf -- '--from=192.0.2.%d\n' {1..17})
	no 1 'too many address ranges (expected at most 16)' issue "${many[@]}" --force alice
	run -0 --separate-stderr issue "${many[@]:1}" alice
	[ "$(claim '.src | length' "$output")" = 16 ]
}

@test "a bound token is for ssh alone" {
	for bound in "--from=::1" "--bind-key=$dir/key.pub"; do
		for scopes in '-s sudo' '-s ssh -s sudo' '-s su' '-s login' '-s ssh -s ssh'; do
			# shellcheck disable=SC2086
			no 1 'rjwt-issue: scope: a token that is bound to an ssh key or an address is for ssh alone' issue "$bound" $scopes alice
		done
		run -0 --separate-stderr issue "$bound" -s ssh alice
	done
}

@test "--batch: from and bind_key of each line; the options are the default" {
	key=$(<"$dir/key.pub")
	jq -nc --arg key "$key" '{sub: "a", bind_key: $key, from: "::1"}, {sub: "b", from: ["10.0.0.0/8", "::/0"]}, {sub: "c"},
		{sub: "d", bind_key: "SECRET"}, {sub: "e", bind_key: 7}, {sub: "f", from: "10.0.0.1/8"}, {sub: "g", from: []},
		{sub: "h", from: "::1", scope: "sudo"}' >"$dir/requests"
	run -1 --separate-stderr issue --batch --from 127.0.0.0/8 <"$dir/requests"
	[ "${#lines[@]}" -eq 3 ]
	[ "$(claim '[.cnf.kid, .src] | tostring' "${lines[0]}")" = "[\"$fingerprint\",[\"::1/128\"]]" ]
	[ "$(claim '.src | tostring' "${lines[1]}")" = '["10.0.0.0/8","::/0"]' ]
	[ "$(claim '.src | tostring' "${lines[2]}")" = '["127.0.0.0/8"]' ]
	[[ $stderr == *'line 4: binding: bind_key: not a public key'* && $stderr == *'line 5: malformed: bind_key: expected a string'* &&
		$stderr == *'line 6: source: 10.0.0.1/8: '* && $stderr == *'line 7: malformed: from: expected'* &&
		$stderr == *'line 8: scope: '* && $stderr != *SECRET* ]]
	no 2 'with --batch, standard input has the requests' issue --batch --bind-key - <"$dir/requests"
	run -0 --separate-stderr issue --batch --bind-key "$dir/key.pub" <<<'{"sub":"a"}'
	[ "$(claim .cnf.kid "$output")" = "$fingerprint" ]
}

@test "rjwt-grant takes --from, and a key from standard input alone" {
	run -0 --separate-stderr by_daemon --from 192.0.2.0/24 --bind-key - games <"$dir/key.pub"
	[ "$(claim '[.cnf.kid, .src] | tostring' "$output")" = "[\"$fingerprint\",[\"192.0.2.0/24\"]]" ]
	no 2 '--bind-key: expected - (rjwt-grant reads the key from standard input)' by_daemon --bind-key "$dir/key.pub" games
	no 2 '--bind-key: expected -' by_daemon --bind-key /etc/shadow games
	no 2 '--bind-key: expected -' by_daemon --bind-key '' games
	no 1 'standard input: a private key' by_daemon --bind-key - games <"$dir/key"
	no 1 'source: ' by_daemon --from 192.0.2.7/24 games
	no 1 'scope: ' by_daemon --from ::1 -s sudo games
	no 1 'rule: ' by_daemon --from ::1 alice
}
