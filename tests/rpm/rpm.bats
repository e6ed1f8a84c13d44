#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The RPM packages: what is in which, rpmlint, the same contents from another directory; then one history of a machine:
# installed, logged in with, installed again, kept where it is needed, removed. tests/rpm/run builds them.

bats_require_minimum_version 1.5.0

setup()
{
	. tests/system/helpers.bash
	rpms=${rpms:?tests/rpm/run sets it}
	module=/usr/lib64/security/pam_rjwt.so
	units_in=/usr/lib/systemd/system
}

rpm_of() { echo "$rpms"/RPMS/*/"$1"-[0-9]*.rpm; }
# without rpm's own links by build id
files_of() { rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$(rpm_of "$1")" | awk '!/^d/ && $2 !~ /\/\.build-id\// { print $2 }' | sort; }
all_files() { for name in rjwt pam_rjwt rjwt-libs rjwt-devel; do files_of $name; done; }
# Debian's rpm does not touch a Debian unless it is told to, and knows none of its packages.
installs() { rpm --force-debian --nodeps "$@" 3>&-; }

# stack CONTROL - sshd takes a token by the package's module, by CONTROL, or the password
stack()
{
	printf '%s\n' "auth $1 $module [prompt=Token or password: ]" 'auth required pam_unix.so nodelay try_first_pass' \
		"account $account_control $module" 'account required pam_permit.so' \
		"session optional $module" 'session required pam_permit.so' >/etc/pam.d/sshd
}

@test "rpm: four packages have what make install installs, each file once, and what is a package's alone" {
	all_files | sed 's/\.gz$//' | sort >"$BATS_TEST_TMPDIR/packed"
	[ -z "$(uniq -d "$BATS_TEST_TMPDIR/packed")" ]
	(cd /tmp/installed && find . ! -type d | sed 's/^\.//' | sort) >"$BATS_TEST_TMPDIR/installed"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/installed")" -gt 50 ]
	diff <(comm -23 "$BATS_TEST_TMPDIR/installed" "$BATS_TEST_TMPDIR/packed") /dev/null
	diff <(comm -13 "$BATS_TEST_TMPDIR/installed" "$BATS_TEST_TMPDIR/packed") - <<-END
		/usr/lib/systemd/system-preset/80-rjwt.preset
		/usr/share/doc/rjwt/KNOWN_RISKS.md
		/usr/share/doc/rjwt/LICENSE
		/usr/share/doc/rjwt/NEWS.md
		/usr/share/doc/rjwt/README.md
		/usr/share/doc/rjwt/SECURITY.md
		/usr/share/doc/rjwt/attacks.md
	END
}

@test "rpm: module, library and headers are in their packages, no state is in any, and the version is configure's" {
	diff <(files_of pam_rjwt | sed 's/\.gz$//') - <<-END
		$units_in/polkit-agent-helper@.service.d/rjwt.conf
		$module
		/usr/share/man/man8/pam_rjwt.8
	END
	diff <(files_of rjwt-libs) <(printf '/usr/lib64/librjwt.so.%s\n' 1 1.0.0)
	grep -q '^/usr/include/rjwt.h$' <(files_of rjwt-devel)
	[ -z "$(all_files | grep /var/)" ]
	[ -z "$(rpm -qp --requires "$(rpm_of pam_rjwt)" | grep librjwt)" ]
	[ "$(rpm -qp --qf '%{VERSION}' "$(rpm_of rjwt)")" = "$(sed -n 's/^AC_INIT(\[rjwt\], \[\(.*\)\])/\1/p' configure.ac)" ]
	[ "$(rpm -qp --configfiles "$(rpm_of rjwt)")" = /etc/rjwt/rjwt.yaml ]
	[ "$(rpm -qp --licensefiles "$(rpm_of rjwt)")" = /usr/share/doc/rjwt/LICENSE ]
	# a build runs make check
	[ "$(rpmspec -P rpm/rjwt.spec | sed -n '/^%check/{n;p}')" = 'make check' ]
}

@test "rpm: rpmlint has no error that is not explained" {
	run rpmlint --ignore-unused-rpmlintrc -r rpm/rjwt.rpmlintrc "$rpms"/RPMS/*/*.rpm "$rpms"/SRPMS/*.rpm rpm/rjwt.spec
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *' 5 packages and 1 specfiles checked; 0 errors'* ]]
}

# contents RPM - the sum of what it installs: names, modes, times and bytes; and when and where it was built
contents() { rpm -qp --qf '%{PAYLOADDIGEST} %{BUILDTIME} %{BUILDHOST}\n' "$1"; }

@test "rpm: another directory builds packages with the same contents" {
	[ -n "$second" ] || skip 'one build: make check-rpm makes two'
	for name in rjwt pam_rjwt rjwt-libs rjwt-devel; do
		# the header also names the source package, which is not the same
		[ "$(contents "$(rpm_of $name)")" = "$(contents "$second/RPMS/$(uname -m)/$(basename "$(rpm_of $name)")")" ]
	done
}

@test "rpm: installed: the units are enabled as the preset says, the spool has its user, and there is no keyset" {
	run -0 installs -i "$(rpm_of rjwt)" "$(rpm_of pam_rjwt)" "$(rpm_of rjwt-libs)"
	[ -z "$output" ]
	[ -z "$(rpm -V --nodeps rjwt pam_rjwt rjwt-libs)" ]
	[ "$(stat -c %U:%G:%a /var/spool/rjwt)" = rjwt-fetch:rjwt-fetch:755 ]
	[ "$(getent passwd rjwt-fetch | cut -d : -f 6,7)" = /nonexistent:/usr/sbin/nologin ]
	wants=/etc/systemd/system/multi-user.target.wants
	[ -L $wants/rjwt-keyd.service ]
	[ -L $wants/rjwt-keyd-init.service ]
	[ ! -e /etc/systemd/system/timers.target.wants/rjwt-keyd.timer ]
	[ ! -e /etc/systemd/system/timers.target.wants/rjwt-follow.timer ]
	run -0 systemd-analyze verify --man=no --recursive-errors=one $units_in/rjwt-*.{service,timer}
	[ -z "$output" ]
	[ ! -e /var/lib/rjwt ]
}

@test "rpm: a token logs in through sshd, once, and the password does as before" {
	rjwt-keyd init
	stack sufficient
	token=$(mint alice)
	[ "$(ssh_kbd alice "$token" 'id -un')" = alice ]
	run ! ssh_kbd alice "$token" 'id -un'
	[ "$(ssh_kbd alice "$alice_password" 'id -un')" = alice ]
}

@test "rpm: installed again, it keeps the configuration and the keyset, and asks no stack" {
	echo 'leeway: 31s' >/etc/rjwt/rjwt.yaml
	cp /var/lib/rjwt/keyset.json "$BATS_TEST_TMPDIR/keyset"
	stack required
	run -0 installs -U --replacepkgs "$(rpm_of rjwt)" "$(rpm_of pam_rjwt)"
	[ -z "$(grep locked <<<"$output")" ]
	[ "$(cat /etc/rjwt/rjwt.yaml)" = 'leeway: 31s' ]
	cmp /var/lib/rjwt/keyset.json "$BATS_TEST_TMPDIR/keyset"
	[ -L /etc/systemd/system/multi-user.target.wants/rjwt-keyd.service ]
	[ "$(ssh_kbd alice "$(mint alice)" 'id -un')" = '' ]    # both are required now
	stack sufficient
	[ "$(ssh_kbd alice "$(mint alice)" 'id -un')" = alice ]
}

@test "rpm: the module is not removed while a stack lets nobody in without it, and says which line" {
	stack required
	run ! installs -e pam_rjwt
	[[ $output == *"pam_rjwt: /etc/pam.d/sshd:1: \"required $module\": without the module"* ]]
	[[ $output == *'nobody can log in by ssh; remove the line first'* ]]
	[ -e $module ]
	stack sufficient
	run -0 installs -e pam_rjwt
	[ ! -e $module ]
	[ "$(ssh_kbd alice "$alice_password" 'id -un')" = alice ]
}

@test "rpm: removed: nothing is left but the keyset, the changed configuration and the user of the spool" {
	run -0 installs -e rjwt rjwt-libs
	[ -e /var/lib/rjwt/keyset.json ]
	[ "$(cat /etc/rjwt/rjwt.yaml.rpmsave)" = 'leeway: 31s' ]
	getent passwd rjwt-fetch
	[ ! -e /etc/systemd/system/multi-user.target.wants/rjwt-keyd.service ]
	[ ! -e /var/spool/rjwt ]
	(cd /tmp/installed && find . ! -type d ! -name rjwt.yaml) | while read -r file; do
		if [ -e "/$file" ]; then echo "left: $file"; fi
	done >"$BATS_TEST_TMPDIR/left"
	diff "$BATS_TEST_TMPDIR/left" /dev/null
}
