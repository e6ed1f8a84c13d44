#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The packages on a machine: install, first keyset, logins, upgrade, downgrade, remove, purge, install again. After each
# step a password still lets users in, by ssh, su, sudo and at the console. The tests are steps of one history.

bats_require_minimum_version 1.5.0

setup()
{
	. tests/system/helpers.bash
	debs=${debs:?tests/deb/run sets it}
	# a step is worth nothing if the one before failed
	[ "$BATS_TEST_NUMBER" -eq 1 ] || [ -e "$work/step.$((BATS_TEST_NUMBER - 1))" ] || skip 'the step before failed'
}

# installing DIR [OPTION...] - the packages that an administrator installs, as README says
# Where rjwt.yaml is another in the new version, dpkg would ask whether to keep the administrator's: it is to.
installing()
{
	apt-get -q -y -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold "${@:2}" install "$1"/rjwt_*.deb "$1"/libpam-rjwt_*.deb </dev/null 3>&-
}

removing() { apt-get -q -y -o Dpkg::Use-Pty=0 "$@" </dev/null 3>&-; }

# passwords_work [PROMPT] - alice's password opens ssh, both ways, su, sudo and the console; a wrong one opens nothing
passwords_work()
{
	local prompt=${1-Password: }
	[ "$(ssh_password alice "$alice_password" 'id -un')" = alice ]
	[ "$(ssh_kbd alice "$alice_password" 'id -un')" = alice ]
	[ "$(type_in "$alice_password" | as bob su alice -c 'id -un' 2>/dev/null)" = alice ]
	[ "$(sudo_stdin alice "$alice_password" id -u 2>/dev/null)" = 0 ]
	run -0 on_terminal $'login: \talice\n'"$prompt"$'\t'"$alice_password"$'\n\\$ \techo "<$USER>"\n\\$ \texit' login
	[[ $output == *'<alice>'* ]]
	run -1 as bob su alice -c true <<<"$wrong_password"
}

# token_works SCOPE - a token opens ssh, once
token_works()
{
	local token
	token=$(mint alice)
	[ "$(ssh_kbd alice "$token" 'id -un')" = alice ]
	run ssh_kbd alice "$token" 'id -un'
	[ "$status" -ne 0 ]
}

