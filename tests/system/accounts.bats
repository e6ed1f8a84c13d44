#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What locks an account, and what a token means to it: passwd -l, expiry, an expired password, pam_faillock, sudo's
# targetpw, a key that a session leaves behind. The section ACCOUNTS of pam_rjwt(8) says what is tested here.

bats_require_minimum_version 1.5.0

setup()
{
	. tests/system/helpers.bash
	fresh_keyset 'leeway: 0s'
	make_user alice "$alice_password"
	cp /etc/pam.d/common-account "$work/common-account"
	log_mark
}

teardown()
{
	stop_sshd
	cp "$work/common-account" /etc/pam.d/common-account
	write_sudoers
	rm -rf /run/faillock/alice /home/alice/.ssh /etc/ssh/authorized_keys
	no_token_logged
}

teardown_file()
{
	. tests/system/helpers.bash
	make_user alice "$alice_password"
}

# use FILE - the example as sshd's file, and sshd
use()
{
	cp "etc/pam.d/$1" /etc/pam.d/sshd
	start_sshd
}

by_token() { ssh_kbd alice "$(mint alice)" true; }
by_password() { ssh_kbd alice "$alice_password" true; }
by_key() { ssh_by publickey alice '' -i "$work/key" true; }

@test "accounts: passwd -l and usermod -L lock the password, not tokens and keys; expiry locks all of them" {
	use sshd
	give_key alice
	for lock in 'passwd -q -l' 'usermod -L'; do
		$lock alice
		run ! by_password
		run -0 by_token
		run -0 by_key
		usermod -U alice
		run -0 by_password
	done
	usermod -L -e 1 alice
	run ! by_password
	log_mark
	run ! by_token
	decisions 'accepted user=alice'    # and so it is spent
	run ! by_key
	log_since 'pam_unix\(sshd:account\): account alice has expired'
	usermod -U -e '' alice
	run -0 by_password
	run -0 by_token
	run -0 by_key
}

@test "accounts: an expired password keeps out no token where tokens alone are taken, and the token is spent on a login" {
	use sshd-token-only
	give_key alice
	for rule in '-d 0' '-d 2020-01-01 -M 30'; do
		# shellcheck disable=SC2086
		chage $rule alice
		run -0 by_token
		run -0 ssh_password alice "$(mint alice)" true
		run -0 by_key
	done
	decisions accepted accepted accepted accepted
	chage -M 99999 -E 2020-01-01 alice    # the account, not the password
	run ! by_token
	run ! by_key
}

@test "accounts: where a password is taken too, its expiry counts after a token, unless pam_unix has no_pass_expiry" {
	use sshd
	chage -d 0 alice
	run ! by_token
	decisions 'accepted user=alice service=sshd'
	log_since 'pam_unix\(sshd:account\): expired password for user alice'
	sed -i '/pam_unix\.so/s/$/ no_pass_expiry/' /etc/pam.d/common-account
	run -0 by_token
	chage -d 2020-01-01 -M 30 alice
	run -0 by_token
	# who logs in with the password must change it, as before
	run ! by_password
	grep -q 'Current password: $' "$prompts"
	chage -d 2026-01-01 -M 99999 alice
	run -0 by_password
}

@test "accounts: sudo, su and login with an expired password" {
	sed -i '/pam_unix\.so/s/$/ no_pass_expiry/' /etc/pam.d/common-account
	for name in sudo su login; do cp etc/pam.d/$name /etc/pam.d/$name; done
	chage -d 0 alice
	run -0 sudo_stdin alice "$(mint -s sudo alice)" true
	type_in "$(mint -s su alice)" >"$work/reply"
	run -0 as bob su alice -c true <"$work/reply"
	run -0 on_terminal $'login: \talice\nToken or password: \t'"$(mint -s login alice)"$'\n\\$ \texit' login
	decisions 'accepted .*service=sudo' 'accepted .*service=su ' 'accepted .*service=login'
}

# --- pam_faillock -------------------------------------------------------------------------------

# faillock_stack NAME - /etc/pam.d/rjwt-test as pam_rjwt(8) has it
faillock_stack()
{
	awk -v name="$1" '
		/^\.It Li / { found = index($0, name) }
		found && /^\.Ed/ { exit }
		found && block
		found && /^\.Bd/ { block = 1 }
	' man/pam_rjwt.8 | sed 's/pam_unix.so try_first_pass/& nodelay/' >/etc/pam.d/rjwt-test
	[ "$(grep -c pam_faillock.so /etc/pam.d/rjwt-test)" -ge 3 ]
	grep -q 'account.*pam_rjwt.so' /etc/pam.d/rjwt-test
}

try() { type_in "$1" | pamtester rjwt-test alice authenticate acct_mgmt; }
failures() { faillock --user alice | grep -c ' V$'; }

