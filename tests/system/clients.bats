#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Programs that nobody here wrote log in through the shipped stacks: with a token and with the password, and what they
# say of a spent and an expired token. They answer prompts by themselves, and most of them look for "assword".

bats_require_minimum_version 1.5.0

# What id prints, and no client by itself.
id='uid='

setup_file()
{
	. tests/system/helpers.bash
	local name
	for name in sshd su sudo; do cp etc/pam.d/$name /etc/pam.d/$name; done
	start_sshd 'MaxAuthTries 2'    # dbclient does not give up before
	mkdir -m 0700 "$BATS_FILE_TMPDIR/.ssh"
	sed "s/^/[127.0.0.1]:$port /" $work/host_key.pub >"$BATS_FILE_TMPDIR/.ssh/known_hosts"
}

teardown_file()
{
	. tests/system/helpers.bash
	stop_sshd
}

setup()
{
	. tests/system/helpers.bash
	export HOME=$BATS_FILE_TMPDIR
	known="-o UserKnownHostsFile=$HOME/.ssh/known_hosts -o StrictHostKeyChecking=yes"
	fresh_keyset 'leeway: 0s'
	log_mark
}

teardown()
{
	cp etc/pam.d/sshd /etc/pam.d/sshd
	no_token_logged
}

# four CLIENT - it gets in with a token and with the password, and not with a spent or an expired token; what it says
# of these is in $said_spent and $said_expired
four()
{
	local token expired
	token=$(mint alice)
	expired=$(expired_token alice)
	run -0 "$1" "$token"
	[[ $output == *alice* ]]
	run -0 "$1" "$alice_password"
	[[ $output == *alice* ]]
	run "$1" "$token"
	said_spent=$output
	run "$1" "$expired"
	said_expired=$output
	[[ $said_spent != *"$id"* && $said_expired != *"$id"* ]]
	# an empty reply is what some give when they are asked again
	reasons_of '' accepted reason=spent reason=expired
}

by_sshpass() { sshpass -p "$1" ssh -F /dev/null -p $port $known alice@127.0.0.1 id 3>&-; }

# asked again, it gives up
by_expect()
{
	on_terminal $'assword: \t'"$1"$'\nassword: \t\x03' ssh -F /dev/null -p $port $known alice@127.0.0.1 id
}

by_plink()
{
	plink -batch -pw "$1" -P $port -hostkey "$(ssh-keygen -lf $work/host_key.pub | cut -d' ' -f2)" alice@127.0.0.1 id </dev/null
}

by_dbclient() { DROPBEAR_PASSWORD=$1 dbclient -y -p $port alice@127.0.0.1 id </dev/null 2>&1; }

by_lftp()
{
	lftp -e "set net:max-retries 1; set sftp:connect-program 'ssh -a -x -F /dev/null $known'; ls; bye" \
		-u alice,"$1" "sftp://127.0.0.1:$port" </dev/null
}

by_paramiko()
{
	/usr/bin/python3 - "$port" "$1" <<-'END'
		import sys, paramiko
		port, secret = sys.argv[1:]
		def answer(title, instructions, prompts):
		    for prompt in prompts:
		        print(prompt[0])
		    return [secret for prompt in prompts]
		transport = paramiko.Transport(("127.0.0.1", int(port)))
		transport.connect()
		try:
		    transport.auth_interactive("alice", answer)
		    channel = transport.open_session()
		    channel.exec_command("id")
		    print(channel.recv(1000).decode())
		except paramiko.AuthenticationException as error:
		    sys.exit(error)
		finally:
		    transport.close()
	END
}

@test "clients: sshpass; it ends with 5 when it is asked again" {
	four by_sshpass
	run -5 by_sshpass "$(expired_token alice)"
}

@test "clients: expect, waiting for \"assword:\", reads why a token was refused" {
	four by_expect
	[[ $said_spent == *'Token or password: '*'. Token or password: '* ]]
	[[ $said_expired == *'Token or password: '*'Token expired '*' ago. Token or password: '* ]]
}

@test "clients: plink -pw" {
	four by_plink
	[[ $said_spent == *'Configured password was not accepted'* ]]
	[[ $said_expired == *'Configured password was not accepted'* ]]
}

@test "clients: dbclient with DROPBEAR_PASSWORD" {
	four by_dbclient
}

