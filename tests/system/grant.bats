#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-grant through real sudo and doas: bob of the helpdesk, alice who mints for herself, eve for whom there is no rule.

bats_require_minimum_version 1.5.0

setup_file()
{
	. tests/system/helpers.bash
	for name in carol eve; do make_user $name; done
	for group in helpdesk interns; do
		groupadd -f $group
		gpasswd -M '' $group >/dev/null
	done
	gpasswd -a bob helpdesk >/dev/null
	gpasswd -a carol interns >/dev/null
	write_sudoers
	printf '%s ALL = (root) NOPASSWD: /usr/bin/rjwt-grant\n' %helpdesk eve >>/etc/sudoers
}

teardown_file()
{
	. tests/system/helpers.bash
	for name in carol eve; do userdel -f -r $name >/dev/null 2>&1; done
	for group in helpdesk interns; do groupdel $group; done
	write_sudoers
	rm -f /etc/doas.conf
}

setup()
{
	. tests/system/helpers.bash
	fresh_keyset 'leeway: 0s' 'issue:' \
		'- who: ["%helpdesk"]' '  users: ["%interns"]' '  scopes: [ssh]' '  audience: [sandbox]' '  max_lifetime: 10m' \
		'- who: [alice]' '  users: self' '  scopes: [sudo, rjwt-test]' '  max_lifetime: 5m' '  reason: required' \
		'- who: [root, nobody]' '  users: ["secret-user"]' '  scopes: [secret-scope]' '  max_lifetime: 5m'
	pam_service rjwt-test token
	pam_service sshd token
	pam_service sudo password
	log_mark
}

teardown()
{
	no_token_logged
}

# by USER ARG... - sudo rjwt-grant, as that user; what it mints is kept for no_token_logged
by()
{
	local user=$1 status=0 output
	shift
	output=$(as "$user" sudo -n rjwt-grant "$@" 2>$work/grant.err </dev/null) || status=$?
	cat $work/grant.err >&2
	[[ $output != eyJ* ]] || tee -a $tokens <<<"$output"
	[[ $output == eyJ* ]] || [ -z "$output" ] || printf '%s\n' "$output"
	return $status
}

