#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The carrier that comes with rjwt: a real nginx with the example's configuration serves an issuer's file, real curl fetches
# it by the shipped script, as the user and with the commands of the shipped units, and follow installs it. Two hosts; the
# first has a real sshd, the second other directories in their places.

bats_require_minimum_version 1.5.0

setup()
{
	. tests/system/helpers.bash
	fresh_keyset
	rm -rf /var/lib/rjwt /srv/issuer /srv/host3 /var/spool/rjwt
	mkdir -p /srv/issuer /srv/host3/{etc,lib,spool}
	printf '%s\n' 'audience: host2' 'leeway: 1s' >/etc/rjwt/rjwt.yaml
	printf '%s\n' 'audience: host3' 'leeway: 1s' >/srv/host3/etc/rjwt.yaml
	printf '%s\n' 'state_dir: /srv/issuer/state' 'issuer: i1.example' 'audience: i1.example' 'leeway: 1s' >/srv/issuer/rjwt.yaml
	id rjwt-fetch >/dev/null 2>&1 || useradd -r -d /nonexistent -s /usr/sbin/nologin rjwt-fetch
	install -d -o rjwt-fetch -g rjwt-fetch /var/spool/rjwt
	chown rjwt-fetch: /srv/host3/spool
	grep -q i1.example /etc/hosts || echo '127.0.0.1 i1.example' >>/etc/hosts
	units=$(pkg-config --variable=systemdsystemunitdir systemd)
	fetch=$(sed -n 's/^ExecStart=//p' "$units/rjwt-fetch.service")
	follow=$(sed -n 's/^ExecStart=//p' "$units/rjwt-follow.service")
	user=$(sed -n 's/^User=//p' "$units/rjwt-fetch.service")
	url=http://i1.example/fleet.jws
	line=$(issuer keyd fleet init --key /srv/issuer/fleet.key $url)
	start_nginx
}

teardown()
{
	kill "${nginx:-0}" ${servers-} 2>/dev/null || true
	stop_sshd
	rm -rf /srv/issuer /srv/host3
	no_token_logged
}

