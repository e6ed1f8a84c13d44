#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A sudoers line with free options: what its user can do with each option that takes a value, through real sudo.

bats_require_minimum_version 1.5.0

setup_file()
{
	. tests/system/helpers.bash
	for program in keyd issue verify; do
		echo "alice ALL = (root) NOPASSWD: $(command -v rjwt-$program)"
	done >>/etc/sudoers
	hostile=$work/hostile
	mkdir -p $hostile/directory
	printf 'SECRET-marker:$y$SECRET-marker: x\n\tSECRET-marker\n' >$hostile/secret
	chmod 0600 $hostile/secret
	mkfifo $hostile/fifo
	for name in secret fifo; do ln -s $name $hostile/link-$name; done
	ln -s /dev/zero $hostile/link-zero
}

setup()
{
	. tests/system/helpers.bash
	hostile=$work/hostile
	fresh_keyset
	token=$(mint --reusable bob)
	echo "$token" >$work/token
	log_mark
}

teardown_file()
{
	. tests/system/helpers.bash
	write_sudoers
}

values()
{
	local name
	for name in secret fifo directory link-secret link-fifo link-zero; do echo $hostile/$name; done
}

# with_argument PROGRAM - its options that take a value, as --help lists them
with_argument() { "rjwt-$1" --help | sed -n 's/^ *\(-., \)\{0,1\}\(--[a-z-]*\) [A-Z].*/\2/p'; }

# hostile PROGRAM ARG... - alice's: nothing of a file, no waiting, and a line in the log for each token
hostile()
{
	hostile_call setpriv --reuid alice --regid alice --init-groups timeout -s KILL 10 sudo -n "rjwt-$1" "${@:2}"
}

# each PROGRAM ARG... - every option of it, with every hostile value
each()
{
	local option value
	tries=0 minted=0
	while read -r option; do
		while read -r value; do
			hostile "$1" "$option" "$value" "${@:2}"
		done < <(values)
		hostile "$1" "$option" "$(head -c 100000 /dev/zero | tr '\0' '\1')" "${@:2}"
	done < <(with_argument "$1")
	echo "# $tries calls, $minted of them minted" >&3
	[ $tries -gt 50 ]
}

@test "hostile options: rjwt-issue" {
	each issue bob
	[ $minted -gt 0 ]
	log_settle
	[ "$(log_since 'rjwt-issue.* issued by=root caller=[0-9]+ via=sudo .* jti=' | wc -l)" -eq "$minted" ]
	# a line is whole, whatever was in it
	[ -z "$(log_since 'rjwt-issue' | awk 'length > 8192')" ]
}

@test "hostile options: rjwt-verify" {
	each verify $work/token
	for value in $(values); do hostile verify "$value"; done
	# the twin: a regular file, and what is not through standard input
	verify=$(as alice sudo -n rjwt-verify -u bob -s sshd $work/token)
	[ "$verify" = accepted ]
	run -0 bash -c "cat $work/token | rjwt-verify -u bob -s sshd -"
}

# keyd WORD... - with each hostile value in the place of @
keyd()
{
	local value
	while read -r value; do
		hostile keyd "${@/#@/$value}"
	done < <(values; head -c 100000 /dev/zero | tr '\0' '\1'; echo)
	after["$*"]=true
}

@test "hostile options: rjwt-keyd" {
	local tries=0 command option
	local -A after=()
	rjwt-keyd fleet --key $work/fleet.key init http://fleet.example/fleet.jws >/dev/null
	for command in status check once rotate init jwks list publish; do
		keyd -c @ $command
		keyd -d @ $command
	done
	keyd --config @ status
	keyd --state-dir @ status
	for option in --jti --sub --kid; do keyd revoke $option @; done
	keyd revoke --wait @ --sub bob
	keyd revoke --wait 1s --log @ --sub bob
	keyd list --by @
	keyd codes --lifetime @ --scope ssh 1 bob
	keyd codes --lifetime 1d --scope @ 1 bob
	keyd fleet --key @ init http://fleet.example/fleet.jws
	# each option that takes a value was tried
	while read -r option; do
		[[ " ${!after[*]} " == *" $option @ "* ]] || { echo "$option was not tried"; false; }
	done < <(with_argument keyd)
	[ $tries -gt 180 ]
	run -0 rjwt-keyd jwks
}

@test "hostile options: rjwt-keyd, what stands behind a command" {
	local tries=0 key="--key $work/fleet.key"
	local -A after=()
	rjwt-keyd fleet $key init http://fleet.example/fleet.jws >/dev/null
	keyd codes --lifetime 1d --scope ssh @ bob
	keyd codes --lifetime 1d --scope ssh 1 @
	keyd join @ 47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU
	keyd join http://fleet.example/fleet.jws @
	keyd follow @
	keyd fleet @
	keyd fleet $key add @
	keyd fleet $key drop @
	keyd fleet $key roll @
	keyd fleet $key request @
	keyd fleet $key init @
	[ $tries -eq 77 ]
	run -0 rjwt-keyd jwks
}

@test "hostile options: the longest of everything is one line in the log" {
	local many=()
	reason=$(head -c 512 /dev/zero | tr '\0' '\1')
	for n in {1..60}; do many+=(-a "host$n" -s "scope$n"); done
	run -0 --separate-stderr setpriv --reuid alice --regid alice --init-groups sudo -n rjwt-issue --force \
		--reason "$reason" "${many[@]}" "$(head -c 200 /dev/zero | tr '\0' n)"
	echo "$output" >>$tokens
	jti=$(claim jti "$output")
	run -0 log_since "rjwt-issue.* jti=$jti .* why=.*\.\.\."
	[ ${#lines[@]} -eq 1 ]
	[ ${#output} -lt 8192 ]
}
