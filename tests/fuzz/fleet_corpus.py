#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fleet_corpus.py DIR - honest and broken documents of a fleet, as inputs of the harnesses document, fleet, offer and
follow, in DIR/NAME. harness run and harness merge add them to what the corpora have."""
import hashlib
import json
import pathlib
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

B64 = lambda data: __import__("base64").urlsafe_b64encode(data).rstrip(b"=").decode()
RAW = serialization.Encoding.Raw, serialization.PublicFormat.Raw
H = ["%064x" % (7 * i + 1) for i in range(2100)]
SMALL = "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
made = {}


def add(harness, *parts):
    data = b"".join(bytes([p % 256]) if isinstance(p, int) else p.encode() if isinstance(p, str) else p for p in parts)
    if len(data) <= 4096:
        made.setdefault(harness, set()).add(data)


def name(number):
    """the public half of a key of fleet_lines.h"""
    return B64(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(31) + bytes([number])).public_key().public_bytes(*RAW))


def text(value):
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


# --- payloads -----------------------------------------------------------------------------------


def issuer(i, **changed):
    return {"name": "i%d" % i, "base": "I%d" % i, "iss": "i%d.example" % i, "url": "http://i%d.example/fleet.jws" % i,
            "key": name(8 + i), **changed}


def roster(n=5, keys=(0,), issuers=(0,), **changed):
    return {"n": n, "iat": n, "keys": [name(k) for k in keys],
            "issuers": [i if isinstance(i, dict) else issuer(i) for i in issuers], **changed}


def jwk(version, base="I0", **more):
    return {"kid": "%s.%d" % (base, version), "kty": "OKP", "crv": "Ed25519", "x": name(24 + version), "alg": "EdDSA",
            "use": "sig", **more}


def other_jwks():
    """of every kind of key, the same in each run"""
    curve = ec.derive_private_key(1234567, ec.SECP256R1()).public_key().public_numbers()
    big = lambda v, n: B64(v.to_bytes(n, "big"))
    yield {"kty": "EC", "crv": "P-256", "x": big(curve.x, 32), "y": big(curve.y, 32), "alg": "ES256"}
    yield {"kty": "EC", "crv": "P-256", "x": big(curve.x, 32), "y": big(curve.x, 32), "alg": "ES256"}
    n = (1 << 2047) + 0x10001 * 2 + 1
    yield {"kty": "RSA", "n": big(n, 256), "e": "AQAB", "alg": "RS256"}
    yield {"kty": "RSA", "n": big(n, 256), "e": "AQ", "alg": "PS256"}
    key = ed448.Ed448PrivateKey.from_private_bytes(bytes(56) + b"\1").public_key().public_bytes(*RAW)
    yield {"kty": "OKP", "crv": "Ed448", "x": B64(key), "alg": "EdDSA"}
    yield {"kty": "oct", "k": B64(bytes(32)), "alg": "HS256"}
    yield {"kty": "OKP", "crv": "Ed25519", "x": SMALL, "alg": "EdDSA"}
    yield {"kty": "OKP", "crv": "Ed25519", "x": name(30), "alg": "EdDSA", "use": "enc"}


def bundle(active=1, keys=None, sub=(), jti=(), **changed):
    return {"base": "I0", "serial": 9, "iat": 8, "roster": 5, "max_lifetime": 3600, "floor": 1,
            "active": {"version": active, "since": 7}, "next": {"version": active + 1, "published": 7},
            "next_version": active + 2, "keys": keys or [jwk(active, iat=7), jwk(active + 1, iat=8)],
            "denied": {"sub": list(sub), "jti": list(jti)}, **changed}


WRONG = [None, -1, 0, 1, 2 ** 53, 2 ** 53 + 1, 1.5, "", "x", "../x", "a" * 300, [], {}, [5], True, "\x1b[2J", SMALL]


def changes(value, turn=0):
    """a value with a member gone, of other types, at an end, or twice: of what is wrong some for each member, in turn"""
    for member in list(value):
        yield {k: v for k, v in value.items() if k != member}
        for k in range(4):
            yield {**value, member: WRONG[(turn + 5 * k) % len(WRONG)]}
        yield text(value)[:-1] + "," + text({member: value[member]})[1:]
        turn += 1
        if isinstance(value[member], dict):
            yield from ({**value, member: inner} for inner in changes(value[member], turn) if not isinstance(inner, str))
        if isinstance(value[member], list) and value[member]:
            yield from ({**value, member: value[member][:1] * n} for n in (2, 9))
            if isinstance(value[member][0], dict):
                yield from ({**value, member: [inner] + value[member][1:]} for inner in changes(value[member][0], turn)
                            if not isinstance(inner, str))


ROSTERS = [roster(), roster(keys=range(8), issuers=range(8)), roster(keys=range(9)), roster(issuers=range(9)),
           roster(issuers=()), roster(keys=()), roster(n=2 ** 53), roster(issuers=(0, issuer(1, name="i0"))),
           roster(issuers=(0, issuer(1, base="I0"))), roster(issuers=(0, issuer(1, key=name(8)))), roster(keys=(8,)),
           roster(issuers=(issuer(0, url="https://h:8443/f?a=b"),)), roster(issuers=(issuer(0, url="http://h/`"),)),
           roster(more={"x": [1]}), "{", "[]", "{}", "", "\x1b", roster(issuers=(issuer(0, key=SMALL),))]
BUNDLES = [bundle(), bundle(sub=[H[0] + " 5", H[1] + " 6"], jti=[H[2] + " 7"]), bundle(sub=[H[1] + " 5", H[0] + " 6"]),
           bundle(sub=[H[0] + " 05"]), bundle(sub=[H[0].upper() + " 5"]), bundle(jti=[H[0] + " 5"] * 2),
           bundle(sub=[h + " 5" for h in H[:30]], jti=[h + " 9" for h in H[:20]]), bundle(jti=[H[0] + "5"]),
           bundle(sub=["short 5"]), bundle(sub=[H[0] + " x"]), bundle(active=3, floor=2, keys=[jwk(2, exp=99), jwk(3), jwk(4)]),
           bundle(active=3, floor=2, keys=[jwk(2, revoked=99, retired=8), jwk(3), jwk(4)]), bundle(active=3, floor=3),
           bundle(active=3, floor=2, keys=[jwk(2), jwk(3), jwk(4)]), bundle(keys=[jwk(1), jwk(3)]),
           bundle(keys=[jwk(1), jwk(1), jwk(2)]), bundle(keys=[jwk(1, base="I1"), jwk(2)]), bundle(floor=2),
           bundle(keys=[jwk(2), jwk(1)]), bundle(next_version=2 ** 31), bundle(next_version=2 ** 31 + 1), "{}", "[", ""]
BUNDLES += [bundle(keys=[{"kid": "I0.1", "use": "sig", **other}, jwk(2)]) for other in other_jwks()]


def documents():
    for payload in ROSTERS + list(changes(roster())):
        add("document", 1, text(payload))
    for payload in BUNDLES + list(changes(bundle(sub=[H[0] + " 5"]))):
        add("document", 2, text(payload))
    heads = [B64(b'{"alg":"EdDSA","typ":"rjwt-%s+jws"}' % kind) for kind in (b"roster", b"bundle", b"other")]
    for head in heads:
        line = head + "." + B64(text(roster()).encode()) + "." + B64(bytes(64))
        add("document", 0, line, "\n\n", line[:-1], "\nrubbish\r\n", line + "A", "\n", head, ".\n", head, "..", line)


def files():
    fleet = {"format": 1, "generation": 3, "chain": 1, "pin": name(0), "url": "http://i/f", "audience": "h.example",
             "machine": "0" * 64, "before": 0, "born": 5}
    full = {**fleet, "used": 7, "roster": roster(issuers=range(8)), "digest": "a" * 64}
    for value in [fleet, full, "{", "", "{}", *changes(fleet), *changes({**full, "roster": roster()}, 3)]:
        add("fleet", 0, text(value))
    record = {"format": 1, "base": "I0", "serial": 9, "iat": 8, "next": 2, "next_since": 7, "digest": "a" * 64,
              "stopped": "serial 9 is not ours", "left": ["L0", "L1"]}
    for value in [record, {**record, "left": ["L%d" % i for i in range(16)]},
                  {**record, "left": ["L%d" % i for i in range(17)]}, *changes(record)]:
        add("fleet", 1, text(value))
    for value in [issuer(0), *changes(issuer(0))]:
        add("fleet", 2, text(value))


# --- files of many lines ---------------------------------------------------------------------------


def word(n):
    return bytes([n >> 8, n & 255])


def a_roster(file, by, n, keys=1, issuers=1, *how):
    return bytes([file, 0, by, n, keys, issuers, *(how or (0,))])


def a_bundle(file, i, serial, active=1, *how, by=None):
    return bytes([file, 2, (8 + i if by is None else by) - 6, i, serial, active - 1, *(how or (0,))])


def a_text(file, kind, by, payload):
    data = text(payload).encode()
    return bytes([file, 6 if kind == "bundle" else 5, by]) + word(len(data)) + data


def a_raw(file, data):
    return bytes([file, 4]) + word(len(data)) + data


OFFERS = [
    a_roster(0, 0, 5) + a_bundle(0, 0, 7), a_roster(0, 0, 5) + a_roster(1, 0, 6) + a_roster(2, 0, 7),
    a_roster(0, 0, 5, 3) + a_roster(1, 1, 6, 4) + a_roster(2, 2, 7, 8, 3) + a_bundle(0, 1, 9) + a_bundle(1, 0, 8),
    a_roster(2, 0, 5, 2) + a_roster(1, 1, 6, 4) + a_roster(0, 2, 7, 8) + a_roster(0, 0, 8),
    a_roster(0, 0, 5, 1, 1) + a_roster(1, 0, 5, 1, 2), a_roster(0, 0, 5, 1, 1) + a_roster(1, 0, 5, 1, 2) + a_roster(2, 0, 6),
    a_roster(0, 0, 5) + a_roster(1, 0, 6, 1, 1) + a_roster(1, 0, 6, 1, 2) + a_roster(2, 0, 7, 2) + a_roster(2, 1, 7, 2, 3),
    a_roster(0, 0, 5) + a_bundle(0, 0, 7, 1, by=9) + a_bundle(0, 1, 7, 1, by=8) + a_bundle(1, 0, 8) + a_bundle(1, 0, 8, 2),
    a_roster(0, 0, 5, 1, 3, 2, 3) + a_bundle(0, 0, 7, 1, by=11), a_roster(0, 0, 5, 1, 3, 4) + a_bundle(0, 0, 7),
    a_roster(0, 0, 5, 1, 0), a_roster(0, 0, 5, 1, 255) + b"".join(a_bundle(1, i, 9 - i) for i in range(8)),
    a_roster(0, 0, 5) + a_bundle(0, 0, 7) + bytes([1, 7, 1, 0, 0]) + bytes([2, 7, 0]) + bytes([0, 1] * 256),
    a_roster(0, 0, 5) + a_bundle(0, 0, 7) + bytes([0, 7, 0]) + bytes([0, 1] * 256) + a_bundle(0, 0, 9),
    a_roster(0, 0, 5) + a_raw(0, b"rubbish") + a_raw(0, b"") + a_raw(0, b"a\nb\r\n\0"),
]
OFFERS += [a_roster(0, 0, 5) + a_text(0, "roster", 0, payload) + a_bundle(0, 0, 7) for payload in ROSTERS]
OFFERS += [a_roster(0, 0, 4) + a_text(0, "bundle", 8, payload) + a_bundle(0, 0, 3) for payload in BUNDLES]


# --- a life -----------------------------------------------------------------------------------------

A, B, HOST = 0, 1, 2
OK = bytes([0])  # no call fails


def deed(machine, number, *parts):
    return bytes([16 * machine + number]) + b"".join(p if isinstance(p, bytes) else bytes([p]) for p in parts)


def lines(*those, where=2):
    return deed(A, 0, len(those), where, *those)


def follow(machine, how, plan=OK):
    return deed(machine, 1, how, plan)


def join(machine=HOST, key=0, check=0, plan=OK):
    return deed(machine, 4, key, check, plan)


def begin(machine=A, key_file=0, plan=OK, url=0):
    return deed(machine, 5, plan, url, key_file)


def change(machine, what, key_file=0, name_of=0, of=B, *rest, plan=OK, first=OK):
    if what in (0, 3):
        return deed(machine, 6, what, key_file, name_of, of, *(rest or (first,)), plan)
    return deed(machine, 6, what, key_file, name_of, of, *rest, plan)


def keyset(machine, what, *rest, plan=OK):
    return deed(machine, 7, what, OK, plan, *rest)


def verify(machine, i=0, version=1, age=5, own=False, plan=OK):
    return deed(machine, 9, i << 4 | version << 1 | own, *(() if own else (age,)), OK, plan)


def look(machine, plan=OK):
    return deed(machine, 11, OK, plan)


def clock(seconds, how=0):
    return deed(A, 12, how, word(seconds))


def damage(machine, what, how, *rest):
    return deed(machine, 13, what, how, *rest)


def init(machine, adopt=0, plan=OK):
    return deed(machine, 14, plan, adopt)


def fails(kind, nth, how=0):
    """the nth call of a kind fails"""
    return bytes([1, kind, nth - 1, how])


START = begin() + join() + follow(HOST, 1)
TWO = START + init(B) + join(B) + follow(B, 1) + change(A, 0, name_of=1) + follow(B, 1) + keyset(B, 0) + follow(A, 2) + follow(
    HOST, 3)
# What the thief has: fleet keys 0 and 1, the bundle key of each issuer. 100 is now.
STOLEN = lines(a_roster(0, 0, 110, 3, 5), a_bundle(0, 2, 100), a_bundle(0, 0, 110))
LIVES = [
    START + keyset(A, 6) + verify(HOST, own=True) + verify(HOST) + look(HOST) + look(A),
    START + keyset(A, 6) + clock(1) + keyset(A, 3) + follow(HOST, 1) + verify(HOST, own=True),
    START + keyset(A, 6) + keyset(A, 4) + follow(HOST, 1) + keyset(A, 5) + clock(130) + keyset(A, 5) + follow(HOST, 1),
    TWO + look(HOST) + look(B) + look(A) + keyset(B, 6) + verify(HOST, own=True) + change(A, 1, 0, 1) + follow(HOST, 1) + follow(
        HOST, 2) + look(HOST),
    TWO + clock(130) + keyset(A, 1, 1) + keyset(B, 2) + follow(HOST, 3) + change(A, 2, 0, 0, 0, 2) + follow(HOST, 1) + follow(
        B, 1) + join(HOST, 1) + follow(HOST, 1) + change(A, 1, 2, 1) + follow(HOST, 1),
    TWO + STOLEN + follow(HOST, 4) + verify(HOST, 2) + look(HOST) + follow(A, 4) + follow(B, 4) + keyset(A, 0),
    TWO + keyset(A, 1, 0) + change(A, 0, 0, 0, A) + follow(HOST, 1) + look(A),
    TWO + init(A, 1) + keyset(A, 0) + change(A, 3, 0, 0, A) + follow(HOST, 3) + look(A) + look(HOST),
    TWO + init(HOST) + follow(HOST, 3) + keyset(HOST, 6) + keyset(HOST, 3) + look(HOST) + keyset(HOST, 2),
    START + clock(5000) + keyset(A, 0) + lines(a_bundle(0, 0, 110, 1, 1, 20)) + follow(HOST, 5) + keyset(A, 3) + follow(
        HOST, 1) + clock(5000) + keyset(A, 0) + follow(HOST, 1) + look(HOST),
    START + deed(HOST, 15, 9) + verify(HOST) + follow(HOST, 1) + deed(A, 15, 9) + keyset(A, 0) + look(A),
    START + lines(a_raw(0, b"rubbish"), a_roster(0, 0, 120, 1, 3), a_roster(0, 0, 120, 1, 1), a_bundle(0, 0, 90)) + follow(
        HOST, 4) + follow(HOST, 5) + lines(a_roster(0, 0, 130)) + follow(HOST, 4) + look(HOST),
    START + lines(a_bundle(0, 0, 120, 1, 16, 5)) + follow(HOST, 4) + lines(a_bundle(0, 0, 121, 4)) + follow(HOST, 4) + lines(
        a_bundle(0, 0, 122, 3), a_bundle(0, 0, 123, 4, 2, 1)) + follow(HOST, 4),
    START + lines(a_bundle(0, 0, 120, 1, 32)) + follow(HOST, 4) + clock(9000, 0) + lines(a_bundle(0, 0, 100, 1, 32)) + follow(
        HOST, 4) + keyset(HOST, 2) + look(HOST),
    START + lines(a_roster(0, 0, 110, 1, 1, 2, 3), a_bundle(0, 0, 120, 1, by=11)) + follow(HOST, 4) + verify(HOST) + look(HOST),
    START + lines(a_roster(0, 0, 110, 3, 3), a_roster(1, 0, 110, 3, 3), a_bundle(1, 0, 120, 2, 8, 250), where=0) + look(
        HOST) + follow(HOST, 8) + follow(HOST, 0) + look(HOST),
    begin(A, 1) + begin(A, 0) + begin(A, 0, OK, 7) + join(HOST, 2, 1) + join(HOST, 3, 0, b"\0\3abc\0") + follow(HOST, 1),
    join(HOST, 0, 1) + join() + join(HOST, 0, 1) + join(HOST, 1, 1) + follow(HOST, 4) + look(HOST) + keyset(A, 0) + look(B),
    begin() + change(HOST, 0) + join() + change(HOST, 1, 0, 0) + change(A, 1, 1, 0) + change(A, 1, 0, 3) + change(
        A, 0, 0, 0, 3, word(5) + b"{\"a\":") + change(A, 2, 0, 0, 0, 0) + change(A, 0, 0, 0, HOST),
    begin() + init(A, 1) + begin() + change(A, 3, 0, 0, A) + keyset(A, 0) + keyset(A, 2) + clock(700) + keyset(A, 2),
    begin() + clock(9, 3) + keyset(A, 0) + clock(9000, 6) + keyset(A, 0) + join() + follow(HOST, 1) + clock(9000, 7) + look(HOST),
    TWO + clock(60000, 4) + clock(60000, 4) + clock(60000, 4) + verify(HOST) + keyset(A, 6) + verify(HOST, own=True) + look(HOST),
    TWO + b"".join(change(A, 0, 0, i % 4, i % 3) + follow(HOST, 1) for i in range(6)),
]
LIVES += [TWO + damage(m, what, how, *rest) + follow(m, 3) + look(m) + keyset(m, 0) + verify(m) + join(m) + follow(m, 3) + keyset(
    m, 2) + change(A, 0, name_of=1)
          for m in (A, HOST) for what in range(19) for how, rest in
          ((0, ()), (1, (0,)), (1, (1, 0, 9)), (1, (2, 0, 9, 3)), (1, (4, 2)), (1, (5,)))]
DEEDS = [(START, lambda plan: follow(HOST, 1, plan)), (b"", lambda plan: begin(plan=plan)), (START, lambda plan: keyset(A, 0, plan=plan)),
         (START, lambda plan: join(HOST, 1, plan=plan)), (TWO, lambda plan: change(A, 1, 0, 1, plan=plan)),
         (TWO, lambda plan: change(A, 0, 0, 1, plan=plan)), (TWO, lambda plan: change(A, 2, 0, 0, 0, 2, plan=plan)),
         (TWO, lambda plan: look(HOST, plan)), (TWO, lambda plan: verify(HOST, plan=plan)), (START, lambda plan: init(A, 1, plan)),
         (begin() + join() + clock(9), lambda plan: follow(HOST, 1, plan)), (TWO + STOLEN, lambda plan: follow(HOST, 4, plan)),
         (TWO + STOLEN, lambda plan: follow(A, 4, plan)), (TWO + clock(5000), lambda plan: keyset(A, 3, plan=plan)),
         (START + keyset(A, 3) + follow(HOST, 1) + clock(5000) + keyset(A, 0), lambda plan: follow(HOST, 1, plan))]
FAILURES = [(kind, nth, how) for kind in range(1, 10) for nth in (1, 2, 5, 12, 30)
            for how in ((0,) if kind != 2 else (0, 8))]


def lives():
    for i, those in enumerate(OFFERS):
        add("offer", 0, those)
        add("offer", 1 + i % 3, those)
    for life in LIVES:
        add("follow", life)
    for before, of in DEEDS:
        add("follow", before, of(OK))
        for failure in FAILURES:
            add("follow", before, of(fails(*failure)), follow(HOST, 1), keyset(A, 0))


def main(folder):
    documents()
    files()
    lives()
    for harness, inputs in made.items():
        where = pathlib.Path(folder, harness)
        where.mkdir(parents=True, exist_ok=True)
        for data in inputs:
            (where / hashlib.sha1(data).hexdigest()).write_bytes(data)
        print("%s: %d inputs" % (harness, len(inputs)))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
