#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# etcd carries a fleet: three real members over mutual TLS, the commands of the shipped units, one issuer and one host.
# systemd is not here: put is run when it would run it, and what waits for the spool is a loop.

bats_require_minimum_version 1.5.0

setup_file()
{
	. tests/system/helpers.bash
	. tests/system/etcd.bash
	etcd_begin
}

setup()
{
	. tests/system/helpers.bash
	. tests/system/fleet.bash
	. tests/system/etcd.bash
	fleet_begin
	fleet_host i1
	etcd_start
	line=$(on i1 rjwt-keyd fleet init --key /srv/fleet.key http://i1.example/fleet.jws)
	# shellcheck disable=SC2086    # the printed line, as it is typed
	$line
	on i1 "$(unit rjwt-etcd-put.service ExecStart)"
	watch_etcd
	await installed
	sleep 2.1    # what was minted before a host remembered used tokens counts as used
}

teardown()
{
	for name in "${!pids[@]}"; do kill -9 -- "-${pids[$name]}" 2>/dev/null || true; done
	no_token_logged
}

# watch_etcd - both units of the host; follow whenever the file in the spool is replaced
watch_etcd()
{
	group watch "$(unit rjwt-etcd-watch.service ExecStart)"
	pushed() {
		local seen='' now follow
		follow=$(unit rjwt-etcd-follow.service ExecStart)
		while sleep 0.05; do
			now=$(stat -c %i "$(unit rjwt-etcd-follow.path PathChanged)" 2>/dev/null) || continue
			[ "$now" = "$seen" ] || $follow || true
			seen=$now
		done
	}
	group pushed pushed 2>$work/follow.err
}

serial() { jq .followed.serial /var/lib/rjwt/fleet/*/keyset.json; }
published() { jq -r .serial /srv/i1/lib/private/published.json; }
installed() { [ "$(serial)" = "$(published)" ]; }

issued() { on i1 rjwt-issue -a host2 --reusable "$@" 2>/dev/null; }
# opens USER TOKEN, closed USER TOKEN - on the host
opens() { rjwt-verify -u "$1" -s sshd <<<"$2" >/dev/null; }
closed() { rjwt-verify -u "$1" -s sshd <<<"$2" | grep -q 'rejected: denied'; }

@test "etcd: what an issuer puts is installed at once; what has not changed is not put again; nobody gets in without a certificate" {
	token=$(issued alice)
	opens alice "$token"
	[ "$(stat -c %U /var/spool/rjwt/etcd.jws)" = rjwt-fetch ]
	on i1 rjwt-keyd revoke --sub alice
	opens alice "$token"
	begin=$(date +%s%N)
	put
	await closed alice "$token"
	took=$((($(date +%s%N) - begin) / 1000000))
	echo "# refused ${took} ms after put was started" >&3
	[ $took -lt 5000 ]
	revision() { etcdctl get --prefix rjwt/ -w fields | sed -n 's/^"Revision" : //p'; }
	before=$(revision)
	put
	[ "$(revision)" = "$before" ]
	# a line that www no longer has
	etcdctl put "rjwt/$(uname -n)/007" old
	put
	[ "$(etcdctl get --prefix --keys-only rjwt/ | grep -c .)" -eq "$(wc -l </srv/i1/lib/www/fleet.jws)" ]
	run -1 env -u ETCDCTL_CERT -u ETCDCTL_KEY etcdctl get --command-timeout=2s --prefix rjwt/
}

@test "etcd: a leader that is killed holds up a revocation for seconds" {
	token=$(issued alice)
	opens alice "$token"
	end "$(leader)"
	on i1 rjwt-keyd revoke --sub alice
	begin=$(date +%s%N)
	put
	await closed alice "$token"
	took=$((($(date +%s%N) - begin) / 1000000))
	echo "# refused ${took} ms after put was started" >&3
	[ -n "$(leader)" ]
}

@test "etcd: without a majority tokens are minted and verified, and a revocation comes when the majority does" {
	token=$(issued alice)
	end member1 member2
	run -1 on i1 "$(unit rjwt-etcd-put.service ExecStart)"
	opens alice "$token"
	opens bob "$(issued bob)"
	on i1 rjwt-keyd revoke --sub alice
	run -1 on i1 "$(unit rjwt-etcd-put.service ExecStart)"
	opens alice "$token"
	opens bob "$(issued bob)"
	member 1
	put
	await closed alice "$token"
	opens bob "$(issued bob)"
}

@test "etcd: members that are restored from an old snapshot take nothing back, and the next line comes" {
	ETCDCTL_ENDPOINTS=https://127.0.0.1:2379 etcdctl snapshot save $work/etcd/snapshot >/dev/null 2>&1
	token=$(issued alice)
	on i1 rjwt-keyd revoke --sub alice
	put
	await closed alice "$token"
	kept=$(serial)
	end member1 member2 member3
	for n in 1 2 3; do
		rm -r $work/etcd/member$n
		etcdctl snapshot restore $work/etcd/snapshot --name member$n --data-dir $work/etcd/member$n \
			--initial-cluster "$(cluster)" --initial-advertise-peer-urls https://127.0.0.$n:2380 >/dev/null 2>&1
	done
	for n in 1 2 3; do member $n; done
	await etcdctl endpoint health
	end watch    # as its minute would end; what it has watched for has numbers that are gone
	etcdctl get --prefix rjwt/ -w fields >$work/etcd/old
	group watch "$(unit rjwt-etcd-watch.service ExecStart)"
	await grep -q "serial $kept is installed, serial" $work/follow.err
	[ "$(serial)" = "$kept" ]
	closed alice "$token"
	bobs=$(issued bob)
	opens bob "$bobs"
	on i1 rjwt-keyd revoke --sub bob
	put
	await closed bob "$bobs"
	closed alice "$token"
}

@test "etcd: whoever has a certificate can put rubbish, and nothing else" {
	token=$(issued alice)
	head -c 1000000 /dev/urandom | etcdctl put rjwt/rubbish
	printf 'two\nlines' | etcdctl put rjwt/rubbish2
	printf '%s\n' '"Revision" : 99999999' '"Value" : "$(touch /tmp/x)"' | etcdctl put rjwt/rubbish3
	etcdctl del --prefix "rjwt/$(uname -n)/"
	await grep -q 'lines\? skipped' $work/follow.err
	opens alice "$token"
	on i1 rjwt-keyd revoke --sub alice
	put
	await closed alice "$token"
	[ ! -e /tmp/x ]
}

@test "etcd: the units are ones that systemd understands" {
	run -0 systemd-analyze verify --man=no --recursive-errors=one "$units"/rjwt-etcd-*.{service,path}
	[ -z "$output" ]
	for name in put watch follow; do
		run -0 systemd-analyze security --offline=true --threshold=15 "$units/rjwt-etcd-$name.service"
	done
	[ "$(unit rjwt-etcd-put.path PathChanged)" = /var/lib/rjwt/www/fleet.jws ]
	[ "$(unit rjwt-etcd-watch.service EnvironmentFile)" = /etc/rjwt/etcd.conf ]
	diff <(grep -v '^#\|^Description' "$units/rjwt-etcd-follow.service") \
		<(grep -v '^#\|^Description\|^Wants\|^After' "$units/rjwt-follow.service")
}
