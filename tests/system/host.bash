# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the sandbox's machine has in /etc: users, passwords, PAM, sshd and login as Debian has them when it is new.
# Sourced by tests/system/sandbox. Whatever this machine demands of passwords, locks, limits, logs or greets with
# stays outside, or the tests would test that.

# accounts ROOT - the system's users, all of them locked; nobody of this machine's people, and no rule on passwords
accounts()
{
	local etc=$1/etc file
	for file in passwd group; do
		awk -F: '$3 < 1000 || $3 == 65534' "$etc/$file" >"$etc/$file.new"
		cat "$etc/$file.new" >"$etc/$file"
		rm "$etc/$file.new"
	done
	sed -i '/^root:/s#.*#root:x:0:0:root:/root:/bin/bash#' "$etc/passwd"
	sed 's/:.*/:*:19000:0:99999:7:::/' "$etc/passwd" >"$etc/shadow"
	sed 's/:.*/:*::/' "$etc/group" >"$etc/gshadow"
	chmod 0640 "$etc/shadow" "$etc/gshadow"
	rm -f "$etc/default/useradd" "$etc/subuid" "$etc/subgid" "$etc/security/opasswd"
	printf '%s: files\n' passwd group shadow gshadow hosts services protocols networks >"$etc/nsswitch.conf"
	cat >"$etc/login.defs" <<-'END'
		MAIL_DIR /var/mail
		ENV_SUPATH PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
		ENV_PATH PATH=/usr/local/bin:/usr/bin:/bin
		UMASK 022
		PASS_MAX_DAYS 99999
		PASS_MIN_DAYS 0
		UID_MIN 1000
		UID_MAX 60000
		GID_MIN 1000
		GID_MAX 60000
		LOGIN_TIMEOUT 60
		USERGROUPS_ENAB yes
		ENCRYPT_METHOD SHA512
	END
}

# common PHASE LINE - a phase of common-*: LINE decides, as pam-auth-update writes it
common() { printf "$1 %s\n" "$2" 'requisite pam_deny.so' 'required pam_permit.so'; }

# pam ROOT - pam_unix alone, and each service with the lines that it shares with the others
pam()
(
	etc=$1/etc
	rm -rf "$etc/pam.d" "$etc/security" "$1"/var/lib/pam/*
	find "$1/usr/share/pam-configs" -type f ! -name unix -delete
	mkdir "$etc/pam.d" "$etc/security"
	touch "$etc/security/"{access,faillock,group,limits,pam_env,time}.conf
	cd "$etc/pam.d" || exit
	common auth '[success=1 default=ignore] pam_unix.so nullok' >common-auth
	common account '[success=1 new_authtok_reqd=done default=ignore] pam_unix.so' >common-account
	common password '[success=1 default=ignore] pam_unix.so obscure yescrypt' >common-password
	{ common session '[default=1] pam_permit.so' && echo 'session required pam_unix.so'; } >common-session
	cp common-session common-session-noninteractive
	printf '@include common-%s\n' auth account password session >other
	for name in sshd sudo sudo-i login remote passwd chpasswd cron; do cp other $name; done
	for name in su su-l runuser runuser-l; do
		{ echo 'auth sufficient pam_rootok.so' && cat other; } >$name
	done
)

# daemons ROOT - nothing that a login, ssh, sshd or sudo reads is this machine's
daemons()
{
	local etc=$1/etc file
	rm -rf "$etc/profile.d" "$etc/hosts.allow" "$etc/hosts.deny" "$etc/sudo.conf" "$etc/sudoers.d" "$etc/ssh" "$etc/nologin"
	rm -rf "$1/root/".{bashrc,bash_profile,bash_login,profile,ssh,pam_environment}
	mkdir -p "$etc/ssh/sshd_config.d" "$etc/default"
	for file in profile bash.bashrc environment default/locale ssh/ssh_config; do : >"$etc/$file"; done
	cp "$1/usr/share/openssh/sshd_config" "$etc/ssh/sshd_config"
	chroot "$1" ssh-keygen -q -t ed25519 -N '' -f "/etc/ssh/ssh_host_ed25519_key"
	printf 'root ALL=(ALL:ALL) ALL\n' >"$etc/sudoers"
	chmod 0440 "$etc/sudoers"
}

# sudo_program ROOT - what is called sudo: $RJWT_SUDO
sudo_program() { [ "${RJWT_SUDO-sudo}" = sudo ] || ln -sf "/usr/bin/$RJWT_SUDO" "$1/usr/bin/sudo"; }
