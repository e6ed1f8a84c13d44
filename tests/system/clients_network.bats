#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Daemons and clients that log in over a network, and have little room or many logins: rclone with a token that is good
# for a few, vsftpd and openvpn's PAM plugin with short codes.

bats_require_minimum_version 1.5.0

setup_file()
{
	. tests/system/helpers.bash
	mkdir -p "$BATS_FILE_TMPDIR/home"
}

setup()
{
	. tests/system/helpers.bash
	export HOME=$BATS_FILE_TMPDIR/home
	daemon=
	log_mark
}

teardown()
{
	stop_sshd
	[ -z "$daemon" ] || kill "$daemon"
	no_token_logged
}

# --- rclone -----------------------------------------------------------------------------------------

# by_rclone ARG... - with $token; each run of it is a login
by_rclone()
{
	RCLONE_SFTP_PASS=$(rclone obscure - <<<"$token") timeout 60 rclone --config /dev/null --retries 1 --low-level-retries 1 \
		--transfers 1 --checkers 1 --sftp-host 127.0.0.1 --sftp-port $port --sftp-user alice --sftp-shell-type unix \
		--sftp-known-hosts-file $work/known_hosts "$@" </dev/null 2>&1 3>&-
}

@test "clients: rclone copies and lists by sftp with one token that is good for a few logins, and not for one more" {
	fresh_keyset 'leeway: 0s'
	pam_service sshd token
	start_sshd
	sed "s/^/[127.0.0.1]:$port /" $work/host_key.pub >$work/known_hosts
	mkdir "$BATS_TEST_TMPDIR/sent"
	for n in 1 2 3 4 5 6; do echo "$n" >"$BATS_TEST_TMPDIR/sent/$n"; done
	token=$(mint --uses 3 alice)
	run -0 by_rclone copy "$BATS_TEST_TMPDIR/sent" :sftp:/home/alice/rclone
	diff -r "$BATS_TEST_TMPDIR/sent" /home/alice/rclone
	for n in 2 3; do
		run -0 by_rclone lsf :sftp:/home/alice/rclone
		[ "$output" = $'1\n2\n3\n4\n5\n6' ]
	done
	run -1 by_rclone lsf :sftp:/home/alice/rclone
	decisions 'accepted .*uses=1/3' 'accepted .*uses=2/3' 'accepted .*uses=3/3' 'rejected reason=spent' 'rejected reason=spent'
	# a second writer needs a use of its own
	token=$(mint --uses 2 alice)
	log_mark
	run -0 by_rclone --transfers 2 copy "$BATS_TEST_TMPDIR/sent" :sftp:/home/alice/again
	decisions 'accepted .*uses=1/2' 'accepted .*uses=2/2'
}

# --- rjwt-askpass -----------------------------------------------------------------------------------

# askpass_config - for ssh, with rjwt-askpass and the tokens of $RJWT_TOKEN_FILE
askpass_config()
{
	fresh_keyset 'leeway: 0s'
	pam_service sshd token
	start_sshd
	sed "s/^/[127.0.0.1]:$port /" $work/host_key.pub >$work/known_hosts
	printf '%s\n' "Port $port" 'User alice' "UserKnownHostsFile $work/known_hosts" 'NumberOfPasswordPrompts 1' \
		'PreferredAuthentications keyboard-interactive' >$work/ssh_config
	export SSH_ASKPASS=/usr/bin/rjwt-askpass SSH_ASKPASS_REQUIRE=force RJWT_TOKEN_FILE=$work/token
}

# accepted N - so many logins were accepted since log_mark
accepted() { [ "$(log_since 'pam_rjwt.*: accepted user=alice' | wc -l)" -eq "$1" ]; }

@test "clients: autossh takes the next token when its connection ends" {
	askpass_config
	(umask 077 && mint alice >$RJWT_TOKEN_FILE && mint alice >>$RJWT_TOKEN_FILE)
	AUTOSSH_GATETIME=0 AUTOSSH_PATH=/usr/bin/ssh autossh -M 0 -N -F $work/ssh_config 127.0.0.1 </dev/null >/dev/null 2>&1 3>&- &
	daemon=$!
	await accepted 1
	kill -USR1 $daemon    # a new ssh
	await accepted 2
	decisions 'accepted user=alice' 'accepted user=alice'
}

@test "clients: sshfs logs in by rjwt-askpass, and shows the files" {
	askpass_config
	(umask 077 && mint alice >$RJWT_TOKEN_FILE)
	[ -e /dev/fuse ] || mknod -m 0600 /dev/fuse c 10 229
	mkdir -p $work/mounted
	echo here >/home/alice/by-sshfs
	sshfs -f -F $work/ssh_config 127.0.0.1:/home/alice $work/mounted </dev/null >$work/sshfs.log 2>&1 3>&- &
	daemon=$!
	await accepted 1
	cat $work/sshfs.log
	await test -e $work/mounted/by-sshfs
	[ "$(<$work/mounted/by-sshfs)" = here ]
	umount $work/mounted
	daemon=
}

# --- vsftpd -----------------------------------------------------------------------------------------

