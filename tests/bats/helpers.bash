# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests of the programs share. RJWT_BUILD is the build folder, RJWT_SOURCE the source.
#
#	setup() { . "$RJWT_SOURCE/tests/bats/helpers.bash"; fresh 'leeway: 0s'; }
#
# A test has a folder of its own, $dir, with rjwt.yaml ($conf) and the state directory ($state).

: "${RJWT_BUILD:?the build folder}" "${RJWT_SOURCE:?the source folder}"
bats=$RJWT_SOURCE/tests/bats
python=/usr/bin/python3    # Debian's modules are there, whatever stands first in PATH
export LC_ALL=C.UTF-8

keyd() { "$RJWT_BUILD/rjwt-keyd" -c "$conf" "$@"; }
issue() { "$RJWT_BUILD/rjwt-issue" -c "$conf" "$@"; }
verify() { "$RJWT_BUILD/rjwt-verify" -c "$conf" "$@"; }

# use_folder DIR - no group may write to it or above: that is what rjwt refuses, whatever our umask.
use_folder()
{
	umask 022
	dir=$1 conf=$1/rjwt.yaml state=$1/state
	chmod go-w "$dir" "${dir%/*}" "$BATS_RUN_TMPDIR"
}

# configure LINE... - the configuration: where the keyset is, whose it is, and these lines
configure()
{
	{
		printf 'state_dir: %s\n' "$state"
		case "$*" in *issuer:*) ;; *) echo 'issuer: ca.example.org' ;; esac
		case "$*" in *audience:*) ;; *) echo 'audience: host.example.org' ;; esac
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} >"$conf"
}

# fresh LINE... - a test's own folder and keyset
fresh()
{
	use_folder "$BATS_TEST_TMPDIR"
	configure "$@"
	keyd init 2>"$dir/init.err" || { cat "$dir/init.err"; return 1; }
}

# need PROGRAM... - skip the test, and say why, where one is missing
need()
{
	local program
	for program; do
		command -v "$program" >/dev/null || skip "$program is not installed"
	done
}

need_root() { [ "$(id -u)" -eq 0 ] || skip 'only root can do this'; }
need_user() { [ "$(id -u)" -ne 0 ] || skip 'root is not bound by this'; }

# says TEXT... - the last run printed each of them, in one line or in the joined lines of rjwt-verify --explain and
# rjwt-keyd check
says()
{
	local text joined=${output//$'\n                '/ }
	joined=${joined//$'\n               '/ }
	for text; do
		# shellcheck disable=SC2154    # run sets it
		[[ $joined == *"$text"* ]] || { printf 'no "%s" in:\n%s\n' "$text" "$output"; return 1; }
	done
}

# slurp NAME FILE - as NAME=$(<FILE), without a process
slurp()
{
	local text=
	IFS= read -r -d '' text <"$2" || true
	while [[ $text == *$'\n' ]]; do text=${text%$'\n'}; done
	printf -v "$1" %s "$text"
}

in_a_shell() { ("$@"); }

# observe COMMAND... - sets $status and, from the files that it leaves, $output ($out) and $stderr; $merge: one for both.
# A function may change the shell, and gets one of its own; our programs do not.
observe()
{
	out=$BATS_TEST_TMPDIR/stdout.$BASHPID
	local err=$BATS_TEST_TMPDIR/stderr.$BASHPID
	status=0
	if declare -F -- "$1" >/dev/null && [[ $1 != keyd && $1 != issue && $1 != verify ]]; then set -- in_a_shell "$@"; fi
	if [ -n "$merge" ]; then
		"$@" >"$out" 2>&1 || status=$?
	else
		"$@" >"$out" 2>"$err" || status=$?
		slurp stderr "$err"
	fi
	slurp output "$out"
}

# try CODE COMMAND... - ends with exactly this status; sets $output and $stderr. As bats' run --separate-stderr, in 0.4 of
# the time: processes are what it takes, and set -T makes bats look at each command.
try()
{
	local status merge='' out code=$1
	shift
	set +T
	observe "$@"
	set -T
	[ "$status" -eq "$code" ] || { printf 'status %d, not %d: %s\n%s\n%s\n' "$status" "$code" "$*" "$output" "$stderr"; return 1; }
}

# run [!|-N] [--separate-stderr] COMMAND... - in place of bats' own, for the same reason. What it said is shown when a
# test fails by the status.
run()
{
	local wanted='' merge=yes out
	set +T
	while :; do
		case $1 in
		!) wanted=! ;;
		-[0-9]*) wanted=${1#-} ;;
		--separate-stderr) merge='' ;;
		-*) echo "run: $1: not known" && return 1 ;;
		*) break ;;
		esac
		shift
	done
	observe "$@"
	# shellcheck disable=SC2034    # the tests use them
	IFS=$'\n' read -r -d '' -a lines <"$out" || true
	set -T
	case $wanted in
	'') ;;
	!) [ "$status" -ne 0 ] || { printf 'status 0: %s\n%s\n' "$*" "$output"; return 1; } ;;
	*) [ "$status" -eq "$wanted" ] || { printf 'status %d, not %d: %s\n%s\n' "$status" "$wanted" "$*" "$output"; return 1; } ;;
	esac
}

# refused CODE TEXT COMMAND... - ends with exactly this status, and says this
refused()
{
	local text=$2
	try "$1" "${@:3}"
	output+=$stderr
	says "$text"
}

# snapshot - name, mode, owner, size and times of all in the state directory: a change of any byte shows in
# them. `lock` only names its last holder.
snapshot() { find "$state" ! -name lock -printf '%p %m %U %s %T@ %C@\n'; }

# await COMMAND... - until it succeeds, 10 s at most
await()
{
	local n
	for n in {1..200}; do
		if "$@" >/dev/null 2>&1; then return 0; fi
		sleep 0.05
	done
	echo "gave up after $n tries: $*"
	return 1
}

# --- tokens ---------------------------------------------------------------------------------------

b64() { basenc --base64url -w0 | tr -d '='; }

# part N TOKEN - header (1) or claims (2), without any code of ours
part()
{
	local text
	text=$(cut -d. -f"$1" <<<"$2")
	while [ $((${#text} % 4)) -ne 0 ]; do text+='='; done
	basenc --base64url -d <<<"$text"
}

# claim FILTER TOKEN - by jq, of the claims; header likewise
claim() { part 2 "$2" | jq -cr "$1"; }
header() { part 1 "$2" | jq -cr "$1"; }

# parts N FILTER - by jq, of that part of each token on stdin
parts() { cut -d. -f"$1" | jq -Rr "gsub(\"-\"; \"+\") | gsub(\"_\"; \"/\") | @base64d | fromjson | $2"; }

# forge SECRETFILE HEADER CLAIMS... - HS256, without any code of ours
forge() { "$python" "$bats/forge.py" "$@"; }

# active [next] - version of that key; kid [next] - its name
active() { sed "s/.*\"${1:-active}\":{\"version\":\([0-9]*\).*/\1/" "$state/keyset.json"; }
kid() { sed "s/.*\"base\":\"\([^\"]*\)\".*\"${1:-active}\":{\"version\":\([0-9]*\).*/\1.\2/" "$state/keyset.json"; }

# seal - put the right sum on a keyset.json or key file whose other bytes come from stdin
seal()
{
	local text
	text=$(sed 's/,"sum":"[0-9a-f]*"}$//')
	printf '%s,"sum":"%s"}\n' "$text" "$(printf %s "$text" | sha256sum | cut -d' ' -f1)"
}
