#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The built packages: what is in which, lintian, the same bytes from another directory, the units, debian/tests.

bats_require_minimum_version 1.5.0

setup()
{
	. tests/system/helpers.bash
	debs=${debs:?tests/deb/run sets it}
	units_in=$(pkg-config --variable=systemdsystemunitdir systemd)    # on Debian 12 /lib/systemd/system, later /usr/lib/...
}

deb() { echo "$debs/$1"_[0-9]*.deb; }
files_of() { dpkg-deb -c "$(deb "$1")" | awk '$1 ~ /^[-l]/ { print $6 }' | sed 's/^\.//' | sort; }

@test "deb: programs, module, library and headers are in their packages" {
	for file in /usr/bin/rjwt-askpass /usr/bin/rjwt-grant /usr/bin/rjwt-issue /usr/bin/rjwt-verify /usr/sbin/rjwt-keyd /etc/rjwt/rjwt.yaml /etc/cron.d/rjwt \
		"$units_in"/rjwt-keyd{,-init,-once}.service "$units_in/rjwt-keyd.timer" \
		/usr/share/man/man{1/rjwt-askpass.1,1/rjwt-issue.1,1/rjwt-verify.1,5/rjwt.yaml.5,7/rjwt.7,7/rjwt-operations.7,8/rjwt-grant.8,8/rjwt-keyd.8}.gz \
		/usr/share/bash-completion/completions/rjwt-{grant,issue,keyd,verify} /usr/share/zsh/vendor-completions/_rjwt-{grant,issue,keyd,verify} \
		/usr/share/fish/vendor_completions.d/rjwt-{grant,issue,keyd,verify}.fish /usr/share/doc/rjwt/examples/pam.d/sshd \
		/usr/share/doc/rjwt/README.Debian /usr/share/doc/rjwt/NEWS.Debian.gz; do
		grep -qFx "$file" <(files_of rjwt) || { echo "not in rjwt: $file"; return 1; }
	done
	[ "$(files_of libpam-rjwt | grep -v /usr/share/doc/ | sed 's#/lib/[^/]*/security#/lib/TRIPLET/security#')" = \
"$units_in/polkit-agent-helper@.service.d/rjwt.conf
/usr/lib/TRIPLET/security/pam_rjwt.so
/usr/share/man/man8/pam_rjwt.8.gz
/usr/share/pam-configs/rjwt" ]
	[ "$(dpkg-deb -f "$(deb libpam-rjwt)" Depends | grep -c 'librjwt')" -eq 0 ]
	grep -q '/librjwt\.so\.1$' <(files_of librjwt1)
	grep -q '^/usr/include/rjwt.h$' <(files_of librjwt-dev)
	# private keys, marks and the keyset are no package's
	for name in rjwt libpam-rjwt librjwt1 librjwt-dev; do
		[ -z "$(dpkg-deb -c "$(deb $name)" | grep /var/)" ]
		[ -z "$(dpkg-deb --ctrl-tarfile "$(deb $name)" | tar -t | grep -E 'config|templates')" ]
	done
}

@test "deb: lintian has no error, no warning and nothing pedantic that is not explained" {
	changes=$(find "$debs" -maxdepth 1 -name '*.changes')
	[ -n "$changes" ] || skip 'packages without a build'
	run -0 lintian --allow-root --pedantic -I "$changes"
	# I: cron does where systemd does not run what an init script would. I: lintian does not know that a page of section 8
	# may be about a module. I: POSIX has ulimit -f. P and I: the project has no page of its own. I: Debian 12 has no later
	# Standards-Version.
	[ -z "$(grep -E '^[EWIP]: ' <<<"$output" | grep -v -e 'package-supports-alternative-init-but-no-init.d-script' \
		-e 'libpam-rjwt: spare-manual-page' -e "bash-term-in-posix-shell 'ulimit' .usr/libexec/rjwt/rjwt-fetch:" \
		-e "bash-term-in-posix-shell 'ulimit' .usr/libexec/rjwt/rjwt-etcd-watch:" -e 'no-homepage-field' \
		-e 'out-of-date-standards-version 4.6.2' -e 'upstream-metadata-missing-')" ]
}

@test "deb: another directory builds the same bytes" {
	[ -d "$debs/second" ] || skip 'packages without a second build'
	for name in rjwt libpam-rjwt librjwt1 librjwt-dev; do
		cmp "$(deb $name)" "$debs/second/$(basename "$(deb $name)")"
	done
}

@test "deb: a build runs make check, and DEB_BUILD_OPTIONS=nocheck leaves it out" {
	run -0 env DEB_BUILD_OPTIONS= dh build --no-act
	[[ $output == *dh_auto_test* ]]
	[ -z "$(grep -n 'dh_auto_test' debian/rules)" ]
}

@test "deb: the module in the package is hardened, and needs no library of ours" {
	dpkg-deb -x "$(deb libpam-rjwt)" "$BATS_TEST_TMPDIR/x"
	module=$(find "$BATS_TEST_TMPDIR/x" -name pam_rjwt.so)
	run -0 readelf -d "$module"
	[[ $output == *BIND_NOW* ]]
	[[ $output != *librjwt* ]]
	[[ $output != *R*PATH* ]]
}

@test "deb: what is installed runs the units as systemd understands them, and with little exposure" {
	apt-get -q -y install "$(deb rjwt)" "$(deb libpam-rjwt)" </dev/null >/dev/null 2>&1 3>&-
	units=("$units_in"/rjwt-keyd{.service,-init.service,-once.service,.timer})
	run -0 systemd-analyze verify --man=no --recursive-errors=one "${units[@]}"
	[ -z "$output" ]
	for unit in "${units[@]:0:3}"; do
		run -0 systemd-analyze security --offline=true --threshold=15 "$unit"
	done
	run -0 systemd-analyze verify --man=no --recursive-errors=one "$units_in"/rjwt-f*.{service,timer}
	[ -z "$output" ]
	[ "$(stat -c %U:%a /var/spool/rjwt)" = rjwt-fetch:755 ]
	[ -x /usr/libexec/rjwt/rjwt-fetch ]
	[ ! -e /etc/systemd/system/timers.target.wants/rjwt-follow.timer ]
	# enabled at installation: the service and the first keyset, and not the timer, which conflicts with the service
	[ -L /etc/systemd/system/multi-user.target.wants/rjwt-keyd.service ]
	[ -L /etc/systemd/system/multi-user.target.wants/rjwt-keyd-init.service ]
	[ ! -e /etc/systemd/system/timers.target.wants/rjwt-keyd.timer ]
	grep -q '^Conflicts=rjwt-keyd.timer$' "$units_in/rjwt-keyd.service"
	# the first keyset is made where there is none; the others do nothing until there is one
	[ "$(grep -h ^ConditionPathExists= "${units[@]:0:3}" | sort -u | tr '\n' ' ')" = \
		'ConditionPathExists=!/var/lib/rjwt/keyset.json ConditionPathExists=/var/lib/rjwt/keyset.json ' ]
	# where systemd runs, cron does nothing
	mkdir -p /run/systemd/system
	echo exit 3 >"$BATS_TEST_TMPDIR/rjwt-keyd"
	chmod +x "$BATS_TEST_TMPDIR/rjwt-keyd"
	command=$(sed -n 's/^\*\/10 [* ]* root //p' /etc/cron.d/rjwt)
	mkdir -p /var/lib/rjwt
	run -0 env PATH="$BATS_TEST_TMPDIR:$PATH" sh -c "$command"
	rmdir /run/systemd/system
	run -1 env PATH="$BATS_TEST_TMPDIR:$PATH" sh -c "$command"
	rmdir /var/lib/rjwt
}

@test "deb: debian/tests logs in with the installed package" {
	# as Debian has it, where the other tests have a policy of their own
	mkdir -p /etc/sudoers.d
	echo '@includedir /etc/sudoers.d' >>/etc/sudoers
	run debian/tests/login
	write_sudoers
	echo "$output"
	[ "$status" -eq 0 ]
	[[ ${lines[-1]} == *PASS:* ]]
	apt-get -q -y purge rjwt libpam-rjwt </dev/null >/dev/null 2>&1 3>&-
	[ ! -e /var/lib/rjwt ]
}
