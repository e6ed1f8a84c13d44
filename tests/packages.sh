#!/bin/bash
# SPDX-License-Identifier: MIT
# tests/packages.sh GROUP... - the Debian packages that rjwt needs, and nothing else lists.
#
#   build    to build and install
#   test     for make check: unit tests, bats, pamtester, interoperation
#   check    what ./check has beside: another compiler, lint, valgrind, and what makes the root of another Debian
#   bench    what make bench measures with, and beside
#   sandbox  the daemons and tools that tests/system/sandbox offers to what runs in it
#   sudo-rs  another sudo, for RJWT_SUDO=sudo-rs: tests/system/sandbox; from Debian 13 on
#   pkcs11   keys that a token keeps: tests/elsewhere/pkcs11; from Debian 13 on
#   clients  programs of others that log in: tests/system/clients*.bats; a daemon that asks PAM and is not root
#   units    a systemd that can be started, and logind: tests/system/units.bats
#   etcd     a carrier of a fleet: tests/system/fleet_etcd.bats
#   lockers  screen lockers, an X server and what types in it: tests/system/lockers.bats
#   limits   programs whose prompts tests/limits measures; vsftpd, which cannot be installed beside another FTP daemon
#   deb      to build and check Debian packages: make deb, tests/deb/run
#   policy   to compile and compare policies for SELinux and AppArmor: tests/policy/run
#   rpm      to build and check RPM packages on Debian: make rpm, tests/rpm/run
#
# Installs what is missing of the groups, asking nothing; says nothing when nothing is missing.
# With --list first, prints the names; with --missing, those that are not installed.
set -eu

declare -A packages=(
	[build]='build-essential autoconf automake pkgconf
		libpam0g-dev libssl-dev libjson-c-dev libyaml-dev'
	[test]='abigail-tools libcmocka-dev bats pamtester libpam-wrapper mandoc systemd procps util-linux
		openssl jq jose python3 python3-jwt python3-cryptography python3-jwcrypto strace
		zsh fish swtpm swtpm-tools tpm2-tools tpm2-openssl libtss2-tcti-swtpm0
		dbus tpm2-abrmd libtss2-tcti-tabrmd0'
	[check]='clang clang-format shellcheck valgrind debootstrap'
	[sudo-rs]='sudo-rs'
	[pkcs11]='pkcs11-provider softhsm2 openssl'
	[bench]='libjwt0 python3-jwt jose pamtester valgrind strace openssl'
	[sandbox]='openssh-server openssh-client sudo opendoas cron expect login passwd bats pamtester
		python3 procps iproute2 util-linux bsdutils git rsync nginx-light curl'
	[clients]='sshpass ansible-core lftp putty-tools dropbear-bin python3-paramiko postgresql
		dbus polkitd pkexec rclone openvpn vsftpd autossh sshfs'
	[units]='systemd dbus libpam-systemd'
	[etcd]='etcd-server etcd-client'
	[limits]='gcc libpam0g-dev opendoas proftpd-core openvpn sasl2-bin dovecot-imapd vlock xscreensaver i3lock xvfb xdotool
		dbus polkitd pkexec lighttpd lighttpd-mod-authn-pam apache2 libapache2-mod-authnz-pam nginx-light
		libnginx-mod-http-auth-pam cockpit-ws postgresql screen python3-pexpect'
	[lockers]='i3lock vlock xscreensaver xvfb xdotool'
	[vsftpd]='gcc libpam0g-dev vsftpd python3-pexpect'
	[deb]='debhelper dpkg-dev lintian fakeroot systemd strace'
	[rpm]='rpm rpmlint systemd'
	[policy]='selinux-policy-dev selinux-policy-default selinux-utils setools apparmor strace'
)

usage()
{
	echo "usage: tests/packages.sh [--list | --missing] GROUP...; a GROUP is one of: ${!packages[*]}" >&2
	exit 2
}

# missing NAME... - those that dpkg does not have installed.
missing()
{
	comm -13 <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u) \
		<(printf '%s\n' "$@" | sort -u)
}

apt()
{
	${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

mode=install
case ${1-} in
--list | --missing)
	mode=${1#--}
	shift
	;;
esac
[ $# -gt 0 ] || usage

names=()
for group; do
	[ -n "${packages[$group]-}" ] || usage
	read -r -d '' -a more <<<"${packages[$group]}" || true
	names+=("${more[@]}")
done
# systemd.pc, which says where units are: from Debian 13 on in a package of its own
release=$(sed -n 's/^VERSION_ID="\([0-9]*\)"$/\1/p' /etc/os-release)
[ "${release:-13}" -lt 13 ] || names=("${names[@]/%tcti-swtpm0/tcti-swtpm0t64}")    # 64-bit time_t has renamed it
# OpenSSL's FIPS provider, which Debian 12 does not have
[[ " $* " != *' test '* ]] || [ "${release:-13}" -lt 13 ] || names+=(openssl-provider-fips)
[[ " $* " != *' deb '* ]] || [ "${release:-13}" -lt 13 ] || names+=(systemd-dev)
# headers of a C library of 32 bits, for tests/narrow
[[ " $* " != *' check '* ]] || [ "$(dpkg --print-architecture)" != amd64 ] || names+=(libc6-dev-i386)

if [ "$mode" = list ]; then
	printf '%s\n' "${names[@]}"
	exit 0
fi
if ! command -v dpkg-query >/dev/null; then
	echo "packages.sh: this is no Debian: install what matches these by hand: ${names[*]}" >&2
	exit 1
fi
mapfile -t names < <(missing "${names[@]}")
if [ "$mode" = missing ]; then
	[ ${#names[@]} -eq 0 ] || printf '%s\n' "${names[@]}"
	exit 0
fi
[ ${#names[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	as_root=(sudo -n)
	if ! sudo -n true 2>/dev/null; then
		echo "packages.sh: root is needed to install ${names[*]}: run  sudo tests/packages.sh $*" >&2
		exit 1
	fi
fi
echo "packages.sh: installing ${names[*]}"
# The lists may be missing or old: then a second try, with new ones.
apt install --no-install-recommends "${names[@]}" || {
	apt update
	apt install --no-install-recommends "${names[@]}"
}
