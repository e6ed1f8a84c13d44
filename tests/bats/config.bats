#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt.yaml as its user sees it: what is accepted, and where and why a file is refused as a whole.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	use_folder "$BATS_TEST_TMPDIR"
	configure
	keyd init
}

# file TEXT - the configuration, with printf's escapes
# shellcheck disable=SC2059    # that is what it is for
file() { printf -- "$1" >"$conf"; }

# told PLACE TEXT - refused by every program, with the place: LINE:COLUMN
told()
{
	local program
	for program in keyd issue verify; do
		case $program in
		keyd) try 1 keyd once ;;
		issue) try 1 issue alice ;;
		verify) try 2 verify "$dir/token" ;;
		esac
		[[ -z $output && $stderr == "rjwt-$program: $conf:$1: "*"$2"* ]] || { echo "$program, wanted $1 $2: $output$stderr"; return 1; }
	done
	try 1 keyd check
	says "FAIL  config   $conf:$1: "
	[[ ${output//$'\n               '/ } == *"$conf:$1: "*"$2"* ]] || { echo "check, wanted $1 $2: $output"; return 1; }
	try 3 keyd status
}

fine()
{
	try 0 keyd check -d "$state"
	[[ $output == *'check: '*': 0 FAIL, '* ]] || { echo "not OK: $output"; return 1; }
}

# bats test_tags=long
@test "what is refused, with line, column, the text and what is wanted; and the twin that is accepted" {
	issue alice >"$dir/token"
	while IFS='|' read -r place why bad good; do
		file "issuer: a\n$bad\n"
		told "$place" "$why"
		file "issuer: a\n$good\n"
		fine
	done <<-'E'
		2:1|unknown key "leway"; did you mean leeway?|leway: 1s|leeway: 1s
		2:1|unknown key "frobnicate"|frobnicate: 1|cap_session: true
		2:1|issuer: duplicate key, first on line 1|issuer: b|audience: b
		2:9|leeway: is not a duration (such as 90s, 15m, 1h30m or 7d)|leeway: 5|leeway: 5s
		2:9|leeway: must be 0s to 5m|leeway: 301s|leeway: 300s
		2:9|leeway: is not a duration|leeway: -1s|leeway: 0
		2:6|alg: is not a supported algorithm; did you mean HS256?|alg: HS255|alg: HS256
		2:6|alg: "none" is not a supported algorithm|alg: none|alg: EdDSA
		2:11|rsa_bits: must be|rsa_bits: 1024|rsa_bits: 2048
		2:21|max_tokens_per_key: "many" is not a whole number|max_tokens_per_key: many|max_tokens_per_key: 10
		2:21|max_tokens_per_key: is not a whole number (write it without quotes)|max_tokens_per_key: "10"|max_tokens_per_key: 0
		2:14|cap_session: "yes" is not true or false|cap_session: yes|cap_session: true
		2:11|one_time: "never" is not|one_time: never|one_time: always
		2:12|state_dir: is not an absolute path|state_dir: lib/rjwt|state_dir: /lib/rjwt
		2:11|audience: is not text; quote it|audience: 12|audience: "12"
		2:11|audience: "true" is not text|audience: true|audience: "true"
		2:11|audience: the list is empty|audience: []|audience: [a]
		2:11|audience: expected a name or a list of names|audience: {a: b}|audience: [a, b]
		2:13|token_type: expected one value, not a list|token_type: [a]|token_type: a
		2:14|user_suffix|user_suffix: 7|user_suffix: "7"
		2:9|issue: the rule has no users|issue: [{who: x}]|issue: [{who: root, users: self, scopes: ssh, max_lifetime: 5m}]
		3:3|unknown member of a rule "whom"; did you mean who?|issue:\n- whom: x|issue: []
		3:8|who: the list is empty|issue:\n- who: []|issue: []
		2:18|is not a scope (1 to 32|services: {sshd: "a b"}|services: {sshd: ""}
		2:21|is listed twice|services: {sshd: a, sshd: b}|services: {sshd: a, sudo: b}
		2:9|anchors and aliases are not accepted|leeway: &x 1s|leeway: 1s
		2:9|tags are not accepted|leeway: !!str 1s|leeway: "1s"
		2:1|rsa_bits: 2049 is not a multiple of 8|rsa_bits: 2049|rsa_bits: 2056
	E
}

@test "limits that depend on each other are told at the key, with the sum" {
	issue alice >"$dir/token"
	file 'max_lifetime: 2h\nprevious_key_ttl: 2h\n'
	told 2:1 '2h1m'
	file 'max_lifetime: 2h\nprevious_key_ttl: 7260s\n'
	fine
	file 'default_lifetime: 2h\n'
	told 1:1 max_lifetime
	file 'default_lifetime: 2h\nmax_lifetime: 2h\n'
	fine
}

# bats test_tags=long
@test "no YAML mapping, a second document, too large, no UTF-8, a NUL" {
	issue alice >"$dir/token"
	while IFS='|' read -r place why bad good; do
		file "$bad"
		told "$place" "$why"
		file "$good"
		fine
	done <<-'E'
		1:1|expected lines of the form key: value|- issuer\n|issuer: a\n
		1:1|expected lines of the form key: value|text\n|# text\n
		2:1|a second document|issuer: a\n---\nissuer: b\n|---\nissuer: a\n
		2:9|not YAML: mapping values|issuer: a\n  leeway: 1s\n|issuer: a\nleeway: 1s\n
		1:9|a NUL is not accepted|issuer: "a\\0b"\n|issuer: "a.b"\n
		2:1|not YAML: did not find expected|issuer: [a\n|issuer: [a]\n
		1:1|not YAML: a tab where only spaces are allowed|\tissuer: a\n|issuer: a\n
		2:1|not YAML: found a tab character|issuer: a\n\tleeway: 1s\n|issuer: a\nleeway: 1s\n
		1:9|not YAML: this character cannot start a plain value; quote the value|issuer: @a\n|issuer: "@a"\n
		1:10|not text: |issuer: a\xff\n|issuer: a\xc3\xbf\n
		4:9|not text: |issuer: a\n\n# \xc3\xbc\nleeway: \x011s\n|issuer: a\n\n# \xc3\xbc\nleeway: 1s\n
		2:11|not text: |issuer: a\nleeway: 1s\0\n|issuer: a\nleeway: 1s\n
	E
	{ printf 'issuer: a\n#'; head -c 65540 /dev/zero | tr '\0' x; } >"$conf"
	refused 1 'too large' keyd check
	{ printf 'issuer: a\n#'; head -c 65000 /dev/zero | tr '\0' x; } >"$conf"
	fine
	: >"$conf"
	fine
}

@test "the file is root's or the user's own, not writable by others, no link, no special file" {
	chmod 0664 "$conf"
	refused 1 "$conf: writable by its group or by others" keyd check
	refused 1 "$conf: writable by its group or by others" issue alice
	chmod 0644 "$conf"
	mv "$conf" "$dir/real"
	ln -s real "$conf"
	refused 1 "$conf: is a symbolic link" keyd check
	rm "$conf"
	mkfifo "$conf"
	refused 1 "$conf: not a regular file" keyd check
	rm "$conf"
	refused 1 "$conf: cannot read: No such file" keyd check
	mkdir "$dir/open"
	chmod 0777 "$dir/open"
	cp "$dir/real" "$dir/open/rjwt.yaml"
	refused 1 "$dir/open: writable by" keyd -c "$dir/open/rjwt.yaml" check
	chmod 0755 "$dir/open"
	run -0 keyd -c "$dir/open/rjwt.yaml" check
	mv "$dir/real" "$conf"
	if [ "$(id -u)" -eq 0 ]; then
		chown 65534 "$conf"
		refused 1 "$conf: not owned by root" keyd check
		chown 0 "$conf"
	fi
	run -0 keyd check
}

# bats test_tags=long
@test "nothing of a file that was named by mistake, or by a caller of sudo, is shown" {
	while read -r text; do
		for text in "$text" "leeway: $text" "issue: $text" "alg: $text" "services: {a: $text}" "services: {$text: a}" "a: 1\n\t$text" "base_kid: $text"; do
			file "$text"
			for program in keyd issue; do
				case $program in
				keyd) try 1 keyd check ;;
				issue) try 1 issue alice ;;
				esac
				case $output$stderr in
				*secret* | *SECRET* | *6543*) echo "$text: $output$stderr"; return 1 ;;
				esac
			done
		done
	done <<-'E'
		root:$y$j9T$SECRET/6543.:19000:0:99999:7:::
		secret-6543
		Secret
		65431
		&secret65
		*secret65
		!secret65 x
		@SECRET
		"SECRET 1"
		-----BEGIN SECRET KEY-----
	E
	printf 'issuer: SECRET\xff' >"$conf"
	refused 1 "$conf:1:15: not text" keyd check
	case $output in *SECRET*) return 1 ;; esac
	file 'issuer: a\n"le\\ew\\x9bay": 1s\n'
	refused 1 "$conf:2:1: unknown key" keyd check
	case $output in *$'\e'*) return 1 ;; esac
	# the twin: a mistyped key of ours, and a mistyped word
	file 'isuer: a\n'
	refused 1 'unknown key "isuer"; did you mean issuer?' keyd check
	file 'cap_session: maybe\n'
	refused 1 'cap_session: "maybe" is not true or false' keyd check
}

