#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-keyd check and try: what is found about the host, its keyset, disk and programs. Each thing is done to this host, is
# found, and is undone. Stacks have check.bats.

bats_require_minimum_version 1.5.0

state=/var/lib/rjwt

setup()
{
	. tests/system/helpers.bash
	module=/usr/lib/$(gcc -print-multiarch)/security/pam_rjwt.so
	cp -a /etc/pam.d "$work/pam.before"
	cp -a /etc/ssh "$work/ssh.before"
	cp /etc/machine-id "$work/machine-id"
	fresh_keyset
}

teardown()
{
	umount $state/revoked $state 2>/dev/null || true
	rm -rf /etc/pam.d /etc/ssh
	mv "$work/pam.before" /etc/pam.d
	mv "$work/ssh.before" /etc/ssh
	mv "$work/machine-id" /etc/machine-id
	[ ! -e "$work/module" ] || mv "$work/module" "$module"
	no_token_logged
}

# finds CODE - check has this finding, with what to do about it; its exit status is that of a FAIL, or of none
finds()
{
	local status=0 level
	rjwt-keyd check --json >"$work/check" || status=$?
	level=$(jq -r --arg code "$1" '.findings[] | select(.code == $code) | if (.text + .fix | length) > 0 then .level else empty end' "$work/check" | head -n 1)
	echo "$1: $level, $status"
	[ -n "$level" ]
	[ "$level" != fail ] || [ "$status" -eq 1 ]
}

# not_found CODE - and nothing of that area fails
not_found()
{
	rjwt-keyd check --json >"$work/check" || true
	[ "$(jq --arg code "$1" '[.findings[] | select(.code == $code or (.area == ($code | split(".")[0]) and .level == "fail"))] | length' "$work/check")" -eq 0 ]
}

@test "rotation.none: nothing rotates; cron, a unit or the daemon does; rotation.never" {
	rm -f /etc/systemd/system/{timers,multi-user}.target.wants/rjwt-keyd.{timer,service}
	finds rotation.none
	mkdir -p /etc/cron.d /etc/systemd/system/timers.target.wants
	cp etc/cron.d/rjwt /etc/cron.d/rjwt
	not_found rotation.none
	rm /etc/cron.d/rjwt
	finds rotation.none
	ln -s /lib/systemd/system/rjwt-keyd.timer /etc/systemd/system/timers.target.wants/rjwt-keyd.timer
	finds rotation.none    # nothing looks at it
	mkdir -p /run/systemd/system
	not_found rotation.none
	rmdir /run/systemd/system
	rm /etc/systemd/system/timers.target.wants/rjwt-keyd.timer
	# that of a container, whose root is another, rotates nothing here
	mkdir "$work/root"
	/usr/bin/python3 -c 'import os, sys, time; os.chroot(sys.argv[3] + "/root"); os.mkdir("/here"); time.sleep(60)' \
		rjwt-keyd run "$work" 3>&- &
	await test -d "$work/root/here"
	finds rotation.none
	kill $!
	wait $! || true
	rm -r "$work/root"
	rjwt-keyd run 3>&- &
	await pgrep -x rjwt-keyd
	not_found rotation.none
	kill $!
	wait $! || true
	echo 'rotate_every: 0' >/etc/rjwt/rjwt.yaml
	finds rotation.never
	not_found rotation.none
}

@test "module.copy: another copy where libpam does not search" {
	not_found module.copy
	mkdir -p /usr/local/lib/security
	cp "$module" /usr/local/lib/security/
	finds module.copy
	[ "$(jq -r '.findings[] | select(.code == "module.copy").path' "$work/check")" = /usr/local/lib/security/pam_rjwt.so ]
	rm /usr/local/lib/security/pam_rjwt.so
	not_found module.copy
}

@test "sshd.methods: AuthenticationMethods that never asks" {
	cp etc/pam.d/sshd /etc/pam.d/sshd
	ssh-keygen -A >/dev/null 2>&1
	methods() { printf 'UsePAM yes\nKbdInteractiveAuthentication yes\nAuthenticationMethods %s\n' "$1" >/etc/ssh/sshd_config; }
	methods publickey
	finds sshd.methods
	[ "$(jq -r '.findings[] | select(.code == "sshd.methods") | "\(.path):\(.line)"' "$work/check")" = /etc/ssh/sshd_config:3 ]
	for one in publickey,keyboard-interactive 'publickey password' any; do
		methods "$one"
		not_found sshd.methods
	done
}