start_nginx()
{
	mkdir -p /var/log/nginx
	rm -f /var/log/nginx/*
	sed -e s/i1.example.org/i1.example/ -e s:/var/lib/rjwt/www:/srv/issuer/state/www: etc/nginx/rjwt.conf >/etc/nginx/conf.d/rjwt.conf
	nginx -t 2>/dev/null
	nginx -g 'daemon off;' 3>&- &
	nginx=$!
	await curl -fsS -o /dev/null $url
}

# says TEXT - the output of what ran last has it
says()
{
	[[ $output == *"$1"* ]] && return
	printf 'no "%s" in:\n%s\n' "$1" "$output"
	return 1
}

issuer() { "rjwt-$1" -c /srv/issuer/rjwt.yaml "${@:2}"; }
issued() { issuer issue -a "$@" 2>/dev/null; }

# poll - what the timer does: both units, one after the other
poll()
{
	local status=0
	setpriv --reuid="$user" --regid="$user" --clear-groups --no-new-privs $fetch 2>$work/fetch.err || status=$?
	$follow
	return $status
}

# host3 COMMAND... - on the host that has directories of its own
host3()
{
	# shellcheck disable=SC2016    # the inner shell expands it
	unshare -m bash -c 'mkdir -p /var/lib/rjwt
		mount --bind /srv/host3/etc /etc/rjwt && mount --bind /srv/host3/lib /var/lib/rjwt &&
		mount --bind /srv/host3/spool /var/spool/rjwt && "$@"' host3 "$@"
}

# join - both hosts
join()
{
	# shellcheck disable=SC2086    # the printed line, as it is typed
	$line
	host3 $line
	poll
	host3_poll
	sleep 2.1    # what was minted before a host remembered used tokens counts as used
}
host3_poll() { host3 bash -c "$(declare -f poll); user=$user fetch='$fetch' follow='$follow' work=$work; poll"; }

# states - of all that is in the state directory
states() { find /var/lib/rjwt ! -name lock -printf '%p %T@ %C@ %i\n' | sort; }

# server PORT CODE - python that answers each connection by CODE, which has the connection as c
server()
{
	/usr/bin/python3 -c "
import socket, sys, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('127.0.0.1', $1)); s.listen(9)
head = b'HTTP/1.1 200 OK\r\nConnection: close\r\n'
while True:
    c = s.accept()[0]
    try:
        c.recv(65536) if '$1' != '8001' else None
        $2
        c.close()
    except OSError: pass
" 3>&- &
	servers="${servers-} $!"
	await bash -c "exec 9<>/dev/tcp/127.0.0.1/$1"
}

# other_mirrors URL... - the script, with these besides the roster's own
other_mirrors()
{
	printf '#!/bin/sh\nrjwt-keyd "$@" || exit\n[ $# -gt 1 ] || printf "%%s\\n" %s\n' "$*" >$work/keyd
	sed "s:^keyd=.*:keyd=$work/keyd:" "$fetch" >$work/rjwt-fetch
	chmod 0755 $work/keyd $work/rjwt-fetch
	fetch=$work/rjwt-fetch
}

@test "carrier: a token of the issuer opens two hosts, and revoke --sub closes both with one poll each" {
	pam_service sshd token
	start_sshd
	join
	[ "$(stat -c %U /var/spool/rjwt/*.jws /var/spool/rjwt/*.answered | sort -u)" = rjwt-fetch ]
	token=$(issued host2 --reusable alice)
	third=$(issued host3 --reusable alice)
	run -0 ssh_kbd alice "$token" 'id -un'
	[ "$output" = alice ]
	run -0 host3 rjwt-verify -u alice -s sshd <<<"$third"
	issuer keyd revoke --sub alice
	run -0 ssh_kbd alice "$token" 'id -un'    # not heard of yet
	run -0 poll
	says 'installed serial'
	log_mark
	run -255 ssh_kbd alice "$token" 'id -un'
	log_since 'rejected reason=denied'
	run -0 host3_poll
	run -1 host3 rjwt-verify -u alice -s sshd <<<"$third"
	says 'rejected: denied'
	sleep 2.1
	run -0 ssh_kbd alice "$(issued host2 alice)" 'id -un'
}

@test "carrier: a poll with nothing new is not sent again, and writes nothing; the log of nginx says what the host has" {
	join
	poll    # what was published within the second of the first is sent once more
	before=$(states)
	run -0 poll
	says 'nothing new'
	[ "$(states)" = "$before" ]
	serial=$(jq .followed.serial /var/lib/rjwt/fleet/*/keyset.json)
	sleep 1.1    # the log is written once a second
	run -0 tail -n 1 /var/log/nginx/rjwt.log
	says '" 304 '
	[[ $output =~ \"rjwt/1\ host2\ n=[0-9]+\ [a-z0-9-]+=$serial\"$ ]]
	issuer keyd publish    # in another second: mtimes are seconds
	run -0 poll
	says 'installed serial'
}

@test "carrier: mirrors that hang, lie, send too much or are dead hold up nothing, for 10 s at most, and silent ones for 4" {
	join
	server 8001 'time.sleep(60)'
	server 8002 'c.sendall(head + b"\r\n" + b"A" * 4194304)'
	server 8003 'c.sendall(head + b"\r\n" + b"A" * 9000000)'
	server 8004 'c.sendall(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/shadow\r\n\r\n")'
	server 8005 'c.sendall(head + b"Content-Length: 9\r\n\r\nA")'
	other_mirrors http://127.0.0.1:800{1,2,3,4,5,6}/fleet.jws 'file:///etc/shadow'
	sleep 1.1
	token=$(issued host2 --reusable alice)
	issuer keyd revoke --sub alice
	SECONDS=0
	run -0 poll
	[ "$SECONDS" -lt 15 ]
	says 'installed serial'
	says '1 line skipped'
	run -1 rjwt-verify -u alice -s sshd <<<"$token"
	[ "$(find /var/spool/rjwt -name '*.jws' | wc -l)" -eq 2 ]    # the issuer's, and 4 MiB of rubbish
	[ "$(find /var/spool/rjwt -name '*.answered' | wc -l)" -eq 2 ]
	[ -z "$(find /var/spool/rjwt -name '.*' -type f)" ]
	[ -z "$(find /var/spool/rjwt -size +4096k)" ]
	other_mirrors http://127.0.0.1:8001/fleet.jws
	SECONDS=0
	run -0 poll
	[ "$SECONDS" -lt 9 ]
	fetch=$(sed -n 's/^ExecStart=//p' "$units/rjwt-fetch.service")
	run -0 poll    # the roster's own alone: what the others gave is removed
	[ "$(find /var/spool/rjwt -type f | wc -l)" -eq 2 ]
}

@test "carrier: a mirror that fails after it has answered makes the poll fail, and the next one is as if it had not" {
	join
	kill "$nginx"
	wait "$nginx" || true
	run -1 poll
	says 'nothing new'
	start_nginx
	run -0 poll
	# one that is dead for long is asked by the timer alone
	kill "$nginx"
	wait "$nginx" || true
	touch -d '-10 minutes' /var/spool/rjwt/*.answered
	run -0 poll
}

@test "carrier: a file that claims to be from 2099 keeps no honest one out" {
	join
	kill "$nginx"
	wait "$nginx" || true
	server 80 'c.sendall(head + b"Last-Modified: Sat, 01 Aug 2099 00:00:00 GMT\r\n\r\nrubbish\n")'
	run -0 poll
	grep -q rubbish /var/spool/rjwt/*.jws
	kill $servers
	wait $servers || true
	sleep 1.1
	issuer keyd publish
	start_nginx
	run -0 poll
	says 'installed serial'
}

@test "carrier: status says which mirror does not answer, gives rubbish or offers what is old" {
	join
	kept=$(echo /var/spool/rjwt/*.jws)
	cp "$kept" $work/old
	run -0 rjwt-keyd status
	[[ ${lines[2]} == *'s ago'*'s ago'* ]]    # news and mirror
	[ "$(rjwt-keyd status --json | jq '.fleet.issuers[0] | .offered - .serial, (.answered > 1)' | tr '\n' ' ')" = '0 true ' ]
	run -0 setpriv --reuid=nobody --regid=nogroup --clear-groups rjwt-keyd status
	touch -d '-11 minutes' /var/spool/rjwt/*.answered
	run -1 rjwt-keyd status
	says 'mirror http://i1.example/fleet.jws has not answered for 11m'
	touch -d @4102444800 /var/spool/rjwt/*.answered    # by a clock that was ahead, or by whoever owns the spool
	run -1 rjwt-keyd status
	says 'mirror http://i1.example/fleet.jws has answered in the future'
	touch -d @-1000 /var/spool/rjwt/*.answered
	run -1 rjwt-keyd status
	says 'mirror http://i1.example/fleet.jws has not answered for'
	touch /var/spool/rjwt/*.answered
	echo rubbish >"$kept"
	run -1 rjwt-keyd status
	says 'gives nothing that'
	sleep 1.1
	issuer keyd publish
	run -0 poll
	run -0 rjwt-keyd status
	cp $work/old "$kept"
	run -1 rjwt-keyd status
	says 'offers serial'
	[ "$(rjwt-keyd status --json | jq -r '.findings[].code')" = fleet.rollback ]
	rm /var/spool/rjwt/*    # another carrier brings the lines
	run -0 rjwt-keyd status
}

@test "carrier: a mirror that was not asked since it was named is no fault, and one that was asked and never answered is" {
	printf '%s\n' 'state_dir: /srv/issuer/second' 'issuer: i2.example' 'audience: i2.example' >/srv/issuer/second.yaml
	second() { rjwt-keyd -c /srv/issuer/second.yaml "$@"; }
	mirror=http://127.0.0.1:8006/fleet.jws
	entry=$(second fleet request $mirror second)
	# shellcheck disable=SC2086    # the printed line, without its first word
	second ${line#* }
	issuer keyd fleet add --key /srv/issuer/fleet.key "$entry"
	second follow /srv/issuer/state/www/fleet.jws
	second publish
	issuer keyd follow /srv/issuer/second/www/fleet.jws
	issuer keyd publish
	join    # one poll, of the address that join was told
	run -0 rjwt-keyd status
	run -0 poll
	run -1 rjwt-keyd status
	says "second: mirror $mirror has never answered"
	[ "$(rjwt-keyd status --json | jq -r '.findings[].code')" = fleet.mirror ]
	server 8006 'c.sendall(head + b"\r\n" + open("/srv/issuer/second/www/fleet.jws", "rb").read())'
	run -0 poll
	run -0 rjwt-keyd status
}

@test "carrier: what owns the spool can put nothing into it that follow falls for" {
	join
	cat /var/spool/rjwt/*.jws >$work/good
	token=$(issued host2 --reusable alice)
	run -0 rjwt-verify -u alice -s sshd <<<"$token"
	as_fetch() { setpriv --reuid="$user" --regid="$user" --clear-groups bash -c "cd /var/spool/rjwt && $1"; }
	as_fetch 'ln -s /etc/shadow link.jws; mkfifo fifo.jws; mkdir dir.jws; : >a.jws; ln a.jws b.jws
		{ head -c 263168 /dev/zero | tr "\0" A; echo; } >long.jws; head -c 4194304 /dev/urandom >rubbish.jws
		head -c 4194305 /dev/zero >large.jws; yes "a.b.c" | head -n 100000 >many.jws'
	as_fetch 'ln -sn /etc dir2.jws'
	install -m 0644 -o nobody $work/good /var/spool/rjwt/nobody.jws    # of any owner
	before=$(states)
	run -1 timeout 30 $follow
	says '/var/spool/rjwt/link.jws: not a regular file'
	says '/var/spool/rjwt/fifo.jws: not a regular file'
	says '/var/spool/rjwt/a.jws: has more than one name'
	says '/var/spool/rjwt/large.jws: '
	[[ $output != *root:* && $output != *AAAA* ]]
	[ "$(states)" = "$before" ]
	run -0 rjwt-verify -u alice -s sshd <<<"$token"
	sleep 1.1
	issuer keyd revoke --sub alice
	cp /srv/issuer/state/www/fleet.jws /var/spool/rjwt/nobody.jws
	run -1 timeout 30 $follow
	says 'installed serial'
	run -1 rjwt-verify -u alice -s sshd <<<"$token"
}

@test "carrier: the units are ones that systemd understands, and the line for cron does the same where systemd is not" {
	run -0 systemd-analyze verify --man=no --recursive-errors=one "$units"/rjwt-f*.{service,timer}
	[ -z "$output" ]
	for unit in rjwt-fetch rjwt-follow; do
		run -0 systemd-analyze security --offline=true --threshold=15 "$units/$unit.service"
	done
	$line
	command=$(sed -n 's/^\* \* \* \* \* root //p' etc/cron.d/rjwt)
	printf '#!/bin/sh\n' >$work/sleep
	chmod 0755 $work/sleep
	mkdir -p /run/systemd/system $work/bin
	mv $work/sleep $work/bin/
	run -0 env PATH="$work/bin:$PATH" sh -c "$command"
	[ -z "$(ls /var/spool/rjwt)" ]
	rmdir /run/systemd/system
	run -0 env PATH="$work/bin:$PATH" sh -c "$command"
	[ -z "$output" ]
	[ "$(stat -c %U /var/spool/rjwt/*.jws)" = rjwt-fetch ]    # root's curl does not run
	[ "$(jq .followed.serial /var/lib/rjwt/fleet/*/keyset.json)" -gt 1 ]
}
