# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Three members of etcd over mutual TLS, in the sandbox, and what the units of an issuer do with them; beside helpers.bash
# and fleet.bash.
# shellcheck disable=SC2154    # helpers.bash assigns $work
declare -gA pids=()
etcd=$work/etcd

# certificates - in $work/etcd: a CA, and one each for the members and the clients
certificates()
(
	cd "$etcd" || exit
	new_key() { openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -subj "/CN=$1" "${@:2}" 2>/dev/null; }
	new_key ca -x509 -out ca.crt
	for name in member client; do
		new_key $name | openssl x509 -req -CA ca.crt -CAkey ca.key -out $name.crt \
			-extfile <(echo subjectAltName=IP:127.0.0.1,IP:127.0.0.2,IP:127.0.0.3) 2>/dev/null
	done
	chown rjwt-fetch client.key
)

# etcd_begin - certificates, and where clients find them
etcd_begin()
{
	id rjwt-fetch >/dev/null 2>&1 || useradd -r -d /nonexistent -s /usr/sbin/nologin rjwt-fetch
	mkdir -p "$etcd"
	certificates
	cat >"$etcd/etcd.conf" <<-E
		ETCDCTL_ENDPOINTS=https://127.0.0.1:2379,https://127.0.0.2:2379,https://127.0.0.3:2379
		ETCDCTL_CACERT=$etcd/ca.crt
		ETCDCTL_CERT=$etcd/client.crt
		ETCDCTL_KEY=$etcd/client.key
	E
}

# etcd_start - three empty members; this shell is a client of them
etcd_start()
{
	set -a
	# shellcheck source=/dev/null
	. "$etcd/etcd.conf"
	set +a
	rm -rf "$etcd"/member[123]
	for n in 1 2 3; do member $n; done
	await etcdctl endpoint health
}

# group NAME COMMAND... - in the background, as a process group that is ended by ${pids[NAME]}
group()
{
	set -m
	"${@:2}" </dev/null 3>&- &
	pids[$1]=$!
	set +m
}

# member N [ARG...] - one of the three
member()
{
	local at=127.0.0.$1
	group "member$1" etcd --name "member$1" --data-dir "$etcd/member$1" --logger=zap --log-outputs="$etcd/member$1.log" \
		--listen-client-urls "https://$at:2379" --advertise-client-urls "https://$at:2379" \
		--listen-peer-urls "https://$at:2380" --initial-advertise-peer-urls "https://$at:2380" \
		--initial-cluster "$(cluster)" --initial-cluster-state new \
		--client-cert-auth --trusted-ca-file "$etcd/ca.crt" --cert-file "$etcd/member.crt" --key-file "$etcd/member.key" \
		--peer-client-cert-auth --peer-trusted-ca-file "$etcd/ca.crt" --peer-cert-file "$etcd/member.crt" \
		--peer-key-file "$etcd/member.key" "${@:2}"
}
cluster() { printf 'member%s=https://127.0.0.%s:2380,' 1 1 2 2 3 3 | sed 's/,$//'; }

# end NAME... - by -9
end()
{
	local name
	for name; do
		kill -9 -- "-${pids[$name]}"
		wait "${pids[$name]}" 2>/dev/null || true
	done
}

# leader - the name of the member that leads
leader() { etcdctl endpoint status 2>/dev/null | sed -n 's/^https:..127.0.0.\(.\):.*, true, false, .*/member\1/p'; }

# put - what the path unit starts when www/fleet.jws changes, and systemd starts again while it fails
put()
{
	SECONDS=0
	until on i1 "$(unit rjwt-etcd-put.service ExecStart)"; do
		[ $SECONDS -lt 30 ]
		sleep "$(unit rjwt-etcd-put.service RestartSec)"
	done
}
