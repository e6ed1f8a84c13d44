# SPDX-License-Identifier: MIT
# fleet_lines.py sign KEYFILE TYP - a line of fleet.jws whose payload is standard input, signed by the first key of KEYFILE
# fleet_lines.py public KEYFILE   - the public half of that key
# What is signed is what was given: a file of lines is foreign, and the tests are the strangers.
import base64
import sys

from cryptography.hazmat.primitives import serialization


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


with open(sys.argv[2], "rb") as file:
    pem = file.read().split(b"-----END PRIVATE KEY-----\n")[0] + b"-----END PRIVATE KEY-----\n"
key = serialization.load_pem_private_key(pem, None)
if sys.argv[1] == "public":
    raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
    print(b64(key.public_key().public_bytes(*raw)))
else:
    head = '{"alg":"EdDSA","typ":"%s"}' % sys.argv[3]
    text = b64(head.encode()) + "." + b64(sys.stdin.buffer.read())
    print(text + "." + b64(key.sign(text.encode())))
