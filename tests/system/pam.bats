#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The module as Linux-PAM calls it, by pamtester: return codes, arguments, what passes between the phases, broken hosts.

bats_require_minimum_version 1.5.0

auth_err='Authentication failure'
unavail='Authentication service cannot retrieve authentication info'

# service [ARGS] - /etc/pam.d/rjwt-test, where the module's own return value is the stack's
service()
{
	cat >/etc/pam.d/rjwt-test <<-END
		auth required pam_rjwt.so ${1-}
		account required pam_rjwt.so
		account required pam_permit.so
		session required pam_rjwt.so
		session required pam_exec.so log=$work/environment /usr/bin/env
	END
	: >$work/environment
}

# pam REPLIES OPERATION... - as alice
pam()
{
	local text=$1
	shift
	type_in "$text" | pamtester rjwt-test alice "$@"
}

setup()
{
	. tests/system/helpers.bash
	fresh_keyset 'leeway: 0s'
	service
	log_mark
}

teardown()
{
	umount /var/lib/rjwt/spent 2>/dev/null || true
	no_token_logged
}

@test "pam: a token is accepted, and asked for with Token:" {
	run -0 pam "$(mint -s rjwt-test alice)" authenticate
	[[ $output == *Token:* ]]
	decisions 'accepted user=alice service=rjwt-test kid='
}

@test "pam: no token is PAM_AUTH_ERR" {
	run -1 pam 'not a token' authenticate
	[[ $output == *"$auth_err"* ]]
	run -1 pam '' authenticate
	[[ $output == *"$auth_err"* ]]
}

@test "pam: the account phase never says PAM_SUCCESS" {
	token=$(mint --reusable -s rjwt-test alice)
	run -0 pam "$token" authenticate acct_mgmt
	run -0 pam '' acct_mgmt
	sed -i '/account required pam_permit/d' /etc/pam.d/rjwt-test
	run -1 pam "$token" authenticate acct_mgmt
	run -1 pam '' acct_mgmt
}

@test "pam: setcred succeeds after a token, and is PAM_IGNORE without" {
	run -0 pam "$(mint -s rjwt-test alice)" authenticate 'setcred(PAM_ESTABLISH_CRED)'
	run -1 pam '' 'setcred(PAM_ESTABLISH_CRED)'
	sed -i '/auth required/a auth required pam_permit.so' /etc/pam.d/rjwt-test
	run -0 pam '' 'setcred(PAM_ESTABLISH_CRED)'
}

@test "pam: account says PAM_ACCT_EXPIRED when the token has expired since" {
	sed -i '/account required pam_rjwt/i account required pam_exec.so quiet /bin/sleep 3' /etc/pam.d/rjwt-test
	run -1 pam "$(mint -t 2s -s rjwt-test alice)" authenticate acct_mgmt
	[[ $output == *'User account has expired'* ]]
	decisions accepted 'rejected reason=expired phase=account user=alice service=rjwt-test .*exp=.* now='
	run -0 pam "$(mint -t 60s -s rjwt-test alice)" authenticate acct_mgmt
}

@test "pam: the session has the token's variables, and unsets them where there was none" {
	token=$(mint -s rjwt-test alice)
	run -0 pam "$token" authenticate acct_mgmt 'setcred(PAM_ESTABLISH_CRED)' open_session close_session
	grep -qx "RJWT_JTI=$(claim jti "$token")" "$work/environment"
	grep -qx "RJWT_SUB=alice" "$work/environment"
	grep -qx "RJWT_EXP=$(claim exp "$token")" "$work/environment"
	service
	run -0 pamtester -E RJWT_SUB=root -E RJWT_JTI=x -E OTHER=there rjwt-test alice open_session
	grep -qx OTHER=there "$work/environment"
	run -1 grep RJWT_ "$work/environment"
}

@test "pam: an unknown or malformed argument refuses without a question, and is named in the log" {
	token=$(mint -s rjwt-test alice)
	for argument in nonsense conf= prompt debug=yes try_first_pas; do
		service "$argument"
		log_mark
		run -1 pam "$token" authenticate
		[[ $output != *Token:* ]]
		run -0 log_since "pam_rjwt.*$argument"
	done
	service debug
	run -0 pam "$token" authenticate
}

@test "pam: an unknown argument on the account line refuses too" {
	sed -i 's/^account required pam_rjwt.so/& nonsense/' /etc/pam.d/rjwt-test
	run -1 pam '' acct_mgmt
	run -0 log_since 'pam_rjwt.*nonsense'
	service
	run -0 pam '' acct_mgmt
}

