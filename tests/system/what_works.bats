#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The table of rjwt-operations(7): what still works when something is broken. Each row is done to this host, each column
# is tried, and what works is what the page says.

bats_require_minimum_version 1.5.0

state=/var/lib/rjwt
tried='password once reusable issue rotate revoke'

setup_file()
{
	. tests/system/helpers.bash
	pam_service rjwt-test both '[prompt=Token or password: ]'
}

setup()
{
	. tests/system/helpers.bash
	module=/usr/lib/$(gcc -print-multiarch)/security/pam_rjwt.so
	around=()
	fresh_keyset 'max_lifetime: 4h'
	new_tokens
}

teardown()
{
	mend
	no_token_logged
}

new_tokens()
{
	once=$(mint -s rjwt-test alice) again=$(mint -s rjwt-test --reusable alice)
}

# mend - whatever a row did
mend()
{
	[ ! -e $work/module ] || mv $work/module "$module"
	[ ! -e /dev/log.away ] || mv /dev/log.away /dev/log
	[ ! -e $work/machine-id ] || { cp $work/machine-id /etc/machine-id && rm $work/machine-id; }
	umount $state 2>/dev/null || true
	rm -f $work/clock
}

# --- the rows: each breaks one thing --------------------------------------------------------------

declare -gA rows=(
	['nothing']=true
	['the network']=no_network
	['the daemon or the timer']=no_daemon
	['the log']=no_log
	['the module']=no_module
	['rjwt.yaml']=bad_configuration
	['the state directory']=no_state
	['keyset.json']=bad_keyset
	["the active key's file in keys/"]=bad_key
	['the active key in private/']=bad_private
	['spent/ is writable by others']=open_spent
	['the disk is full']=full
	['the disk is read-only']=read_only
	['the machine id is another']=cloned
	['the clock is 2 hours fast']='clock 7200'
	['the clock is 2 hours slow']='clock -7200'
)

no_network() { around=(unshare -n); }
no_log() { mv /dev/log /dev/log.away; }
no_module() { mv "$module" $work/module; }
bad_configuration() { echo 'leewy: 5s' >>/etc/rjwt/rjwt.yaml; }
no_state() { rm -r $state; }
bad_keyset() { sed -i 's/"generation":/"generation":1/' $state/keyset.json; }
bad_key() { sed -i 's/"alg"/"alq"/' $state/keys/1.jwk; }
bad_private() { rm $state/private/1.key; }
open_spent() { chmod o+w $state/spent; }
clock() { around=(env LD_PRELOAD="$PWD/tests/fault/clock.so" RJWT_CLOCK_FILE="$work/clock") && echo "$1 0" >$work/clock; }

# Nobody has rotated for longer than rotate_every.
no_daemon()
{
	printf '%s\n' 'max_lifetime: 4h' 'rotate_every: 2s' 'previous_key_ttl: 5h' >/etc/rjwt/rjwt.yaml
	sleep 2.5
}

cloned()
{
	cp /etc/machine-id $work/machine-id
	echo 0123456789abcdef0123456789abcdef >/etc/machine-id
}

# on_a_disk OPTIONS - the state directory as it is, on a small file system of its own
on_a_disk()
{
	cp -a $state $work/state
	mount -t tmpfs -o "$1" tmpfs $state
	cp -a $work/state/. $state
	rm -r $work/state
}

# Of bytes and of files.
full()
{
	local n=0
	on_a_disk size=400k,nr_inodes=80,mode=755
	while : >"$state/filler$n"; do n=$((n + 1)); done 2>/dev/null
	head -c 1M /dev/zero >$state/filler0 2>/dev/null || true
}

read_only()
{
	on_a_disk mode=755
	mount -o remount,ro $state
}

# --- the columns: each is tried -------------------------------------------------------------------

login() { type_in "$1" | "${around[@]}" pamtester rjwt-test alice authenticate acct_mgmt; }

works()
{
	case $1 in
	password) login "$alice_password" ;;
	once) login "$once" ;;
	reusable) login "$again" ;;
	issue) "${around[@]}" rjwt-issue -s rjwt-test alice ;;
	rotate) "${around[@]}" rjwt-keyd rotate ;;
	revoke) "${around[@]}" rjwt-keyd revoke --all ;;
	esac >$work/output 2>&1
}

# measured ROW - "yes" or "no" for each column
measured()
{
	local column
	${rows[$1]}
	for column in $tried; do
		if works $column; then printf ' yes'; else printf ' no'; fi
		sed "s|^|# $1: $column: |" $work/output >&2
	done
}

# stated - "ROW: yes no ..." of each row of the page
stated()
{
	sed -n '/^\.Ss What works when something is broken/,/^\.El/s/^\.It \(.* Ta .*\)/\1/p' man/rjwt-operations.7 |
		grep -v '^Sy ' | sed 's/^Pa //; s/ No / /g; s/ Ta /:/; s/ Ta//g'
}

@test "what works: the page has the rows that are tried here, and no other" {
	diff <(stated | sed 's/:.*//' | sort) <(printf '%s\n' "${!rows[@]}" | sort)
}

@test "what works: each row of the table is true" {
	local wrong=0 row line
	while IFS= read -r line; do
		row=${line%%:*}
		line=${line#*:}
		got=$(measured "$row" 2>>$work/what_works) || { tail $work/what_works; return 1; }
		if [ "$got" != " $line" ]; then
			echo "$row: the page says $line, and seen was$got"
			wrong=1
		fi
		mend
		around=()
		fresh_keyset 'max_lifetime: 4h'
		new_tokens
	done < <(stated)
	[ $wrong -eq 0 ] || { cat $work/what_works; return 1; }
}
