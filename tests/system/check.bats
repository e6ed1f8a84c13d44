#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# rjwt-keyd check on a whole host: what it says of real stacks, and that the real programs bear it out.

bats_require_minimum_version 1.5.0

# Other tests leave stacks of ours behind them.
setup_file()
{
	local file
	for file in $(grep -l pam_rjwt /etc/pam.d/*); do
		case ${file##*/} in
		su | su-l) { echo 'auth sufficient pam_rootok.so' && cat /etc/pam.d/other; } >"$file" ;;
		sshd | sudo | sudo-i | login | remote) cp /etc/pam.d/other "$file" ;;
		*) rm "$file" ;;
		esac
	done
	DEBIAN_FRONTEND=noninteractive pam-auth-update --force </dev/null >/dev/null 2>&1 3>&-
}

setup()
{
	. tests/system/helpers.bash
	fresh_keyset
	cp -a /etc/pam.d "$work/pam.before"
	cp -a /etc/ssh "$work/ssh.before"
	cp -p /etc/sudoers "$work/sudoers.before"
}

teardown()
{
	rm -rf /etc/pam.d
	mv "$work/pam.before" /etc/pam.d
	rm -rf /etc/ssh
	mv "$work/ssh.before" /etc/ssh
	cp -p "$work/sudoers.before" /etc/sudoers
	[ ! -e "$work/module.before" ] || mv "$work/module.before" "$module"
	no_token_logged
}

