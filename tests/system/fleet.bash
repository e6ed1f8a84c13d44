# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests of a fleet with real daemons share, beside helpers.bash. The host of the sandbox, host2, follows; others
# have directories of their own below /srv, and see them in the usual places.

units=$(pkg-config --variable=systemdsystemunitdir systemd)

# unit NAME KEY - what a unit has for the key
unit() { sed -n "s/^$2=//p" "$units/$1"; }

# says TEXT - the output of what ran last has it
says()
{
	# shellcheck disable=SC2154    # bats assigns it
	[[ $output == *"$1"* ]] && return
	printf 'no "%s" in:\n%s\n' "$1" "$output"
	return 1
}

# fleet_host NAME - directories for one more host, or an issuer
fleet_host()
{
	mkdir -p "/srv/$1"/{etc,lib,spool,log}
	printf '%s\n' "audience: $1" 'leeway: 1s' >"/srv/$1/etc/rjwt.yaml"
	chown rjwt-fetch: "/srv/$1/spool"
}

# fleet_begin - nothing of an earlier fleet, and host2
fleet_begin()
{
	fresh_keyset 'audience: host2' 'leeway: 1s'
	rm -rf /var/lib/rjwt /srv/* /var/spool/rjwt
	mkdir -p /var/log/nginx
	id rjwt-fetch >/dev/null 2>&1 || useradd -r -d /nonexistent -s /usr/sbin/nologin rjwt-fetch
	install -d -o rjwt-fetch -g rjwt-fetch /var/spool/rjwt
}

# on HOST COMMAND... - with its directories, and its network if it has one of its own
on()
{
	if [ -e "/srv/$1/pid" ]; then
		nsenter -t "$(<"/srv/$1/pid")" -r -w -m -n -u -- "${@:2}"
		return
	fi
	# shellcheck disable=SC2016    # the inner shell expands it
	unshare -m bash -c "$places"' && "$@"' "$@"
}
# shellcheck disable=SC2016    # as above
places='mkdir -p /var/lib/rjwt && mount --bind "/srv/$0/etc" /etc/rjwt && mount --bind "/srv/$0/lib" /var/lib/rjwt &&
	mount --bind "/srv/$0/spool" /var/spool/rjwt && mount --bind "/srv/$0/log" /var/log/nginx'

# fleet_network - a bridge; the hosts of fleet_machine are plugged in, and so is the sandbox
fleet_network()
{
	ip link add fleet0 type bridge
	ip address add 10.9.255.254/16 dev fleet0
	ip link set fleet0 up
}

# fleet_end - its daemons, its networks, which what is left of a login would keep, and its directories
fleet_end()
{
	local file link
	for file in /srv/*/{sshd,nginx,pid}; do
		[ ! -e "$file" ] || kill "$(<"$file")" 2>/dev/null || true
	done
	for link in $(ip -o link | sed -n 's/^[0-9]*: \(to-[^@:]*\).*/\1/p') fleet0; do ip link delete "$link"; done
	sed -i '/\.example$/d' /etc/hosts
	rm -rf /srv/*
}

# fleet_machine NAME ADDRESS - one more host that has a name and a network of its own, until the sandbox ends
fleet_machine()
{
	fleet_host "$1"
	# shellcheck disable=SC2016    # the inner shell expands it
	unshare -m -n -u bash -c "hostname \$0 && $places"' && echo $$ >"/srv/$0/pid" && exec sleep infinity' "$1" </dev/null >/dev/null 2>&1 3>&- &
	await test -s "/srv/$1/pid"
	ip link add "to-$1" type veth peer name eth0 netns "$(<"/srv/$1/pid")"
	ip link set "to-$1" master fleet0 up
	on "$1" bash -c "ip address add $2/16 dev eth0 && ip link set eth0 up && ip link set lo up"
	grep -q " $1.example$" /etc/hosts || echo "$2 $1 $1.example" >>/etc/hosts
}

# fleet_poll HOST... - what their timers do, all at once: both units, one after the other; what they said is in /srv/HOST/said
fleet_poll()
{
	local host jobs=() status=0
	for host; do
		on "$host" sh -c "$(unit rjwt-fetch.service ExecStart); $(unit rjwt-follow.service ExecStart)" >"/srv/$host/said" 2>&1 3>&- &
		jobs+=($!)
	done
	for host in "${jobs[@]}"; do wait "$host" || status=1; done
	return $status
}

# fleet_start HOST NAME COMMAND... - a daemon of a host of fleet_machine; its process id is in /srv/HOST/NAME
fleet_start()
{
	nsenter -t "$(<"/srv/$1/pid")" -r -w -m -n -u -- "${@:3}" </dev/null >/dev/null 2>&1 3>&- &
	echo $! >"/srv/$1/$2"
}

# fleet_web ISSUER - a real nginx there, with the example's configuration
fleet_web()
{
	sed 's/i1.example.org/i1.example i2.example i3.example/' etc/nginx/rjwt.conf >/etc/nginx/conf.d/rjwt.conf
	fleet_start "$1" nginx nginx -g 'daemon off;'
	await on "$1" curl -fsS -o /dev/null "http://$1.example/fleet.jws"
}

# fleet_found - three issuers, of fleet_machine: i1 begins the fleet, i2 and i3 ask to be in it. $fleet_line is for hosts
fleet_found()
{
	local name entry
	fleet_line=$(on i1 rjwt-keyd fleet init --key /srv/fleet.key http://i1.example/fleet.jws)
	fleet_web i1
	for name in i2 i3; do
		entry=$(on $name rjwt-keyd fleet request http://$name.example/fleet.jws)
		# shellcheck disable=SC2086    # the printed line, as it is typed
		on $name $fleet_line
		on i1 rjwt-keyd fleet add --key /srv/fleet.key "$entry" >/dev/null
	done
	fleet_poll i2 i3
	for name in i2 i3; do
		on $name rjwt-keyd publish || {
			cat "/srv/$name/said" >&2
			return 1
		}
		fleet_web $name
	done
	fleet_poll i1 i2 i3
	on i1 rjwt-keyd publish
}

# fleet_lies - i3 serves an old file, another fleet's, and rubbish
fleet_lies()
{
	cat /srv/i3/lib/www/fleet.jws >/srv/old
	fleet_host other
	on other rjwt-keyd fleet init --key /srv/other.key http://other.example/fleet.jws >/dev/null
	sleep 1.1
	{ cat /srv/old /srv/other/lib/www/fleet.jws; head -c 100000 /dev/urandom; } >/srv/i3/lib/www/fleet.jws
}

# fleet_hangs - i3 takes connections and says nothing
fleet_hangs()
{
	kill "$(</srv/i3/nginx)"
	await bash -c "! kill -0 $(</srv/i3/nginx)"
	fleet_start i3 nginx /usr/bin/python3 -c "import socket, time; s = socket.create_server(('', 80), backlog=512); time.sleep(6000)"
	await on i3 bash -c 'exec 9<>/dev/tcp/127.0.0.1/80'
}

# fleet_dies - i3 answers nothing at all
fleet_dies()
{
	kill "$(</srv/i3/nginx)"
	on i3 ip link set eth0 down
}
