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
	mkdir -p "/srv/$1"/{etc,lib,spool}
	printf '%s\n' "audience: $1" 'leeway: 1s' >"/srv/$1/etc/rjwt.yaml"
	chown rjwt-fetch: "/srv/$1/spool"
}

# fleet_begin - nothing of an earlier fleet, and host2
fleet_begin()
{
	fresh_keyset 'audience: host2' 'leeway: 1s'
	rm -rf /var/lib/rjwt /srv/* /var/spool/rjwt
	id rjwt-fetch >/dev/null 2>&1 || useradd -r -d /nonexistent -s /usr/sbin/nologin rjwt-fetch
	install -d -o rjwt-fetch -g rjwt-fetch /var/spool/rjwt
}

# on HOST COMMAND... - with its directories
on()
{
	# shellcheck disable=SC2016    # the inner shell expands it
	unshare -m bash -c 'mkdir -p /var/lib/rjwt && mount --bind "/srv/$0/etc" /etc/rjwt &&
		mount --bind "/srv/$0/lib" /var/lib/rjwt && mount --bind "/srv/$0/spool" /var/spool/rjwt && "$@"' "$@"
}