# lock [N] - by wrong passwords; 3 is pam_faillock's limit
lock()
{
	local n
	rm -f /run/faillock/alice
	for ((n = 0; n < ${1-3}; n++)); do
		run -1 try "$wrong_password"
	done
	[ "$(failures)" -eq "${1-3}" ]
}

# spent TOKEN - it was: a second try is refused for that
spent() { [[ $(rjwt-verify -u alice -s rjwt-test <<<"$1") == 'rejected: spent: '* ]]; }

@test "accounts: pam_faillock, a lock that counts for tokens: they are refused unspent, and a good one clears the tally" {
	faillock_stack 'A locked user cannot use tokens'
	lock 2
	run -0 try "$(mint -s rjwt-test alice)"
	run -1 failures
	lock
	log_since 'pam_faillock\(rjwt-test:auth\): Consecutive login failures for user alice account temporarily locked'
	token=$(mint -s rjwt-test alice)
	log_mark
	run -1 try "$token"
	decisions    # pam_rjwt was not asked
	run -1 try "$alice_password"
	run -0 rjwt-verify -u alice -s rjwt-test <<<"$token"
	# "required" in its place: the same, and the token is gone
	sed -i 's/requisite \(.*preauth\)/required \1/' /etc/pam.d/rjwt-test
	run -1 try "$token"
	spent "$token"
}

@test "accounts: pam_faillock, a token opens a locked account" {
	faillock_stack 'A token unlocks'
	lock
	run -1 try "$alice_password"
	run -0 try "$(mint -s rjwt-test alice)"
	run -1 failures
	run -0 try "$alice_password"
}

@test "accounts: pam_faillock, a token gets in and leaves the tally as it is" {
	faillock_stack 'A token leaves the tally alone'
	lock
	run -0 try "$(mint -s rjwt-test alice)"
	[ "$(failures)" -eq 3 ]
	run -1 try "$alice_password"
	lock 2
	run -0 try "$alice_password"
	run -1 failures
}

@test "accounts: pam_faillock counts refused tokens and passwords alike" {
	for stack in 'A locked user cannot use tokens' 'A token unlocks' 'A token leaves the tally alone'; do
		faillock_stack "$stack"
		rm -f /run/faillock/alice
		run -1 try "$(mint -s rjwt-test bob)"
		[ "$(failures)" -eq 1 ]
	done
}

# --- sudo ---------------------------------------------------------------------------------------

@test "accounts: sudo with targetpw, runaspw and rootpw wants a token of the user whose password it asks for" {
	pam_service sudo token
	for rule in 'targetpw bob' 'runaspw root' 'rootpw root'; do
		sed -i "1c Defaults ${rule% *}, timestamp_timeout=0, !lecture, passwd_tries=1" /etc/sudoers
		run ! sudo_stdin alice "$(mint -s sudo alice)" -u bob true
		run -0 sudo_stdin alice "$(mint -s sudo "${rule#* }")" -u bob true
	done
	write_sudoers
	run -0 sudo_stdin alice "$(mint -s sudo alice)" -u bob true
}

@test "accounts: sudo -p hides why a token was refused; without it the prompt says so" {
	pam_service sudo token
	expired=$(expired_token -s sudo alice)
	run -0 sudo_askpass alice "$expired"$'\n'"$(mint -s sudo alice)" -p 'give: ' true
	asked 'give: ' 'give: '
	run -0 sudo_askpass alice "$expired"$'\n'"$(mint -s sudo alice)" true
	asked 'Token: ' 'Token expired Ns ago. Token: '
}

# --- what a session leaves behind -----------------------------------------------------------------

# copy_id - ssh-copy-id with a token, as its user does
copy_id()
{
	[ -e "$work/key" ] || ssh-keygen -q -t ed25519 -N '' -f "$work/key"
	give_replies "$(mint alice)"
	mkdir -p "$BATS_TEST_TMPDIR/.ssh"
	HOME=$BATS_TEST_TMPDIR SSH_ASKPASS=$work/askpass SSH_ASKPASS_REQUIRE=force ssh-copy-id -i "$work/key.pub" -p "$port" \
		-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no alice@127.0.0.1 </dev/null 3>&-
}

@test "accounts: ssh-copy-id with a token leaves a key that lasts; AuthorizedKeysFile out of the user's reach prevents it" {
	cp etc/pam.d/sshd-token-only /etc/pam.d/sshd
	start_sshd
	run -0 copy_id
	run -0 by_key
	stop_sshd
	for methods in keyboard-interactive publickey,keyboard-interactive; do
		start_sshd "AuthenticationMethods $methods"
		run ! by_key
		run -0 ssh_by "$methods" alice "$(mint alice)" -i "$work/key" true
		stop_sshd
	done
	start_sshd 'AuthorizedKeysFile /etc/ssh/authorized_keys/%u'
	run ! by_key
	run copy_id
	run ! by_key
	install -D -m 0644 "$work/key.pub" /etc/ssh/authorized_keys/alice
	run -0 by_key
}
