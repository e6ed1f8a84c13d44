#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What an application is told, for each cause in each stack: real libpam, pam_unix and pam_faillock.
#
# A cell is pam_authenticate/pam_acct_mgmt/pam_setcred/pam_open_session/pam_close_session, all of them called
# whatever the one before said:
#   0 success   3 service_err   5 buf_err   6 perm_denied: libpam's own word where nobody had an opinion
#   7 auth_err   9 authinfo_unavail   13 acct_expired   14 session_err   17 cred_err   19 conv_err
#   28 module_unknown
# A row is a cause: what is typed at the first prompt, and after the comma the password at the next ones,
# which is alice's ("right") or not ("wrong"). Below pam_unix nothing is asked twice, so that password is never
# read there. "expired since": the clock has passed exp when account is called. "not asked": without
# pam_authenticate.

bats_require_minimum_version 1.5.0

conf=/etc/rjwt/codes.yaml

# as Debian's common-auth and common-account have pam_unix
unix_auth='auth [success=1 default=ignore] pam_unix.so nullok
auth requisite pam_deny.so
auth required pam_permit.so'
unix_account='account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so
account requisite pam_deny.so
account required pam_permit.so'

# service NAME AUTH ACCOUNT SESSION
service()
{
	printf '%s\n' "$2" "$3" "$4" 'session required pam_permit.so' >"/etc/pam.d/$1"
}

write_stacks()
{
	local ours="pam_rjwt.so debug conf=$conf" name
	local account="account $account_control pam_rjwt.so" session="session optional pam_rjwt.so"

	service c-debian "auth sufficient $ours"$'\n'"$unix_auth" "$account"$'\n'"$unix_account" "$session"
	service c-deny "auth sufficient $ours"$'\n'"auth required pam_deny.so" "$account"$'\n'"$unix_account" "$session"
	service c-alone "auth required $ours" "$account"$'\n'"account required pam_unix.so" 'session required pam_rjwt.so'
	service c-after "auth [success=2 default=ignore] pam_unix.so nullok
auth [success=1 default=ignore] $ours use_first_pass
auth requisite pam_deny.so
auth required pam_permit.so" "$account"$'\n'"$unix_account" "$session"
	# pam_faillock(8), its second example, with the token above the password
	service c-faillock "auth required pam_faillock.so preauth deny=3
auth sufficient $ours
auth sufficient pam_unix.so
auth [default=die] pam_faillock.so authfail deny=3
auth required pam_deny.so" "account required pam_faillock.so
$account
account required pam_unix.so" "$session"
	# account sufficient hides nothing below it
	service c-acct-unix "auth sufficient $ours"$'\n'"$unix_auth" \
		"account sufficient pam_rjwt.so"$'\n'"account required pam_unix.so" "$session"
	service c-acct-deny "auth sufficient $ours"$'\n'"$unix_auth" \
		"account sufficient pam_rjwt.so"$'\n'"account required pam_deny.so" "$session"
	# what pam-auth-update makes of pam-configs/rjwt
	sed "/success=end/s#pam_rjwt.so#& debug conf=$conf#" etc/pam-configs/rjwt >/usr/share/pam-configs/rjwt
	DEBIAN_FRONTEND=noninteractive pam-auth-update --force --enable rjwt </dev/null >/dev/null 2>&1 3>&-
	printf '@include common-%s\n' auth account session-noninteractive >/etc/pam.d/c-update
	for name in debian alone; do
		sed 's/pam_rjwt\.so/pam_rjwt_gone.so/' /etc/pam.d/c-$name >/etc/pam.d/c-$name-gone
		sed 's/pam_rjwt\.so/& nonsense/' /etc/pam.d/c-$name >/etc/pam.d/c-$name-args
	done
}

setup_file()
{
	. tests/system/helpers.bash
	local name maps=()
	build_pam_app
	type_in "$wrong_password" >/dev/null
	write_stacks
	fresh_keyset 'leeway: 0s'
	for name in /etc/pam.d/c-*; do maps+=("${name##*/}: ssh"); done
	(umask 022 && (IFS=, && printf 'leeway: 0s\nservices: {%s}\n' "${maps[*]}") >$conf)
	mint bob >"$BATS_FILE_TMPDIR/other user"
	mint --reusable alice | sed 's/.\{20\}$/AAAAAAAAAAAAAAAAAAAA/' >"$BATS_FILE_TMPDIR/bad signature"
	mint alice >"$BATS_FILE_TMPDIR/spent"
	[ "$(app c-deny <"$BATS_FILE_TMPDIR/spent")" = 0/0/0/0/0 ]
	expired_token alice >"$BATS_FILE_TMPDIR/expired"
}

