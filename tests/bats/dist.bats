#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# make dist: the same bytes from one commit, wherever and whenever; and all that is in the tree. Too long for make check:
# a stage of ./check runs it. RJWT_TREE is a clone of the repository, for the build is one of a copy.

bats_require_minimum_version 1.5.0

# pack NAME UMASK - clone the tree's commit, and make dist there
pack()
{
	umask "$2"
	git clone -q "$tree" "$dir/$1"
	cd "$dir/$1"
	./autogen.sh >/dev/null 2>&1
	./configure -q --prefix=/usr --sysconfdir=/etc --localstatedir=/var
	make -s dist 2>"$dir/$1.err"
	! grep 'tar:' "$dir/$1.err" || return 1
}

setup_file()
{
	tree=${RJWT_TREE:-$RJWT_SOURCE}
	command -v git >/dev/null || skip 'git is not installed'
	git -C "$tree" rev-parse HEAD >/dev/null 2>&1 || skip 'not a clone of the repository: set RJWT_TREE'
	export dir=$BATS_FILE_TMPDIR
	(pack first 022)
	(pack second 027)
}

setup()
{
	dir=$BATS_FILE_TMPDIR
	tarball=$(echo "$dir"/first/rjwt-*.tar.xz)
	cd "$dir/first"
}

@test "make dist: two clones of one commit pack the same bytes" {
	cmp "$tarball" "$dir"/second/rjwt-*.tar.xz
	[ "$(tar -tvf "$tarball" | awk '{ print $2, $4, $5 }' | sort -u | wc -l)" -eq 1 ]
	[[ $(tar -tvf "$tarball") == *' 0/0 '* ]]
}

@test "make dist: what is unpacked packs the same bytes again" {
	mkdir "$dir/again"
	tar -xf "$tarball" -C "$dir/again"
	cd "$dir/again"/rjwt-*
	./configure -q --prefix=/usr --sysconfdir=/etc --localstatedir=/var
	make -s dist
	cmp "$tarball" rjwt-*.tar.xz
}

@test "make dist: the tarball is the commit, and holds what README tells people to run" {
	run -0 tests/dist-verify "$tarball"
	[[ ${lines[-1]} == *' files are those of '* ]]
	for file in quickstart check autogen.sh configure tests/system/run tests/packages.sh; do
		run -0 tar -tf "$tarball" --wildcards "rjwt-*/$file"
	done
	mkdir "$dir/run"
	tar -xf "$tarball" -C "$dir/run"
	for file in quickstart check autogen.sh configure tests/system/run tests/dist-verify; do
		[ -x "$dir"/run/rjwt-*/"$file" ]
	done
}

# with CHANGE... - a tarball of the same content, in which that was done
with()
{
	rm -rf "$dir/changed"
	mkdir "$dir/changed"
	tar -xf "$tarball" -C "$dir/changed"
	(cd "$dir/changed"/rjwt-* && "$@")
	tar -I "xz -0" -cf "$dir/changed.tar.xz" -C "$dir/changed" "$(ls "$dir/changed")"
}

@test "dist-verify notices what is changed, missing or more than the commit" {
	with true
	run -0 tests/dist-verify "$dir/changed.tar.xz"
	with sh -c 'echo >>lib/base/err.c'
	run -1 tests/dist-verify "$dir/changed.tar.xz"
	[[ $output == *'lib/base/err.c: differs from the commit'* ]]
	with rm tests/vectors/keyset-1/state/spent/1/*
	run -1 tests/dist-verify "$dir/changed.tar.xz"
	[[ $output == *': missing in the tarball'* ]]
	with touch lib/more.c
	run -1 tests/dist-verify "$dir/changed.tar.xz"
	[[ $output == *'lib/more.c: is in the tarball, and not in the commit'* ]]
	with chmod -x quickstart
	run -1 tests/dist-verify "$dir/changed.tar.xz"
	[[ $output == *'quickstart: executable in one of the two only'* ]]
	with ln -sf err.h lib/base/err.c
	run -1 tests/dist-verify "$dir/changed.tar.xz"
	run -2 tests/dist-verify
	run -2 tests/dist-verify "$dir/none.tar.xz"
	run -2 tests/dist-verify "$tarball" none
}
