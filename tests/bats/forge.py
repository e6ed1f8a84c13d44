# SPDX-License-Identifier: MIT
# forge.py SECRETFILE HEADER CLAIMS [HEADER CLAIMS]... - a token by HS256 for each pair, a line each.
# What is signed is what was given, be it JSON or not.
import base64
import hashlib
import hmac
import os
import sys


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


with open(sys.argv[1], "rb") as file:
    secret = file.read()
parts = [b64(os.fsencode(part)) for part in sys.argv[2:]]
for header, claims in zip(parts[::2], parts[1::2], strict=True):
    text = header + b"." + claims
    print((text + b"." + b64(hmac.digest(secret, text, hashlib.sha256))).decode())
