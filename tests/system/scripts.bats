#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-askpass answers for real programs: ssh, scp, sftp, git, rsync, sudo, and a jump host with a token for each hop.

bats_require_minimum_version 1.5.0

setup_file()
{
	. tests/system/helpers.bash
	local name
	for name in sshd sudo; do cp etc/pam.d/$name /etc/pam.d/$name; done
	sed -i '1i Defaults passwd_tries=1' /etc/sudoers
	start_sshd
	sed "s/^/[127.0.0.1]:$port /" $work/host_key.pub >$work/known_hosts
	cat >$work/ssh_config <<-E
		Host *
		Port $port
		User alice
		UserKnownHostsFile $work/known_hosts
		StrictHostKeyChecking yes
		NumberOfPasswordPrompts 1
		PreferredAuthentications keyboard-interactive
		LogLevel ERROR
	E
}

teardown_file()
{
	. tests/system/helpers.bash
	stop_sshd
	write_sudoers
	rm -rf $work/repository.git $work/to_send $work/known_hosts $work/ssh_config
}

setup()
{
	. tests/system/helpers.bash
	fresh_keyset 'leeway: 0s'
	export SSH_ASKPASS=/usr/bin/rjwt-askpass SSH_ASKPASS_REQUIRE=force RJWT_TOKEN_FILE=$work/token
	rm -f $RJWT_TOKEN_FILE
	log_mark
}

teardown() { no_token_logged; }

# give TOKEN... - what the file has
give() { (umask 077 && printf '%s\n' "$@" >$RJWT_TOKEN_FILE); }

@test "scripts: ssh, scp and sftp log in with a token from a file; a spent one is told" {
	give "$(mint alice)"
	run -0 ssh -F $work/ssh_config 127.0.0.1 id -un
	[ "$output" = alice ]
	# sshd asks once more, with the reason, and gets no token
	run -255 ssh -F $work/ssh_config 127.0.0.1 id -un
	[[ $output == *'rjwt-askpass: the host rejected the last token: Token already used.'* ]]
	echo content >$work/to_send
	give "$(mint alice)"
	run -0 scp -F $work/ssh_config $work/to_send 127.0.0.1:/home/alice/sent
	[ "$(</home/alice/sent)" = content ]
	give "$(mint alice)"
	run -0 sftp -F $work/ssh_config -oBatchMode=no -b - 127.0.0.1 <<<'rm sent'
	[ ! -e /home/alice/sent ]
}

@test "scripts: git fetches and pushes, rsync copies" {
	as alice git init -q --bare /home/alice/repository.git
	export GIT_SSH_COMMAND="ssh -F $work/ssh_config"
	give "$(mint alice)" "$(mint alice)"
	run -0 git clone -q ssh://127.0.0.1/home/alice/repository.git "$BATS_TEST_TMPDIR/clone"
	cd "$BATS_TEST_TMPDIR/clone"
	git -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m one
	run -0 git push -q origin HEAD:main
	cd "$OLDPWD"
	[ "$(as alice git -C /home/alice/repository.git rev-parse main)" = "$(git -C "$BATS_TEST_TMPDIR/clone" rev-parse HEAD)" ]
	echo content >$work/to_send
	give "$(mint alice)"
	run -0 rsync -e "ssh -F $work/ssh_config" $work/to_send 127.0.0.1:copied
	[ "$(</home/alice/copied)" = content ]
}

@test "scripts: git clones, fetches and pushes with one token that is good for three logins, and not for a fourth" {
	as alice rm -rf /home/alice/repository.git
	as alice git init -q --bare /home/alice/repository.git
	export GIT_SSH_COMMAND="ssh -F $work/ssh_config"
	give "$(mint --uses 3 alice)"
	run -0 git clone -q ssh://127.0.0.1/home/alice/repository.git "$BATS_TEST_TMPDIR/clone"
	git -C "$BATS_TEST_TMPDIR/clone" -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m one
	run -0 git -C "$BATS_TEST_TMPDIR/clone" push -q origin HEAD:main
	run -0 git -C "$BATS_TEST_TMPDIR/clone" fetch -q
	run -128 git -C "$BATS_TEST_TMPDIR/clone" fetch -q
	[[ $output == *'rjwt-askpass: the host rejected the last token: Token was used 3 times.'* ]]
	decisions 'accepted .*uses=1/3' 'accepted .*uses=2/3' 'accepted .*uses=3/3' 'rejected reason=spent' 'rejected reason=empty'
}

