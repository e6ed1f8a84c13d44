#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The examples of README.md and the manual pages that need a real sshd and the log; tests/bats/docs.bats runs the others.

bats_require_minimum_version 1.5.0

setup()
{
	. tests/system/helpers.bash
	port=22
	pam_service sshd token
}

teardown()
{
	stop_sshd
	rm -rf /root/.ssh/known_hosts /etc/ssh/sshd_config.d/10-rjwt.conf
	no_token_logged
}

# shows PAGE N SEEN [broken] - the N-th example of PAGE that docs.bats leaves to us shows what is in the file SEEN
shows()
{
	tests/bats/examples.py show "$1" "$2" >$work/shown
	tests/bats/examples.py compare $work/shown "$3" ${4:+"$4"}
}

# ssh_shown PAGE N STATUS STEPS - ssh alice@sandbox id on a terminal, as the page shows it
ssh_shown()
{
	run "-$3" on_terminal "$4" ssh -o PreferredAuthentications=keyboard-interactive alice@sandbox id
	sed 's/\^C$//' <<<"$output" >$work/seen
	shows "$1" "$2" $work/seen
}

# logged - the decisions since log_mark, without facility and process
logged() { log_since 'pam_rjwt\([^)]*\): (accepted|rejected) ' | sed 's/^[^ ]* //'; }

@test "docs: README.md and pam_rjwt(8) show what ssh and the log say" {
	fresh_keyset
	start_sshd 'PasswordAuthentication no'
	mkdir -p /root/.ssh
	sed 's/^/sandbox /' $work/host_key.pub >/root/.ssh/known_hosts
	log_mark
	token=$(mint alice)
	cp etc/pam.d/sshd /etc/pam.d/sshd
	ssh_shown README.md 1 0 $'Token or password: \t'"$token"
	ssh_shown README.md 2 130 $'Token or password: \t'"$token"$'\nToken or password: \t\x03'
	logged | tail -n 1 | sed 's/^sshd-session\[/sshd[/' >$work/seen    # of OpenSSH 9.8 and later
	shows README.md 3 $work/seen
	pam_service sshd token
	mv /var/lib/rjwt /var/lib/rjwt.away
	run on_terminal $'Token: \t'"$token" ssh -o PreferredAuthentications=keyboard-interactive alice@sandbox id
	mv /var/lib/rjwt.away /var/lib/rjwt
	# a client may try more than once: the first of each kind
	logged | sed 's/^sshd\(-session\)\{0,1\}\[[0-9]*\]: //' >$work/all
	{ grep -m1 ' accepted ' $work/all; grep -m1 reason=spent $work/all; grep -m1 reason=keyset $work/all; } >$work/seen
	shows man/pam_rjwt.8 1 $work/seen broken
}

@test "docs: README.md shows what sshd -T prints with our example" {
	fresh_keyset
	rm -rf /etc/ssh/sshd_config.d
	mkdir -p /etc/ssh/sshd_config.d /run/sshd
	cp /usr/share/doc/rjwt/examples/sshd_config.d/rjwt.conf /etc/ssh/sshd_config.d/10-rjwt.conf
	sshd -T | grep -i -e kbdinteractive -e usepam >$work/seen
	shows README.md 4 $work/seen
}

@test "docs: pam_rjwt(8) shows the prompt after an expired token" {
	fresh_keyset 'leeway: 0s'
	start_sshd 'PasswordAuthentication no'
	ssh_kbd alice "$(expired_token alice)" id || true
	sed -n 's/^\.Dl \(Token expired .*\)/(alice@127.0.0.1) \1 /p' man/pam_rjwt.8 >$work/shown
	grep -m1 expired $prompts >$work/seen
	sed -i 's/ [0-9]*s / N s /;s/ *$//' $work/shown $work/seen
	[ -s $work/shown ]
	diff $work/shown $work/seen
}

@test "docs: the lines of README.md for PAM are those of the shipped file, and work as they are written" {
	fresh_keyset
	sed -n '/^\*\*5\. /,/^\*\*6\. /p' README.md | sed '1,/^```$/d;/^```$/,$d' >$work/shown
	[ "$(wc -l <$work/shown)" -eq 4 ]
	diff <(sed 's/ *#.*//' $work/shown | tr -s ' ') <(grep '^[a-z].*pam_rjwt' etc/pam.d/sshd | tr -s ' ')
	sed -E 's/.*# above +(@include .*)/&\n\1/' $work/shown >/etc/pam.d/rjwt-test
	for reply in "$(mint -s rjwt-test alice)" "$alice_password"; do
		run -0 pamtester rjwt-test alice authenticate acct_mgmt open_session close_session <<<"$reply"
		[[ $output == 'Token or password: '* ]]
	done
	run -1 pamtester rjwt-test alice authenticate <<<"$wrong_password"
}

@test "docs: the stacks of pam_rjwt(8) have the account line of the shipped files" {
	[ "$(grep -c "^account .*pam_rjwt.so$" man/pam_rjwt.8)" -ge 5 ]
	[ -z "$(grep '^account .*pam_rjwt.so$' man/pam_rjwt.8 | grep -v -x -F "account  $account_control pam_rjwt.so")" ]
}