@test "grant: the helpdesk mints ssh for an intern, for ten minutes, and nothing else" {
	run -0 --separate-stderr by bob --reason 'lost key' carol
	[ -z "$stderr" ]
	[ "${#lines[@]}" -eq 1 ]
	[ "$(claim sub "$output")" = carol ]
	[ "$(claim scope "$output")" = ssh ]
	[ "$(claim once "$output")" = True ]
	jti=$(claim jti "$output")
	run -0 pamtester sshd carol authenticate <<<"$output"
	run -0 log_since 'rjwt-grant.*issued'
	[ ${#lines[@]} -eq 1 ]
	[[ $output =~ ^authpriv\.notice\ rjwt-grant\[[0-9]+\]:\ issued\ by=root\ caller=bob\ via=sudo\ (loginuid=[0-9]+\ )?rule=1\ sub=carol\ aud=sandbox\ scope=ssh\ jti=$jti\ exp=20[^\ ]*\ kid=[^\ ]*\ uses=once\ why=\"lost\ key\"$ ]]
	# more than that, in each way
	run -1 --separate-stderr by bob -s sudo -t 30m carol
	[ -z "$output" ]
	[ "$stderr" = 'rjwt-grant: rule: no rule lets bob issue this
  rule 1  scopes: found sudo (expected ssh)
          max_lifetime: found 30m (expected at most 10m)' ]
	run -0 log_since 'rjwt-grant.*refused'
	[[ $output == *': refused reason=rule by=root caller=bob via=sudo '*'sub=carol scope=sudo part=scopes,max_lifetime rule=1' ]]
	for words in bob eve root 'nobody-of-this-name' '-a web2 carol' '-t 601s carol' '--reusable carol' '--not-before +6m carol'; do
		run -1 by bob $words
		[[ $output == 'rjwt-grant: rule: no rule lets bob issue this'* ]]
		[[ $output != *secret* && $output != *alice* ]]
		run -1 by bob $words --json
	done
	run -0 by bob -t 600s -a sandbox -s ssh carol
}

@test "grant: alice mints sudo for herself, with a reason, by her password" {
	grant() { sudo_stdin alice "$alice_password" -p '' rjwt-grant "$@"; }
	run -0 --separate-stderr grant -s sudo --reason 'ticket 4711' alice
	echo "$output" >>$tokens
	[ "$(claim sub "$output")" = alice ]
	[ "$(claim scope "$output")" = sudo ]
	run -0 log_since "issued by=root caller=alice via=sudo .*rule=2 sub=alice .* why=\"ticket 4711\""
	run -1 --separate-stderr grant -s sudo alice
	[[ $stderr == *'  rule 2  reason: found none (expected a reason)'* ]]
	run -1 --separate-stderr grant -s sudo --reason x bob
	[[ $stderr == *'  rule 2  users: found bob (expected self)'* ]]
	run -1 --separate-stderr grant --reason x alice
	[[ $stderr == *'  rule 2  scopes: found ssh (expected sudo rjwt-test)'* ]]
}

@test "grant: somebody for whom there is no rule learns how many there are, and nothing of them" {
	run -1 by eve carol
	[ "$output" = 'rjwt-grant: rule: none of the 3 rules is for eve' ]
	run -0 log_since "refused reason=rule by=root caller=eve via=sudo .*sub=carol$"
	run -1 --separate-stderr by eve --rules
	[ -z "$output" ]
	[ "$stderr" = 'rjwt-grant: rule: none of the 3 rules is for eve' ]
	run -0 by bob --rules
	[ "$output" = 'rule 1  users: %interns
        scopes: ssh
        audience: sandbox
        max_lifetime: 10m' ]
	# a member of the group is one from then on
	gpasswd -a eve helpdesk >/dev/null
	run -0 by eve carol
	gpasswd -d eve helpdesk >/dev/null
	run -1 by eve carol
}

@test "grant: rjwt-keyd list says by whom and by which rule" {
	run -0 --separate-stderr by bob --reason 'lost key' carol
	mint carol >/dev/null
	run -0 rjwt-keyd list
	[[ $output == *' bob (rule 1)'* && $output == *' root'* ]]
	run -0 rjwt-keyd list --by bob
	[[ ${lines[0]} == '1 live token minted by bob, of 1 user; 0 reusable' && ${lines[2]} == *' bob (rule 1)' ]]
	run -0 rjwt-keyd list --by carol
	[ "$output" = '0 live tokens minted by carol' ]
	run -0 rjwt-keyd list --json
	[[ $output == *'"by":"bob","actor":"bob","rule":1'* ]]
	[[ $(cat /var/lib/rjwt/issued/*) == *'"by":"bob","rule":1'*'"why":"lost key"'* ]]
}

@test "grant: what /etc/shadow says of a user, and a rotation on the way, are not the caller's business" {
	usermod -e 2020-01-01 carol
	run -0 --separate-stderr by bob carol
	[ -z "$stderr" ]
	# the twin: root is told
	run -0 --separate-stderr rjwt-issue carol
	echo "$output" >>$tokens
	[[ $stderr == *'the account of carol expired'* ]]
	usermod -e '' carol
	printf 'rotate_every: 9s\nprevious_key_ttl: 2h\n' >>/etc/rjwt/rjwt.yaml
	sleep 9.2
	run -0 --separate-stderr by bob carol
	[ -z "$stderr" ]
	run -0 log_since 'rjwt-grant.*: promoted kid=.* cause=time'
}

@test "grant: through nested sudo the caller is who called the last one" {
	printf '%s\n' 'eve ALL = (bob) NOPASSWD: ALL' 'bob ALL = (eve) NOPASSWD: ALL' >>/etc/sudoers
	# eve becomes bob, and is the helpdesk then
	run -0 --separate-stderr as eve sudo -n -u bob sudo -n rjwt-grant carol
	echo "$output" >>$tokens
	run -0 log_since 'issued by=root caller=bob '
	# bob becomes eve, and is nobody then
	run -1 as bob sudo -n -u eve sudo -n rjwt-grant carol
	[[ $output == *'none of the 3 rules is for eve' ]]
}

@test "grant: sudo -u another user gets no key" {
	printf '%s\n' 'bob ALL = (eve) NOPASSWD: ALL' >>/etc/sudoers
	run -1 --separate-stderr as bob sudo -n -u eve rjwt-grant carol
	[ -z "$output" ]
	[ "$stderr" = 'rjwt-grant: io: input or output failed (expected to run as root: sudo rjwt-grant)' ]
	# nor does who runs it without sudo, whoever that says to be
	run -1 --separate-stderr as eve env SUDO_UID="$(id -u bob)" rjwt-grant carol
	[ -z "$output" ]
}

@test "grant: root, su and a session without sudo are told to use rjwt-issue" {
	expected='rjwt-grant: rule: it is not known who calls: type sudo rjwt-grant as yourself (root uses rjwt-issue)'
	run -1 rjwt-grant carol
	[ "$output" = "$expected" ]
	run -1 env SUDO_UID=0 rjwt-grant carol
	[ "$output" = "$expected" ]
	run -1 su -c 'rjwt-grant carol'
	[ "$output" = "$expected" ]
	run -0 log_since 'refused reason=rule by=root .*sub=carol error="it is not known who calls: type sudo rjwt-grant as yourself \(root uses rjwt-issue\)"'
	for value in '' 00 01 -1 +1001 ' 1001' 1001x 4294967295 4294967296 99999999999999999999 4000000000 bob 0x3e9; do
		run -1 env SUDO_UID="$value" rjwt-grant carol
		[[ $output == 'rjwt-grant: rule: '* ]]
	done
	run -1 env DOAS_USER=root rjwt-grant carol
	[ "$output" = "$expected" ]
	run -1 env DOAS_USER=nobody-of-this-name rjwt-grant carol
	run -1 env DOAS_USER= rjwt-grant carol
	# who is root can say to be anybody: it could mint with rjwt-issue as well
	run -0 --separate-stderr su -c "SUDO_UID=$(id -u bob) rjwt-grant carol"
	echo "$output" >>$tokens
	run -0 --separate-stderr env PKEXEC_UID="$(id -u bob)" rjwt-grant carol
	echo "$output" >>$tokens
	run -0 log_since 'issued by=root caller=bob via=pkexec '
}

@test "grant: sudo's own variables win over what its caller sets, unless sudoers has SETENV" {
	bob=$(id -u bob)
	run -1 as eve env SUDO_UID="$bob" SUDO_USER=bob sudo -n rjwt-grant carol
	[[ $output == *'none of the 3 rules is for eve' ]]
	run -1 as eve env DOAS_USER=bob PKEXEC_UID="$bob" sudo -n rjwt-grant carol
	[[ $output == *'none of the 3 rules is for eve' ]]
	run -1 as eve sudo -n SUDO_UID="$bob" rjwt-grant carol
	[[ $output == *'not allowed to set the following environment variables: SUDO_UID' ]]
	# the caller's variables are kept: two that say something are one too many
	printf '%s\n' 'Defaults env_keep += "DOAS_USER PKEXEC_UID SUDO_UID"' >>/etc/sudoers
	run -1 as eve env SUDO_UID="$bob" sudo -n rjwt-grant carol
	[[ $output == *'none of the 3 rules is for eve' ]]
	run -1 as eve env DOAS_USER=bob sudo -n rjwt-grant carol
	[[ $output == *'rule: SUDO_UID and DOAS_USER are both set, so it is not known who calls' ]]
	run -1 as eve env PKEXEC_UID="$bob" sudo -n rjwt-grant carol
	[[ $output == *'SUDO_UID and PKEXEC_UID are both set'* ]]
	# SETENV gives away who calls, as rjwt-grant(8) says
	printf '%s\n' 'eve ALL = (root) NOPASSWD: SETENV: /usr/bin/rjwt-grant' >>/etc/sudoers
	run -0 --separate-stderr as eve sudo -n SUDO_UID="$bob" rjwt-grant carol
	echo "$output" >>$tokens
}

@test "grant: OPENSSL_CONF, TZ and others that its caller sets name no file that is read" {
	printf '%s\n' 'Defaults !env_reset' >>/etc/sudoers
	mkfifo $work/fifo
	run -0 --separate-stderr as bob env OPENSSL_CONF=$work/fifo OPENSSL_MODULES=/nonexistent TZ=:$work/fifo TZDIR=$work \
		LOCALDOMAIN=x RES_OPTIONS=x HOSTALIASES=$work/fifo POSIXLY_CORRECT=1 timeout -s KILL 10 sudo -n rjwt-grant carol
	[ -z "$stderr" ]
	echo "$output" >>$tokens
	rm $work/fifo
}

@test "grant: limits, umask, scheduler, signals and descriptors of the caller do no harm" {
	run -0 --separate-stderr as bob bash -c 'ulimit -t 5; umask 0777; exec chrt --idle 0 nice -n 19 env --ignore-signal=INT,TERM,HUP sudo -n rjwt-grant carol 0<&-'
	[ -z "$stderr" ]
	echo "$output" >>$tokens
	# sudo itself ends under these
	run -0 --separate-stderr env SUDO_UID="$(id -u bob)" bash -c 'ulimit -S -f 0; ulimit -S -n 4; umask 0777; rjwt-grant carol 0<&-'
	[ -z "$stderr" ]
	echo "$output" >>$tokens
	[ -z "$(find /var/lib/rjwt -path '*/spent/*' -prune -o -type f -perm /0133 -print)" ]
	run -0 rjwt-keyd status
	# a token that nobody can get is an error
	run -1 --separate-stderr as bob bash -c 'sudo -n rjwt-grant carol >/dev/full'
	[[ $stderr == *'standard output: No space left on device'* ]]
	run -1 env SUDO_UID="$(id -u bob)" bash -c 'rjwt-grant carol >&-'
	run -0 --separate-stderr env SUDO_UID="$(id -u bob)" bash -c 'rjwt-grant carol 2>&- 0>&-'
	echo "$output" >>$tokens
}

@test "grant: a mistake in rjwt.yaml is told in one sentence, and in full to the log" {
	sed -i 's/^leeway: 0s/leeway: 0s\nSECRET: 1\nsecret_key: 2/' /etc/rjwt/rjwt.yaml
	expected='rjwt-grant: config: the configuration is not valid (the log and rjwt-keyd check, run by root, say more)'
	for words in carol --rules; do
		run -1 by bob $words
		[ "$output" = "$expected" ]
	done
	run -0 log_since 'rjwt-grant.*refused reason=config'
	[[ ${lines[0]} == 'authpriv.err rjwt-grant'*' caller=bob via=sudo '*'sub=carol path=/etc/rjwt/rjwt.yaml line=2:1 error="unknown key"' ]]
	sed -i '/SECRET/d' /etc/rjwt/rjwt.yaml
	run -1 by bob carol
	[ "$output" = "$expected" ]
	chmod 0666 /etc/rjwt/rjwt.yaml
	run -1 by bob carol
	[ "$output" = "$expected" ]
	chmod 0644 /etc/rjwt/rjwt.yaml
	sed -i '/secret_key/d' /etc/rjwt/rjwt.yaml
	run -0 by bob carol
	printf garbage >/var/lib/rjwt/keyset.json
	run -1 by bob carol
	[ "$output" = 'rjwt-grant: keyset: the keyset is not usable (the log and rjwt-keyd check, run by root, say more)' ]
	run -0 log_since 'refused reason=keyset .* path=/var/lib/rjwt/keyset.json '
}

@test "grant: require_log holds" {
	sed -i '1i require_log: true' /etc/rjwt/rjwt.yaml
	run -0 by bob carol
	mv /dev/log /dev/log.away
	run -1 --separate-stderr by bob carol
	mv /dev/log.away /dev/log
	[ -z "$output" ]
	[[ $stderr == *'/dev/log: no syslog daemon is listening'* ]]
}

@test "grant: unknown users and groups in rules are findings of check" {
	run -0 rjwt-keyd check
	[[ $output == *'WARN  issue    /etc/rjwt/rjwt.yaml:'*': rule 3: no user secret-user on this host'* ]]
	[[ $output != *'no user nobody'* && $output != *'no group'* ]]
	sed -i 's/"%interns"/"%no-such-group", self/' /etc/rjwt/rjwt.yaml
	run -0 rjwt-keyd check --json
	[[ $output == *'"level":"warn","area":"issue","code":"issue.unknown","path":"/etc/rjwt/rjwt.yaml","line":'*'rule 1: no group no-such-group on this host'* ]]
}

# --- hostile arguments ----------------------------------------------------------------------------

# attack ARG... - bob's: no text of a file, no waiting, and a line in the log for each token
attack() { hostile_call as bob timeout -s KILL 10 sudo -n rjwt-grant "$@"; }

@test "grant: every option with files, fifos, devices and 100,000 control bytes" {
	local hostile=$work/hostile-grant option value tries=0 minted=0
	mkdir -p $hostile/directory
	printf 'SECRET-marker:$y$SECRET-marker: x\n' >$hostile/secret
	chmod 0600 $hostile/secret
	mkfifo $hostile/fifo
	ln -s /dev/zero $hostile/zero
	while read -r option; do
		for value in secret fifo directory zero; do
			attack "$option" $hostile/$value carol
			attack "$option=@$hostile/$value" carol
		done
		attack "$option" "$(head -c 100000 /dev/zero | tr '\0' '\1')" carol
	done < <(rjwt-grant --help | sed -n 's/^ *\(-., \)\{0,1\}\(--[a-z-]*\) [A-Z].*/\2/p')
	for value in secret fifo directory zero; do attack $hostile/$value; done
	attack "$(head -c 100000 /dev/zero | tr '\0' '\1')"
	for option in -c -d -o -C -H -i --config --state-dir --output --claim --header --issuer --kid --key-version --alg --batch --force; do
		attack $option $hostile/secret carol
		run -2 by bob $option $hostile/secret carol
		[[ $output == *": unknown option"* ]]
	done
	attack --reason "$(head -c 512 /dev/zero | tr '\0' '\1')" carol
	[ $tries -gt 60 ] && [ $minted -gt 0 ]
	[ "$(log_since 'rjwt-grant.* issued by=root caller=bob via=sudo .* jti=' | wc -l)" -eq "$minted" ]
	[ -z "$(log_since 'rjwt-grant' | awk 'length > 8192')" ]
	rm -rf $hostile
}

# --- doas -----------------------------------------------------------------------------------------

@test "grant: through doas" {
	command -v doas >/dev/null || skip 'opendoas is not installed'
	printf '%s\n' 'permit nopass bob as root cmd rjwt-grant' 'permit nopass keepenv eve as root cmd rjwt-grant' >/etc/doas.conf
	chmod 0600 /etc/doas.conf
	run -0 --separate-stderr as bob doas rjwt-grant carol
	echo "$output" >>$tokens
	run -0 log_since 'issued by=root caller=bob via=doas .*rule=1 '
	run -1 as eve doas rjwt-grant carol
	[[ $output == *'none of the 3 rules is for eve' ]]
	# keepenv keeps what eve says of herself
	run -1 as eve env SUDO_UID="$(id -u bob)" doas rjwt-grant carol
	[[ $output == *'SUDO_UID and DOAS_USER are both set'* ]]
	run -1 as eve env DOAS_USER=bob doas rjwt-grant carol
	[[ $output == *'none of the 3 rules is for eve' ]]
}
