#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Tokens that are bound to an ssh key (--bind-key) or to addresses (--from), with a real sshd and a real ssh.

bats_require_minimum_version 1.5.0

key_and_token='AuthenticationMethods publickey,keyboard-interactive'

setup()
{
	. tests/system/helpers.bash
	fresh_keyset
	pam_service sshd token
	make_keys ed25519 ecdsa rsa ed25519-sk ecdsa-sk
	log_mark
}

teardown()
{
	stop_sshd
	rm -rf /home/alice/.ssh /home/alice/.pam_environment
	no_token_logged
}

# make_keys TYPE... - $work/bind_TYPE, once, and a second one of ed25519; alice may use all of them. What ends with -sk is of
# a security key, for which a provider stands in.
make_keys()
{
	local type
	[ -e $work/software_sk.so ] || gcc -shared -fPIC -o $work/software_sk.so "$here/software_sk.c" -lcrypto
	for type in "$@" other; do
		[ -e "$work/bind_$type" ] || ssh-keygen -q -t "${type/other/ed25519}" -w $work/software_sk.so -N '' -C "$type" \
			-f "$work/bind_$type"
	done
	install -d -m 0700 -o alice -g alice /home/alice/.ssh
	cat "$work"/bind_*.pub >/home/alice/.ssh/authorized_keys
	chmod 0644 /home/alice/.ssh/authorized_keys
}

# with_key NAME TOKEN [SSH-OPTION...] COMMAND - the key, and then the token
with_key()
{
	local key=$work/bind_$1
	ssh_by publickey,keyboard-interactive alice "$2" -o IdentitiesOnly=yes -o IdentityAgent=none \
		-o SecurityKeyProvider=$work/software_sk.so -i "$key" "${@:3}"
}

@test "bind: with the right key the token is good, with another one it is refused, and is good afterwards" {
	start_sshd "$key_and_token"
	token=$(mint --bind-key "$work/bind_ed25519.pub" alice)
	[ "$(claim cnf "$token")" = "{'kid': '$(ssh-keygen -l -f "$work/bind_ed25519.pub" | cut -d ' ' -f 2)'}" ]
	run -255 with_key other "$token"$'\n' 'id -un'
	asked '(alice@127.0.0.1) Token: ' '(alice@127.0.0.1) Token needs its ssh key. Token: '
	run -0 with_key ed25519 "$token" 'id -un'
	[ "$output" = alice ]
	decisions 'rejected reason=binding .*user=alice' 'rejected reason=empty' 'accepted user=alice'
}

@test "bind: each type of key, and none in the place of another" {
	start_sshd "$key_and_token"
	for type in ed25519 ecdsa rsa ed25519-sk ecdsa-sk; do
		for used in ed25519 ecdsa rsa ed25519-sk ecdsa-sk; do
			token=$(mint --bind-key "$work/bind_$type.pub" alice)
			expected=255
			[ $type != $used ] || expected=0
			run -$expected with_key $used "$token"$'\n' 'id -un'
		done
	done
}

@test "bind: a certificate over the key is as good as the key, both ways; one over another key is not" {
	[ -e $work/ca ] || ssh-keygen -q -t ed25519 -N '' -f $work/ca
	for name in ed25519 other rsa; do
		cp "$work/bind_$name" "$work/cert_$name"
		cp "$work/bind_$name.pub" "$work/cert_$name.pub"
		ssh-keygen -q -s $work/ca -I "$name" -n alice "$work/cert_$name.pub"
	done
	start_sshd "$key_and_token" "TrustedUserCAKeys $work/ca.pub"
	rm /home/alice/.ssh/authorized_keys
	for name in ed25519 rsa; do
		run -0 with_key $name "$(mint --bind-key "$work/bind_$name.pub" alice)" \
			-o CertificateFile="$work/cert_$name-cert.pub" 'id -un'
	done
	token=$(mint --bind-key "$work/bind_ed25519.pub" alice)
	run -255 with_key other "$token"$'\n' -o CertificateFile="$work/cert_other-cert.pub" 'id -un'
	log_since 'rejected reason=binding'
	make_keys
	run -0 with_key ed25519 "$(mint --bind-key "$work/cert_ed25519-cert.pub" alice)" 'id -un'
}