teardown_file()
{
	rm -f /etc/pam.d/c-* $conf
	DEBIAN_FRONTEND=noninteractive pam-auth-update --disable rjwt </dev/null >/dev/null 2>&1 3>&-
	rm /usr/share/pam-configs/rjwt
	no_token_logged
}

setup()
{
	. tests/system/helpers.bash
}

# app SERVICE [OPTION...] - what alice's application is told; replies on standard input
app()
{
	"$work/pam_app" "${@:2}" "$1" alice 2>"$work/shown"
}

# answer CAUSE SERVICE - a cell of the table
answer()
{
	local first=${1%%, *} second='' options=()
	case $1 in
	*', right') second=$alice_password ;;
	*', wrong') second=$wrong_password ;;
	esac
	case $first in
	good | 'expired since' | 'mark not durable') mint alice ;;
	'bad signature' | 'expired' | 'other user' | 'spent') cat "$BATS_FILE_TMPDIR/$first" ;;
	empty) echo ;;
	'no keyset') mv /var/lib/rjwt/keyset.json /var/lib/rjwt/away ;;
	'no configuration') mv $conf $conf.away ;;
	esac >"$work/answers"
	case $first in
	'expired since') options=(-w 400) ;;
	'mark not durable') options=(-f) ;;
	'no memory') options=(-m) ;;
	'not asked') options=(-a) ;;
	esac
	[ -z "$second" ] || echo "$second" >>"$work/answers"
	rm -f /run/faillock/alice
	app "$2" "${options[@]}" <"$work/answers"
	[ ! -e /var/lib/rjwt/away ] || mv /var/lib/rjwt/away /var/lib/rjwt/keyset.json
	[ ! -e $conf.away ] || mv $conf.away $conf
}

# may CAUSE COLUMN CELL - pam_authenticate succeeds for a good token that is judged, and for alice's password
# where pam_unix is asked; whatever the table says
may()
{
	[ "${3%%/*}" = 0 ] || return 0
	case $1,$2 in
	good,*-gone | good,*-args) false ;;
	'expired since,'*-gone | 'expired since,'*-args) false ;;
	good,* | 'expired since,'*) ;;
	*', right,deny' | *', right,alone'*) false ;;
	*', right,'*) ;;
	*) false ;;
	esac
}

# judged CAUSE COLUMN - the answer, marked where there may be none such
judged()
{
	local seen
	seen=$(answer "$1" "c-$2")
	may "$1" "$2" "$seen" || seen="$seen, a wrong success"
	echo "$seen"
}

@test "codes: the rule over the tables finds a wrong success" {
	may good debian 0/0/0/0/0
	may 'bad signature, right' debian 0/0/0/0/0
	may 'bad signature, wrong' debian 7/0/0/0/0
	run -1 may 'bad signature, wrong' debian 0/7/17/0/0
	run -1 may 'password, right' deny 0/0/0/0/0
	run -1 may 'no memory, right' alone-args 0/0/0/0/0
	run -1 may good debian-gone 0/0/0/0/0
	run -1 may 'conversation failed' after 0/0/0/0/0
}

