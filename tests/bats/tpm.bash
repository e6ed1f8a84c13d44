# shellcheck shell=bash disable=SC2034,SC2154    # helpers.bash sets dir and state, tests use passed
# SPDX-License-Identifier: MIT
# A TPM of a test's own, of swtpm: it listens on a unix socket in a directory of its own and ends with the test.
#
# There is no resource manager in front of it, as there is with /dev/tpmrm0: whoever is killed leaves what it had loaded,
# which tpm_flush removes, and two processes at once fill it. tpm_managed starts one.

# tpm_need - skip the test where packages are missing
tpm_need()
{
	need swtpm tpm2_flushcontext tpm2_dictionarylockout
	compgen -G '/usr/lib/*/ossl-modules/tpm2.so' >/dev/null || skip 'tpm2-openssl is not installed'
}

# tpm_start [NAME] - a TPM with the state NAME, new if there is none of this name
tpm_start()
{
	local name=${1-tpm}
	tpm=${tpm-$(mktemp -d)}    # a socket's path has 107 bytes at most
	mkdir -p "$dir/$name"
	rm -f "$tpm/socket" "$tpm/socket.ctrl"
	swtpm socket --tpm2 --tpmstate "dir=$dir/$name" --server "type=unixio,path=$tpm/socket" \
		--ctrl "type=unixio,path=$tpm/socket.ctrl" --flags not-need-init,startup-clear \
		>"$dir/swtpm.log" 2>&1 3>&- &
	tpm_pid=$!
	export TPM2OPENSSL_TCTI=swtpm:path=$tpm/socket TSS2_LOG=all+none
	for _ in $(seq 100); do
		[ ! -S "$tpm/socket" ] || [ ! -S "$tpm/socket.ctrl" ] || break
		sleep 0.05
	done
	[ -S "$tpm/socket" ]
	# A TPM whose power fails too often while keys are used refuses them for a while.
	tpm2_dictionarylockout -T "$TPM2OPENSSL_TCTI" --clear-lockout
}

tpm_flush() { tpm2_flushcontext -T "$TPM2OPENSSL_TCTI" --transient-object; }

# tpm_stop - the TPM goes, and answers nobody any more
tpm_stop()
{
	[ -z "${tpm_pid-}" ] || kill "$tpm_pid" || :
	wait "$tpm_pid" 2>/dev/null || :
	tpm_pid=
}

# through LIMIT CODE COMMAND... - a command with the TPM, which stops after LIMIT commands, or, with a CODE, answers with that.
# "-" is no code. $passed becomes how many commands of the TPM it took.
through()
{
	local limit=$1 code=$2 proxy
	shift 2
	rm -f "$tpm/proxy" "$tpm/proxy.ctrl" "$tpm/proxy.count"
	if [ "$code" = - ]; then code=; fi
	# shellcheck disable=SC2086    # no code is no argument
	"$python" "$bats/tpm_proxy.py" "$tpm/socket" "$tpm/proxy" "$limit" $code 3>&- &
	proxy=$!
	until [ -S "$tpm/proxy" ] && [ -S "$tpm/proxy.ctrl" ]; do sleep 0.02; done
	status=0
	TPM2OPENSSL_TCTI=swtpm:path=$tpm/proxy "$@" >"$dir/out" 2>"$dir/err" || status=$?
	kill "$proxy" 2>/dev/null || :
	wait "$proxy" 2>/dev/null || :
	passed=$(cat "$tpm/proxy.count" 2>/dev/null || echo 0)
	tpm_flush
	return "$status"
}

# tpm_managed COMMAND... - a command of many processes: with a resource manager, on a message bus of its own
tpm_managed()
{
	need dbus-run-session tpm2-abrmd
	# shellcheck disable=SC2016    # for that shell
	dbus-run-session -- bash -c '
		tpm2-abrmd --session --allow-root --tcti="$TPM2OPENSSL_TCTI" >"$0" 2>&1 3>&- &
		until busctl --user --address="$DBUS_SESSION_BUS_ADDRESS" call org.freedesktop.DBus /org/freedesktop/DBus \
			org.freedesktop.DBus NameHasOwner s com.intel.tss2.Tabrmd 2>&1 | grep -qx "b true"; do
			kill -0 $! || exit 99
			sleep 0.05
		done
		export TPM2OPENSSL_TCTI=tabrmd:bus_type=session
		"$@" || exit
		kill $!' "$dir/abrmd.log" "$@"
}

# tpm_end - for teardown
tpm_end()
{
	[ -z "${tpm_pid-}" ] || tpm_stop
	[ -z "${tpm-}" ] || rm -rf "$tpm"
}

# is_wrapped VERSION... - the private halves of these keys are a TPM's
is_wrapped()
{
	local version
	for version; do
		[ "$(head -n 1 "$state/private/$version.key")" = '-----BEGIN TSS2 PRIVATE KEY-----' ] || return 1
		[ "$(stat -c %a "$state/private/$version.key")" = 600 ] || return 1
	done
}