@test "bind: with two keys one after the other, a token for either of them is good" {
	start_sshd 'AuthenticationMethods publickey,publickey,keyboard-interactive'
	for name in ed25519 other; do
		token=$(mint --bind-key "$work/bind_$name.pub" alice)
		run -0 with_key rsa "$token" -i "$work/bind_$name" 'id -un'
		token=$(mint --bind-key "$work/bind_$name.pub" alice)
		run -0 with_key $name "$token" -i "$work/bind_rsa" 'id -un'
		token=$(mint --bind-key "$work/bind_ecdsa.pub" alice)
		run -255 with_key $name "$token"$'\n' -i "$work/bind_rsa" 'id -un'
	done
}

@test "bind: without a key nothing is good enough: the prompt alone, the password method, the key afterwards; the token is still good" {
	start_sshd
	token=$(mint --bind-key "$work/bind_ed25519.pub" alice)
	run -255 ssh_kbd alice "$token"$'\n' true
	run -255 ssh_password alice "$token" true
	run -255 ssh_kbd alice "$token"$'\n' -i "$work/bind_ed25519" true
	stop_sshd
	start_sshd 'AuthenticationMethods keyboard-interactive,publickey'
	run -255 with_key ed25519 "$token"$'\n' true
	stop_sshd
	start_sshd 'AuthenticationMethods publickey,password'
	run -255 ssh_by publickey,password alice "$token" -o IdentitiesOnly=yes -i "$work/bind_rsa" true
	case $(ssh -V 2>&1) in
	OpenSSH_[0-9].[0-7]p*) expected=255 ;;    # which does not tell PAM of the key
	*) expected=0 ;;
	esac
	run -$expected ssh_by publickey,password alice "$token" -o IdentitiesOnly=yes -i "$work/bind_ed25519" true
	[ $expected != 0 ] || token=$(mint --bind-key "$work/bind_ed25519.pub" alice)
	stop_sshd
	start_sshd "$key_and_token"
	log_mark
	run -0 with_key ed25519 "$token" 'id -un'
	decisions 'accepted user=alice'
}

@test "bind: a token that is not bound is good with any key, and without one" {
	start_sshd "$key_and_token"
	run -0 with_key rsa "$(mint alice)" 'id -un'
	stop_sshd
	start_sshd
	run -0 ssh_kbd alice "$(mint alice)" 'id -un'
}

@test "bind: neither sudo nor su knows the key, and their tokens cannot be bound" {
	run -1 rjwt-issue -s sudo --bind-key "$work/bind_ed25519.pub" alice
	run -1 rjwt-issue -s sudo --from 127.0.0.0/8 alice
	run -1 rjwt-issue -s ssh -s su --from 127.0.0.0/8 alice
	[[ $output == *'scope: '* ]]
}

@test "bind: rjwt-issue warns where this host's sshd asks for no key before the token" {
	mkdir -p /etc/ssh/sshd_config.d
	kbd='KbdInteractiveAuthentication yes'
	echo "$kbd" >/etc/ssh/sshd_config.d/10-bind.conf
	run -0 --separate-stderr rjwt-issue --bind-key "$work/bind_ed25519.pub" alice
	# shellcheck disable=SC2154    # run sets it
	[[ $stderr == *'warning: '*'AuthenticationMethods publickey,keyboard-interactive'* ]]
	for methods in keyboard-interactive keyboard-interactive,publickey publickey publickey,password \
		'publickey,keyboard-interactive password' 'publickey keyboard-interactive'; do
		printf '%s\n' "$kbd" "AuthenticationMethods $methods" >/etc/ssh/sshd_config.d/10-bind.conf
		run -0 --separate-stderr rjwt-issue --bind-key "$work/bind_ed25519.pub" alice
		case $methods in
		'publickey,keyboard-interactive password') [[ $stderr != *warning:*AuthenticationMethods* ]] ;;
		*) [[ $stderr == *warning:*AuthenticationMethods* ]] ;;
		esac
	done
	long=$(printf 'publickey,publickey,publickey,publickey %.0s' {1..8})    # 320 bytes
	for methods in publickey,keyboard-interactive publickey,keyboard-interactive:pam "${long}publickey,keyboard-interactive"; do
		printf '%s\n' "$kbd" "AuthenticationMethods $methods" >/etc/ssh/sshd_config.d/10-bind.conf
		run -0 --separate-stderr rjwt-issue --bind-key "$work/bind_ed25519.pub" alice
		[[ $stderr != *warning:*AuthenticationMethods* ]]
	done
	rm /etc/ssh/sshd_config.d/10-bind.conf
	run -0 --separate-stderr rjwt-issue --from 127.0.0.0/8 alice
	[[ $stderr != *warning:* ]]
	run -0 --separate-stderr rjwt-issue -a elsewhere --bind-key "$work/bind_ed25519.pub" alice
	[[ $stderr != *AuthenticationMethods* ]]
}

