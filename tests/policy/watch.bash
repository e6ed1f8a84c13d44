# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154    # helpers.bash sets the names
# What tests/policy/policy.bats watches with strace: files $traces/DOMAIN.NAME, for DOMAIN keyd, issue, login and fetch.
# To be sourced after tests/system/helpers.bash.

traces=$work/traces

# watch DOMAIN.NAME COMMAND... - its trace; what it says is in $traces/said
watch()
{
	strace -f -y -qq -s 4096 -e signal=none -o "$traces/$1" "${@:2}" >"$traces/said" 2>"$traces/said.err" 3>&- ||
		{ echo "watch: ${*:2}: $?"; cat "$traces/said" "$traces/said.err"; return 1; }
}

# watch_login NAME SERVICE USER REPLY - through pamtester, which is to succeed
watch_login()
{
	strace -f -y -qq -s 4096 -e signal=none -o "$traces/login.$1" pamtester "$2" "$3" authenticate acct_mgmt open_session close_session \
		>"$traces/said" 2>&1 <<<"$4" 3>&- || { echo "watch_login: $1"; cat "$traces/said"; return 1; }
}

# minted ARG... - a token, with its mint watched
minted()
{
	watch "issue.$1" rjwt-issue "${@:2}" && cat "$traces/said"
}

watch_keyset()
{
	watch keyd.init rjwt-keyd init
	local once reusable uses code gone
	once=$(minted once alice)
	reusable=$(minted reusable --reusable alice)
	uses=$(minted uses --uses 2 alice)
	code=$(minted short --short -s login alice)
	gone=$(minted gone --reusable --json alice)
	printf '{"sub":"%s"}\n' alice bob >"$work/requests"
	watch issue.batch rjwt-issue --batch <"$work/requests"
	SUDO_UID=$(id -u alice) SUDO_USER=alice watch issue.grant rjwt-grant alice
	watch_login once sshd alice "$once"
	watch_login reusable sshd alice "$reusable"
	watch_login uses sshd alice "$uses"
	watch_login uses2 sshd alice "$uses"
	watch_login code login alice "$code"
	watch keyd.codes rjwt-keyd codes 2 --lifetime 2h --scope login alice
	watch keyd.list rjwt-keyd list
	watch keyd.jti rjwt-keyd revoke --jti "$(jq -r .claims.jti <<<"$gone")"
	if watch_login revoked sshd alice "$(jq -r .token <<<"$gone")"; then return 1; fi
	watch keyd.rotate rjwt-keyd rotate
	minted bob bob
	watch keyd.sub rjwt-keyd revoke --sub bob
	watch keyd.all rjwt-keyd revoke --all
	watch keyd.compromised rjwt-keyd rotate --compromised
	watch keyd.once rjwt-keyd once
	watch keyd.status rjwt-keyd status || true
	watch keyd.jwks rjwt-keyd jwks
	# a mint that rotates: the number of tokens is used up
	echo 'max_tokens_per_key: 1' >>/etc/rjwt/rjwt.yaml
	minted first alice
	minted rotates alice
	sed -i /max_tokens/d /etc/rjwt/rjwt.yaml
}

watch_daemon()
{
	strace -f -y -qq -s 4096 -e signal=none -o "$traces/keyd.run" rjwt-keyd run >/dev/null 2>&1 3>&- &
	local pid=$!
	await grep -q timerfd_settime "$traces/keyd.run"
	pkill -HUP -P $pid rjwt-keyd
	sleep 1
	pkill -TERM -P $pid rjwt-keyd
	wait $pid || true
}

# issuer PROGRAM ARG... - that of another directory
issuer() { "rjwt-$1" -c "$work/issuer.yaml" "${@:2}"; }

# carried NAME - what the issuer publishes is in the spool, and this host follows it
carried()
{
	cp "$work/issuer/www/fleet.jws" "/var/spool/rjwt/$(printf %s http://127.0.0.1:8080/fleet.jws | sha256sum | cut -d ' ' -f 1).jws"
	watch "keyd.$1" rjwt-keyd follow
}

# watch_fetch - rjwt-fetch from a web server, first something new, then nothing new
watch_fetch()
{
	local server
	chown -R rjwt-fetch: /var/spool/rjwt
	/usr/bin/python3 -m http.server --bind 127.0.0.1 --directory "$work/issuer/www" 8080 >/dev/null 2>&1 3>&- &
	server=$!
	await bash -c 'exec 9<>/dev/tcp/127.0.0.1/8080'
	touch "$work/issuer/www/fleet.jws"
	watch fetch.new /usr/libexec/rjwt/rjwt-fetch
	watch fetch.same /usr/libexec/rjwt/rjwt-fetch
	grep -q 'If-Modified-Since' "$traces/fetch.same"
	kill $server
}

watch_fleet()
{
	local line
	printf '%s\n' "state_dir: $work/issuer" 'issuer: i1.example' 'audience: i1.example' 'leeway: 1s' >"$work/issuer.yaml"
	watch keyd.issuer rjwt-keyd fleet init --key /root/rjwt-fleet.key http://i2.example/fleet.jws
	watch keyd.publish rjwt-keyd publish
	minted denied bob
	watch keyd.denial rjwt-keyd revoke --sub bob
	rm -rf /var/lib/rjwt /root/rjwt-fleet.key
	printf '%s\n' 'audience: host2' 'leeway: 1s' 'codes: [login]' >/etc/rjwt/rjwt.yaml
	line=$(issuer keyd fleet init --key "$work/fleet.key" http://127.0.0.1:8080/fleet.jws)
	# shellcheck disable=SC2086    # the printed line, as it is typed
	watch keyd.join $line
	install -d /var/spool/rjwt
	carried follow
	sleep 2.1    # what was minted before this host remembered used tokens counts as used
	watch_login fleet sshd alice "$(issuer issue -a host2 alice)"
	issuer keyd revoke --sub alice
	issuer keyd rotate --compromised || true
	carried denied
	watch keyd.pruned rjwt-keyd once
	watch keyd.mirrors rjwt-keyd mirrors --agent
	watch_fetch
	watch keyd.followed rjwt-keyd status || true
	watch keyd.check rjwt-keyd check || true
}