@test "keyset: a key's file, a private half, another machine, none, and what an HS* key means" {
	not_found keyset.key
	cp $state/keys/1.jwk "$work/1.jwk"
	sed -i 's/"alg"/"alq"/' $state/keys/1.jwk
	finds keyset.key
	cat "$work/1.jwk" >$state/keys/1.jwk
	not_found keyset.key
	mv $state/private/1.key "$work/1.key"
	finds keyset.private
	mv "$work/1.key" $state/private/1.key
	not_found keyset.private
	echo 0123456789abcdef0123456789abcdef >/etc/machine-id
	finds keyset.writable
	cp "$work/machine-id" /etc/machine-id
	not_found keyset.writable
	run -0 as bob /usr/sbin/rjwt-keyd check --json
	jq -e '.findings[] | select(.code == "keyset.readable").level == "warn"' <<<"$output"
	not_found keyset.readable
	: >/etc/machine-id
	rm -r $state
	rjwt-keyd init 2>/dev/null
	finds keyset.machine
	fresh_keyset 'alg: HS256'
	finds keyset.shared_secret
	echo >/etc/rjwt/rjwt.yaml
	rjwt-keyd rotate && rjwt-keyd rotate
	not_found keyset.shared_secret
}

# on_a_disk OPTIONS - the state directory as it is, on a small file system of its own
on_a_disk()
{
	cp -a $state "$work/state"
	mount -t tmpfs -o "mode=755,$1" tmpfs $state
	cp -a "$work/state/." $state
	rm -r "$work/state"
}

@test "disk: full of bytes, full of files, read-only; with room again nothing is found" {
	on_a_disk size=400k
	not_found disk.full
	head -c 1M /dev/zero >$state/filler 2>/dev/null || true
	finds disk.full
	rm $state/filler
	not_found disk.full
	mount -o remount,ro $state
	finds disk.readonly
	mount -o remount,rw $state
	not_found disk.readonly
	umount $state
	on_a_disk nr_inodes=60
	n=0
	while : >"$state/filler$n"; do n=$((n + 1)); done 2>/dev/null
	finds disk.inodes
	rm $state/filler*
	not_found disk.inodes
}

@test "clock.unsynchronised: as the kernel says" {
	status=0
	python3 -c 'import ctypes; t = (ctypes.c_char * 256)(); s = ctypes.CDLL(None).adjtimex(t)
exit(1 if s == 5 or int.from_bytes(t[40:44], "little") & 0x40 else 0)' || status=$?
	if [ $status -eq 0 ]; then not_found clock.unsynchronised; else finds clock.unsynchronised; fi
}

@test "pam.not_root, try.not_root: a service whose program does not run as root" {
	pam_service postgresql both
	finds pam.not_root
	run -0 --separate-stderr rjwt-keyd try --json alice postgresql </dev/null
	jq -e '[.services[0].findings[].code] | index("try.not_root")' <<<"$output"
	rm /etc/pam.d/postgresql
	pam_service rjwt-test both
	not_found pam.not_root
	run -0 --separate-stderr rjwt-keyd try --json alice rjwt-test </dev/null
	jq -e '[.services[0].findings[].code] | index("try.not_root") | not' <<<"$output"
}

@test "pam.password_age: a user who has no password and has to change it is kept out after a token" {
	pam_service rjwt-test both
	sed -i 's/^account required pam_permit.so/account required pam_unix.so/' /etc/pam.d/rjwt-test
	log_in() { pamtester rjwt-test bob authenticate acct_mgmt <<<"$(mint -s rjwt-test bob)"; }
	usermod -p '!' bob
	chage -M -1 -d 1970-01-02 bob
	not_found pam.password_age
	run -0 log_in
	chage -M 90 bob
	finds pam.password_age
	[[ $(jq -r '.findings[] | select(.code == "pam.password_age").text' "$work/check") == 'bob: no password, '* ]]
	run -1 log_in
	chage -M -1 -d 0 bob
	finds pam.password_age
	run -1 log_in
	set_password bob other
	not_found pam.password_age
	usermod -p '*' -s /usr/sbin/nologin bob
	chage -d 0 bob
	not_found pam.password_age
	usermod -s /bin/bash bob
	finds pam.password_age
	sed -i 's/pam_unix.so$/& no_pass_expiry/' /etc/pam.d/rjwt-test
	not_found pam.password_age
	run -0 log_in
	make_user bob
}

@test "try.revoke: a token that was not spent cannot be revoked" {
	pam_service rjwt-test both
	mv "$module" "$work/module"
	run -1 --separate-stderr rjwt-keyd try --json alice rjwt-test </dev/null
	jq -e '[.services[0].findings[].code] == ["try.token"]' <<<"$output"
	mount --bind $state/revoked $state/revoked
	mount -o remount,bind,ro $state/revoked
	run -1 --separate-stderr rjwt-keyd try --json alice rjwt-test </dev/null
	jq -e '[.services[0].findings[].code] == ["try.revoke", "try.token"]' <<<"$output"
	jq -e '.services[0].findings[] | select(.code == "try.revoke").text | test("works for 30 s: .*Read-only file system")' <<<"$output"
}

@test "try.password: one that was mistyped, and the right one" {
	pam_service rjwt-test both
	run -1 on_terminal $'not tried\\): \tmistyped' rjwt-keyd try --json alice rjwt-test
	[[ $output == *'"code":"try.password"'* ]]
	run -0 on_terminal $'not tried\\): \t'"$alice_password" rjwt-keyd try --json alice rjwt-test
	[[ $output != *'"code":"try.password"'* ]]
}
