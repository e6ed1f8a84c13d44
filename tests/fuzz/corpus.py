#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""corpus.py pack DIR FILE | unpack FILE DIR - the inputs of a folder as one file, each after its length in four
bytes: hundreds of small files in a tree are no use to anybody. In order of size, so that a pack has one form."""
import hashlib
import pathlib
import sys


def pack(folder, file):
    inputs = {path.read_bytes() for path in pathlib.Path(folder).iterdir()}
    with open(file, "wb") as out:
        for data in sorted(inputs, key=lambda data: (len(data), data)):
            out.write(len(data).to_bytes(4, "big") + data)


def unpack(file, folder):
    data = pathlib.Path(file).read_bytes()
    while data:
        size = int.from_bytes(data[:4], "big")
        one, data = data[4:4 + size], data[4 + size:]
        pathlib.Path(folder, hashlib.sha1(one).hexdigest()).write_bytes(one)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("pack", "unpack"):
        sys.exit(__doc__)
    {"pack": pack, "unpack": unpack}[sys.argv[1]](*sys.argv[2:])
