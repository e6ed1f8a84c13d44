#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# An issuer that is another directory, and a host that follows it and has no keyset of its own: a real sshd takes the
# issuer's tokens, and takes them no more once the issuer has denied them.

bats_require_minimum_version 1.5.0

setup()
{
	. tests/system/helpers.bash
	fresh_keyset
	rm -rf /var/lib/rjwt /srv/issuer
	mkdir /srv/issuer
	printf '%s\n' 'audience: host2' 'leeway: 1s' >/etc/rjwt/rjwt.yaml
	printf '%s\n' 'state_dir: /srv/issuer/state' 'issuer: i1.example' 'audience: i1.example' 'leeway: 1s' >/srv/issuer/rjwt.yaml
	pam_service sshd token
	start_sshd
	log_mark
}

teardown()
{
	stop_sshd
	rm -rf /srv/issuer
	no_token_logged
}

issuer() { "rjwt-$1" -c /srv/issuer/rjwt.yaml "${@:2}"; }
issued() { issuer issue -a host2 "$@" 2>/dev/null; }

# carry - the issuer's file, by hand
carry() { cp /srv/issuer/state/www/fleet.jws "$BATS_TEST_TMPDIR/fleet.jws"; }

join()
{
	local line
	line=$(issuer keyd fleet init --key /srv/issuer/fleet.key http://i1.example/fleet.jws)
	# shellcheck disable=SC2086    # the printed line, as it is typed
	$line
	carry
	rjwt-keyd follow "$BATS_TEST_TMPDIR/fleet.jws"
	sleep 2.1    # what was minted before this host remembered used tokens counts as used
}

@test "fleet: a token of the issuer opens the second host once, and revoke --sub, publish and follow close it" {
	join
	token=$(issued alice)
	run -0 ssh_kbd alice "$token" 'id -un'
	[ "$output" = alice ]
	decisions "accepted user=alice service=sshd rhost=127\.0\.0\.1 kid=[A-Za-z0-9_-]+\.1 jti=$(claim jti "$token") sub=alice exp="
	log_mark
	run -255 ssh_kbd alice "$token" 'id -un'
	log_since 'rejected reason=spent'
	token=$(issued --reusable alice)
	run -0 ssh_kbd alice "$token" 'id -un'
	issuer keyd revoke --sub alice
	carry
	rjwt-keyd follow "$BATS_TEST_TMPDIR/fleet.jws"
	log_mark
	run -255 ssh_kbd alice "$token" 'id -un'
	asked '(alice@127.0.0.1) Token: ' '(alice@127.0.0.1) Token was revoked. Token: '
	log_since 'rejected reason=denied'
	sleep 2.1
	run -0 ssh_kbd alice "$(issued alice)" 'id -un'
}

@test "fleet: without its denials a host takes no token, and join makes them again" {
	join
	token=$(issued --reusable alice)
	run -0 ssh_kbd alice "$token" 'id -un'
	log_mark
	rm -r /var/lib/rjwt/denied
	run -255 ssh_kbd alice "$token" 'id -un'
	log_since 'reason=io'
	run -0 rjwt-keyd join http://i1.example/fleet.jws "$(jq -r .pin /var/lib/rjwt/fleet.json)"
	run -0 ssh_kbd alice "$token" 'id -un'
}

# follows LEVEL TEXT - what check finds about what follows, or says where all is well
follows() { rjwt-keyd check --json | jq -e --arg text "$2" --arg level "$1" \
	'[.findings[] | select(.area == "fleet")] | length == 1 and .[0].level == $level and (.[0].text | contains($text))'; }

@test "fleet: check finds out whether a unit or cron follows on a host that has joined" {
	nothing='neither a unit of systemd nor cron runs rjwt-keyd follow'
	cron=/etc/cron.d/rjwt wants=/etc/systemd/system/timers.target.wants
	[ ! -e /run/systemd/system ]
	rm -f $cron
	mkdir -p /etc/cron.d $wants
	join
	follows warn "$nothing"
	[ "$(rjwt-keyd check --json | jq -r '.findings[] | select(.area == "fleet") | .code, (.fix | length > 0)' | tr '\n' ' ')" = 'fleet.follow true ' ]
	cp etc/cron.d/rjwt $cron
	follows ok '/etc/cron.d runs rjwt-keyd follow'
	sed -i 's/^\* /# &/' $cron    # the line that follows, and not the one that rotates
	follows warn "$nothing"
	cp etc/systemd/rjwt-follow.timer /srv/issuer/    # root's, as this tree may not be
	ln -s /srv/issuer/rjwt-follow.timer $wants/    # nothing looks at it
	follows warn "$nothing"
	mkdir -p /run/systemd/system
	follows ok 'a unit of systemd runs rjwt-keyd follow'
	rm $wants/rjwt-follow.timer
	cp etc/cron.d/rjwt $cron    # which leaves it to systemd
	follows warn "$nothing"
	ln -s /nowhere/rjwt-follow.timer $wants/
	follows warn "$nothing"
	rm $wants/rjwt-follow.timer
	printf '[Service]\n#ExecStart=rjwt-keyd follow\n' >/srv/issuer/carrier.service
	ln -s /srv/issuer/carrier.service $wants/
	follows warn "$nothing"
	sed -i 's/#//' /srv/issuer/carrier.service
	follows ok 'a unit of systemd runs rjwt-keyd follow'
	rm $wants/carrier.service
	rmdir /run/systemd/system
	rm $cron
	mkdir -p /var/spool/cron/crontabs
	chmod 0730 /var/spool/cron/crontabs
	run as alice rjwt-keyd check --json
	jq -e '.findings | any(.area == "fleet" and .level == "ok" and (.text |
		contains("not checked whether anything runs rjwt-keyd follow: /var/spool/cron/crontabs: Permission denied")))' <<<"$output"
	issuer keyd check --json >"$BATS_TEST_TMPDIR/issuer" || true
	jq -e '[.findings[] | select(.area == "fleet")] == []' "$BATS_TEST_TMPDIR/issuer"    # nobody to follow
}

