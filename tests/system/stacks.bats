#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The named stacks of rjwt-operations(7), Which stack, with real sshd and sudo: who gets in with what, and what the log
# has. accounts.bats has those with pam_faillock and with expired passwords, not_root.bats a program that is not root.

bats_require_minimum_version 1.5.0

setup_file()
{
	. tests/system/helpers.bash
	cp -a /etc/pam.d "$work/pam.found"
	DEBIAN_FRONTEND=noninteractive pam-auth-update --force </dev/null >/dev/null 2>&1 3>&-
	sed -i 's/pam_unix.so nullok/& nodelay/' /etc/pam.d/common-auth
	sed -i '1i Defaults passwd_tries=1' /etc/sudoers
	start_sshd
}

teardown_file()
{
	stop_sshd
	write_sudoers
	rm -rf /etc/pam.d
	mv "$work/pam.found" /etc/pam.d
}

setup()
{
	. tests/system/helpers.bash
	fresh_keyset
	log_mark
}

teardown()
{
	no_token_logged
}

# stack NAME - in the files of both services
stack()
{
	local name
	for name in sshd sudo; do
		case $1 in
		'token or password') printf '%s\n' 'auth sufficient pam_rjwt.so [prompt=Token or password: ]' '@include common-auth' ;;
		'token only') printf '%s\n' 'auth sufficient pam_rjwt.so' 'auth required pam_deny.so' ;;
		'token and password') printf '%s\n' 'auth required pam_rjwt.so' '@include common-auth' ;;
		esac >/etc/pam.d/$name
		printf '%s\n' "account $account_control pam_rjwt.so" '@include common-account' '@include common-session' >>/etc/pam.d/$name
	done
}

# enter WAY REPLIES - alice with these, a line for each prompt: yes or no
enter()
{
	case $1 in
	ssh) ssh_kbd alice "$2" 'echo I am in' ;;
	sudo) sudo_stdin alice "$2" echo I am in ;;
	esac >"$work/seen" 2>&1 || true
	if grep -q 'I am in' "$work/seen"; then echo yes; else echo no; fi
}

# stated - "TYPED: or only and log" of each row of the page
stated()
{
	sed -n '/^\.Ss Which stack/,/^After each change/s/^\.It \(.* Ta .*\)/\1/p' man/rjwt-operations.7 | grep -v '^Sy ' | sed 's/ Ta /: /; s/ Ta / /g'
}

# replies ROW TOKEN - what is typed, a line for each prompt
replies()
{
	case $1 in
	'a token') echo "$2" ;;
	'a token, then the password' | 'a revoked token, then the password') printf '%s\n' "$2" "$alice_password" ;;
	'the password' | 'the password, without a keyset') echo "$alice_password" ;;
	'an empty line') echo ;;
	*) echo "no such row: $1" >&2; return 1 ;;
	esac
}

# typed WAY ROW - yes or no in $in, and in $log what pam_rjwt logged
typed()
{
	local token
	token=$(mint -s "$1" alice)
	[[ $2 != *revoked* ]] || rjwt-keyd revoke --jti "$(claim jti "$token")" 2>/dev/null
	[[ $2 != *'without a keyset' ]] || mv /var/lib/rjwt/keyset.json "$work/keyset.json"
	log_mark
	in=$(enter "$1" "$(replies "$2" "$token")")
	log=$(log_since 'pam_rjwt\([^)]*\): ' | sed -n 's/.*): \(accepted\|rejected reason=[a-z_]*\) .*/\1/p')
	[ ! -e "$work/keyset.json" ] || mv "$work/keyset.json" /var/lib/rjwt/
}

# measured WAY - the rows of the page, as they are; the log is the same for all stacks, or shown as it is for each
measured()
{
	local row name logs
	stated | sed 's/:.*//' | while IFS= read -r row; do
		printf '%s:' "$row"
		logs=
		for name in 'token or password' 'token only' 'token and password'; do
			stack "$name"
			typed "$1" "$row"
			printf ' %s' "$in"
			logs+=${log:-nothing}$'\n'
		done
		printf ' %s\n' "$(sort -u <<<"${logs%?}" | paste -s -d ' ')"
	done
}

@test "stacks: the page is right about ssh" {
	[ "$(stated | wc -l)" -eq 6 ]
	diff <(stated) <(measured ssh)
}

@test "stacks: the page is right about sudo" { diff <(stated) <(measured sudo); }
