#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# ansible carries a fleet: the example's play and role by a real ansible-playbook over ssh, one issuer of three in reach of
# nothing, two hosts that have a network and directories of their own.

bats_require_minimum_version 1.5.0

setup()
{
	. tests/system/helpers.bash
	. tests/system/fleet.bash
	tree=$PWD
	exec </dev/null    # where bats has its list of tests
	fleet_begin
	fleet_network
	pam_service sshd password
	[ -e $work/key ] || ssh-keygen -q -t ed25519 -N '' -f $work/key
	install -D -m 0600 $work/key.pub /root/.ssh/authorized_keys
	start_sshd
	stop_sshd
	grep -v ListenAddress $work/sshd_config >$work/sshd_config.all
	n=0
	for name in i1 i2 h1 h2; do
		n=$((n + 1))
		fleet_machine $name 10.9.0.$n
		fleet_start $name sshd /usr/sbin/sshd -D -f $work/sshd_config.all
		await bash -c "exec 9<>/dev/tcp/10.9.0.$n/$port"
	done
	join=$(on i1 rjwt-keyd fleet init --key /srv/fleet.key http://i1.example/fleet.jws)
	entry=$(on i2 rjwt-keyd fleet request http://i2.example/fleet.jws)
	on i1 rjwt-keyd fleet add --key /srv/fleet.key "$entry" >/dev/null
	# shellcheck disable=SC2086    # the printed line, as it is typed
	on i2 $join
	on i2 rjwt-keyd follow /srv/i1/lib/www/fleet.jws
	on i2 rjwt-keyd publish
	examples=/usr/share/doc/rjwt/examples/ansible
	cp -r $examples "$BATS_TEST_TMPDIR/ansible"
	cd "$BATS_TEST_TMPDIR/ansible" || return
	printf '%s\n' '[issuers]' i1 i2 i3 '[hosts]' h1 h2 >hosts
}

teardown()
{
	cd "$tree" || return
	fleet_end
	rm -f /root/.ssh/authorized_keys
	no_token_logged
}

play()
{
	timeout 100 env HOME="$BATS_TEST_TMPDIR" ANSIBLE_SSH_ARGS="-F /dev/null -i $work/key -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ControlMaster=auto -o ControlPersist=20" \
		ANSIBLE_TIMEOUT=3 ANSIBLE_PIPELINING=1 ansible-playbook -i hosts -u root -e ansible_port=$port -e ansible_python_interpreter=/usr/bin/python3 \
		-e rjwt_fleet_directory=/etc/rjwt/fleet -e "rjwt_fleet_join='$join'" fleet.yml "$@" </dev/null 2>&1 3>&-
}

# counted HOST COUNTS - by ansible there
counted()
{
	[[ $(sed -n "s/^$1 *: *//p" <<<"$output" | tr -s ' ') == "$2 "* ]] && return
	echo "$output"
	return 1
}

opens() { on "$1" rjwt-verify -u alice -s sshd <<<"$2"; }

@test "ansible: rsync, git and a stick carry as the page says" {
	# shellcheck disable=SC2086    # the printed line, as it is typed
	on h1 $join
	printf '%s\n' 'Host i1' "Port $port" "IdentityFile $work/key" 'StrictHostKeyChecking no' 'UserKnownHostsFile /dev/null' 'LogLevel ERROR' >ssh_config
	page() { sed -n "s/^# \($1 .*\)/\1/p" "$tree/man/rjwt-fleet.7"; }
	[[ $(page rsync) == *'rjwt-keyd follow /root/i1.jws' && $(page git) == *'rjwt-keyd follow '* ]]
	run -0 on h1 env RSYNC_RSH="ssh -F $PWD/ssh_config" sh -c "$(page rsync)"
	says 'i1: installed serial'
	# i2 commits what it publishes, and h1 has a clone
	git init -q /srv/repository
	commit() { cp /srv/i1/lib/www/fleet.jws /srv/repository/ && git -C /srv/repository add . && git -C /srv/repository -c user.name=a -c user.email=a@example.org commit -qm published; }
	commit
	git clone -q /srv/repository /srv/fleet
	on i1 rjwt-keyd revoke --sub alice || true
	commit
	run -0 on h1 sh -c "$(page git)"
	says 'i1: installed serial'
	on i1 rjwt-keyd publish
	mkdir -p /media/stick
	cp /srv/i1/lib/www/fleet.jws /media/stick/
	run -0 on h1 sh -c "$(sed -n 's/^\.Li \(rjwt-keyd follow .*stick.*\) \.$/\1/p' "$tree/man/rjwt-fleet.7")"
	says 'i1: installed serial'
}

@test "ansible: the role joins two hosts and brings what three issuers publish, one of which is unreachable; again nothing changes" {
	run play    # i3 has no address
	says 'fatal: [i3]: '
	for host in h1 h2; do counted $host 'ok=5 changed=4 unreachable=0 failed=0'; done
	sleep 2.1    # what was minted before a host remembered used tokens counts as used
	one=$(on i1 rjwt-issue -a h1 -a h2 --reusable alice 2>/dev/null)
	two=$(on i2 rjwt-issue -a h1 -a h2 --reusable alice 2>/dev/null)
	for host in h1 h2; do
		run -0 opens $host "$one"
		run -0 opens $host "$two"
	done
	run play
	for host in h1 h2; do counted $host 'ok=5 changed=0 unreachable=0 failed=0'; done
	on i2 rjwt-keyd revoke --sub alice
	run play
	for host in h1 h2; do counted $host 'ok=5 changed=2 unreachable=0 failed=0'; done
	for host in h1 h2; do
		run -1 opens $host "$one"
		[[ $output == *'rejected: denied'* ]]
		run -1 opens $host "$two"
	done
}