@test "clients: lftp by sftp" {
	id='alice    alice'    # its listing
	four by_lftp
	[[ $said_spent == *'Login incorrect'* && $said_expired == *'Login incorrect'* ]]
}

@test "clients: paramiko's auth_interactive is asked three times" {
	four by_paramiko
	[[ $said_spent == 'Token or password: '*'. Token or password: '*'Password: '* ]]
	[[ $said_expired == *'Token expired '*' ago. Token or password: '*'Password: '* ]]
}

# reasons_of SERVICE VERDICT... - what was decided there of replies, in this order
reasons_of()
{
	log_since 'pam_rjwt\('"$1" | grep -o -e accepted -e 'reason=[a-z_]*' | grep -v -x reason=empty >"$BATS_TEST_TMPDIR/seen"
	printf '%s\n' "${@:2}" | diff - "$BATS_TEST_TMPDIR/seen"
}

# --- ansible --------------------------------------------------------------------------------------

# by_ansible SECRET [ARG...] - an ansible of its own, id on the host; ARGs are its options; $limit: seconds, 40
by_ansible()
{
	local secret=$1
	shift
	printf 'host ansible_host=127.0.0.1 ansible_port=%s ansible_user=alice ansible_password=%s\n' $port "$secret" \
		>"$BATS_TEST_TMPDIR/hosts"
	# a directory for its master connection that no other run has
	timeout "${limit-40}" env ANSIBLE_SSH_CONTROL_PATH_DIR="$(mktemp -d /tmp/cp.XXXXXX)" ANSIBLE_TIMEOUT=4 \
		ANSIBLE_SSH_ARGS="-F /dev/null -o ControlMaster=auto -o ControlPersist=4 $known" \
		ansible host -i "$BATS_TEST_TMPDIR/hosts" -m raw -a id "$@" </dev/null 2>&1 3>&-
}

@test "clients: ansible by ssh" {
	four by_ansible
	[[ $said_spent == *'Invalid/incorrect password'* && $said_expired == *'Invalid/incorrect password'* ]]
}

@test "clients: ansible becomes root by sudo with a token or the password; of a spent or expired token it says so as of a password" {
	token=$(mint -s sudo alice)
	run -0 by_ansible "$(mint alice)" -b -e "ansible_become_password=$token"
	[[ $output == *'uid=0(root)'* ]]
	run -0 by_ansible "$(mint alice)" -b -e "ansible_become_password=$alice_password"
	[[ $output == *'uid=0(root)'* ]]
	for token in "$token" "$(expired_token -s sudo alice)"; do
		run ! by_ansible "$(mint alice)" -b -e "ansible_become_password=$token"
		[[ $output == *'Incorrect sudo password'* ]]
	done
	reasons_of sudo accepted reason=spent reason=expired
}

@test "clients: ansible becomes another by su when ansible_su_prompt_l10n names the prompt" {
	run ! by_ansible "$(mint alice)" -b --become-method su -e "ansible_become_password=$(mint -s su root)"
	[[ $output == *'Timeout'* ]]
	run -0 by_ansible "$(mint alice)" -b --become-method su -e "ansible_become_password=$(mint -s su root)" \
		-e '{"ansible_su_prompt_l10n": ["Token or password"]}'
	[[ $output == *'uid=0(root)'* ]]
}

@test "clients: ansible becomes another by su with a token or the password, and not with a spent or expired token" {
	usermod -p "$(openssl passwd -6 "$alice_password")" bob
	as_bob()
	{
		by_ansible "$(mint alice)" -b --become-method su --become-user bob -e "ansible_become_password=$1" \
			-e '{"ansible_su_prompt_l10n": ["Token or password"]}'
	}
	token=$(mint -s su bob)
	for secret in "$token" "$alice_password"; do
		run -0 as_bob "$secret"
		[[ $output == *'(bob)'* ]]
	done
	# su asks once more and says why, and Ansible waits
	for secret in "$token" "$(expired_token -s su bob)"; do
		run ! as_bob "$secret"
		[[ $output != *'(bob)'* && $output == *'Timeout'* ]]
	done
	run ! as_bob "$wrong_password"
	[[ $output != *'(bob)'* && $output == *'Incorrect su password'* ]]
	reasons_of su accepted reason=spent reason=expired
}

