#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The packages on a machine that systemd runs (tests/system/boot): what is started, stopped and kept. The tests are steps
# of one history.

bats_require_minimum_version 1.5.0

setup_file()
{
	. tests/system/helpers.bash
	mv /usr/sbin/policy-rc.d $work/policy-rc.d    # it forbids that packages start anything
	dpkg --purge libpam-rjwt rjwt librjwt-dev librjwt1 >/dev/null 2>&1 3>&-
	rm -rf /var/lib/rjwt
	start_systemd
}

teardown_file()
{
	. tests/system/helpers.bash
	stop_systemd
	mv $work/policy-rc.d /usr/sbin/
}

setup()
{
	. tests/system/helpers.bash
	debs=${debs:?tests/deb/run sets it}
	need_systemd
}

installing() { inside apt-get -q -y -o Dpkg::Use-Pty=0 "${@:2}" install "$1"/rjwt_*.deb "$1"/libpam-rjwt_*.deb </dev/null 3>&-; }
state_of() { inside systemctl is-enabled "$1"; }

@test "systemd: apt install makes the keyset, and starts the service; the timers wait for who wants them" {
	run -0 installing "$debs"
	[[ $output != *'rjwt: '* ]]
	unit_active rjwt-keyd.service
	[ "$(state_of rjwt-keyd.service)" = enabled ]
	[ "$(state_of rjwt-keyd.timer)" = disabled ]
	[ "$(state_of rjwt-follow.timer)" = disabled ]
	run -0 inside rjwt-keyd status -q
	[[ $output == 'OK '*' signs, '*' takes over in '* ]]
	run -0 inside rjwt-keyd check
	[[ $output == *'OK    rotation rjwt-keyd.service is enabled'* ]]
	run -0 inside rjwt-verify -u alice -s sshd <<<"$(mint alice)"
}

@test "systemd: what is installed again runs anew, with the same keyset" {
	before=$(jq -r .base /var/lib/rjwt/keyset.json)
	pid=$(inside systemctl show -P MainPID rjwt-keyd.service)
	token=$(mint --reusable alice)
	run -0 installing "$debs" --reinstall
	unit_active rjwt-keyd.service
	[ "$(inside systemctl show -P MainPID rjwt-keyd.service)" != "$pid" ]
	[ "$(jq -r .base /var/lib/rjwt/keyset.json)" = "$before" ]
	run -0 rjwt-verify -u alice -s sshd <<<"$token"
}

@test "systemd: removing stops the service and keeps the keyset; a purge erases it" {
	run -0 inside apt-get -q -y remove rjwt libpam-rjwt </dev/null 3>&-
	unit_active rjwt-keyd.service inactive
	[ -f /var/lib/rjwt/keyset.json ]
	run -0 inside apt-get -q -y purge rjwt libpam-rjwt </dev/null 3>&-
	[ ! -e /var/lib/rjwt ]
	run -0 inside systemctl --failed --no-legend
	[ -z "$output" ]
}
