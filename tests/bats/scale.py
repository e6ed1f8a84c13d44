#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""scale.py names FOLDER N - up to N names of 64 hex digits, as marks have, all of one file: a name costs little memory.

scale.py keys STATE N - make a new keyset one whose key 1001 signs, with the N before it retired.
"""
import hashlib
import json
import os
import sys
import time

SIGNS = 1001


def put(path, members):
    text = json.dumps(members, separators=(",", ":"))[:-1]
    with open(path, "w", encoding="ascii") as file:
        file.write('%s,"sum":"%s"}\n' % (text, hashlib.sha256(text.encode("ascii")).hexdigest()))


def get(path):
    with open(path, encoding="ascii") as file:
        members = json.load(file)
    del members["sum"]
    return members


def names(folder, count):
    os.chdir(folder)
    first = "0" * 64
    with open(first, "w", encoding="ascii") as file:
        file.write("1\n")
    for number in range(len(os.listdir(".")), count):
        os.link(first, "%064x" % number)


def keys(state, count):
    keyset = get(state + "/keyset.json")
    retired = get(state + "/keys/1.jwk")
    for old, new in ((1, SIGNS), (2, SIGNS + 1)):
        key = get("%s/keys/%d.jwk" % (state, old))
        os.unlink("%s/keys/%d.jwk" % (state, old))
        put("%s/keys/%d.jwk" % (state, new), dict(key, kid="%s.%d" % (keyset["base"], new)))
        for kind in ("key", "minted"):
            os.rename("%s/private/%d.%s" % (state, old, kind), "%s/private/%d.%s" % (state, new, kind))
    now = int(time.time())
    for version in range(SIGNS - count, SIGNS):
        put("%s/keys/%d.jwk" % (state, version),
            dict(retired, kid="%s.%d" % (keyset["base"], version), nbf=now, retired=now, exp=now + 86400))
    keyset["floor"] = SIGNS - count
    keyset["active"]["version"] = SIGNS
    keyset["next"]["version"] = SIGNS + 1
    keyset["next_version"] = SIGNS + 2
    put(state + "/keyset.json", keyset)


{"names": names, "keys": keys}[sys.argv[1]](sys.argv[2], int(sys.argv[3]))
