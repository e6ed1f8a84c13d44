#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# make install: what lands where, with which owner and mode; DESTDIR; uninstall.

bats_require_minimum_version 1.5.0

setup()
{
	. tests/system/helpers.bash
	triplet=$(gcc -print-multiarch)
	fresh_keyset
}

@test "install: another configure is built anew, for its own places" {
	cp -a . "$BATS_TEST_TMPDIR/tree"
	cd "$BATS_TEST_TMPDIR/tree"
	run -0 ./configure --prefix=/opt/other
	[[ ${lines[-1]} == 'configure: module: /opt/other/lib/security, '* ]]
	[[ $output == *'/opt/other/lib/security holds no pam_unix.so'* ]]
	make rjwt-keyd >/dev/null 2>&1
	run -0 ./rjwt-keyd -h
	[[ $output == *'(default: /opt/other/etc/rjwt/rjwt.yaml)'* ]]
	run -3 ./rjwt-keyd status
	[[ $output == 'FAIL  /opt/other'*': does not exist: '* ]]
	make install DESTDIR="$BATS_TEST_TMPDIR/dest" >/dev/null 2>&1
	[ -d "$BATS_TEST_TMPDIR/dest/opt/other/var/lib" ]
	[ ! -e "$BATS_TEST_TMPDIR/dest/opt/other/var/lib/rjwt" ]
}

