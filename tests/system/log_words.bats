#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The log: what happened, in the words of rjwt(7). What other tests log is held against them by log_secrets.bats.

bats_require_minimum_version 1.5.0

setup()
{
	. tests/system/helpers.bash
	fresh_keyset 'leeway: 0s'
	pam_service rjwt-test both
	log_mark
}

teardown()
{
	no_token_logged
}

# said LINE... - since log_mark, these lines of ours and no others, in this order; a LINE is a pattern of the shell
said()
{
	local n=0 lines=() line
	mapfile -t lines < <(log_since 'rjwt-[a-z]+\[|pam_rjwt\(' | sed -E 's/^authpriv\.([a-z]+) [^:]*: /\1 /; s/pam_rjwt\([^)]*\): //')
	for line; do
		# shellcheck disable=SC2053
		[[ ${lines[n]-} == $line ]] || { printf 'line %d is not %s:\n' $((n + 1)) "$line"; printf '%s\n' "${lines[@]}"; return 1; }
		n=$((n + 1))
	done
	[ ${#lines[@]} -eq "$n" ] || { printf '%s\n' "${lines[@]}"; return 1; }
}

@test "log: a rotation says which key was published, promoted, retired, erased and removed" {
	base=$(jq -r .base /var/lib/rjwt/keyset.json)
	rjwt-keyd rotate
	said "notice published kid=$base.3 alg=ES256" "notice promoted kid=$base.2 cause=manual" \
		"notice retired kid=$base.1 exp=20??-??-??T??:??:??Z" "notice erased kid=$base.1"
	log_mark
	rjwt-keyd rotate --dry-run
	rjwt-keyd once
	said
	rjwt-keyd rotate --compromised
	said "notice published kid=$base.4 alg=ES256" "notice published kid=$base.5 alg=ES256" \
		"notice promoted kid=$base.4 cause=revoke" "notice erased kid=$base.[23]" "notice erased kid=$base.[23]" \
		"notice removed kid=$base.[123]" "notice removed kid=$base.[123]" "notice removed kid=$base.[123]"
	log_mark
	printf 'leeway: 0s\nrotate_every: 1s\nprevious_key_ttl: 2h\n' >/etc/rjwt/rjwt.yaml
	sleep 1.2
	rjwt-keyd once
	said "notice published kid=$base.6 alg=ES256" "notice promoted kid=$base.5 cause=time" \
		"notice retired kid=$base.4 exp=*" "notice erased kid=$base.4"
	printf 'leeway: 0s\nmax_tokens_per_key: 1\n' >/etc/rjwt/rjwt.yaml
	mint alice >/dev/null
	log_mark
	mint alice >/dev/null
	said "notice published kid=$base.7 alg=ES256" "notice promoted kid=$base.6 cause=count" \
		"notice retired kid=$base.5 exp=*" "notice erased kid=$base.5" "notice issued by=root * kid=$base.6 uses=once"
}

@test "log: a keyset that is made, and one that is adopted" {
	rm -r /var/lib/rjwt
	rjwt-keyd init
	base=$(jq -r .base /var/lib/rjwt/keyset.json)
	said "notice published kid=$base.1 alg=ES256" "notice published kid=$base.2 alg=ES256" "notice promoted kid=$base.1 cause=init"
	log_mark
	rjwt-keyd init --adopt
	base=$(jq -r .base /var/lib/rjwt/keyset.json)
	said "notice published kid=$base.3 alg=ES256" "notice published kid=$base.4 alg=ES256" "notice promoted kid=$base.3 cause=adopt"
}

@test "log: one id leads from the mint to the login and to the revocation" {
	token=$(mint --reusable --reason 'ticket 4711' -s rjwt-test alice)
	jti=$(claim jti "$token")
	run -0 pamtester rjwt-test alice authenticate <<<"$token"
	rjwt-keyd revoke --jti "$jti"
	run -1 pamtester rjwt-test alice authenticate <<<"$token"
	run -0 log_since "$jti"
	[ ${#lines[@]} -eq 4 ]
	[[ ${lines[0]} == *': issued by=root sub=alice '*" jti=$jti "*' uses=any why="ticket 4711"' ]]
	[[ ${lines[1]} == *": accepted user=alice service=rjwt-test kid="*" jti=$jti sub=alice exp="* ]]
	[[ ${lines[2]} == *": revoked jti=$jti by=root live=1" ]]
	[[ ${lines[3]} == *": rejected reason=revoked user=alice service=rjwt-test kid="*" jti=$jti sub=alice exp="* ]]
}

@test "log: who revoked what, and how many tokens that hit" {
	mint alice >/dev/null
	mint bob >/dev/null
	mint bob >/dev/null
	log_mark
	run -1 rjwt-keyd revoke --sub alice bob nobody
	log_since . | grep -q ': revoked sub=alice by=root live=1$'
	log_since . | grep -q ': revoked sub=bob by=root live=2$'
	log_since . | grep -q ': revoked sub=nobody by=root live=0$'
	mint alice >/dev/null
	run -0 sudo_stdin alice "$alice_password" rjwt-keyd revoke --all
	log_since ": revoked all=yes by=root caller=$(id -u alice) via=sudo (loginuid=[0-9]+ )?live=1\$"
	kid=$(rjwt-keyd status --json | jq -r '.keys[] | select(.state == "next").kid')
	rjwt-keyd revoke --kid "$kid"
	log_since ": revoked kid=$kid by=root live=0\$"
	# what is not done is not said to be
	log_mark
	rjwt-keyd revoke --all --dry-run
	run -1 rjwt-keyd revoke --kid "$kid.x"
	run -1 log_since ': revoked '
	log_since '^authpriv.err .*: failed reason=kid error='
}

@test "log: what is refused, and what does not work" {
	run -1 rjwt-issue -t 9d --reason why -s rjwt-test alice
	said "notice refused reason=lifetime by=root sub=alice scope=rjwt-test error=* why=why"
	log_mark
	printf '%s\n' '{"sub":"alice","lifetime":"9d"}' '{"sub":"alice","lifetime":"1m"}' 'no json' | rjwt-issue --batch >/dev/null || true
	said "notice refused reason=lifetime by=root sub=alice error=*" "notice issued by=root sub=alice *"
	log_mark
	echo 'rotate_evry: 1h' >/etc/rjwt/rjwt.yaml
	run -1 rjwt-keyd once
	run -1 pamtester rjwt-test alice authenticate <<<x
	said 'err failed reason=config path=/etc/rjwt/rjwt.yaml line=1:1 error=*' \
		'err rejected reason=config user=alice service=rjwt-test path=/etc/rjwt/rjwt.yaml line=1:1 error=*'
	log_mark
	sed -i 's/pam_rjwt.so/& prmpt=x/' /etc/pam.d/rjwt-test
	run -1 pamtester rjwt-test alice authenticate <<<x
	said 'err rejected reason=usage argument="prmpt=x" error="expected conf=*"'
}

@test "log: a rotation that is overdue, a clock that was set, and what did not prevent a change" {
	fresh_keyset 'leeway: 0s' 'rotate_every: 1m'
	base=$(jq -r .base /var/lib/rjwt/keyset.json)
	token=$(mint --reusable -t 10m -s rjwt-test alice)
	later=(env LD_PRELOAD="$PWD/tests/fault/clock.so" RJWT_CLOCK_FILE="$work/clock")
	echo '200 0' >"$work/clock"
	log_mark
	run -0 "${later[@]}" pamtester rjwt-test alice authenticate <<<"$token"
	said 'notice accepted user=alice *' 'warning overdue since=20??-??-??T??:??:??Z' 'warning clock suspect=forward by=3m*'
	log_mark
	"${later[@]}" rjwt-keyd once
	said "notice published kid=$base.3 alg=ES256" "notice promoted kid=$base.2 cause=time" "notice retired kid=$base.1 exp=*" \
		'warning clock suspect=forward by=3m*' "notice erased kid=$base.1"
	fresh_keyset 'leeway: 0s'
	rm /var/lib/rjwt/private/1.minted
	mint alice >/dev/null
	log_since '^authpriv.warning rjwt-issue.*: warning text="the token was not counted: '
}

# start - the daemon, until it has looked at this host and is quiet
start()
{
	local n
	rjwt-keyd run >/dev/null 2>&1 3>&- &
	daemon=$!
	for n in {1..200}; do
		[ "$n" -lt 5 ] || pgrep -P "$daemon" >/dev/null || return 0
		sleep 0.1
	done
	return 1
}

# restart - log what the daemon says of this host now
restart()
{
	kill "$daemon" && wait "$daemon"
	log_mark
	start
}

# findings - what was logged of PAM, and of other areas only where it changes while this file runs
findings() { log_since ' rjwt-keyd\[[0-9]+\]: finding code=pam\.(open|lockout) ' | sed -E 's/^authpriv\.([a-z]+) [^:]*: /\1 /'; }

@test "log: what check finds is logged when the daemon starts, if it is new, gone or of another level" {
	record=/var/lib/rjwt/findings
	[ ! -e "$record" ]
	cp /etc/pam.d/rjwt-test "$work/good"
	{ grep -v '^auth' "$work/good"; printf 'auth sufficient pam_rjwt.so\nauth required pam_permit.so\n'; } >/etc/pam.d/rjwt-test
	line=$(grep -n pam_permit.so /etc/pam.d/rjwt-test | tail -n 1 | cut -d: -f1)
	start
	[[ $(findings) == "err finding code=pam.open level=fail path=/etc/pam.d/rjwt-test line=$line text=\""* ]]
	[[ $(findings | wc -l) -eq 1 && $(stat -c %a "$record") == 600 && $(head -n 1 "$record") == 'rjwt findings 1' ]]
	grep -qx 'fail pam.open /etc/pam.d/rjwt-test' "$record"
	[ "$(rjwt-keyd check --json | jq '[.findings[] | select(.level != "ok") | [.code, .path]] | unique | length')" -eq \
		"$(($(wc -l <"$record") - 1))" ]
	# unchanged: not a word, and no other file
	before=$(stat -c '%i %Y' "$record")
	restart
	run -1 log_since ' finding '
	[ "$(stat -c '%i %Y' "$record")" = "$before" ]
	# of another level
	sed -i 's/^fail pam.open/warn pam.open/' "$record"
	restart
	[[ $(findings) == 'err finding code=pam.open level=fail was=warn path=/etc/pam.d/rjwt-test '* ]]
	# gone
	cp "$work/good" /etc/pam.d/rjwt-test
	restart
	[ "$(findings)" = 'notice finding code=pam.open level=ok was=fail path=/etc/pam.d/rjwt-test' ]
	run -1 grep pam.open "$record"
	restart
	run -1 log_since ' finding '
	# what is not such a record is none, and is replaced
	{ grep -v '^auth' "$work/good"; printf 'auth sufficient pam_rjwt.so\nauth required pam_permit.so\n'; } >/etc/pam.d/rjwt-test
	restart
	[ "$(findings | wc -l)" -eq 1 ]
	for bad in '' 'rjwt findings 2' $'\xff\xfe'; do
		printf '%s\nfail pam.open /etc/pam.d/rjwt-test\n' "$bad" >"$record"
		restart
		[ "$(findings | wc -l)" -eq 1 ]
		grep -qx 'fail pam.open /etc/pam.d/rjwt-test' "$record"
	done
	ln -sf /etc/passwd "$record"
	restart
	[[ $(findings | wc -l) -eq 1 && ! -L $record && $(head -n 1 "$record") == 'rjwt findings 1' ]]
	kill "$daemon" && wait "$daemon"
}

@test "log: the daemon is ready before it looks at this host, and goes on whatever happens there" {
	sshd=$(command -v sshd)
	mv "$sshd" "$work/sshd"
	printf '#!/bin/sh\nexec sleep 30\n' >"$sshd"
	chmod 0755 "$sshd"
	cp etc/pam.d/sshd /etc/pam.d/sshd
	rjwt-keyd run >/dev/null 2>"$work/out" 3>&- &
	daemon=$!
	for _ in {1..50}; do looks=$(pgrep -P "$daemon") && break || sleep 0.1; done
	[ -n "$looks" ]
	token=$(mint -s rjwt-test alice)
	rjwt-keyd rotate
	kill -KILL "$looks"
	for _ in {1..50}; do [ -e "/proc/$looks" ] || break; sleep 0.1; done
	mv "$work/sshd" "$sshd"
	[ ! -e "/proc/$looks" ]    # no zombie is left
	kill -0 "$daemon"
	run -0 pamtester rjwt-test alice authenticate <<<"$token"
	# nothing can be written: what was found is logged again at the next start
	mkdir /var/lib/rjwt/findings
	restart
	log_since '^authpriv.err rjwt-keyd.*: failed reason=io path=.*findings error='
	kill -0 "$daemon"
	kill "$daemon" && wait "$daemon"
}

@test "log: codes that are made, and revoked" {
	fresh_keyset 'codes: [login]'
	rjwt-keyd codes 2 --lifetime 30d --scope login alice >/dev/null
	log_since '^authpriv.notice rjwt-keyd.*: issued .*sub=alice'
	rjwt-keyd revoke --sub alice
	log_since '^authpriv.notice rjwt-keyd.*: codes renewed=0 removed=2$'
}

@test "log: an issuer that publishes, and a host that follows it" {
	printf '%s\n' "state_dir: $BATS_TEST_TMPDIR/issuer" 'issuer: i1.example' 'audience: i1.example' >"$BATS_TEST_TMPDIR/rjwt.yaml"
	chmod 0755 "$BATS_TEST_TMPDIR"
	rm -r /var/lib/rjwt
	line=$(rjwt-keyd -c "$BATS_TEST_TMPDIR/rjwt.yaml" fleet init --key "$BATS_TEST_TMPDIR/fleet.key" http://i1.example/fleet.jws)
	log_since '^authpriv.notice rjwt-keyd.*: sent issuer=[a-z0-9.-]+ serial=[0-9]+$'
	# shellcheck disable=SC2086    # the printed line, as it is typed
	$line
	log_since '^authpriv.notice rjwt-keyd.*: joined aud=sandbox$'
	rjwt-keyd follow "$BATS_TEST_TMPDIR/issuer/www/fleet.jws"
	log_since '^authpriv.notice rjwt-keyd.*: followed text="'
	rm -r /var/lib/rjwt
}

# The words of the others are in what the tests above have logged.
@test "log: each line is one of rjwt(7), and each word of the page was logged" {
	log_settle
	run tests/system/log_words man/rjwt.7 "$syslog" all
	echo "$output"
	[ "$status" -eq 0 ]
}