@test "pam: debug logs more, and no secret" {
	run -0 pam "$(mint -s rjwt-test alice)" authenticate
	run -1 log_since 'pam_rjwt\(rjwt-test:auth\): opened '
	service debug
	run -0 pam "$(mint -s rjwt-test alice)" authenticate
	run -1 pam "$(mint -s rjwt-test bob)" authenticate
	run -1 pam "$alice_password" authenticate
	run -0 log_since "pam_rjwt\(rjwt-test:auth\): opened config=/etc/rjwt/rjwt.yaml signs=$(rjwt-keyd status --json | jq -r '.keys[0].kid' | sed 's/[0-9]*$//')[0-9]+ alg=ES256$"
	[ ${#lines[@]} -eq 3 ]
	decisions accepted accepted 'rejected reason=user'
}

@test "pam: prompt=TEXT is what is asked" {
	service '[prompt=One-time pass: ]'
	run -0 pam "$(mint -s rjwt-test alice)" authenticate
	[[ $output == *'One-time pass: '* ]]
	[[ $output != *Token:* ]]
}

@test "pam: conf=FILE is read in place of the default" {
	rm -rf /etc/rjwt-other
	mkdir -m 0755 /etc/rjwt-other
	echo 'audience: other-host' >/etc/rjwt-other/rjwt.yaml
	service conf=/etc/rjwt-other/rjwt.yaml
	run -1 pam "$(mint -s rjwt-test alice)" authenticate
	decisions 'rejected reason=audience'
	run -0 pam "$(mint -s rjwt-test -a other-host alice)" authenticate
}

@test "pam: conf= with a file that is not there is no verdict" {
	service conf=/etc/rjwt/missing.yaml
	run -1 pam "$(mint -s rjwt-test alice)" authenticate
	[[ $output == *"$unavail"* ]]
	run -0 log_since 'pam_rjwt.*/etc/rjwt/missing\.yaml'
}

@test "pam: try_first_pass judges a token that stands there, and asks where there is none" {
	service try_first_pass
	run -0 pam "$(mint -s rjwt-test alice)" authenticate
	[[ $output == *Token:* ]]
	sed -i '1i auth optional pam_unix.so nodelay' /etc/pam.d/rjwt-test
	run -0 pam "$(mint -s rjwt-test alice)" authenticate
	[[ $output == *Password:* ]]
	[[ $output != *Token:* ]]
}

@test "pam: use_first_pass never asks" {
	service use_first_pass
	run -1 pam "$(mint -s rjwt-test alice)" authenticate
	[[ $output == *"$auth_err"* ]]
	[[ $output != *Token:* ]]
	sed -i '1i auth optional pam_unix.so nodelay' /etc/pam.d/rjwt-test
	run -0 pam "$(mint -s rjwt-test alice)" authenticate
	[[ $output != *Token:* ]]
}

# pam_exec shows PAM_AUTHTOK, and asks for it where there is none
@test "pam: a token never stays PAM_AUTHTOK, another reply does" {
	sed -i "1a auth optional pam_exec.so expose_authtok log=$work/authtok /bin/cat" /etc/pam.d/rjwt-test
	for token in "$(mint -s rjwt-test alice)" "$(mint -s rjwt-test bob)"; do
		: >"$work/authtok"
		pam "$token"$'\nasked-anew' authenticate || true
		grep -q asked-anew "$work/authtok"
		run -1 grep -F "$token" "$work/authtok"
	done
	: >"$work/authtok"
	run -1 pam $'my-password\nasked-anew' authenticate
	grep -q my-password "$work/authtok"
	# nor one that another module asked for
	service try_first_pass
	sed -i "1i auth optional pam_unix.so nodelay" /etc/pam.d/rjwt-test
	sed -i "2a auth optional pam_exec.so expose_authtok log=$work/authtok /bin/cat" /etc/pam.d/rjwt-test
	: >"$work/authtok"
	token=$(mint -s rjwt-test alice)
	run -0 pam "$token"$'\nasked-anew' authenticate
	grep -q asked-anew "$work/authtok"
	run -1 grep -F "$token" "$work/authtok"
}

@test "pam: a reply cut at 4095 bytes is logged as truncated, a shorter one is judged" {
	run -1 pam "$(token_of 4135 -s rjwt-test alice)" authenticate
	decisions 'rejected reason=truncated'
	run -0 pam "$(token_of 4090 -s rjwt-test alice)" authenticate
}

@test "pam: an empty user is PAM_USER_UNKNOWN; one that NSS does not know is judged by the token alone" {
	token=$(mint -s rjwt-test ghost)
	run -1 pamtester rjwt-test '' authenticate <<<"$token"
	[[ $output == *'User not known'* ]]
	decisions 'rejected reason=user user="" service=rjwt-test'
	run -0 pamtester rjwt-test ghost authenticate <<<"$token"
}

@test "pam: user, rhost and service are escaped in the log" {
	run -1 pamtester -I rhost=$'a\nb accepted user=root' rjwt-test $'x\npam_rjwt: accepted user=root' authenticate <<<"$(mint -s rjwt-test alice)"
	run -0 log_since 'pam_rjwt.*: rejected '
	[ ${#lines[@]} -eq 1 ]
	[[ $output != *'<'[01][0-9a-f]'>'* ]]
	[[ $output != *'rhost=a b'* ]]
}

@test "pam: a service that the configuration closes refuses; one that it maps is open" {
	token=$(mint --reusable -s rjwt-test -s other alice)
	echo 'services: {rjwt-test: ""}' >/etc/rjwt/rjwt.yaml
	run -1 pam "$token" authenticate
	decisions 'rejected reason=scope'
	echo 'services: {rjwt-test: other}' >/etc/rjwt/rjwt.yaml
	run -0 pam "$token" authenticate
}

@test "pam: one_time: always makes a reusable token good once" {
	token=$(mint --reusable -s rjwt-test alice)
	run -0 pam "$token" authenticate
	run -0 pam "$token" authenticate
	echo 'one_time: always' >/etc/rjwt/rjwt.yaml
	run -0 pam "$token" authenticate
	run -1 pam "$token" authenticate
	decisions accepted accepted accepted 'rejected reason=spent'
}

@test "pam without root: a reusable token is judged, a one-time one cannot be spent" {
	run -0 as bob pamtester rjwt-test alice authenticate <<<"$(mint --reusable -s rjwt-test alice)"
	run -1 as bob pamtester rjwt-test alice authenticate <<<"$(mint -s rjwt-test alice)"
	[[ $output == *"$unavail"* ]]
}

@test "pam: a one-time token that cannot be spent, on a full disk, is no verdict; a reusable one is good" {
	once=$(mint -s rjwt-test alice) reusable=$(mint --reusable -s rjwt-test alice)
	for inodes in 1 2; do    # no room for the folder, then none for the mark in it
		mount -t tmpfs -o mode=0700,nr_inodes=$inodes full /var/lib/rjwt/spent
		log_mark
		run -1 pam "$once" authenticate
		[[ $output == *"$unavail"* ]]
		run -0 pam "$reusable" authenticate
		decisions 'rejected reason=io user=alice .*path=/var/lib/rjwt/spent/.*No space left' 'accepted user=alice'
		[ "$(find /var/lib/rjwt/spent -mindepth 1 | wc -l)" -eq $((inodes - 1)) ]
		umount /var/lib/rjwt/spent
	done
	run -0 pam "$once" authenticate
}

@test "pam: no file is left open, whatever the verdict" {
	cat >"$work/list-files" <<-'END'
		#!/bin/sh
		readlink /proc/$PPID/fd/* | grep -E 'rjwt|random' || echo nothing
	END
	chmod 0755 "$work/list-files"
	sed -i '/auth required/s/required/optional/' /etc/pam.d/rjwt-test
	sed -i "1a auth required pam_exec.so log=$work/files $work/list-files" /etc/pam.d/rjwt-test
	for reply in "$(mint -s rjwt-test alice)" "$(mint -s rjwt-test bob)" "$(mint alice)" "$wrong_password"; do
		: >"$work/files"
		run -0 pam "$reply" authenticate
		grep -qx nothing "$work/files"
		run -1 grep rjwt "$work/files"
	done
	echo 'bad: 1' >/etc/rjwt/rjwt.yaml
	: >"$work/files"
	run -0 pam x authenticate
	grep -qx nothing "$work/files"
}

@test "pam: cap_session gives pam_systemd the time that is left" {
	build_pam_cap
	echo "session required $work/pam_cap.so" >>/etc/pam.d/rjwt-test
	run -0 pam "$(mint -t 10m -s rjwt-test alice)" authenticate open_session
	run -0 log_since 'runtime_max_sec=none'
	echo 'cap_session: true' >/etc/rjwt/rjwt.yaml
	log_mark
	run -0 pam "$(mint -t 10m -s rjwt-test alice)" authenticate open_session
	run -0 log_since 'runtime_max_sec=(59[0-9]|60[0-9]|6[0-3][0-9])'
}

# --- hosts that cannot judge: nobody is asked, the log has the path and the reason, and mended it works ---

# broken REGEX COMMAND... - COMMAND breaks the host
broken()
{
	local regex=$1 token
	shift
	token=$(mint -s rjwt-test alice)
	rm -rf "$BATS_TEST_TMPDIR/good"
	mkdir "$BATS_TEST_TMPDIR/good"
	cp -a /var/lib/rjwt "$BATS_TEST_TMPDIR/good/lib"
	cp -a /etc/rjwt "$BATS_TEST_TMPDIR/good/etc"
	log_mark
	"$@"
	run -1 pam "$token" authenticate
	[[ $output == *"$unavail"* ]]
	[[ $output != *Token:* ]]
	run -0 log_since "pam_rjwt.*$regex"
	rm -rf /var/lib/rjwt /etc/rjwt
	cp -a "$BATS_TEST_TMPDIR/good/lib" /var/lib/rjwt
	cp -a "$BATS_TEST_TMPDIR/good/etc" /etc/rjwt
	run -0 pam "$token" authenticate
}

@test "pam: no state directory" {
	broken '/var/lib/rjwt' rm -r /var/lib/rjwt
}

@test "pam: no keyset.json" {
	broken '/var/lib/rjwt/keyset\.json' rm /var/lib/rjwt/keyset.json
}

@test "pam: an empty keyset.json" {
	broken '/var/lib/rjwt/keyset\.json' truncate -s 0 /var/lib/rjwt/keyset.json
}

@test "pam: a torn keyset.json" {
	broken '/var/lib/rjwt/keyset\.json' truncate -s 100 /var/lib/rjwt/keyset.json
}

@test "pam: a keyset.json with a wrong sum" {
	broken '/var/lib/rjwt/keyset\.json' sed -i 's/"generation": *[0-9]*/"generation":77/' /var/lib/rjwt/keyset.json
}

@test "pam: a keyset.json of another user" {
	broken '/var/lib/rjwt/keyset\.json.*owned by root' chown alice /var/lib/rjwt/keyset.json
}

@test "pam: a keyset.json that others may write" {
	broken '/var/lib/rjwt/keyset\.json.*writ' chmod o+w /var/lib/rjwt/keyset.json
}

@test "pam: a state directory that its group may write" {
	broken '/var/lib/rjwt.*writ' chmod g+w /var/lib/rjwt
}

@test "pam: a folder above that others may write" {
	chmod o+w /var/lib
	run -1 pam 'x' authenticate
	chmod o-w /var/lib
	[[ $output == *"$unavail"* ]]
	run -0 log_since 'pam_rjwt.*/var/lib.*writ'
	run -0 pam "$(mint -s rjwt-test alice)" authenticate
}

@test "pam: a keyset.json that is a link" {
	link_it()
	{
		mv /var/lib/rjwt/keyset.json /var/lib/rjwt/real.json
		ln -s real.json /var/lib/rjwt/keyset.json
	}
	broken '/var/lib/rjwt/keyset\.json.*link' link_it
}

@test "pam: a keyset.json that is a pipe does not hang" {
	pipe_it()
	{
		rm /var/lib/rjwt/keyset.json
		mkfifo /var/lib/rjwt/keyset.json
	}
	broken '/var/lib/rjwt/keyset\.json' pipe_it
}

@test "pam: an unknown key in rjwt.yaml is named with its line" {
	broken '/etc/rjwt/rjwt\.yaml.*line=2.*leewy.*leeway' eval 'echo "leewy: 3s" >>/etc/rjwt/rjwt.yaml'
}

@test "pam: a rjwt.yaml that others may write" {
	broken '/etc/rjwt/rjwt\.yaml.*writ' chmod o+w /etc/rjwt/rjwt.yaml
}

@test "pam: a rjwt.yaml that was used and is gone" {
	broken 'reason=config.*/etc/rjwt/rjwt\.yaml.*is missing' mv /etc/rjwt/rjwt.yaml /etc/rjwt/rjwt.yaml.away
}

@test "pam: a torn key file refuses its tokens, and is named" {
	token=$(mint -s rjwt-test alice)
	cp -a /var/lib/rjwt/keys/1.jwk "$work/1.jwk"
	truncate -s 50 /var/lib/rjwt/keys/1.jwk
	run -1 pam "$token" authenticate
	run -0 log_since 'pam_rjwt.*reason=keyset.*keys.*1\.jwk'
	cp -a "$work/1.jwk" /var/lib/rjwt/keys/1.jwk
	run -0 pam "$token" authenticate
}