# dated SECONDS - as if the issuer had published so much earlier
dated()
{
	local text
	text=$(jq -c "del(.sum) | .iat -= $1" $record)
	printf '%s,"sum":"%s"}\n' "${text%\}}" "$(printf %s "${text%\}}" | sha256sum | cut -d' ' -f1)" >"$BATS_TEST_TMPDIR/record"
	cat "$BATS_TEST_TMPDIR/record" >$record
}

looked() { grep -q 'is not of this host' "$said" || [ "$(jq .serial $record)" -gt "$before" ]; }

# run_issuer - rjwt-keyd run, until it has published or says why it does not; what it says is in $said
run_issuer()
{
	said=$BATS_TEST_TMPDIR/said
	before=$(jq .serial $record)
	: >"$said"    # before: looked must not read what an earlier one wrote
	rjwt-keyd -c /srv/issuer/rjwt.yaml run </dev/null >"$said" 2>&1 3>&- &
	pid=$!
	await looked
	kill -TERM $pid
	wait $pid
}

@test "fleet: rjwt-keyd run on an issuer follows first of all: one that was restored does not publish, one that was not does" {
	record=/srv/issuer/state/private/published.json
	rm -rf /var/spool/rjwt
	mkdir -p /var/spool/rjwt
	join
	cp -a /srv/issuer/state /srv/backup
	sleep 1.1
	issuer keyd publish
	cp /srv/issuer/state/www/fleet.jws /var/spool/rjwt/mirror.jws    # what its own mirror has
	dated 700    # which makes it due
	run_issuer
	[ "$(jq .serial $record)" -gt "$before" ]
	run ! grep -q 'is not of this host' "$said"
	rm -rf /srv/issuer/state
	mv /srv/backup /srv/issuer/state
	dated 700
	run_issuer
	[ "$(jq .serial $record)" -eq "$before" ]
	run -1 issuer keyd publish
	[[ $output == *'init --adopt'* ]]
}
