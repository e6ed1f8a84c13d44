#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# configure: what is missing is named with Debian's package, and modules go where they are told to.

bats_require_minimum_version 1.5.0

setup()
{
	. "$RJWT_SOURCE/tests/bats/helpers.bash"
	dir=$BATS_TEST_TMPDIR
	need pkg-config
	# in a folder that was never built in, and quick: all but the libraries was found out before
	mkdir "$dir/source" "$dir/build" "$dir/pc"
	ln -s "$RJWT_SOURCE"/{configure,build-aux,Makefile.in,lib} "$dir/source"
	sed -n '/^## Cache variables/,/^## Output variables/s/^[a-z]*_cv_[A-Za-z0-9_]*=.*/&/p' "$RJWT_BUILD/config.log" |
		grep -v -e '^pkg_cv_' -e '^ac_cv_env_' >"$dir/cache"
	for folder in $(pkg-config --variable pc_path pkg-config | tr : ' '); do
		for file in "$folder"/*.pc; do
			if [ -e "$file" ]; then ln -sf "$file" "$dir/pc"; fi
		done
	done
}

# try_configure ARG... - with the libraries of $dir/pc
try_configure()
{
	(cd "$dir/build" && PKG_CONFIG_LIBDIR=$dir/pc "$dir/source/configure" --cache-file="$dir/cache" --disable-dependency-tracking "$@")
}

# chosen NAME - what the Makefile has
chosen() { sed -n "s/^$1 = //p" "$dir/build/Makefile"; }

@test "configure names the package of each library that is missing, or too old" {
	while read -r name package; do
		mv "$dir/pc/$name.pc" "$dir/kept"
		refused 1 "$name" try_configure
		says "was not found: on Debian, apt-get install $package"
		[ ! -e "$dir/build/Makefile" ]
		mv "$dir/kept" "$dir/pc/$name.pc"
	done <<-'E'
		libcrypto libssl-dev
		json-c libjson-c-dev
		yaml-0.1 libyaml-dev
	E
	mv "$dir/pc/libcrypto.pc" "$dir/kept"
	printf '%s\n' 'Name: old' 'Description: old' 'Version: 1.1.1' >"$dir/pc/libcrypto.pc"
	refused 1 'libcrypto >= 3.0 was not found: on Debian, apt-get install libssl-dev' try_configure
	mv "$dir/kept" "$dir/pc/libcrypto.pc"
	try 0 try_configure
	[ -e "$dir/build/Makefile" ]
}

@test "configure names the package of PAM's header, and of its library" {
	cp "$dir/cache" "$dir/kept"
	while read -r variable text; do
		echo "$variable=no" >>"$dir/cache"
		refused 1 "$text was not found: on Debian, apt-get install libpam0g-dev" try_configure
		[ ! -e "$dir/build/Makefile" ]
		cp "$dir/kept" "$dir/cache"
	done <<-'E'
		ac_cv_header_security_pam_modules_h security/pam_modules.h
		ac_cv_lib_pam_pam_syslog libpam
	E
	try 0 try_configure
}

@test "configure --with-pamdir decides where the module goes; below another prefix it is LIBDIR/security" {
	try 0 try_configure --prefix=/usr --with-pamdir=/some/where
	[ "$(chosen pamdir)" = /some/where ]
	says 'module: /some/where'
	try 0 try_configure --prefix=/opt/rjwt
	# shellcheck disable=SC2016    # make's own
	[ "$(chosen pamdir)" = '${libdir}/security' ]
}

@test "configure finds the directory of PAM's modules with clang as with gcc" {
	need gcc clang
	local found=()
	sed '/^ac_cv_prog_\(ac_ct_\)\{0,1\}CC=/d' "$dir/cache" >"$dir/kept"
	for compiler in gcc clang; do
		cp "$dir/kept" "$dir/cache"
		try 0 try_configure --prefix=/usr CC=$compiler
		[ "$(chosen CC)" = $compiler ]
		found+=("$(chosen pamdir)")
	done
	[ "${found[0]}" = "${found[1]}" ]
	[ -e "${found[1]}/pam_unix.so" ]
}

@test "configure leaves out the flags that a compiler does not take, as those for other processors do not, and no others" {
	cat >"$dir/other" <<-'E'
		#!/bin/sh
		case " $* " in *' -fcf-protection '* | *' -Wl,-z,now '* | *' -Wnull-dereference '*) echo 'not supported for this target' >&2 && exit 1 ;; esac
		exec cc "$@"
	E
	chmod +x "$dir/other"
	sed '/^rjwt_cv_[A-Z_]*=\|^ac_cv_prog_\(ac_ct_\)\{0,1\}CC=/d' "$dir/cache" >"$dir/kept"
	refused 1 'not supported' "$dir/other" -Wl,-z,now
	for compiler in cc "$dir/other"; do
		cp "$dir/kept" "$dir/cache"
		try 0 try_configure CC="$compiler" CFLAGS='-g -O2' LDFLAGS=-Wl,-O1
		all=" $(chosen CFLAGS) $(chosen LDFLAGS) "
		[ "$all" = ' -g -O2 -Wl,-O1 ' ]
		for flag in -fstack-protector-strong -fvisibility=hidden -fcf-protection -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -fPIE -Wl,-z,defs \
			-Wall -Wnull-dereference -Wconversion; do
			count=0
			if "$compiler" -Werror "$flag" -x c -o /dev/null - <<<'int main(void) { return 0; }' 2>/dev/null; then count=1; fi
			has=$(printf ' %s' "$(chosen WARN_CFLAGS)" "$(chosen HARDEN_CFLAGS)" "$(chosen HARDEN_LDFLAGS)" "$(chosen PIE_CFLAGS)" "$(chosen HARDEN_DEFS)" |
				tr ' ' '\n' | grep -cx -e "$flag" || :)
			[ "$has" -eq $count ] || {
				echo "$compiler: $flag: $has"
				return 1
			}
		done
	done
}

@test "configure leaves _FORTIFY_SOURCE as a distribution's flags have it" {
	cp "$dir/cache" "$dir/kept"
	try 0 try_configure
	[ "$(chosen FORTIFY)" = '-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3' ]
	for flags in CPPFLAGS='-Wdate-time -D_FORTIFY_SOURCE=2' CFLAGS='-g -O2 -Wp,-D_FORTIFY_SOURCE=2'; do
		cp "$dir/kept" "$dir/cache"
		try 0 try_configure "$flags"
		[ -z "$(chosen FORTIFY)" ]
	done
}

@test "configure takes a time_t of 64 bits where the C library has one, and says where it has none" {
	while IFS='|' read -r found defined said; do
		echo "rjwt_cv_time_64='$found'" >>"$dir/cache"
		try 0 try_configure
		[ "$(grep -c -- -D_TIME_BITS=64 "$dir/build/Makefile")" -eq "$defined" ]
		if [ -n "$said" ]; then [[ $stderr == *"$said"* ]]; else [[ $stderr != *'time_t has 32 bits'* ]]; fi
	done <<-'E'
		_TIME_BITS|1|
		nothing is needed|0|
		none|0|time_t has 32 bits here: rjwt stops working in January 2038
	E
}
