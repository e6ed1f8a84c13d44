#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Real sshd, sudo, su and login, for each cause that their own files do not have: who gets in, and the reason that
# is logged for it.

bats_require_minimum_version 1.5.0

setup_file()
{
	. tests/system/helpers.bash
	local name
	build_pam_app
	for name in sshd sudo sudo-i su su-l login; do pam_service $name both; done
	sed -i '1i Defaults passwd_tries=1' /etc/sudoers
	cp -p /etc/login.defs $work/login.defs
	printf 'LOGIN_RETRIES 1\nFAIL_DELAY 0\n' >/etc/login.defs
	start_sshd
}

teardown_file()
{
	stop_sshd
	write_sudoers
	cp -p $work/login.defs /etc/login.defs
}

setup()
{
	. tests/system/helpers.bash
	fresh_keyset 'leeway: 0s'
}

teardown()
{
	umount /var/lib/rjwt/spent 2>/dev/null || true
	no_token_logged
}

# enter WAY REPLIES - try to become alice, or root as alice, and say in or out
enter()
{
	local steps=() line
	case $1 in
	ssh-kbd) ssh_kbd alice "$2" 'echo I am in' ;;
	ssh-password) ssh_password alice "$2" 'echo I am in' ;;
	sudo) sudo_stdin alice "$2" echo I am in ;;
	sudo-i) sudo_stdin alice "$2" -i echo I am in ;;
	su) type_in "$2" | as bob su alice -c 'echo I am in' 3>&- ;;
	su-l) type_in "$2" | as bob su - alice -c 'echo I am in' 3>&- ;;
	login)
		while read -r line; do steps+=("(Token|Password): "$'\t'"$line"); done <<<"$2"
		on_terminal $'login: \talice\n'"$(printf '%s\n' "${steps[@]}")"$'\n\\$ \techo I am $((0))in; exit' login
		;;
	esac >"$work/seen" 2>&1 || true
	if grep -q 'I am 0*in' "$work/seen"; then echo in; else echo out; fi
}

# service_of WAY, scope_of WAY
service_of() { case $1 in ssh-*) echo sshd ;; *) echo "$1" ;; esac }
scope_of() { case $1 in ssh-*) echo ssh ;; *) echo "${1%%-*}" ;; esac }

# first_reply CAUSE WAY - the first reply of a row
first_reply()
{
	local scope token
	scope=$(scope_of "$2")
	case $1 in
	'bad signature') mint -s "$scope" alice | sed 's/.\{20\}$/AAAAAAAAAAAAAAAAAAAA/' ;;
	expired) expired_token -s "$scope" alice ;;
	'other user') mint -s "$scope" bob ;;
	'mark not durable') mint -s "$scope" alice ;;
	spent)
		token=$(mint -s "$scope" alice)
		[ "$("$work/pam_app" "$(service_of "$2")" alice <<<"$token" 2>/dev/null)" = 0/0/0/0/0 ]
		echo "$token"
		;;
	empty) echo ;;
	esac
}

# answer CAUSE WAY - a cell: in or out, and the reason that was logged first, or -. ".": another file has it.
answer()
{
	local cause=${1%, *} second=$wrong_password given found
	[ "$1" = "$cause, wrong" ] || second=$alice_password
	case $cause in
	password | 'no keyset' | 'bad configuration') given=$second ;;
	*) given=$(first_reply "$cause" "$2")$'\n'$second ;;
	esac
	case $cause in
	'no keyset') mv /var/lib/rjwt/keyset.json /var/lib/rjwt/away ;;
	'bad configuration') echo 'leewy: 0s' >/etc/rjwt/rjwt.yaml ;;
	'mark not durable') mount -t tmpfs -o mode=0700,nr_inodes=1 full /var/lib/rjwt/spent ;;
	esac
	log_mark
	printf '%s:' "$(enter "$2" "$given")"
	found=$(log_since 'pam_rjwt\([^)]*\): (accepted|rejected) ' | head -n 1)
	case $cause in
	'no keyset') mv /var/lib/rjwt/away /var/lib/rjwt/keyset.json ;;
	'bad configuration') echo 'leeway: 0s' >/etc/rjwt/rjwt.yaml ;;
	'mark not durable') umount /var/lib/rjwt/spent ;;
	esac
	case $found in
	*'rejected reason='*) found=${found##*reason=} && echo "${found%% *}" ;;
	*accepted*) echo accepted ;;
	*) echo - ;;
	esac
}

# sshd's password method answers each prompt with the one password, and does not ask PAM about an empty one.
@test "causes: ssh" {
	golden answer <<-'END'
		                          ssh-kbd        ssh-password
		bad signature, right      in:signature   out:signature
		bad signature, wrong      .              out:signature
		expired, wrong            out:expired    .
		other user, wrong         .              out:user
		spent, wrong              out:spent      out:spent
		password, wrong           .              out:-
		empty, wrong              out:empty      out:-
		no keyset, right          .              in:keyset
		no keyset, wrong          out:keyset     out:keyset
		bad configuration, right  in:config      in:config
		bad configuration, wrong  out:config     out:config
		mark not durable, right   in:io          out:io
		mark not durable, wrong   out:io         out:io
	END
}

@test "causes: sudo and sudo -i" {
	golden answer <<-'END'
		                          sudo           sudo-i
		bad signature, right      in:signature   in:signature
		bad signature, wrong      out:signature  out:signature
		expired, wrong            out:expired    out:expired
		other user, wrong         out:user       out:user
		spent, wrong              out:spent      out:spent
		password, right           .              .
		password, wrong           .              out:-
		empty, wrong              out:empty      out:empty
		no keyset, right          .              in:keyset
		no keyset, wrong          out:keyset     out:keyset
		bad configuration, right  in:config      in:config
		bad configuration, wrong  out:config     out:config
		mark not durable, right   in:io          in:io
		mark not durable, wrong   out:io         out:io
	END
}

@test "causes: su, su - and login" {
	golden answer <<-'END'
		                          su             su-l           login
		bad signature, right      in:signature   in:signature   in:signature
		bad signature, wrong      out:signature  out:signature  out:signature
		expired, wrong            out:expired    out:expired    out:expired
		other user, wrong         out:user       out:user       out:user
		spent, wrong              out:spent      out:spent      out:spent
		password, right           .              in:-           .
		password, wrong           .              out:-          out:-
		empty, wrong              out:empty      out:empty      out:empty
		no keyset, right          in:keyset      in:keyset      in:keyset
		no keyset, wrong          out:keyset     out:keyset     out:keyset
		bad configuration, right  in:config      in:config      in:config
		bad configuration, wrong  out:config     out:config     out:config
		mark not durable, right   in:io          in:io          in:io
		mark not durable, wrong   out:io         out:io         out:io
	END
}