@test "install: the programs and the library run from where they are" {
	for program in rjwt-keyd rjwt-issue rjwt-grant rjwt-verify; do
		path=$(command -v $program)
		[[ $path == /usr/bin/* || $path == /usr/sbin/* ]]
		run -0 $program -V
		run -0 $program -h
	done
	[ "$(command -v rjwt-keyd)" = /usr/sbin/rjwt-keyd ]
}

@test "install: the module lies where Linux-PAM looks for it, root's, and not setuid" {
	module=/usr/lib/$triplet/security/pam_rjwt.so
	[ -f "$module" ]
	[ "$(stat -c '%U:%G' "$module")" = root:root ]
	[ -z "$(find "$module" -perm /6022)" ]
	[ ! -e "${module%.so}.a" ]
}

@test "install: another copy of the module for this machine is refused, and one for another machine is not" {
	module=/usr/lib/$triplet/security/pam_rjwt.so
	mkdir -p /usr/local/lib/security
	other=/usr/local/lib/security/pam_rjwt.so
	cp "$module" $other
	before=$(stat -c %i "$module")
	run -2 make install
	[[ $output == *"make install: $other: there is another pam_rjwt.so, which may be the one that is loaded: remove it first"* ]]
	[ "$(stat -c %i "$module")" = "$before" ]
	# into a directory of its own it may be installed all the same
	run -0 make install DESTDIR="$BATS_TEST_TMPDIR/dest"
	# of 32 bits
	printf '\1' | dd of=$other bs=1 seek=4 conv=notrunc status=none
	run -0 make install
	[ "$(stat -c %i "$module")" != "$before" ]
	rm $other
	run -0 make install
}

@test "install: the module needs no library of ours" {
	run -0 ldd "/usr/lib/$triplet/security/pam_rjwt.so"
	[[ $output != *librjwt* ]]
	[[ $output != *'not found'* ]]
}

@test "install: the module exports the pam_sm_ functions and nothing else" {
	run -0 nm -D --defined-only "/usr/lib/$triplet/security/pam_rjwt.so"
	names=$(awk '$2 ~ /[TDBRW]/ { print $3 }' <<<"$output" | sed 's/@.*//' | grep -v '^PAM\|^RJWT' | sort | tr '\n' ' ')
	[ "$names" = "pam_sm_acct_mgmt pam_sm_authenticate pam_sm_close_session pam_sm_open_session pam_sm_setcred " ]
}

@test "install: a stranger's program builds against the library with pkg-config" {
	cat >"$BATS_TEST_TMPDIR/stranger.c" <<-'END'
		#include <rjwt.h>
		#include <stdio.h>
		int main(void)
		{
			struct rjwt *h;
			struct rjwt_diag diag;
			if (rjwt_open(&(struct rjwt_options){ 0 }, &h, &diag) != RJWT_OK)
				return 1;
			puts(rjwt_algorithms()[0]);
			rjwt_close(h);
			return 0;
		}
	END
	# shellcheck disable=SC2046
	gcc -Wall -Werror -o "$BATS_TEST_TMPDIR/stranger" "$BATS_TEST_TMPDIR/stranger.c" $(pkg-config --cflags --libs rjwt)
	ldconfig
	run -0 "$BATS_TEST_TMPDIR/stranger"
	[ -n "$output" ]
}

@test "install: manual pages for what is installed" {
	for page in rjwt-keyd.8 rjwt-grant.8 rjwt-issue rjwt-verify pam_rjwt.8 rjwt.yaml.5 rjwt.3; do
		[ -n "$(find /usr/share/man -name "$page*")" ] || { echo "no $page"; return 1; }
	done
}

@test "install: no running keyset and no PAM stack is touched" {
	sum() { find /etc/pam.d /var/lib/rjwt -type f -exec sha256sum {} + | sort; }
	before=$(sum)
	make install >/dev/null 2>&1
	[ "$(sum)" = "$before" ]
	run -0 rjwt-keyd status
}

@test "install: an edited rjwt.yaml is kept" {
	echo 'leeway: 7s' >/etc/rjwt/rjwt.yaml
	make install >/dev/null 2>&1
	[ "$(cat /etc/rjwt/rjwt.yaml)" = 'leeway: 7s' ]
}

@test "install: DESTDIR takes everything, and nothing else is written" {
	dest=$BATS_TEST_TMPDIR/dest
	touch "$BATS_TEST_TMPDIR/stamp"
	sleep 0.1
	make install DESTDIR="$dest" >/dev/null 2>&1
	[ -f "$dest$(readlink -f "/lib/$triplet/security")/pam_rjwt.so" ] || [ -f "$dest/lib/$triplet/security/pam_rjwt.so" ]
	[ -x "$dest/usr/sbin/rjwt-keyd" ]
	[ -x "$dest$(command -v rjwt-issue)" ]
	[ -z "$(find /etc /usr /var -xdev -newer "$BATS_TEST_TMPDIR/stamp" -type f 2>/dev/null)" ]
	# what does not come with the programs, manual pages, examples and headers has no place here
	[ -z "$(find "$dest" -type f ! -path "$dest/usr/*" ! -path "$dest/etc/*" ! -path "$dest/lib/*")" ]
	make uninstall DESTDIR="$dest" >/dev/null 2>&1
	run -0 find "$dest" -type f
	[ -z "$output" ]
}

@test "install: a new file takes the module's place, so a running sshd keeps the old one" {
	module=/usr/lib/$triplet/security/pam_rjwt.so
	sum=$(sha256sum <"$module")
	before=$(stat -c %i "$module")
	exec 7<"$module"
	make install >/dev/null 2>&1
	[ "$(stat -c %i "$module")" != "$before" ]
	[ "$(sha256sum <&7)" = "$sum" ]
	exec 7<&-
	[ -z "$(find "${module%/*}" -name '*rjwt*' ! -name pam_rjwt.so)" ]
}

# modes DIR - of each directory and each file below it
modes() { (cd "$1" && find . -printf '%M %p\n' | sort -k 2); }

@test "install: the modes do not depend on the umask" {
	for umask in 022 077 002; do
		(umask "$umask" && make install DESTDIR="$BATS_TEST_TMPDIR/$umask" >/dev/null 2>&1)
		chmod 0755 "$BATS_TEST_TMPDIR/$umask"
		modes "$BATS_TEST_TMPDIR/$umask" >"$BATS_TEST_TMPDIR/$umask.modes"
		[ -z "$(find "$BATS_TEST_TMPDIR/$umask" -type d ! -perm 0755)" ]
		diff "$BATS_TEST_TMPDIR/022.modes" "$BATS_TEST_TMPDIR/$umask.modes"
	done
	grep -q 'drwxr-xr-x ./etc/rjwt$' "$BATS_TEST_TMPDIR/077.modes"
	grep -q 'rw-r--r-- ./etc/rjwt/rjwt.yaml$' "$BATS_TEST_TMPDIR/077.modes"
}

@test "install: a directory that is there keeps its mode" {
	mkdir -p "$BATS_TEST_TMPDIR/dest/etc/rjwt" "$BATS_TEST_TMPDIR/dest/usr"
	chmod 0750 "$BATS_TEST_TMPDIR/dest/etc/rjwt"
	chmod 2775 "$BATS_TEST_TMPDIR/dest/usr"
	make install DESTDIR="$BATS_TEST_TMPDIR/dest" >/dev/null 2>&1
	[ "$(stat -c %a "$BATS_TEST_TMPDIR/dest/etc/rjwt" "$BATS_TEST_TMPDIR/dest/usr")" = "750
2775" ]
}