version() { dpkg-query -W -f '${Version}' "$1" 2>/dev/null; }
module=/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)/security/pam_rjwt.so
stack_sum() { cat /etc/pam.d/* | sha256sum; }

done_with() { touch "$work/step.$BATS_TEST_NUMBER"; }

@test "lifecycle: before there is anything, the password works" {
	passwords_work
	stack_sum >"$work/stacks"
	done_with
}

@test "lifecycle: installing the older version creates no keyset, changes no stack, asks nothing, and says what to type" {
	run -0 installing "$debs/old"
	[ "$(grep -c '^rjwt: ' <<<"$output")" -eq 1 ]
	[[ $output == *'type: rjwt-keyd init'* ]]
	[ -z "$(debconf-show rjwt libpam-rjwt)" ]
	[ ! -e /var/lib/rjwt ]
	[ "$(stack_sum)" = "$(<"$work/stacks")" ]
	[ -f "$module" ]
	passwords_work
	done_with
}

@test "lifecycle: a first keyset, and a token opens ssh through the example's stack" {
	rjwt-keyd init
	cp /etc/pam.d/sshd "$work/sshd.before"
	cp /usr/share/doc/rjwt/examples/pam.d/sshd /etc/pam.d/sshd
	token_works
	passwords_work
	done_with
}

@test "lifecycle: an upgrade says nothing, keeps keyset, configuration and tokens, and stops no login" {
	echo 'leeway: 31s' >/etc/rjwt/rjwt.yaml
	mint alice >"$work/token.old"
	cp /var/lib/rjwt/keyset.json "$work/keyset.old"
	run -0 installing "$debs"
	[ -z "$(grep '^rjwt: ' <<<"$output")" ]
	[ "$(version rjwt)" != 0.0.9-0rjwt1 ]
	cmp "$work/keyset.old" /var/lib/rjwt/keyset.json
	[ "$(cat /etc/rjwt/rjwt.yaml)" = 'leeway: 31s' ]
	[ "$(ssh_kbd alice "$(<"$work/token.old")" 'id -un')" = alice ]
	token_works
	passwords_work
	done_with
}

@test "lifecycle: a downgrade takes the keyset as the newer version left it" {
	rjwt-keyd rotate
	mint alice >"$work/token.new"
	run -0 installing "$debs/old" --allow-downgrades
	[ "$(version libpam-rjwt)" = 0.0.9-0rjwt1 ]
	[ "$(ssh_kbd alice "$(<"$work/token.new")" 'id -un')" = alice ]
	token_works
	passwords_work
	run -0 installing "$debs"
	token_works
	done_with
}

@test "lifecycle: the profile is off; switched on, it takes a token or the password everywhere, and off again it is gone" {
	cp "$work/sshd.before" /etc/pam.d/sshd
	[ -z "$(grep -l pam_rjwt /etc/pam.d/*)" ]
	pam-auth-update --enable rjwt </dev/null 3>&-
	passwords_work 'Token or password: '
	token_works
	[ "$(sudo_stdin alice "$(mint -s sudo alice)" id -u 2>/dev/null)" = 0 ]
	pam-auth-update --disable rjwt </dev/null 3>&-
	[ -z "$(grep -l pam_rjwt /etc/pam.d/*)" ]
	passwords_work
	done_with
}

# refused FILE LINE TEXT NAME - removing and purging fail with this message, and nothing changes
refused()
{
	local before action
	before=$(stack_sum)
	for action in remove purge; do
		run -1 dpkg --$action libpam-rjwt
		[[ $output == *"libpam-rjwt: $1:$2: \"$3\": without the module
  nobody can log in by $4; remove the line first. Nothing was removed"* ]]
		[ "$(dpkg-query -W -f '${db:Status-Status}' libpam-rjwt)" = installed ]
		[ -f "$module" ]
		[ "$(stack_sum)" = "$before" ]
	done
}

@test "lifecycle: removing the module is refused, by file and line, while a stack would let nobody in without it" {
	pam-auth-update --enable rjwt </dev/null 3>&-
	for line in 'required pam_rjwt.so' 'requisite pam_rjwt.so' "REQUIRED $module" '[success=ok default=bad] pam_rjwt.so' \
		'[success=ok] pam_rjwt.so' '[success=ok module_unknown=bad default=ignore] pam_rjwt.so'; do
		{ echo "# account required pam_rjwt.so" && echo "-account  $line  debug" && cat "$work/sshd.before"; } >/etc/pam.d/sshd
		refused /etc/pam.d/sshd 2 "$line" ssh
	done
	{ cat "$work/sshd.before" && printf 'session required \\\n pam_rjwt.so \\'; } >/etc/pam.d/sshd
	refused /etc/pam.d/sshd $(($(wc -l <"$work/sshd.before") + 1)) 'required pam_rjwt.so' ssh
	cp "$work/sshd.before" /etc/pam.d/sshd
	cp /etc/pam.d/common-account "$work/common-account"
	echo 'account required pam_rjwt.so' >>/etc/pam.d/common-account
	refused /etc/pam.d/common-account "$(wc -l </etc/pam.d/common-account)" 'required pam_rjwt.so' 'any service'
	# rjwt, too, stays as long as the module does
	run -100 removing remove rjwt
	[ "$(dpkg-query -W -f '${db:Status-Status}' rjwt)" = installed ]
	# an upgrade is no removal
	run -0 installing "$debs" --reinstall
	cp "$work/common-account" /etc/pam.d/common-account
	passwords_work 'Token or password: '
	done_with
}

@test "lifecycle: removing takes the profile's lines out, keeps the keyset, and what an admin wrote locks nobody out" {
	cp /usr/share/doc/rjwt/examples/pam.d/sshd /etc/pam.d/sshd
	echo 'account required pam_rjwt.so' >/etc/pam.d/sshd.dpkg-old
	[ -n "$(grep -l pam_rjwt /etc/pam.d/common-*)" ]
	run -0 removing remove rjwt libpam-rjwt
	[ -z "$(grep -l pam_rjwt /etc/pam.d/common-*)" ]
	[ ! -e "$module" ]
	[ -e /var/lib/rjwt/keyset.json ]
	[ "$(cat /etc/rjwt/rjwt.yaml)" = 'leeway: 31s' ]
	passwords_work
	# cron's file, which stays, says nothing
	run -0 sh -c "$(sed -n 's/^\*\/10 [* ]* root //p' /etc/cron.d/rjwt)"
	[ -z "$output" ]
	done_with
}

@test "lifecycle: what is installed again finds the keyset, and the profile off" {
	run -0 installing "$debs"
	[ -z "$(grep '^rjwt: ' <<<"$output")" ]
	[ -z "$(grep -l pam_rjwt /etc/pam.d/common-*)" ]
	token_works
	passwords_work
	done_with
}

@test "lifecycle: purging erases the keyset, private keys first, and the configuration" {
	pam-auth-update --enable rjwt </dev/null 3>&-
	run -0 strace -f -qq -e trace=unlink,unlinkat -e signal=none -o "$work/unlinked" \
		apt-get -q -y purge rjwt libpam-rjwt </dev/null 3>&-
	first_public=$(grep -n 'keyset\.json\|\.jwk"' "$work/unlinked" | head -n 1 | cut -d : -f 1)
	last_private=$(grep -n 'lib/rjwt/private/' "$work/unlinked" | tail -n 1 | cut -d : -f 1)    # shred renames, then unlinks
	echo "first public: $first_public, last private: $last_private"
	[ "$last_private" -lt "$first_public" ]
	[ ! -e /var/lib/rjwt ]
	[ ! -e /etc/rjwt ]
	[ ! -e /etc/cron.d/rjwt ]
	[ -z "$(grep -l pam_rjwt /etc/pam.d/common-*)" ]
	[ -z "$(dpkg-query -W -f '${db:Status-Status}\n' rjwt libpam-rjwt 2>/dev/null | grep -v not-installed)" ]
	passwords_work
	done_with
}

@test "lifecycle: after a purge a new installation begins anew" {
	cp "$work/sshd.before" /etc/pam.d/sshd
	rm -f /etc/pam.d/sshd.dpkg-old
	run -0 installing "$debs"
	[[ $output == *'type: rjwt-keyd init'* ]]
	[ ! -e /var/lib/rjwt ]
	rjwt-keyd init
	cp /usr/share/doc/rjwt/examples/pam.d/sshd /etc/pam.d/sshd
	token_works
	passwords_work
	no_token_logged
	done_with
}
