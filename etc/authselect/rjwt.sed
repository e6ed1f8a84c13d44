# SPDX-License-Identifier: MIT
# The four lines with pam_rjwt.so for a profile of authselect(8), on Fedora and RHEL: a token, or the password, in every service
# that includes system-auth or password-auth. "authselect current" shows on which profile yours is to be based:
#
#   authselect create-profile rjwt -b sssd
#   cd /etc/authselect/custom/rjwt
#   sed -i -f /usr/share/doc/rjwt/examples/authselect/rjwt.sed system-auth password-auth
#   authselect select custom/rjwt
#
# Above everything that counts lines to skip, and above the password: who has a token is asked for nothing else.
/^auth[ 	].*pam_faildelay\.so/a\
auth        sufficient                                   pam_rjwt.so [prompt=Token or password: ]
# Rejects a token that expired after authentication, and says nothing otherwise.
0,/^account[ 	]/{
/^account[ 	]/i\
account     [success=ok new_authtok_reqd=ok ignore=ignore module_unknown=ignore default=bad] pam_rjwt.so
}
# Before pam_systemd, and at the very end.
0,/^session[ 	]/{
/^session[ 	]/i\
session     optional                                     pam_rjwt.so
}
$a\
session     optional                                     pam_rjwt.so