# --- addresses ----------------------------------------------------------------------------------

# more_addresses - this host has two more of each family
more_addresses()
{
	ip address add 192.0.2.7/32 dev lo 2>/dev/null || true
	ip address add 192.0.2.8/32 dev lo 2>/dev/null || true
	ip address add 2001:db8::7/128 dev lo nodad 2>/dev/null || true
	ip address add 2001:db8::8/128 dev lo nodad 2>/dev/null || true
}

# from ADDRESS TOKEN [SSH-OPTION...] COMMAND
from()
{
	local name=127.0.0.1
	case $1 in *:*) name=::1 ;; esac
	ssh_kbd alice "$2"$'\n' -o HostName=$name -b "$1" "${@:3}"
}

@test "from: the addresses at both ends of a range, and those beside it" {
	more_addresses
	start_sshd
	run -0 from 192.0.2.7 "$(mint --from 192.0.2.7 alice)" true
	run -255 from 192.0.2.8 "$(mint --from 192.0.2.7 alice)" true
	asked '(alice@127.0.0.1) Token: ' '(alice@127.0.0.1) Token is for another network. Token: '
	run -0 from 192.0.2.8 "$(mint --from 192.0.2.8/29 alice)" true
	run -255 from 192.0.2.7 "$(mint --from 192.0.2.8/29 alice)" true
	run -0 from 192.0.2.7 "$(mint --from 10.0.0.0/8 --from 192.0.2.0/29 alice)" true
	run -255 from 127.0.0.1 "$(mint --from 192.0.2.0/24 alice)" true
	run -0 from 127.0.0.1 "$(mint --from 0.0.0.0/0 alice)" true
	run -255 from 127.0.0.1 "$(mint --from ::/0 alice)" true
}

@test "from: the password method knows the address too" {
	more_addresses
	start_sshd
	run -0 ssh_password alice "$(mint --from 192.0.2.7 alice)" -b 192.0.2.7 true
	run -255 ssh_password alice "$(mint --from 192.0.2.7 alice)" -b 192.0.2.8 true
}

@test "from: IPv6" {
	more_addresses
	start_sshd
	run -0 from 2001:db8::7 "$(mint --from 2001:DB8::/32 alice)" true
	run -0 from 2001:db8::7 "$(mint --from 2001:db8::7 alice)" true
	run -255 from 2001:db8::8 "$(mint --from 2001:db8::7 alice)" true
	run -255 from ::1 "$(mint --from 2001:db8::/32 alice)" true
	run -255 from ::1 "$(mint --from 0.0.0.0/0 alice)" true
	run -0 from ::1 "$(mint --from ::/0 alice)" true
}