# bats test_tags=long
@test "a base_kid that is not the keyset's: it is rjwt.yaml that is to blame" {
	base=$(kid)
	base=${base%.*}
	configure 'base_kid: other'
	for writer in 'keyd once' 'keyd rotate' 'issue alice'; do
		# shellcheck disable=SC2086    # words
		refused 1 "$conf: base_kid is other, but the keyset's base is $base" $writer
	done
	configure "base_kid: $base"
	for writer in 'keyd once' 'keyd rotate' 'issue alice'; do
		# shellcheck disable=SC2086    # words
		try 0 $writer
	done
}

@test "-d comes before state_dir, and -c must be there" {
	mv "$state" "$dir/other"
	run -0 keyd -d "$dir/other" check
	refused 1 'no keyset was created' keyd check
	refused 1 "$dir/none.yaml: cannot read: No such file" "$RJWT_BUILD/rjwt-keyd" -c "$dir/none.yaml" check
}

# in_place COMMAND... - of the default path: $dir/etc is what the programs see there
in_place()
{
	# shellcheck disable=SC2016    # the other shell's
	unshare -m bash -c 'mount --bind "$1" "$2" && shift 2 && "$@"' - "$dir/etc" "${default%/*/*}" "$@"
}

@test "a default file that a keyset was used with cannot go away unnoticed" {
	need_root
	need unshare mount jq
	default=$("$RJWT_BUILD/rjwt-keyd" --help | sed -n 's/.*(default: \(.*rjwt\.yaml\)).*/\1/p')
	[ -d "${default%/*/*}" ] || skip "there is no ${default%/*/*}"
	mkdir -p "$dir/etc/rjwt"
	[ ! -e /etc/machine-id ] || cp /etc/machine-id "$dir/etc"
	in_place true 2>/dev/null || skip 'no directory can be mounted here'
	keyd() { in_place "$RJWT_BUILD/rjwt-keyd" -d "$state" "$@"; }
	login() { in_place "$RJWT_BUILD/rjwt-verify" -d "$state" -u alice -s sshd "$dir/token"; }
	rm -r "$state"
	file=$dir/etc/rjwt/rjwt.yaml
	printf 'issuer: a\naudience: b\nservices: {su: ""}\n' >"$file"
	try 0 keyd init
	try 0 in_place "$RJWT_BUILD/rjwt-issue" -d "$state" --reusable alice
	echo "$output" >"$dir/token"
	try 0 login
	run keyd check    # which has findings: this /etc has nothing else
	[ "${lines[0]}" = "OK    config   $default" ]
	mv "$file" "$file.away"
	try 2 login
	[[ $stderr == "rjwt-verify: $default: is missing, "*'put it back'* ]]
	refused 1 'is missing' in_place "$RJWT_BUILD/rjwt-issue" -d "$state" alice
	refused 1 'is missing' keyd once
	try 1 keyd check
	[[ $output == "FAIL  config   $default: is missing, "* ]]
	keyd check --json >"$dir/json" || true
	jq -e '.findings[0].code == "config.missing"' "$dir/json"
	try 3 keyd status
	mv "$file.away" "$file"
	try 0 login
	try 0 keyd status
	says "config $default"
	: >"$file"    # the defaults are meant; what was recorded at init are the names
	try 0 login
}
