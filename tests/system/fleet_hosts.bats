#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A whole fleet: three issuers and 20 hosts, each with a network of its own; real nginx on the issuers, real curl by the
# shipped script on all, real sshd on two hosts. A poll is what the timer would start.

bats_require_minimum_version 1.5.0

issuers='i1 i2 i3'
hosts=$(printf 'h%s ' {1..20})

load_all()
{
	. tests/system/helpers.bash
	. tests/system/fleet.bash
}

setup_file()
{
	load_all
	fleet_begin
	pam_service sshd token
	fleet_network
	for n in 1 2 3; do fleet_machine i$n 10.9.0.$n; done
	for n in {1..20}; do fleet_machine h$n 10.9.1.$n; done
	fleet_found
	for name in $hosts; do on "$name" $fleet_line; done
	fleet_poll $hosts    # of the one mirror that they were told
	fleet_poll $hosts
	start_sshd
	for n in 1 2; do fleet_start h$n sshd /usr/sbin/sshd -D -f $work/sshd_config; done
	stop_sshd
	sleep 2.1    # what was minted before a host remembered used tokens counts as used
}

teardown_file()
{
	load_all
	fleet_end
}

setup() { load_all; }
teardown() { no_token_logged; }

# issued ISSUER ARG... - a token for all hosts
issued()
{
	# shellcheck disable=SC2046    # options
	on "$1" rjwt-issue $(printf -- '-a %s ' $hosts) "${@:2}" 2>/dev/null
}

# login HOST USER TOKEN - by ssh
login() { on "$1" bash -c 'cd "$0" && . tests/system/helpers.bash && ssh_kbd "$@" "id -un"' "$PWD" "${@:2}"; }

# all_say WORDS USER TOKEN - every host says that of the token
all_say()
{
	local host
	for host in $hosts; do
		on "$host" rjwt-verify -u "$2" -s sshd <<<"$3" >"$BATS_TEST_TMPDIR/says" 2>&1 || true
		grep -q "^$1" "$BATS_TEST_TMPDIR/says" || {
			echo "$host, $2: $(<"$BATS_TEST_TMPDIR/says")"
			return 1
		}
	done
}

# revoked USER TOKEN - i1 revokes the user; one poll later no host takes the token
revoked()
{
	run -0 on h20 rjwt-verify -u "$1" -s sshd <<<"$2"
	on i1 rjwt-keyd revoke --sub "$1"
	SECONDS=0
	fleet_poll $hosts
	echo "# all have heard after $SECONDS s" >&3
	[ $SECONDS -lt 30 ]    # 10 of them for a mirror that does not answer
	all_say 'rejected: denied' "$@"
}

@test "fleet: a token of each of three issuers opens two hosts by ssh, and is good on all twenty" {
	for issuer in $issuers; do
		token=$(issued $issuer --reusable alice)
		for host in h1 h2; do
			run -0 login $host alice "$token"
			[ "$output" = alice ]
		done
		all_say accepted alice "$token"
	done
	once=$(on i3 rjwt-issue -a h2 alice 2>/dev/null)
	run -0 login h2 alice "$once"
	log_mark
	run -255 login h2 alice "$once"
	log_since 'rejected reason=spent'
	log_mark
	run -255 login h1 alice "$(on i3 rjwt-issue -a h2 alice 2>/dev/null)"
	log_since 'rejected reason=aud'
}

@test "fleet: what one issuer revokes is closed everywhere for tokens of all, one poll later" {
	one=$(issued i1 --reusable alice)
	two=$(issued i2 --reusable alice)
	three=$(issued i3 --reusable alice)
	revoked alice "$two"
	for token in "$one" "$three"; do all_say 'rejected: denied' alice "$token"; done
	for host in h1 h2; do
		log_mark
		run -255 login $host alice "$three"
		log_since 'rejected reason=denied'
	done
	sleep 2.1
	run -0 login h1 alice "$(issued i2 --reusable alice)"
	fleet_poll $issuers
	fleet_poll $issuers $hosts    # a poll says what the one before it installed
	sleep 1.1    # the log is written once a second
	run -0 on i1 rjwt-keyd fleet /var/log/nginx/rjwt.log
	says 'OK    23 hosts have all that is newest'
}

@test "fleet: a mirror that lies, hangs or is dead holds up no revocation" {
	fleet_lies
	revoked bob "$(issued i1 --reusable bob)"
	grep -q 'skipped' /srv/h1/said
	fleet_hangs
	revoked carol "$(issued i1 --reusable carol)"
	fleet_dies
	revoked dave "$(issued i1 --reusable dave)"
	# and comes back: with its own address it has heard of nothing
	on i3 ip link set eth0 up
	fleet_web i3
	fleet_poll i3
	on i3 rjwt-keyd publish
	fleet_poll $hosts
	run -0 on h1 rjwt-keyd status
}