by_ftp() { curl -sS --disable --max-time 20 --list-only --user "alice:$1" ftp://127.0.0.1:2121/ 2>&1 3>&-; }

@test "clients: vsftpd, which has room for 127 bytes, takes a short code once, and no token" {
	fresh_keyset 'leeway: 0s' 'services: {vsftpd: ftp}'
	pam_service vsftpd token
	printf '%s\n' listen=YES listen_port=2121 listen_address=127.0.0.1 local_enable=YES anonymous_enable=NO background=NO \
		pam_service_name=vsftpd secure_chroot_dir=/run/vsftpd seccomp_sandbox=NO >$work/vsftpd.conf
	mkdir -p /run/vsftpd
	vsftpd $work/vsftpd.conf </dev/null >$work/vsftpd.log 2>&1 3>&- &
	daemon=$!
	await bash -c 'exec 9<>/dev/tcp/127.0.0.1/2121'
	echo here >/home/alice/file
	code=$(mint --short -s ftp alice)
	run -0 by_ftp "$code"
	[[ $output == *file* ]]
	run -67 by_ftp "$code"
	run -67 by_ftp 0123-4567-89AB-CDEF    # nobody's
	run -67 by_ftp "$(mint --force -s ftp alice)"
	run -67 by_ftp "$(mint --short -s ssh alice)"
	run -67 by_ftp "$(mint --short -s ftp bob)"
	small=$(mint --short -s ftp alice)
	run -0 by_ftp "${small,,}"
	decisions 'accepted user=alice service=vsftpd' 'rejected reason=spent .*service=vsftpd' \
		'rejected reason=scope .*service=vsftpd' 'rejected reason=user .*service=vsftpd' 'accepted user=alice service=vsftpd'
}

# --- openvpn ----------------------------------------------------------------------------------------

up='Initialization Sequence Completed'

# by_vpn REPLY - what the client says first: that it is $up, where it $stays for so many seconds, or "AUTH_FAILED"
by_vpn()
{
	local client
	(umask 077 && printf 'alice\n%s\n' "$1" >$work/vpn.pass)
	: >$work/vpn.client    # before it is looked into
	openvpn --client --dev tun --proto tcp-client --remote 127.0.0.1 1194 --ca $work/vpn.crt --auth-user-pass $work/vpn.pass \
		--auth-retry none --connect-retry-max 1 </dev/null >$work/vpn.client 2>&1 3>&- &
	client=$!
	await grep -q -e "$up" -e AUTH_FAILED $work/vpn.client || cat $work/vpn.client $work/vpn.log >&2
	sleep "${stays-0}"
	kill $client 2>/dev/null || true
	wait $client || true
	log_settle
	grep -o -m 1 -e "$up" -e AUTH_FAILED $work/vpn.client
}

# start_vpn PLUGIN-ARGUMENTS OPTION... - the server
start_vpn()
{
	mkdir -p /dev/net
	[ -e /dev/net/tun ] || mknod -m 0600 /dev/net/tun c 10 200
	[ -e $work/vpn.key ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -days 2 \
		-keyout $work/vpn.key -out $work/vpn.crt 2>/dev/null
	openvpn --dev tun --proto tcp-server --local 127.0.0.1 --port 1194 --server 10.9.0.0 255.255.255.0 --ca $work/vpn.crt \
		--cert $work/vpn.crt --key $work/vpn.key --dh none --verify-client-cert none --username-as-common-name \
		--plugin "$(dpkg -L openvpn | grep -m 1 auth-pam.so)" "$@" </dev/null >$work/vpn.log 2>&1 3>&- &
	daemon=$!
	await bash -c 'exec 9<>/dev/tcp/127.0.0.1/1194' || { cat $work/vpn.log; return 1; }
}

stop_vpn()
{
	kill "$daemon"
	wait "$daemon" || true
	daemon=
}

# With pairs of prompt and reply the plugin names no user to PAM, and is asked for it.
@test "clients: openvpn's PAM plugin takes a short code once, and no token, with and without a list of prompts" {
	fresh_keyset 'leeway: 0s' 'services: {openvpn: vpn}'
	pam_service openvpn token
	for arguments in openvpn 'openvpn login USERNAME Token PASSWORD'; do
		log_mark
		start_vpn "$arguments"
		code=$(mint --short -s vpn alice)
		[ "$(by_vpn "$code")" = "$up" ]
		[ "$(by_vpn "$code")" = AUTH_FAILED ]
		[ "$(by_vpn "$(mint --short -s vpn bob)")" = AUTH_FAILED ]
		run -1 mint -s vpn alice
		[ "$(by_vpn "$(mint --force -s vpn alice)")" = AUTH_FAILED ]
		[ "$(by_vpn "$(mint --short -s vpn alice)")" = "$up" ]
		decisions 'accepted user=alice service=openvpn' 'rejected reason=spent .*service=openvpn' \
			'rejected reason=user .*service=openvpn' 'accepted user=alice service=openvpn'
		stop_vpn
	done
}

@test "clients: openvpn asks again for each new key, which a code is not good for, unless the server has auth-gen-token" {
	fresh_keyset 'leeway: 0s' 'services: {openvpn: vpn}'
	pam_service openvpn token
	stays=5
	start_vpn openvpn --reneg-sec 2
	[ "$(by_vpn "$(mint --short -s vpn alice)")" = "$up" ]
	stop_vpn
	[ "$(log_since 'rejected reason=spent .*service=openvpn' | wc -l)" -gt 0 ]
	log_mark
	start_vpn openvpn --verb 3 --reneg-sec 2 --auth-gen-token 0 120
	[ "$(by_vpn "$(mint --short -s vpn alice)")" = "$up" ]
	grep -q 'TLS: soft reset' $work/vpn.log
	stop_vpn
	decisions 'accepted user=alice service=openvpn'
}
