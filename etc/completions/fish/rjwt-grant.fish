# SPDX-License-Identifier: MIT
# Made by etc/make-completion.
complete -c rjwt-grant -f
complete -c rjwt-grant -a '(__fish_complete_users)'
complete -c rjwt-grant -s a -l audience -x -d 'host that the token is for'
complete -c rjwt-grant -s s -l scope -x -d 'purpose'
complete -c rjwt-grant -s t -l lifetime -x -d 'lifetime, for example 5m'
complete -c rjwt-grant -l not-before -x -d 'valid from'
complete -c rjwt-grant -l reusable -d 'works any number of times until it expires'
complete -c rjwt-grant -l uses -x -d 'works N times for each scope, 2 to 100'
complete -c rjwt-grant -l from -x -d 'works only from this address range, and only for ssh'
complete -c rjwt-grant -l reason -x -d 'note for the log'
complete -c rjwt-grant -l bind-key -x -d 'works only with the public ssh key on standard input, and only for ssh'
complete -c rjwt-grant -l json -d 'print the token, its claims, header and size, and the scopes whose prompts it fits, as JSON'
complete -c rjwt-grant -l rules -d 'print what you may mint, and exit'
complete -c rjwt-grant -s h -l help -d 'print this help, and exit'
complete -c rjwt-grant -s V -l version -d 'print the version, and exit'