# finds EXIT [CODE:LINE...] - the areas module, pam and way_in have these findings, and no other
finds()
{
	local status=$1 seen
	shift
	run -"$status" rjwt-keyd check --json
	seen=$(jq -r '.findings[] | select(.level != "ok" and (.area | IN("module", "pam", "way_in"))) |
		.code + (if .line then ":\(.line)" else "" end)' <<<"$output")
	diff <(printf '%s\n' "$@") <(printf '%s\n' "$seen")
}

# stack LINE... - of the service rjwt-test, with an account line of ours and one of pam_unix
stack()
{
	printf '%s\n' "$@" "account $account_control pam_rjwt.so" 'account required pam_unix.so no_pass_expiry' >/etc/pam.d/rjwt-test
}

@test "the shipped examples have no finding" {
	finds 0 pam.unused
	for name in sshd sudo sudo-i su login; do cp etc/pam.d/$name /etc/pam.d/$name; done
	finds 0 ''
	answers='^login, sshd, su(, su-l)?, sudo, sudo-i: a token or the password; 5 files name pam_rjwt.so$'
	rjwt-keyd check --json | jq -e --arg answers "$answers" '.findings[] | select(.area == "pam").text | test($answers)'
	cp etc/pam.d/sshd-token-only /etc/pam.d/sshd
	finds 0 ''
	run -0 rjwt-keyd check
	[[ ${output//$'\n               '/ } == *'sshd: a token; '* ]]
}

@test "pam.open: who fails at the token gets in, and check names the line" {
	stack 'auth sufficient pam_rjwt.so' 'auth required pam_permit.so'
	finds 1 pam.open:2
	run -0 pamtester rjwt-test alice authenticate <<<nonsense
	stack 'auth sufficient pam_rjwt.so' 'auth requisite pam_deny.so' 'auth required pam_permit.so'
	finds 0 ''
	run -1 pamtester rjwt-test alice authenticate <<<nonsense
}

@test "pam.open: a stack without a deny, in which another module is content" {
	stack 'auth required pam_access.so' 'auth sufficient pam_rjwt.so'
	finds 1 pam.open:1
	run -0 pamtester rjwt-test alice authenticate <<<nonsense
	stack 'auth required pam_access.so' 'auth sufficient pam_rjwt.so' 'auth required pam_deny.so'
	finds 0 ''
	run -1 pamtester rjwt-test alice authenticate <<<nonsense
	run -0 pamtester rjwt-test alice authenticate acct_mgmt <<<"$(mint -s rjwt-test alice)"
}

@test "pam.lockout: no account line but ours" {
	printf 'auth sufficient pam_rjwt.so\nauth required pam_deny.so\naccount %s pam_rjwt.so\n' "$account_control" >/etc/pam.d/rjwt-test
	finds 1 pam.lockout:3
	run -1 pamtester rjwt-test alice authenticate acct_mgmt <<<"$(mint -s rjwt-test alice)"
	echo 'account required pam_permit.so' >>/etc/pam.d/rjwt-test
	finds 0 ''
	run -0 pamtester rjwt-test alice authenticate acct_mgmt <<<"$(mint -s rjwt-test alice)"
}

@test "pam.lockout: a file that is included and does not exist" {
	stack 'auth sufficient pam_rjwt.so' 'auth required pam_deny.so' '@include no-such-file'
	finds 1 pam.lockout:3
	run -1 pamtester rjwt-test alice authenticate <<<"$(mint -s rjwt-test alice)"
}

@test "pam.required, pam.prompt: what is wrong with lines that work" {
	printf 'auth sufficient pam_rjwt.so\nauth required pam_unix.so try_first_pass\naccount required pam_rjwt.so\naccount required pam_unix.so\n' >/etc/pam.d/rjwt-test
	finds 0 pam.prompt:1 pam.required:3
	run -0 pamtester rjwt-test alice authenticate acct_mgmt <<<"$alice_password"
}

@test "a finding in a file that others include names the line that led there, once" {
	sed -i '1i auth [success=3 default=ignore] pam_rjwt.so' /etc/pam.d/common-auth
	rjwt-keyd check --json >"$work/check.json" || true
	jq -e '[.findings[] | select(.code == "pam.prompt")] | length == 1 and (.[0].path == "/etc/pam.d/common-auth" and
		.[0].line == 1 and (.[0].by | startswith("/etc/pam.d/")))' "$work/check.json"
}

@test "module.missing: while a stack names it; the password still gets in" {
	module=/usr/lib/$(gcc -print-multiarch)/security/pam_rjwt.so
	cp etc/pam.d/sudo /etc/pam.d/sudo
	finds 0 ''
	mv "$module" "$work/module.before"
	finds 1 module.missing
	run -0 sudo_stdin alice "$alice_password" true
	head -c 3000 "$work/module.before" >"$module"
	finds 1 module.unloadable
	rm "$module"
	cp "$work/pam.before/sudo" /etc/pam.d/sudo
	finds 0 pam.unused
}

@test "module.argument: a misspelt one" {
	stack 'auth sufficient pam_rjwt.so promt=x' 'auth required pam_deny.so'
	finds 1 module.argument:1
	run -1 pamtester rjwt-test alice authenticate <<<"$(mint -s rjwt-test alice)"
}

@test "way_in.none: when login takes nothing but a token" {
	for name in login sshd; do
		printf 'auth sufficient pam_rjwt.so\nauth required pam_deny.so\naccount required pam_permit.so\n' >/etc/pam.d/$name
	done
	finds 0 way_in.none
}

@test "sudo.timestamp: the value of the last line for all, in files that sudoers includes" {
	cp etc/pam.d/sudo /etc/pam.d/sudo
	code() { rjwt-keyd check --json | jq -r '.findings[] | select(.area == "sudo") | "\(.code // "ok") \(.line // 0)"'; }
	sed -i '/timestamp_timeout/d' /etc/sudoers
	[ "$(code)" = 'ok 0' ]
	echo 'Defaults timestamp_timeout=60' >"$work/more"
	echo "@include $work/more" >>/etc/sudoers
	[ "$(code)" = 'sudo.timestamp 1' ]
	echo 'Defaults !lecture, timestamp_timeout = 5' >>"$work/more"
	[ "$(code)" = 'ok 0' ]
	echo 'Defaults timestamp_timeout=-1' >>"$work/more"
	[ "$(code)" = 'sudo.timestamp 3' ]
}

# sudo_says CODE [SETTING] - check finds this in sudoers, with this setting for all
sudo_says()
{
	cp -p "$work/sudoers.before" /etc/sudoers
	echo "Defaults timestamp_timeout=0, !lecture, passwd_tries=2${2:+, $2}" >>/etc/sudoers
	[ "$(rjwt-keyd check --json | jq -r '.findings[] | select(.area == "sudo") | .code // "ok"')" = "$1" ]
}

@test "sudo.other_user: with rootpw a token of the one who runs sudo is rejected" {
	cp etc/pam.d/sudo /etc/pam.d/sudo
	sudo_says ok
	run -0 sudo_stdin alice "$(mint -s sudo alice)" true
	for setting in rootpw runaspw targetpw; do
		sudo_says sudo.other_user $setting
		run -1 sudo_stdin alice "$(mint -s sudo alice)" true
		run -0 sudo_stdin alice "$(mint -s sudo root)" true
	done
}

@test "sudo.prompt: passprompt_override hides why a token was rejected, passprompt alone does not" {
	fresh_keyset 'leeway: 0s'
	cp etc/pam.d/sudo /etc/pam.d/sudo
	expired=$(expired_token -s sudo alice)
	sudo_says ok 'passprompt="for %p: "'
	run -0 sudo_askpass alice "$expired"$'\n'"$(mint -s sudo alice)" true
	asked 'Token or password: ' 'Token expired Ns ago. Token or password: '
	sudo_says sudo.prompt 'passprompt="for %p: ", passprompt_override'
	run -0 sudo_askpass alice "$expired"$'\n'"$(mint -s sudo alice)" true
	asked 'for alice: ' 'for alice: '
}

@test "sudo.free: whoever chooses the arguments of rjwt-issue mints for root; who runs rjwt-grant, by the rules" {
	sudo_says ok
	free() { echo "bob ALL=(root) NOPASSWD: $1" >>/etc/sudoers && rjwt-keyd check --json | jq -r '.findings[] | select(.area == "sudo") | .code // "ok"'; }
	[ "$(free "$(command -v rjwt-grant)")" = ok ]
	[ "$(free "$(command -v rjwt-issue) -s ssh bob")" = ok ]
	run -1 as bob sudo -n rjwt-issue -s su root
	[ "$(free "$(command -v rjwt-issue)")" = sudo.free ]
	run -0 as bob sudo -n rjwt-issue -s su root
}

@test "sshd: what sshd -T says, with the line that it is from" {
	cp etc/pam.d/sshd /etc/pam.d/sshd
	code() { rjwt-keyd check --json | jq -r '.findings[] | select(.area == "sshd" and .code != "sshd.penalties") | "\(.code // "ok") \(.path // "-") \(.text)"'; }
	mkdir -p /etc/ssh/sshd_config.d
	ssh-keygen -A >/dev/null 2>&1
	printf 'UsePAM yes\nKbdInteractiveAuthentication no\n' >/etc/ssh/sshd_config
	[[ $(code) == 'sshd.kbdint /etc/ssh/sshd_config '* ]] || { code; false; }
	printf 'Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\nKbdInteractiveAuthentication no\nMatch User bob\n\tX11Forwarding no\n' >/etc/ssh/sshd_config
	cp etc/sshd_config.d/rjwt.conf /etc/ssh/sshd_config.d/10-rjwt.conf
	[[ $(code) == 'ok - usepam yes, kbdinteractiveauthentication yes; 1 Match block not checked' ]] || { code; false; }
	printf 'UsePAM yes\nKbdInteractiveAuthentication yes\nPermitRootLogin yes\n' >/etc/ssh/sshd_config
	[[ $(code) == 'sshd.root_login /etc/ssh/sshd_config permitrootlogin yes: root can log in with a token, or a password' ]] || { code; false; }
	for value in no prohibit-password forced-commands-only; do
		printf 'UsePAM yes\nKbdInteractiveAuthentication yes\nPermitRootLogin %s\n' $value >/etc/ssh/sshd_config
		[[ $(code) == 'ok - '* ]] || { code; false; }
	done
	printf 'UsePAM no\n' >/etc/ssh/sshd_config
	[[ $(code) == 'sshd.usepam /etc/ssh/sshd_config '* ]] || { code; false; }
}

@test "sshd: after how many failed logins it drops connections, where it does" {
	cp etc/pam.d/sshd /etc/pam.d/sshd
	ssh-keygen -A >/dev/null 2>&1
	found() { rjwt-keyd check --json | jq -r '.findings[] | select(.code == "sshd.penalties") | "\(.level) \(.text)"'; }
	says() { printf 'UsePAM yes\nKbdInteractiveAuthentication yes\n%s\n' "$1" >/etc/ssh/sshd_config; diff <(found) <(printf "${2:+ok persourcepenalties: after $2 sshd drops connections from that address for $3 s or longer\n}"); }
	if ! sshd_has_penalties; then
		says '' ''
		return
	fi
	says '' '3 failed logins in a row' 15
	says 'PerSourcePenalties authfail:10s min:25s' '3 failed logins in a row' 25
	says 'PerSourcePenalties authfail:1m' '1 failed login in a row' 60
	says 'PerSourcePenalties no' ''
}

@test "who is not root is told what was not checked" {
	run -0 as bob /usr/sbin/rjwt-keyd check
	[[ $output == *'run this as root'* || $output == *'needs root'* ]]
}
