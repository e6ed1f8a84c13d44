# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests with real daemons and ./quickstart share: users, PAM stacks, syslog, logins.
# To be sourced inside tests/system/sandbox; it writes to /etc.

here=${BASH_SOURCE[0]%/*}
[[ $here == /* ]] || here=$PWD/$here
work=/run/rjwt-tests
syslog=$work/syslog      # what the syslog daemon received
replies=$work/replies    # the replies that askpass gives, a line each
prompts=$work/prompts    # the prompts that it saw, a line each
tokens=$work/tokens      # what must never be seen in the log: what was minted,
typed=$work/typed        # a line for each reply to a prompt,
keys=$work/keys          # a line for each file of private/, in base64
port=2222
# The control of the shipped files' account line: without the module, the other lines decide.
account_control='[success=ok new_authtok_reqd=ok ignore=ignore module_unknown=ignore default=bad]'
# shellcheck disable=SC2034    # the tests use them
alice_password=wonderland wrong_password=through-the-looking-glass

# Readable for all: askpass runs as the one who logs in. The logins of one test come one after another.
# The tree may lie in a folder that is closed to the one who logs in.
[ -x $work/askpass ] || install -D -m 0755 "$here/askpass" $work/askpass

# await COMMAND... - until it succeeds, 10 s at most
await()
{
	local n
	for n in {1..200}; do
		if "$@" 2>/dev/null; then return 0; fi
		sleep 0.05
	done
	echo "gave up waiting for: $* ($n tries)" >&2
	return 1
}

# install_build - make install of the tree that the sandbox stands in
install_build()
{
	local log=$work/install.log
	if ! make -C "$here/../.." install >$log 2>&1; then
		tail -n 30 $log >&2
		echo "helpers.bash: make install failed, see above" >&2
		return 1
	fi
}

# --- users and PAM ------------------------------------------------------------------------------

# make_user NAME [PASSWORD] - a fresh user; without a password it is locked.
make_user()
{
	userdel -f "$1" >/dev/null 2>&1 || true
	groupdel "$1" >/dev/null 2>&1 || true
	rm -rf "/home/${1:?}" "/var/mail/$1"
	mkdir -p $work/skel    # an empty one: no dot files of this machine
	useradd -m -k $work/skel -U -d "/home/$1" -s /bin/bash "$1"
	if [ $# -gt 1 ]; then set_password "$1" "$2"; fi
}

# set_password USER PASSWORD - its hash, as pam_unix makes them; nothing is asked whether the password is a good one
set_password()
{
	# shellcheck disable=SC2016    # perl's, and the salt's
	usermod -p "$(printf %s "$2" | perl -e '$_ = <STDIN>; print crypt($_, q($y$j9T$F5Jx5fExrKuPp53xLKQ..1))')" "$1"
}

# pam_service SERVICE STACK [ARGS] - write /etc/pam.d/SERVICE. ARGS are those of pam_rjwt's auth line.
#   token     a token and nothing else
#   both      a token, or the password at the same prompt
#   password  pam_unix alone
pam_service()
{
	{
		case $2 in token | both) echo "auth sufficient pam_rjwt.so ${3-}" ;; esac
		case $2 in
		token) echo "auth required pam_deny.so" ;;
		both) echo "auth required pam_unix.so nodelay try_first_pass" ;;
		password) echo "auth required pam_unix.so nodelay" ;;
		esac
		case $2 in token | both)
			echo "account $account_control pam_rjwt.so"
			echo "session optional pam_rjwt.so"
			;;
		esac
		echo "account required pam_permit.so"
		echo "session required pam_permit.so"
		case $2 in token | both) echo "session optional pam_rjwt.so" ;; esac
	} >"/etc/pam.d/$1"
}

# build_pam_cap - $work/pam_cap.so, a session module that logs what pam_systemd would be told
build_pam_cap()
{
	[ -e $work/pam_cap.so ] || gcc -shared -fPIC -o $work/pam_cap.so "$here/pam_cap.c" -lpam
}

# build_pam_app - $work/pam_app, an application that calls every phase and prints what it is told
build_pam_app()
{
	[ -e $work/pam_app ] || gcc -O2 -rdynamic -o $work/pam_app "$here/pam_app.c" -lpam
}

# --- tokens -------------------------------------------------------------------------------------

# fresh_keyset [LINE...] - a new keyset, with the LINEs as rjwt.yaml
fresh_keyset()
{
	rm -rf /var/lib/rjwt /etc/rjwt
	mkdir -m 0755 /etc/rjwt
	(umask 022 && printf '%s\n' "$@" >/etc/rjwt/rjwt.yaml)
	rjwt-keyd init >/dev/null
	remember_keys
}

# remember_keys - those that are in private/ now
remember_keys()
{
	local file
	for file in /var/lib/rjwt/private/*.key; do
		[ ! -f "$file" ] || { base64 -w 0 "$file" && echo; } >>$keys
	done
}

# mint ARG... - rjwt-issue; what it mints must never be seen in the log (no_token_logged)
mint()
{
	local token
	token=$(rjwt-issue "$@" 2>$work/issue.err) || {
		cat $work/issue.err >&2
		return 1
	}
	printf '%s\n' "$token" | tee -a $tokens
}

# type_in TEXT - lines that are typed at prompts, on standard output
type_in() { printf '%s\n' "$1" | tee -a $typed; }

# token_of SIZE ARG... - one of about this many bytes (a byte less at times), by a claim that fills it
token_of()
{
	local size=$1 short
	shift
	short=$(mint --force -C note= "$@")
	mint --force -C "note=$(printf '%*s' $(((size - ${#short}) * 3 / 4)) '' | tr ' ' x)" "$@"
}

# expired_token ARG... - one whose time is over; needs leeway: 0s
expired_token()
{
	mint -t 1s "$@"
	sleep 1.2
}

# claim NAME TOKEN
claim()
{
	/usr/bin/python3 -c 'import base64, json, sys
payload = sys.argv[2].split(".")[1]
print(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))[sys.argv[1]])' "$@"
}

# --- syslog -------------------------------------------------------------------------------------

start_syslog()
{
	: >$syslog
	"$here/syslog" $syslog </dev/null >/dev/null 2>$work/syslog.err 3>&- &
	await test -S /dev/log
}

# Messages come in order: when a line sent now is there, all that was sent before is there too.
log_settle()
{
	local marker=$RANDOM$RANDOM$RANDOM
	logger -u /dev/log -t mark -- $marker
	await grep -q " mark: $marker" $syslog
}

# log_mark - what comes from here on is what log_since shows
log_mark()
{
	log_settle
	wc -l <$syslog >$work/mark
}

# log_since REGEX - the lines since log_mark that match
log_since()
{
	log_settle
	tail -n "+$(($(<$work/mark) + 1))" $syslog | grep -v ' mark: ' | grep -E -- "$1"
}

# decisions REGEX... - pam_rjwt logged a decision for each REGEX since log_mark, in this order, and no other
decisions()
{
	local lines=() n=0 regex
	mapfile -t lines < <(log_since 'pam_rjwt\([^)]*\): (accepted|rejected) ')
	if [ ${#lines[@]} -eq $# ]; then
		for regex; do
			[[ ${lines[n]} =~ $regex ]] || break
			n=$((n + 1))
		done
		[ $n -lt $# ] || return 0
	fi
	printf 'expected decisions:\n'
	printf '  %s\n' "$@"
	printf 'the log has:\n'
	log_since . | sed 's/^/  /'
	return 1
}

# asked PROMPT... - what askpass was asked since give_replies: these, whole, and no other
asked()
{
	if [ $# -eq 0 ]; then
		[ ! -s $prompts ] || { echo "asked:"; cat $prompts; return 1; }
		return 0
	fi
	diff <(printf '%s\n' "$@") <(sed 's/ [0-9]\+s ago/ Ns ago/' $prompts)
}

# no_token_logged - neither a token that mint made, nor its payload or signature, nor alice's password is in the
# log. The last of the tests, log_secrets.bats, looks closer.
no_token_logged()
{
	log_settle
	remember_keys
	[ ! -e $tokens ] || tr . '\n' <$tokens | grep . | sort -u >$work/secrets
	echo "$alice_password" >>$work/secrets
	if grep -F -f $work/secrets $syslog; then
		echo "a secret is in the log, see above"
		return 1
	fi
}

# --- tables -------------------------------------------------------------------------------------

# golden COMMAND <TABLE - each cell is what COMMAND ROW COLUMN prints. The first line has the columns; a row's name
# ends where two blanks follow; "." is a cell that is not looked at.
golden()
{
	local line row columns=() cells=() n seen looked=0 failed=0
	read -r -a columns
	while read -r line; do
		row=${line%%  *}
		read -r -a cells <<<"${line#"$row"}"
		for n in "${!columns[@]}"; do
			[ "${cells[n]-}" != . ] || continue
			seen=$("$1" "$row" "${columns[n]}")
			looked=$((looked + 1))
			[ "$seen" = "${cells[n]-}" ] || { echo "$row, ${columns[n]}: $seen, not ${cells[n]-}" && failed=1; }
		done
	done
	echo "# $looked cells" >&3
	[ $looked -gt 0 ] && return $failed
}

# --- ssh ----------------------------------------------------------------------------------------

# without_penalties - for sshd_config, where sshd has them (OpenSSH 9.8): failed logins must not close sshd to the next test
without_penalties()
{
	if sshd_has_penalties; then echo 'PerSourcePenalties no'; fi
}

sshd_has_penalties() { grep -qi persourcepenalties /usr/sbin/sshd; }

# start_sshd [LINE...] - a real sshd on loopback; LINEs go to the top of its configuration, where the first value wins.
start_sshd()
{
	[ -e $work/host_key ] || ssh-keygen -q -t ed25519 -N '' -f $work/host_key
	{
		[ $# -eq 0 ] || printf '%s\n' "$@"
		cat <<-END
			Port $port
			ListenAddress 127.0.0.1
			ListenAddress ::1
			HostKey $work/host_key
			PidFile none
			UsePAM yes
			KbdInteractiveAuthentication yes
			UseDNS no
			LoginGraceTime 30
			MaxStartups 200
			LogLevel VERBOSE
			Subsystem sftp internal-sftp
		END
		without_penalties
	} >$work/sshd_config
	run_sshd
}

# run_sshd - sshd with $work/sshd_config
run_sshd()
{
	mkdir -p /run/sshd
	/usr/sbin/sshd -D -f $work/sshd_config </dev/null >$work/sshd.err 2>&1 3>&- &
	echo $! >$work/sshd.pid
	await bash -c "exec 9<>/dev/tcp/127.0.0.1/$port" || {
		cat $work/sshd.err >&2
		return 1
	}
}

stop_sshd()
{
	[ -e $work/sshd.pid ] || return 0
	kill "$(<$work/sshd.pid)" 2>/dev/null || true
	wait "$(<$work/sshd.pid)" 2>/dev/null || true
	rm -f $work/sshd.pid
}

# give_replies TEXT - what askpass answers from here on, a line for each prompt
give_replies()
{
	type_in "$1" >$replies
	: >$prompts
	chmod 0666 $replies $prompts
}

# ssh_by METHOD USER REPLIES [SSH-OPTION...] COMMAND - log in with METHOD (keyboard-interactive, password,
# publickey, ...); REPLIES has a line for each prompt, and what was asked is in $prompts afterwards.
ssh_by()
{
	local method=$1 user=$2
	give_replies "$3"
	shift 3
	SSH_ASKPASS=$work/askpass SSH_ASKPASS_REQUIRE=force ssh -F /dev/null -p $port -l "$user" \
		-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR \
		-o NumberOfPasswordPrompts=1 -o PreferredAuthentications="$method" "${@:1:$#-1}" \
		127.0.0.1 "${@: -1}" </dev/null 3>&-
}

# give_key USER - $work/key opens USER's account by public key
give_key()
{
	[ -e $work/key ] || ssh-keygen -q -t ed25519 -N '' -f $work/key
	install -d -m 0700 -o "$1" -g "$1" "/home/$1/.ssh"
	install -m 0600 -o "$1" -g "$1" $work/key.pub "/home/$1/.ssh/authorized_keys"
}

ssh_kbd() { ssh_by keyboard-interactive "$@"; }
ssh_password() { ssh_by password "$@"; }

# --- sudo, su, login ----------------------------------------------------------------------------

# as USER COMMAND... - run it as USER does
as() { "$here/as" "$@"; }

# write_sudoers - the whole policy: alice may do anything, and each sudo asks
write_sudoers()
{
	local defaults='Defaults timestamp_timeout=0, !lecture, !mail_no_user'
	if sudo_is_rs; then defaults='Defaults timestamp_timeout=0'; fi
	printf '%s\n' "$defaults" 'root ALL=(ALL:ALL) ALL' \
		'alice ALL=(ALL:ALL) ALL' >/etc/sudoers.new
	chmod 0440 /etc/sudoers.new
	mv /etc/sudoers.new /etc/sudoers
	rm -rf /etc/sudoers.d
}

# sudo_is_rs - sudo is sudo-rs (RJWT_SUDO)
sudo_is_rs() { [ "${RJWT_SUDO-sudo}" != sudo ]; }

# sudo_output PROMPT TEXT - what sudo -S shows where a module asks PROMPT and the command prints TEXT
sudo_output() { if sudo_is_rs; then printf '[sudo: authenticate] %s\n%s' "$@"; else printf %s%s "$@"; fi; }

# need_askpass - older ones of sudo-rs have no -A
need_askpass() { sudo --help 2>&1 | grep -q -e --askpass || skip "$(sudo --version 2>&1 | head -n 1) has no -A"; }

# sudo_stdin USER REPLIES ARG... - sudo -S: replies on standard input, prompts on stderr
sudo_stdin()
{
	local user=$1 text=$2
	shift 2
	type_in "$text" | as "$user" sudo -S "$@" 3>&-
}

# sudo_askpass USER REPLIES ARG... - sudo -A
sudo_askpass()
{
	local user=$1
	give_replies "$2"
	shift 2
	as "$user" env SUDO_ASKPASS="$work/askpass" sudo -A "$@" </dev/null 3>&-
}

# on_terminal STEPS COMMAND... - COMMAND on a terminal; STEPS: a line "REGEX<tab>REPLY" for each prompt
on_terminal()
{
	printf '%s\n' "$1" >$work/steps
	sed -nE 's/^[^\t]*(Token|assword)\)?: \t//p' $work/steps >>$typed
	shift
	if [ "$1" = as ]; then set -- "$here/as" "${@:2}"; fi
	if [ "$1" = login ]; then set -- "$here/hangup" "$@"; fi
	"$here/dialogue" $work/steps "$@" </dev/null 3>&- | tr -d '\r'
	return "${PIPESTATUS[0]}"
}

# --- systemd ------------------------------------------------------------------------------------

# start_systemd - tests/system/boot, until it runs what it is to run; stop_systemd ends it
start_systemd()
{
	cp -a /etc/systemd $work/etc-systemd
	"$here/boot" 3>&- &
	echo $! >$work/boot.pid
	await systemd_decided
}

stop_systemd()
{
	kill "$(<$work/boot.pid)" 2>/dev/null || true
	wait "$(<$work/boot.pid)" || true
	rm -rf /etc/systemd /run/systemd
	mv $work/etc-systemd /etc/systemd
}

# systemd_runs - or this kernel gives no control groups of version 2, and boot has ended
systemd_runs() { kill -0 "$(<$work/boot.pid)" 2>/dev/null; }
systemd_decided() { ! systemd_runs || [ "$(inside systemctl is-system-running)" = running ]; }
need_systemd() { systemd_runs || skip 'this kernel gives no control groups of version 2'; }

# inside COMMAND... - on the machine that systemd runs
inside() { nsenter -t "$(<$work/systemd.pid)" -m -p -C -r -w -- "$@"; }

# unit_active UNIT [STATE] - that is its state
unit_active() { [ "$(inside systemctl is-active "$1")" = "${2-active}" ]; }

# --- hostile arguments --------------------------------------------------------------------------

# hostile_call COMMAND... - a program of ours with what its caller made up, which must not wait, nor show a file
# (each has SECRET in it); counts in $tries, and in $minted those that printed a token
hostile_call()
{
	local status=0 output
	output=$(set -o pipefail; "$@" </dev/null 2>&1 | head -c 20000) || status=$?
	tries=$((tries + 1))
	if [ $status -eq 137 ] || [ $status -eq 124 ]; then
		echo "waits: $*" | head -c 200
		return 1
	fi
	case $output in *SECRET*) echo "tells: $* says $output" | head -c 2000; return 1 ;; esac
	if [[ $output == *eyJ*.*.* ]]; then
		minted=$((minted + 1))
		grep -o 'eyJ[A-Za-z0-9_.-]*' <<<"$output" >>$tokens
	fi
}
