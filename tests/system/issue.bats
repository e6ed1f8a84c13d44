#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-issue and the log: who let whom in, found by the jti of a login.

bats_require_minimum_version 1.5.0

setup()
{
	. tests/system/helpers.bash
	fresh_keyset 'leeway: 0s'
	pam_service rjwt-test token
	pam_service sudo password
	log_mark
}

teardown()
{
	no_token_logged
}

@test "issue: one line for each token, with caller, user, host, scope, jti, exp, kid and reason" {
	token=$(mint -s ssh -s sudo -a sandbox -a web1 --reason $'ticket 4711\nforged: line' alice)
	jti=$(claim jti "$token")
	run -0 log_since 'rjwt-issue.*: warning '
	[[ ${#lines[@]} -eq 1 && $output == *'could use it on the others'* ]]
	run -0 log_since 'rjwt-issue.*: (issued|refused|failed) '
	[ ${#lines[@]} -eq 1 ]
	[[ $output =~ ^authpriv\.notice\ rjwt-issue\[[0-9]+\]:\ issued\ by=root\  ]]
	[[ $output == *" sub=alice aud=sandbox,web1 scope=\"ssh sudo\" jti=$jti exp=20"*" kid="*".1 uses=once why=\"ticket 4711\\x0aforged: line\"" ]]
	mint --reusable alice >/dev/null
	run -0 log_since 'rjwt-issue.* uses=any$'
}

@test "issue: through sudo the line names who called it" {
	run -0 --separate-stderr sudo_stdin alice "$alice_password" rjwt-issue -s rjwt-test bob
	token=$(tee -a "$tokens" <<<"$output")
	run -0 log_since 'rjwt-issue.*issued'
	[[ $output == *" by=root caller=$(id -u alice) via=sudo sub=bob "* ]]
	# the login's line leads back to it
	run -0 pamtester rjwt-test bob authenticate <<<"$token"
	run -0 log_since 'pam_rjwt.*accepted'
	[[ $output =~ jti=([A-Za-z0-9_-]+) ]]
	run -0 log_since "rjwt-issue.*via=sudo .*jti=${BASH_REMATCH[1]}"
}

@test "issue: what is refused is not logged as issued" {
	run -1 rjwt-issue -t 9d alice
	run -1 rjwt-issue -s sudo -C "long=$(printf '%500s' '' | tr ' ' x)" alice
	run -1 log_since 'issued'
}

@test "issue: a rotation that minting made due is logged, once" {
	printf 'leeway: 0s\nrotate_every: 1s\nprevious_key_ttl: 2h\n' >/etc/rjwt/rjwt.yaml
	sleep 1.2
	mint alice >/dev/null
	run -0 log_since 'rjwt-issue.*: promoted kid='
	[ ${#lines[@]} -eq 1 ]
	[[ $output == *'.2 cause=time' ]]
	log_since 'rjwt-issue.*: retired kid=[^ ]*\.1 exp='
	printf 'leeway: 0s\n' >/etc/rjwt/rjwt.yaml
	log_mark
	mint alice >/dev/null
	run -1 log_since 'promoted'
}

@test "issue: a token that cannot be counted is minted without a limit, and logged; with one the next key signs" {
	rm /var/lib/rjwt/private/1.minted
	mint alice >/dev/null
	grep -q 'warning: the token was not counted' "$work/issue.err"
	run -0 log_since 'authpriv\.warning rjwt-issue.*the token was not counted: '
	printf 'leeway: 0s\nmax_tokens_per_key: 5\n' >/etc/rjwt/rjwt.yaml
	log_mark
	run -0 rjwt-issue alice
	echo "${lines[-1]}" >>"$tokens"
	[[ $output == *'rotation was due: '*'.2 signs now'* ]]
	run -0 log_since 'issued .*kid=[^ ]*\.2 '
}

@test "issue: the caller's limits, umask and closed descriptors do no harm to the keyset" {
	# soft limits: a container's root may not be allowed to raise the hard ones
	run -0 --separate-stderr bash -c 'ulimit -S -f 0; ulimit -S -n 4; umask 0777; rjwt-issue -s rjwt-test bob 0<&-'
	echo "$output" >>"$tokens"
	echo "$stderr"
	[ -z "$stderr" ]
	run -0 pamtester rjwt-test bob authenticate <<<"$output"
	run -0 bash -c 'ulimit -S -f 0; ulimit -S -n 4; umask 0777; rjwt-keyd rotate 0<&-'
	run -0 rjwt-keyd status
	[ -z "$(find /var/lib/rjwt -path '*/spent/*' -prune -o -type f -perm /0133 -print -o -type d ! -perm -0500 -print)" ]
	run -0 mint alice
}

@test "issue: a user who is unknown, locked or expired here is warned of, and still gets the token" {
	run -0 --separate-stderr mint nobody-of-this-name
	[ "$(<$work/issue.err)" = 'rjwt-issue: warning: no user nobody-of-this-name on this host' ]
	run -0 mint alice
	[ ! -s $work/issue.err ]
	run -0 mint bob    # never had a password
	[ ! -s $work/issue.err ]
	usermod -L alice
	run -0 mint alice
	[[ $(<$work/issue.err) == *'warning: the password of alice is locked, but tokens still work'* ]]
	usermod -U alice
	usermod -e 2020-01-01 alice
	run -0 mint alice
	[[ $(<$work/issue.err) == *'warning: the account of alice expired '*' ago: this host rejects it' ]]
	run -0 mint -a elsewhere alice
	[[ $(<$work/issue.err) != *expired* ]]
	usermod -e '' alice
	run -0 mint alice
	[ ! -s $work/issue.err ]
}

@test "issue: a program that is not root's is told why it cannot take a one-time token" {
	once=$(mint -s rjwt-test bob)
	many=$(mint -s rjwt-test --reusable bob)
	log_mark
	run -1 setpriv --reuid bob --regid bob --clear-groups pamtester rjwt-test bob authenticate <<<"$once"
	run -0 log_since 'pam_rjwt.*rejected'
	[[ $output == *"reason=io user=bob service=rjwt-test kid="*" jti=$(claim jti "$once") "*'does not run as root, so it cannot take a one-time token: mint with --reusable"' ]]
	run -0 setpriv --reuid bob --regid bob --clear-groups pamtester rjwt-test bob authenticate <<<"$many"
	run -0 pamtester rjwt-test bob authenticate <<<"$once"
}
