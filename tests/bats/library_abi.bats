#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The library as it is installed: a stranger's program builds against it, and finds what rjwt.h promises.

# Looks at what our libraries import, which is more with sanitizers: not for their build.
# bats file_tags=long

bats_require_minimum_version 1.5.0

# make install, into a folder of the test's own; not as a part of the make that runs us.
setup_file()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$RJWT_BUILD" install DESTDIR="$BATS_FILE_TMPDIR/root" >"$BATS_FILE_TMPDIR/log" 2>&1 ||
		{ tail -n 20 "$BATS_FILE_TMPDIR/log"; return 1; }
}

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	root=$BATS_FILE_TMPDIR/root
	libdir=$(dirname "$(find "$root" -name librjwt.so)")
	use_folder "$BATS_TEST_TMPDIR"
}

# of_make NAME - a variable of the Makefile
of_make() { sed -n "s/^$1 = //p" "$RJWT_BUILD/Makefile"; }

# exports FILE - the names that it defines for others
exports() { nm -D --defined-only "$1" | awk '$2 != "A" { sub("@.*", "", $3); print $3 }' | sort; }

# mapped FILE - the names that a version script lists
mapped() { sed -n 's/^\t\([a-z_]*\);$/\1/p' "$1" | sort; }

@test "a stranger's program builds with pkg-config, and makes, mints, verifies, rotates" {
	need jq pkg-config
	export PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_LIBDIR=$libdir/pkgconfig
	pkg-config --exists rjwt
	# shellcheck disable=SC2046,SC2086    # words
	$(of_make CC) $(of_make CFLAGS) $(of_make LDFLAGS) -Wall -Wextra -Werror -std=c11 -o "$dir/library_abi" "$bats/library_abi.c" $(pkg-config --cflags --libs rjwt)
	run -0 readelf -d "$dir/library_abi"
	says 'Shared library: [librjwt.so.1]'
	[ "$(LD_LIBRARY_PATH=$libdir "$dir/library_abi" version)" = "$(pkg-config --modversion rjwt)" ]
	configure
	run -0 env LD_LIBRARY_PATH="$libdir" "$dir/library_abi" "$conf" "$state"
	[ "${lines[0]}" = 'open: keyset' ]
	[ "$(head -n 11 <<<"$output" | tail -n 10)" = '14 algorithms, ES256 signs: as made
bob at sshd: user
nobody at none: user
alice at su: scope, told
alice at sshd: ok
alice at sshd: spent, told
rotated: 1, another key
alice at sudo: ok
mint for a newline: user
'"$(keyd jwks)" ]
	[ "$(keyd jwks | jq '.keys | length')" -eq 3 ]
	run -0 keyd check
}

@test "the package's list of symbols has each that the library exports" {
	diff <(exports "$libdir/librjwt.so") <(sed -n 's/^ \(rjwt_[a-z_]*\)@.*/\1/p' "$RJWT_SOURCE/debian/librjwt1.symbols" | sort)
}

# examples_of HEADER - the lines of the worked examples in its first comment: those that begin with " *" and a tab
examples_of() { sed -n 's/^ \*\t//p' "$1"; }

@test "rjwt.h: the worked examples in its text compile as they are there, and mint, verify and keep" {
	header=$(find "$root" -name rjwt.h)
	configure 'rotate_every: 1h'
	{
		examples_of "$header"
		cat <<-'E'
			int main(int argc, char **argv)
			{
				const struct rjwt_options options = { .config = argv[1] };
				int64_t again_s = -1;
				if (argc == 2) return !keep(&options, &again_s) || (printf("again at %lld\n", (long long)again_s), 0);
				return argv[2][0] == '\0' ? !mint_for_alice(&options) : !may_log_in(&options, argv[2]);
			}
		E
	} >"$dir/examples.c"
	# shellcheck disable=SC2046    # words
	$(of_make CC) $(of_make CFLAGS) $(of_make LDFLAGS) -std=c11 -Wall -Wextra -Werror -o "$dir/examples" "$dir/examples.c" \
		-I"${header%/*}" -L"$libdir" -lrjwt
	export LD_LIBRARY_PATH=$libdir
	run -1 "$dir/examples" "$conf" ''
	says "keyset: $state"
	run -0 --separate-stderr "$dir/examples" "$conf"
	[[ ${lines[0]} != '' && ${lines[1]} =~ ^'again at '[0-9]{10}$ ]]
	run -0 --separate-stderr "$dir/examples" "$conf"    # a second time: there is one
	[ "$(active)" -eq 1 ]
	run -0 --separate-stderr "$dir/examples" "$conf" ''
	token=$output
	run -0 verify -u alice -s sshd <<<"$token"
	run -0 "$dir/examples" "$conf" "$token"
	[[ $output == 'accepted: alice, token '??????????????????????* ]]
	run -1 "$dir/examples" "$conf" "$token"
	[ "$output" = 'rejected: spent' ]
	rm "$state/keyset.json"
	run -1 "$dir/examples" "$conf" "$token"
	says "keyset: $state"
}

@test "a token that a program spent is spent for rjwt-verify too, in that scope alone" {
	need jq
	configure
	keyd init
	token=$(issue -s ssh -s sudo alice)
	# shellcheck disable=SC2046    # words
	$(of_make CC) $(of_make CFLAGS) $(of_make LDFLAGS) -x c -o "$dir/spend" - -I"$(find "$root" -name rjwt.h -printf %h)" -L"$libdir" -lrjwt <<-'E'
		#include <rjwt.h>
		#include <string.h>
		int main(int argc, char **argv)
		{
			struct rjwt_options options = { .config = argv[1] };
			struct rjwt_attempt attempt = { .token = argv[2], .len = strlen(argv[2]), .user = "alice", .service = "sshd" };
			struct rjwt_verdict verdict;
			struct rjwt *handle;
			return argc != 3 || rjwt_open(&options, &handle, NULL) || rjwt_verify(handle, &attempt, &verdict, NULL);
		}
	E
	run -0 verify -u alice -s sshd <<<"$token"
	LD_LIBRARY_PATH=$libdir "$dir/spend" "$conf" "$token"
	refused 1 'rejected: spent' verify -u alice -s sshd <<<"$token"
	run -0 verify -u alice -s sudo <<<"$token"
	run -0 verify -u alice <<<"$token"
	run -1 env LD_LIBRARY_PATH="$libdir" "$dir/spend" "$conf" "$token"
}

@test "librjwt.so exports the functions of its version script, which are those of rjwt.h, and nothing else" {
	need nm
	[ "$(exports "$libdir/librjwt.so")" = "$(mapped "$RJWT_SOURCE/lib/librjwt.map")" ]
	[ -z "$(exports "$libdir/librjwt.so" | grep -v '^rjwt_')" ]
	header=$(find "$root" -name rjwt.h)
	[ "$(grep -oh '\brjwt_[a-z_]*(' "${header%.h}"*.h | tr -d '(' | sort -u)" = "$(mapped "$RJWT_SOURCE/lib/librjwt.map")" ]
	[ "$(mapped "$RJWT_SOURCE/lib/librjwt.map" | wc -l)" -ge 19 ]
}

@test "librjwt.so exports each name in its version, and the module needs libpam, libc and what reads tokens alone" {
	need nm readelf
	nm -D --defined-only "$libdir/librjwt.so" | awk '$2 != "A" { print $3 }' | sort >"$dir/versioned"
	mapped "$RJWT_SOURCE/lib/librjwt.map" | sed 's/$/@@RJWT_0.1/' | diff - "$dir/versioned"
	for file in "$(find "$root" -name pam_rjwt.so)" "$libdir/librjwt.so"; do
		readelf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\.so.*/\1/p' | sort >"$dir/needed.${file##*/}"
	done
	[ "$(tr '\n' ' ' <"$dir/needed.pam_rjwt.so")" = 'libc libcrypto libjson-c libpam libyaml-0 ' ]
	[ "$(tr '\n' ' ' <"$dir/needed.librjwt.so")" = 'libc libcrypto libjson-c libyaml-0 ' ]
}

@test "pam_rjwt.so exports the entry points of PAM, and needs nothing of ours" {
	need nm readelf
	module=$(find "$root" -name pam_rjwt.so)
	[ "$(exports "$module" | tr '\n' ' ')" = 'pam_sm_acct_mgmt pam_sm_authenticate pam_sm_close_session pam_sm_open_session pam_sm_setcred ' ]
	[ "$(stat -c %a "$module")" = 644 ]
	mapfile -t programs < <(find "$root" -path '*bin/rjwt-*' -type f)
	[ ${#programs[@]} -ge 3 ]
	for file in "$module" "${programs[@]}"; do
		run -0 readelf -d "$file"
		[[ $output != *librjwt* ]]
	done
	run -0 readelf -d "$module"
	[[ $output != *NODLOPEN* ]]
	says BIND_NOW
}

@test "pam_rjwt.so calls nothing that locks, replaces or removes files, changes its host's process, asks the network, runs anything, or loads a provider of OpenSSL" {
	need nm
	module=$(find "$root" -name pam_rjwt.so)
	# fortified ones have another name
	nm -D --undefined-only "$module" | awk '{ sub("@.*", "", $2); if (sub("_chk$", "", $2)) sub("^__", "", $2); print $2 }' | sort >"$dir/calls"
	case $(of_make HARDEN_CFLAGS) in *--coverage*) skip "built for gcov, which does" ;; esac
	grep -qx snprintf "$dir/calls"
	cat >"$dir/strangers" <<-'E'
		socket|connect|bind|listen|accept4?|send|sendto|sendmsg|getaddrinfo|gethostbyname.*|res_.*
		v?fork|clone3?|exec.*|posix_spawnp?|system|popen|pthread_create|dlopen
		exit|_exit|_Exit|quick_exit|abort|raise|p?kill|signal|sigaction|sigprocmask|alarm|setitimer
		umask|f?chdir|chroot|prctl|setrlimit|setpriority|set(re|res|e|fs)?[ug]id|(init|set)groups
		(set|put|unset|clear)env|setlocale|uselocale|tzset|localtime|srand|strtok|gmtime
		flock|lockf|fcntl_lock|rename(at2?)?|unlink(at)?|rmdir|remove|link(at)?|symlink(at)?|(f)?truncate|mk(stemp|dtemp)
		OSSL_PROVIDER_.*|OSSL_LIB_CTX_(new|load|free).*|OSSL_(DE|EN)CODER_.*|OSSL_STORE_.*|ENGINE_.*|CONF_modules_.*
		v?syslog|openlog|closelog|v?printf|v?fprintf|v?dprintf|puts|putchar|fputs|perror|get(pw|gr|sp).*
	E
	run -1 grep -xEf "$dir/strangers" "$dir/calls"
	# what writes keysets does, so a name of the list is not misspelled
	nm -D --undefined-only "$libdir/librjwt.so" | awk '{ sub("@.*", "", $2); print $2 }' >"$dir/library"
	for name in flock renameat unlinkat ftruncate OSSL_PROVIDER_load OSSL_LIB_CTX_new OSSL_DECODER_from_data; do grep -qx "$name" "$dir/library"; done
}

@test "rjwt.h and its parts each compile alone, as C and as C++, and rjwt.pc names the version that the programs tell" {
	need pkg-config
	header=$(find "$root" -name rjwt.h)
	for header in "${header%.h}"*.h; do
		# shellcheck disable=SC2046    # words
		$(of_make CC) -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c "$header"
		if command -v c++ >/dev/null; then c++ -Wall -Wextra -Werror -fsyntax-only -x c++ "$header"; fi
	done
	run -0 env PKG_CONFIG_LIBDIR="$libdir/pkgconfig" pkg-config --modversion rjwt
	[ "rjwt-keyd $output" = "$("$RJWT_BUILD/rjwt-keyd" --version)" ]
	[ -z "$(find "$root" -name '*.a')" ]
}

# abi HEADER - as tests/abi has it, of this header and the installed library
abi() { CC=$(of_make CC) "$python" "$RJWT_SOURCE/tests/abi.py" "$1" "$libdir/librjwt.so"; }

@test "the binary interface is the one that tests/abi states" {
	need nm
	[ "$(uname -m)" = x86_64 ] || skip 'tests/abi has the sizes of x86-64'
	header=$(find "$root" -name rjwt.h)
	abi "$header" >"$dir/abi"
	if ! diff -u --label tests/abi --label 'this build' "$RJWT_SOURCE/tests/abi" "$dir/abi"; then
		cat <<-'E'
			The binary interface of librjwt changed: programs that were compiled earlier may break. If this is intended:
			1. Makefile.am, once for each release: raise ABI, if anything but new symbols differs.
			2. NEWS.md: what changed, with "Action: compile again" if anything but new symbols differs.
			3. tests/abi.py lib/rjwt.h librjwt.so >tests/abi
		E
		return 1
	fi
	# what it must notice: members that moved, one more, another value, another type, a code that is gone
	local edit
	for edit in 's/unsigned line, column;/unsigned column, line;/' 's/^	bool cap_session;/	bool more, cap_session;/' \
		's/RJWT_ANY_SERVICE = 4,/RJWT_ANY_SERVICE = 32,/' 's/^	int64_t key_version;/	uint64_t key_version;/' \
		's/^void rjwt_free(void \*p);/void rjwt_free(const void *p);/' '/"typ", "the token has another type"/d'; do
		cp "${header%.h}"*.h "$dir"
		sed -i "$edit" "$dir"/rjwt*.h
		run -1 cmp -s <(cat "${header%.h}"*.h) <(cat "$dir"/rjwt*.h)
		run -1 diff -q <(abi "$dir/rjwt.h") "$dir/abi"
	done
	[ "$(grep -c '^symbol ' "$dir/abi")" -eq "$(mapped "$RJWT_SOURCE/lib/librjwt.map" | wc -l)" ]
}

@test "the library that was compiled has the sizes, offsets, values and arguments that tests/abi states" {
	need abidw
	[ "$(uname -m)" = x86_64 ] || skip 'tests/abi has the sizes of x86-64'
	[[ $(of_make CFLAGS) == *-g* ]] || skip 'this build has no debug information'
	built() { "$python" "$RJWT_SOURCE/tests/abi.py" --built "$libdir/librjwt.so"; }
	built <"$RJWT_SOURCE/tests/abi"
	# what it must notice: another size, offset, value and number of arguments, and a function that is not stated
	local edit
	for edit in 's/^struct rjwt_diag: 780/struct rjwt_diag: 784/' 's/^	256+4 unsigned line/	260+4 unsigned line/' \
		's/^	3 RJWT_TRUNCATED/	4 RJWT_TRUNCATED/' 's/^void rjwt_close(.*/void rjwt_close(void)/' '/rjwt_version(void)/d'; do
		sed "$edit" "$RJWT_SOURCE/tests/abi" >"$dir/other"
		run -1 cmp -s "$RJWT_SOURCE/tests/abi" "$dir/other"
		run -1 built <"$dir/other"
		[ "${#lines[@]}" -eq 1 ]
	done
}