@test "clients: an ansible play mints a token for each task by sudo and by su, or uses one that is good for two" {
	printf 'host ansible_host=127.0.0.1 ansible_port=%s ansible_user=alice ansible_password=%s\n' $port "$(mint alice)" \
		>"$BATS_TEST_TMPDIR/hosts"
	cp etc/ansible/rjwt.yml "$BATS_TEST_TMPDIR/play.yml"
	play()
	{
		timeout 60 env ANSIBLE_SSH_CONTROL_PATH_DIR="$BATS_FILE_TMPDIR/play" ANSIBLE_TIMEOUT=4 \
			ANSIBLE_SSH_ARGS="-F /dev/null -o ControlMaster=auto -o ControlPersist=20 $known" \
			ansible-playbook -i "$BATS_TEST_TMPDIR/hosts" "$BATS_TEST_TMPDIR/play.yml" "$@" </dev/null 2>&1 3>&-
	}
	run -0 play
	[[ $output == *'ok=3 '*'failed=0'* ]]
	decisions 'accepted user=alice service=sshd' 'accepted user=alice service=sudo' 'accepted user=alice service=sudo' \
		'accepted user=root service=su'
	# the first play alone
	sed -i '/^# su asks/,$d' "$BATS_TEST_TMPDIR/play.yml"
	log_mark
	run -0 play -e "ansible_become_password=$(mint --uses 2 -s sudo alice)"
	decisions 'accepted user=alice service=sudo .*uses=1/2' 'accepted user=alice service=sudo .*uses=2/2'
	run -2 play -e "ansible_become_password=$(mint -s sudo alice)"    # its second task has none
	[[ $output == *'ok=1 '*'failed=1'* ]]
}

@test "clients: an ansible play by su needs the token of the one whom it becomes, and a new one for each task" {
	printf 'host ansible_host=127.0.0.1 ansible_port=%s ansible_user=alice ansible_password=%s\n' $port "$(mint --uses 3 alice)" \
		>"$BATS_TEST_TMPDIR/hosts"
	sed '1,/^# su asks/d' etc/ansible/rjwt.yml >"$BATS_TEST_TMPDIR/play.yml"
	by_su()
	{
		timeout 60 env ANSIBLE_SSH_CONTROL_PATH_DIR="$(mktemp -d /tmp/cp.XXXXXX)" ANSIBLE_TIMEOUT=4 \
			ANSIBLE_SSH_ARGS="-F /dev/null -o ControlMaster=auto -o ControlPersist=4 $known" \
			ansible-playbook -i "$BATS_TEST_TMPDIR/hosts" "$BATS_TEST_TMPDIR/play.yml" "$@" </dev/null 2>&1 3>&-
	}
	run -0 by_su
	token=$(mint -s su root)
	run -0 by_su -e "ansible_become_password=$token"
	run -2 by_su -e "ansible_become_password=$token"
	decisions 'accepted user=alice service=sshd .*uses=1/3' 'accepted user=root service=su' \
		'accepted user=alice service=sshd .*uses=2/3' 'accepted user=root service=su' \
		'accepted user=alice service=sshd .*uses=3/3' 'rejected reason=spent user=root service=su'
	log_mark
	run -2 by_su -e "ansible_password=$(mint alice)" -e "ansible_become_password=$(mint -s su alice)"
	decisions 'accepted user=alice service=sshd' 'rejected reason=user .*service=su'
}

@test "clients: a prompt without \"assword\" needs sshpass -P, ansible_sshpass_prompt and ansible_su_prompt_l10n" {
	cp etc/pam.d/sshd-token-only /etc/pam.d/sshd
	pam_service su token
	run -124 timeout 3 sshpass -p "$(mint alice)" ssh -F /dev/null -p $port $known alice@127.0.0.1 id 3>&-
	run -0 sshpass -P oken: -p "$(mint alice)" ssh -F /dev/null -p $port $known alice@127.0.0.1 id 3>&-
	limit=8 run -124 by_ansible "$(mint alice)"
	run -0 by_ansible "$(mint alice)" -e ansible_sshpass_prompt=oken: -b --become-method su \
		-e "ansible_become_password=$(mint -s su root)" -e '{"ansible_su_prompt_l10n": ["Token"]}'
	[[ $output == *'uid=0(root)'* ]]
}