@test "from: an IPv4 address that sshd sees by a socket of IPv6 is IPv4" {
	more_addresses
	start_sshd
	stop_sshd
	/usr/bin/python3 - "$port" "$work/sshd_config" <<-'END' 3>&- &
		import socket, subprocess, sys
		listener = socket.create_server(("::", int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True)
		while True:
		    peer = listener.accept()[0]
		    subprocess.Popen(["/usr/sbin/sshd", "-i", "-f", sys.argv[2]], stdin=peer, stdout=peer, stderr=subprocess.DEVNULL)
		    peer.close()
	END
	echo $! >$work/sshd.pid
	await bash -c "exec 9<>/dev/tcp/127.0.0.1/$port"
	run -0 from 192.0.2.7 "$(mint --from 192.0.2.0/24 alice)" true
	run -255 from 192.0.2.7 "$(mint --from ::/0 alice)" true
	run -255 from 192.0.2.8 "$(mint --from 192.0.2.7 alice)" true
}

@test "from: with UseDNS yes PAM is told a name, and the address decides all the same" {
	more_addresses
	cp /etc/hosts $work/hosts
	echo '192.0.2.7 client.example' >>/etc/hosts
	start_sshd 'UseDNS yes'
	run -0 from 192.0.2.7 "$(mint --from 192.0.2.0/24 alice)" true
	run -255 from 192.0.2.7 "$(mint --from 198.51.100.0/24 alice)" true
	cp $work/hosts /etc/hosts
	decisions 'accepted user=alice service=sshd rhost=client\.example ' 'rejected reason=source .*rhost=client\.example ' \
		'rejected reason=empty'
}

@test "from: behind ProxyJump the address is that of the jump host" {
	more_addresses
	start_sshd
	cat >$work/jump.conf <<-END
		Host jump
			HostName 127.0.0.1
			Port $port
			User alice
			BindAddress 192.0.2.7
			UserKnownHostsFile /dev/null
			StrictHostKeyChecking no
			LogLevel ERROR
			PreferredAuthentications keyboard-interactive
	END
	first=$(mint --from 192.0.2.7 alice)
	second=$(mint --from 127.0.0.1 alice)
	run -0 ssh_kbd alice "$first"$'\n'"$second" -F $work/jump.conf -o ProxyJump=jump 'id -un'
	[ "$output" = alice ]
	first=$(mint --from 192.0.2.7 alice)
	second=$(mint --from 192.0.2.7 alice)
	run -255 ssh_kbd alice "$first"$'\n'"$second"$'\n' -F $work/jump.conf -o ProxyJump=jump 'id -un'
	decisions 'accepted user=alice' 'accepted user=alice' 'accepted user=alice' 'rejected reason=source' \
		'rejected reason=empty'
}

# has_own_network PID - unshare is done: what is sent into its network before would stay in ours
has_own_network() { [ "$(readlink /proc/"$1"/ns/net)" != "$(readlink /proc/self/ns/net)" ]; }

@test "from: another machine, by its own address on a network between the two" {
	unshare -n sleep 100 3>&- &
	machine=$!
	await has_own_network $machine
	ip link add r-here type veth peer name r-there netns $machine
	ip address add 198.51.100.1/24 dev r-here
	ip link set r-here up
	nsenter -t $machine -n ip address add 198.51.100.99/24 dev r-there
	nsenter -t $machine -n ip link set r-there up
	start_sshd 'ListenAddress 198.51.100.1'
	there() { give_replies "$1"$'\n'; SSH_ASKPASS=$work/askpass SSH_ASKPASS_REQUIRE=force nsenter -t $machine -n \
		ssh -F /dev/null -p $port -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR \
		-o NumberOfPasswordPrompts=1 -o PreferredAuthentications=keyboard-interactive alice@198.51.100.1 id -un \
		</dev/null 3>&-; }
	run -0 there "$(mint --from 198.51.100.96/28 alice)"
	[ "$output" = alice ]
	run -255 there "$(mint --from 198.51.100.0/26 alice)"
	kill $machine
	decisions 'accepted user=alice .*rhost=198\.51\.100\.99 ' 'rejected reason=source ' 'rejected reason=empty'
}

@test "from: with a key as well, both must fit" {
	more_addresses
	start_sshd "$key_and_token"
	bound=(--from 192.0.2.7 --bind-key "$work/bind_rsa.pub")
	run -0 with_key rsa "$(mint "${bound[@]}" alice)" -b 192.0.2.7 true
	run -255 with_key rsa "$(mint "${bound[@]}" alice)"$'\n' -b 192.0.2.8 true
	run -255 with_key other "$(mint "${bound[@]}" alice)"$'\n' -b 192.0.2.7 true
	decisions 'accepted' 'rejected reason=source' 'rejected reason=empty' 'rejected reason=binding' 'rejected reason=empty'
}

# --- cap_session --------------------------------------------------------------------------------

# cap_stack - the shipped file, where pam_cap.so logs what pam_systemd would be told in its place
cap_stack()
{
	build_pam_cap
	cp etc/pam.d/sshd /etc/pam.d/sshd
	cp /etc/pam.d/common-session $work/common-session
	sed -i '/pam_systemd/d' /etc/pam.d/common-session
	echo "session optional $work/pam_cap.so" >>/etc/pam.d/common-session
	echo 'cap_session: true' >/etc/rjwt/rjwt.yaml
}

@test "cap_session: the shipped stack has told pam_systemd before it runs, and the user's own files change nothing" {
	cap_stack
	start_sshd
	printf '%s DEFAULT=1\n' RJWT_CAP RJWT_EXP systemd.runtime_max_sec >/home/alice/.pam_environment
	chown alice: /home/alice/.pam_environment
	run -1 ssh_kbd alice "$(mint -t 10m alice)" 'env | grep ^RJWT_CAP'
	cp $work/common-session /etc/pam.d/common-session
	run -0 log_since 'runtime_max_sec='
	[[ ${#lines[@]} -eq 1 && $output =~ =(59[0-9]|60[0-9]|6[0-3][0-9])$ ]]
}
