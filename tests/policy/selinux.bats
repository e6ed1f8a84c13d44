#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# selinux/: the module compiles, and links with Debian's policy; all that strace saw is allowed, and little more.
# tests/policy/run has made the traces. No kernel loads the policy here.

bats_require_minimum_version 1.5.0

setup_file()
{
	. tests/system/helpers.bash
	export traces=$work/traces module=$work/module policy contexts=/etc/selinux/default/contexts/files/file_contexts
	mkdir $module
	cp selinux/rjwt.{te,fc,if} $module
	build $module rjwt.pp
	semodule -n -s default -i $module/rjwt.pp >/dev/null 2>&1
	policy=$(echo /etc/selinux/default/policy/policy.*)
	local domain
	for domain in keyd issue login; do
		accesses selinux $contexts $traces/$domain.* | grep -v -e " $work" -e pamtester >$traces/needs.$domain
	done
}

setup() { . tests/system/helpers.bash; }

build() { make -s -C "$1" -f /usr/share/selinux/devel/Makefile "$2" >/dev/null; }
accesses() { tests/policy/accesses.py "$@"; }
# missing DOMAIN NAME - what the policy does not allow DOMAIN of what programs of NAME did
missing() { accesses missing "$policy" "$1" <"$traces/needs.$2"; }

@test "selinux: what the daemon and its commands did, what mints did and what logins did is allowed" {
	for name in keyd issue login; do
		echo "# $(wc -l <"$traces/needs.$name") accesses of $name" >&3
		[ "$(wc -l <"$traces/needs.$name")" -gt 90 ]
	done
	run -0 missing rjwt_keyd_t keyd
	run -0 missing rjwt_issue_t issue
	for domain in sshd_t local_login_t {user,staff,sysadm}_sudo_t {user,staff,sysadm}_su_t; do
		run missing $domain login
		echo "$domain: $output"
		[ "$status" -eq 0 ]
	done
	# a domain of no login and no keeper has none of it
	run -1 missing httpd_t login
	[[ $output == *rjwt_spent_t* ]]
}

@test "selinux: what is made has the type that restorecon would give it" {
	run -0 accesses labels "$policy" rjwt_keyd_t "$contexts" "$traces"/keyd.*
	run -0 accesses labels "$policy" rjwt_issue_t "$contexts" "$traces"/issue.*
	run -0 accesses labels "$policy" sshd_t "$contexts" "$traces"/login.*
	# in another domain it would not
	run -1 accesses labels "$policy" httpd_t "$contexts" "$traces"/keyd.init
	[[ $output == *'/var/lib/rjwt/private gets'*'and should have rjwt_private_t'* ]]
}

@test "selinux: private keys are read by keeper and mint; a login reads waiting tokens, and makes no code" {
	run -0 accesses readers "$policy" rjwt_private_t
	echo "$output"
	for domain in rjwt_keyd_t rjwt_issue_t; do grep -qx $domain <<<"$output"; done
	for domain in sshd_t local_login_t {user,staff,sysadm}_sudo_t {user,staff,sysadm}_su_t crond_t httpd_t user_t staff_t; do
		[ -z "$(grep -x $domain <<<"$output")" ]
	done
	# who else may read it reads all files, shadow too
	run -0 accesses readers "$policy" shadow_t
	shadow=$output
	run -0 accesses readers "$policy" rjwt_private_t
	[ -z "$(comm -13 <(sort <<<"$shadow") <(sort <<<"$output"))" ]
	run -0 accesses readers "$policy" rjwt_parked_t
	grep -qx sshd_t <<<"$output"
	[ -z "$(grep -E '^[a-z]+ file (write|create|unlink|rename)' <(grep '^rjwt_parked_t\|^rjwt_private_t' "$traces/needs.login"))" ]
	# by a boolean, for HMAC
	run -0 sesearch -A -s sshd_t -t rjwt_private_t -c file -p read "$policy"
	[[ $output == *'[ rjwt_login_hmac ]:True' ]]
}

@test "selinux: systemd starts the daemon in its domain, with NoNewPrivileges, and administrators run the programs" {
	run -0 sesearch -A -s init_t -t rjwt_keyd_t -c process2 "$policy"
	[[ $output == *nnp_transition* ]]
	run -0 sesearch -T -s init_t -t rjwt_keyd_exec_t "$policy"
	[[ $output == *'rjwt_keyd_exec_t:process rjwt_keyd_t;'* ]]
	for domain in unconfined_t sysadm_t; do
		run -0 sesearch -T -s $domain -t rjwt_issue_exec_t "$policy"
		[[ $output == *'process rjwt_issue_t;'* ]]
	done
	run -0 sesearch -T -s user_t -t rjwt_issue_exec_t "$policy"
	[ -z "$output" ]
	# other programs that they start are in their own
	[ "$(grep -h 'execve(' "$traces"/{keyd,issue}.* | sed 's/.*execve("\([^"]*\)".*/\1/' | sort -u | tr '\n' ' ')" = \
		'/usr/bin/rjwt-grant /usr/bin/rjwt-issue /usr/sbin/rjwt-keyd /usr/sbin/sshd ' ]
}

# without LINE FILE - the module without a line; what is then missing in one of the traces
without()
{
	local dir=$BATS_TEST_TMPDIR/module name
	rm -rf "$dir"
	cp -r "$module" "$dir"
	rm -rf "$dir/tmp" "$dir/rjwt.pp"
	sed -i "$1d" "$dir/$2"
	build "$dir" tmp/rjwt.mod 2>/dev/null || return 1
	for name in rjwt_keyd_t:keyd rjwt_issue_t:issue sshd_t:login; do
		accesses text "$dir/tmp/rjwt.tmp" ${name%:*} <"$traces/needs.${name#*:}" || return 1
	done
}

@test "selinux: each rule about our own types is needed: without it something that was seen is missing" {
	run -0 without 1 rjwt.if    # a comment
	tried=0
	while IFS=: read -r file line text; do
		tried=$((tried + 1))
		run without "$line" "$file"
		if [ "$status" -eq 0 ]; then echo "$file: ${text#	}"; fi
	done < <(cd selinux && grep -nE '^	?(allow .*rjwt_[a-z_]*_t\b.*:|(manage|list|read)_[a-z]*_pattern)' rjwt.te rjwt.if | grep -v -e self: -e cron_spool_t) \
		>"$BATS_TEST_TMPDIR/spare"
	echo "# $tried rules" >&3
	# What no trace has: codes before the first short token, the end of who holds the lock, a mint that rotates long after the
	# last one and removes marks, HMAC.
	diff "$BATS_TEST_TMPDIR/spare" - <<-'END'
		rjwt.te: manage_dirs_pattern(rjwt_keyd_t, { rjwt_private_t rjwt_parked_t }, rjwt_parked_t)
		rjwt.te: allow rjwt_keyd_t { self rjwt_issue_t }:process { sigkill setsched };
		rjwt.te: manage_dirs_pattern(rjwt_issue_t, rjwt_spent_t, rjwt_spent_t)
		rjwt.te: manage_files_pattern(rjwt_issue_t, rjwt_spent_t, rjwt_spent_t)
		rjwt.te: allow { sshd_t local_login_t sudodomain } rjwt_private_t:file read_file_perms;
	END
}