@test "codes: a token above pam_unix or pam_deny, alone, or below pam_unix" {
	golden judged <<-'END'
		                         debian          deny            alone           after
		good                     0/0/0/0/0       0/0/0/0/0       0/0/0/0/0       0/0/0/0/0
		bad signature, right     0/0/0/0/0       7/0/17/0/0      7/0/6/0/0       7/0/17/0/0
		bad signature, wrong     7/0/17/0/0      7/0/17/0/0      7/0/6/0/0       7/0/17/0/0
		expired, right           0/0/0/0/0       7/0/17/0/0      7/0/6/0/0       7/0/17/0/0
		expired, wrong           7/0/17/0/0      7/0/17/0/0      7/0/6/0/0       7/0/17/0/0
		other user, right        0/0/0/0/0       7/0/17/0/0      7/0/6/0/0       7/0/17/0/0
		other user, wrong        7/0/17/0/0      7/0/17/0/0      7/0/6/0/0       7/0/17/0/0
		spent, right             0/0/0/0/0       7/0/17/0/0      7/0/6/0/0       7/0/17/0/0
		spent, wrong             7/0/17/0/0      7/0/17/0/0      7/0/6/0/0       7/0/17/0/0
		password, right          0/0/0/0/0       7/0/17/0/0      7/0/6/0/0       0/0/0/0/0
		password, wrong          7/0/17/0/0      7/0/17/0/0      7/0/6/0/0       7/0/17/0/0
		empty, right             0/0/0/0/0       7/0/17/0/0      7/0/6/0/0       7/0/17/0/0
		empty, wrong             7/0/17/0/0      7/0/17/0/0      7/0/6/0/0       7/0/17/0/0
		no keyset, right         0/0/0/0/0       7/0/17/0/0      9/0/6/0/0       0/0/0/0/0
		no keyset, wrong         7/0/17/0/0      7/0/17/0/0      9/0/6/0/0       7/0/17/0/0
		no configuration, right  0/0/0/0/0       7/0/17/0/0      9/0/6/0/0       0/0/0/0/0
		no configuration, wrong  7/0/17/0/0      7/0/17/0/0      9/0/6/0/0       7/0/17/0/0
		mark not durable, right  0/0/0/0/0       7/0/17/0/0      9/0/6/0/0       7/0/17/0/0
		mark not durable, wrong  7/0/17/0/0      7/0/17/0/0      9/0/6/0/0       7/0/17/0/0
		no memory, right         0/0/0/0/0       7/0/17/0/0      5/0/6/0/0       0/0/0/0/0
		no memory, wrong         7/0/17/0/0      7/0/17/0/0      5/0/6/0/0       7/0/17/0/0
		conversation failed      7/0/17/0/0      7/0/17/0/0      19/0/6/0/0      7/0/17/0/0
		expired since            0/13/0/0/0      0/13/0/0/0      0/13/0/0/0      0/13/0/0/0
		not asked                -/0/0/0/0       -/0/17/0/0      -/0/6/0/0       -/0/0/0/0
	END
}

# A stack's account sufficient ignores what we refuse there, as it would pam_unix's: the lines below decide.
@test "codes: by pam-auth-update, with pam_faillock, and under account sufficient" {
	golden judged <<-'END'
		                         update          faillock        acct-unix       acct-deny
		good                     0/0/0/0/0       0/0/0/0/0       0/0/0/0/0       0/7/0/0/0
		bad signature, right     0/0/0/0/0       0/0/0/0/0       0/0/0/0/0       0/7/0/0/0
		bad signature, wrong     7/0/17/0/0      6/0/6/0/0       7/0/17/0/0      7/7/17/0/0
		expired, right           0/0/0/0/0       0/0/0/0/0       0/0/0/0/0       0/7/0/0/0
		expired, wrong           7/0/17/0/0      6/0/6/0/0       7/0/17/0/0      7/7/17/0/0
		other user, right        0/0/0/0/0       0/0/0/0/0       0/0/0/0/0       0/7/0/0/0
		other user, wrong        7/0/17/0/0      6/0/6/0/0       7/0/17/0/0      7/7/17/0/0
		spent, right             0/0/0/0/0       0/0/0/0/0       0/0/0/0/0       0/7/0/0/0
		spent, wrong             7/0/17/0/0      6/0/6/0/0       7/0/17/0/0      7/7/17/0/0
		password, right          0/0/0/0/0       0/0/0/0/0       0/0/0/0/0       0/7/0/0/0
		password, wrong          7/0/17/0/0      6/0/6/0/0       7/0/17/0/0      7/7/17/0/0
		empty, right             0/0/0/0/0       0/0/0/0/0       0/0/0/0/0       0/7/0/0/0
		empty, wrong             7/0/17/0/0      6/0/6/0/0       7/0/17/0/0      7/7/17/0/0
		no keyset, right         0/0/0/0/0       0/0/0/0/0       0/0/0/0/0       0/7/0/0/0
		no keyset, wrong         7/0/17/0/0      6/0/6/0/0       7/0/17/0/0      7/7/17/0/0
		no configuration, right  0/0/0/0/0       0/0/0/0/0       0/0/0/0/0       0/7/0/0/0
		no configuration, wrong  7/0/17/0/0      6/0/6/0/0       7/0/17/0/0      7/7/17/0/0
		mark not durable, right  0/0/0/0/0       0/0/0/0/0       0/0/0/0/0       0/7/0/0/0
		mark not durable, wrong  7/0/17/0/0      6/0/6/0/0       7/0/17/0/0      7/7/17/0/0
		no memory, right         0/0/0/0/0       0/0/0/0/0       0/0/0/0/0       0/7/0/0/0
		no memory, wrong         7/0/17/0/0      6/0/6/0/0       7/0/17/0/0      7/7/17/0/0
		conversation failed      7/0/17/0/0      6/0/6/0/0       7/0/17/0/0      7/7/17/0/0
		expired since            0/13/0/0/0      0/13/0/0/0      0/0/0/0/0       0/7/0/0/0
		not asked                -/0/0/0/0       -/0/0/0/0       -/0/0/0/0       -/7/0/0/0
	END
}

