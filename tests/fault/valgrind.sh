#!/bin/bash
# SPDX-License-Identifier: MIT
# valgrind.sh BUILD - programs of the unit tests under valgrind: no error, and no block lost. TAP on stdout.
#
# test_login*.c and test_phases are the module in an application: a login of each outcome, and all phases. Left out is
# what valgrind makes too slow, 100 times: whoever makes hundreds of keys, keysets or processes, and what measures
# memory itself (test_host_process). The address sanitizer has them all. No suppression is needed: what libraries keep until
# the end is reachable.
set -u

build=$1
tests='alg args base64url buf claims claims_bindings config config_file datetime handle handle_jwks hash host json_values jws keyset
	keyset_json keyset_kids lock login login_clock login_log login_prompts mint mint_keyset phases provider text'
read -r -d '' -a names <<<"$tests" || true
log=$(mktemp)
trap 'rm -f "$log"' EXIT

cd "$build" || exit 1
if ! valgrind --version >/dev/null 2>&1; then
	echo '1..0 # SKIP valgrind is missing'
	exit 0
fi
echo "1..${#names[@]}"
n=0 bad=0
for name in "${names[@]}"; do
	n=$((n + 1))
	if valgrind -q --vgdb=no --keep-debuginfo=yes --error-exitcode=99 --leak-check=full \
		--show-leak-kinds=definite,indirect,possible --errors-for-leak-kinds=definite,indirect,possible \
		"tests/unit/test_$name" >"$log" 2>&1; then
		echo "ok $n - valgrind test_$name"
	else
		echo "not ok $n - valgrind test_$name"
		tail -n 40 "$log" | sed 's/^/# /'
		bad=1
	fi
done
exit $bad