@test "scripts: an editor's two connections, and scp, are one login with ControlMaster" {
	printf '%s\n' 'ControlMaster auto' "ControlPath $work/cm-%C" 'ControlPersist 30' >$work/ssh_config.shared
	cat $work/ssh_config >>$work/ssh_config.shared
	give "$(mint alice)"
	# the connection that stays has the standard error of the first ssh
	for n in 1 2; do
		ssh -F $work/ssh_config.shared 127.0.0.1 id -un >"$BATS_TEST_TMPDIR/who" 2>/dev/null 3>&-
		[ "$(<"$BATS_TEST_TMPDIR/who")" = alice ]
	done
	scp -q -F $work/ssh_config.shared $work/ssh_config 127.0.0.1:shared 2>/dev/null 3>&-
	[ -s /home/alice/shared ]
	ssh -F $work/ssh_config.shared -O exit 127.0.0.1 2>/dev/null
	decisions 'accepted user=alice service=sshd'
	# without it the second connection has no token, or has one that is good for two
	run -255 ssh -F $work/ssh_config 127.0.0.1 id -un
	give "$(mint --uses 2 alice)"
	for n in 1 2; do run -0 ssh -F $work/ssh_config 127.0.0.1 id -un; done
}

@test "scripts: a jump host, and a token for each hop" {
	give "$(mint alice)" "$(mint alice)"
	run -0 ssh -F $work/ssh_config -o ProxyCommand="ssh -F $work/ssh_config -W %h:%p 127.0.0.1" 127.0.0.1 id -un
	[ "$output" = alice ]
	decisions 'accepted user=alice service=sshd' 'accepted user=alice service=sshd'
}

@test "scripts: a command mints the token, and sees for which host" {
	printf '%s\n' '#!/bin/sh' 'case $RJWT_PROMPT in *alice@127.0.0.1*) exec rjwt-issue alice ;; *) exit 5 ;; esac' >$work/minter
	chmod 755 $work/minter
	unset RJWT_TOKEN_FILE
	export RJWT_TOKEN_COMMAND=$work/minter
	for n in 1 2; do
		run -0 ssh -F $work/ssh_config 127.0.0.1 id -un
		[ "$output" = alice ]
	done
	decisions 'accepted user=alice' 'accepted user=alice'
}

@test "scripts: sudo -A gets its token, once" {
	give "$(mint -s sudo alice)"
	chown alice $RJWT_TOKEN_FILE
	run -0 as alice env SUDO_ASKPASS=/usr/bin/rjwt-askpass RJWT_TOKEN_FILE=$RJWT_TOKEN_FILE sudo -A id -un
	[ "$output" = root ]
	run -1 as alice env SUDO_ASKPASS=/usr/bin/rjwt-askpass RJWT_TOKEN_FILE=$RJWT_TOKEN_FILE sudo -A id -un
	[[ $output == *'Token already used.'* ]]
}

# page_lines FROM TO - what is typed between two items of rjwt-operations(7)
page_lines() { sed -n "/^\\.It $1/,/^\\.It $2/s/^\\$ //p" man/rjwt-operations.7; }

@test "scripts: an agent becomes root once, by the lines of rjwt-operations(7), with a token that a person mints" {
	run -0 page_lines 'Coding agents' ansible
	[ ${#lines[@]} -eq 3 ]
	mint=${lines[0]/sudo/sudo -S -p \'\'}
	agent="cd; ${lines[1]}; ${lines[2]/systemctl restart nginx/id -un}"
	rm -f /home/alice/token
	as alice bash -c "cd; $mint" <<<"$alice_password"
	cat /home/alice/token >>$tokens
	[ "$(stat -c '%a %U' /home/alice/token)" = '600 alice' ]
	log_mark
	run -0 as alice bash -c "$agent"
	[ "$output" = root ]
	run -1 as alice bash -c "$agent"
	[[ $output == *'Token already used.'* ]]
	decisions 'accepted user=alice service=sudo' 'rejected reason=spent user=alice service=sudo'
	rm -f /home/alice/token
}