# As the shipped account line has it, a missing module leaves the account to the other lines; one that is there and has a
# wrong argument keeps out those with a password too.
@test "codes: a module that is missing, or has a wrong argument, lets nobody in by a token" {
	golden judged <<-'END'
		                         debian-gone     alone-gone      debian-args     alone-args
		good                     7/0/17/0/0      28/0/28/28/28   7/3/17/0/0      9/3/17/14/14
		bad signature, right     7/0/17/0/0      28/0/28/28/28   7/3/17/0/0      9/3/17/14/14
		bad signature, wrong     7/0/17/0/0      28/0/28/28/28   7/3/17/0/0      9/3/17/14/14
		expired, right           7/0/17/0/0      28/0/28/28/28   7/3/17/0/0      9/3/17/14/14
		expired, wrong           7/0/17/0/0      28/0/28/28/28   7/3/17/0/0      9/3/17/14/14
		other user, right        7/0/17/0/0      28/0/28/28/28   7/3/17/0/0      9/3/17/14/14
		other user, wrong        7/0/17/0/0      28/0/28/28/28   7/3/17/0/0      9/3/17/14/14
		spent, right             7/0/17/0/0      28/0/28/28/28   7/3/17/0/0      9/3/17/14/14
		spent, wrong             7/0/17/0/0      28/0/28/28/28   7/3/17/0/0      9/3/17/14/14
		password, right          0/0/0/0/0       28/0/28/28/28   0/3/0/0/0       9/3/17/14/14
		password, wrong          7/0/17/0/0      28/0/28/28/28   7/3/17/0/0      9/3/17/14/14
		empty, right             7/0/17/0/0      28/0/28/28/28   7/3/17/0/0      9/3/17/14/14
		empty, wrong             7/0/17/0/0      28/0/28/28/28   7/3/17/0/0      9/3/17/14/14
		no keyset, right         0/0/0/0/0       28/0/28/28/28   0/3/0/0/0       9/3/17/14/14
		no keyset, wrong         7/0/17/0/0      28/0/28/28/28   7/3/17/0/0      9/3/17/14/14
		no configuration, right  0/0/0/0/0       28/0/28/28/28   0/3/0/0/0       9/3/17/14/14
		no configuration, wrong  7/0/17/0/0      28/0/28/28/28   7/3/17/0/0      9/3/17/14/14
		mark not durable, right  7/0/17/0/0      28/0/28/28/28   7/3/17/0/0      9/3/17/14/14
		mark not durable, wrong  7/0/17/0/0      28/0/28/28/28   7/3/17/0/0      9/3/17/14/14
		no memory, right         0/0/0/0/0       28/0/28/28/28   0/3/0/0/0       9/3/17/14/14
		no memory, wrong         7/0/17/0/0      28/0/28/28/28   7/3/17/0/0      9/3/17/14/14
		conversation failed      7/0/17/0/0      28/0/28/28/28   7/3/17/0/0      9/3/17/14/14
		expired since            7/0/17/0/0      28/0/28/28/28   7/3/17/0/0      9/3/17/14/14
		not asked                -/0/0/0/0       -/0/28/28/28    -/3/0/0/0       -/3/17/14/14
	END
}

@test "codes: pam_faillock counts refused tokens, and a good one clears the count; locked, a good one does not help" {
	failures() { faillock --user alice | grep -c ' V$'; }
	rm -f /run/faillock/alice
	for n in 1 2; do
		run -0 app c-faillock -s <"$BATS_FILE_TMPDIR/bad signature"
		[ "$output" = 6 ]
		[ "$(failures)" -eq $n ]
	done
	run -0 app c-faillock -s <<<"$(mint alice)"
	[ "$output" = 0/0/0/0/0 ]
	run -1 failures
	for n in 1 2 3; do
		run -0 app c-faillock -s <"$BATS_FILE_TMPDIR/other user"
		[ "$(failures)" -eq $n ]
	done
	token=$(mint alice)
	for reply in "$token" "$alice_password"; do
		run -0 app c-faillock -s <<<"$reply"
		[ "$output" = 7 ]
	done
	faillock --user alice --reset
	run -0 app c-faillock -s <<<"$(mint alice)"
	[ "$output" = 0/0/0/0/0 ]
}
