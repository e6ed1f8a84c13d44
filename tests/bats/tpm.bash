# shellcheck shell=bash disable=SC2154    # helpers.bash sets dir and state
# SPDX-License-Identifier: MIT
# A TPM of a test's own, of swtpm: it listens on a unix socket in a directory of its own and ends with the test.
#
# There is no resource manager in front of it: whoever is killed leaves what it had loaded, and tpm_flush removes that.

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
