#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Programs that ask PAM and do not run as root: PostgreSQL's server with the example etc/pam.d/postgresql.

bats_require_minimum_version 1.5.0

setup_file()
{
	. tests/system/helpers.bash
	bin=$(dirname "$(find /usr/lib/postgresql -name initdb | sort -V | tail -n 1)")
	export database=/var/lib/postgresql/rjwt-test
	as_postgres "$bin/initdb" -D $database -A trust >/dev/null
	printf '%s\n' 'local all postgres trust' 'host all all 127.0.0.1/32 pam pamservice=postgresql' >$database/pg_hba.conf
	as_postgres "$bin/postgres" -D $database -h 127.0.0.1 -p 5433 -k /tmp -c unix_socket_permissions=0777 \
		</dev/null >$work/postgres.log 2>&1 3>&- &
	echo $! >$work/postgres.pid
	await as_postgres psql -q -h /tmp -p 5433 -c 'create role alice login' postgres || cat $work/postgres.log
}

teardown_file()
{
	. tests/system/helpers.bash
	kill -INT "$(head -n 1 /var/lib/postgresql/rjwt-test/postmaster.pid)"
	rm -f $work/postgres.pid
}

setup()
{
	. tests/system/helpers.bash
	fresh_keyset 'leeway: 0s' 'services: {rjwt-test: postgresql}'
	cp etc/pam.d/postgresql /etc/pam.d/postgresql
	log_mark
}

teardown()
{
	no_token_logged
}

as_postgres() { (cd / && exec runuser -u postgres -- "$@"); }

# connect REPLY - as alice, over TCP; prints the name of the role
connect()
{
	type_in "$1" >/dev/null
	PGPASSWORD=$1 psql -w -h 127.0.0.1 -p 5433 -U alice -A -t -c 'select current_user' postgres 3>&-
}

rejected()
{
	run -2 connect "$1"
	[[ $output == *'PAM authentication failed for user "alice"'* ]]
}

@test "not root: PostgreSQL accepts a reusable token until it expires, and logs each login" {
	token=$(mint --reusable -s postgresql -t 4s alice)
	for n in 1 2; do
		run -0 connect "$token"
		[ "$output" = alice ]
	done
	await sh -c "! PGPASSWORD=$token psql -w -h 127.0.0.1 -p 5433 -U alice -c '' postgres"
	run -0 log_since 'pam_rjwt'
	[[ ${lines[0]} =~ postgres\[[0-9]+\]:\ pam_rjwt\(postgresql:auth\):\ accepted\ user=alice\ service=postgresql\  ]]
	[[ ${lines[0]} == *" jti=$(claim jti "$token") sub=alice exp="* ]]
	[[ ${lines[1]} == *' accepted user=alice service=postgresql '* ]]
	[[ $output == *'rejected reason=expired user=alice service=postgresql '* ]]
}

@test "not root: PostgreSQL cannot spend a one-time token, and the log says what to do" {
	token=$(mint -s postgresql alice)
	[[ $(<$work/issue.err) == *'--reusable'* ]]
	rejected "$token"
	run -0 log_since 'pam_rjwt'
	[ ${#lines[@]} -eq 1 ]
	[[ ${lines[0]} == *'rejected reason=io user=alice service=postgresql '*" jti=$(claim jti "$token") "*'mint with --reusable"' ]]
	# the same token opens what it opens elsewhere: it is not spent
	pam_service rjwt-test token
	run -0 pamtester rjwt-test alice authenticate <<<"$token"
	run -1 pamtester rjwt-test alice authenticate <<<"$token"
}

@test "not root: PostgreSQL rejects what root would reject: revoked, for another service, another user, a password" {
	token=$(mint --reusable -s postgresql alice)
	run -0 connect "$token"
	rejected "$(mint --reusable alice)"
	rejected "$(mint --reusable -s postgresql bob)"
	rejected "$alice_password"
	rejected "${token%?????}AAAAA"
	rjwt-keyd revoke --jti "$(claim jti "$token")" >/dev/null 2>&1
	rejected "$token"
	decisions 'accepted ' 'reason=scope user=alice' 'reason=user ' 'reason=signature ' 'reason=revoked user=alice'
}

@test "not root: PostgreSQL takes a token longer than any prompt" {
	token=$(token_of 6000 --reusable -s postgresql alice)
	[ ${#token} -gt 5500 ]
	run -0 connect "$token"
	decisions 'accepted '
}
