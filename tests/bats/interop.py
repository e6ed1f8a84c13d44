# SPDX-License-Identifier: MIT
"""interop.py LIBRARY verify|mint DIR - tokens and keys that others take and give.

LIBRARY is pyjwt (Debian's python3-jwt) or jwcrypto (python3-jwcrypto).

verify  for each DIR/ALG.jwk, a JWK: who DIR/ALG.token is for, and what becomes of it when that is changed
mint    for each algorithm a key, its public half in the JWK Set DIR/set, and a token DIR/NAME.token
"""
import base64
import json
import pathlib
import sys
import time

ALGS = {  # label: alg, parameters of the key
    **{f"HS{n}": (f"HS{n}", {"kty": "oct", "size": n}) for n in (256, 384, 512)},
    **{f"{p}{n}": (f"{p}{n}", {"kty": "RSA", "size": 2048}) for p in ("RS", "PS") for n in (256, 384, 512)},
    **{f"ES{n}": (f"ES{n}", {"kty": "EC", "crv": c}) for n, c in ((256, "P-256"), (384, "P-384"), (512, "P-521"))},
    "EdDSA": ("EdDSA", {"kty": "OKP", "crv": "Ed25519"}),
    "Ed448": ("EdDSA", {"kty": "OKP", "crv": "Ed448"}),
}


def pyjwt_verify(token, key, alg):
    import jwt

    return jwt.decode(token, jwt.PyJWK(key, algorithm=alg).key, algorithms=[alg], audience="host.example.org",
                      issuer="ca.example.org", options={"require": ["exp", "iat", "nbf", "iss", "aud", "sub", "jti"]})


def jwcrypto_verify(token, key, alg):
    from jwcrypto import jwk, jwt

    return json.loads(jwt.JWT(jwt=token, key=jwk.JWK(**key), algs=[alg], check_claims={
        "aud": "host.example.org", "iss": "ca.example.org", "exp": None, "nbf": None, "jti": None}).claims)


def pyjwt_mint(key, header, claims):
    import jwt

    alg = header["alg"]
    return jwt.encode(claims, jwt.PyJWK(json.loads(key.export()), algorithm=alg).key, algorithm=alg, headers=header)


def jwcrypto_mint(key, header, claims):
    from jwcrypto import jwt

    token = jwt.JWT(header=header, claims=claims, algs=[header["alg"]])
    token.make_signed_token(key)
    return token.serialize()


def verify(library, folder):
    for path in sorted(folder.glob("*.jwk")):
        key, alg = json.loads(path.read_text()), ALGS[path.stem][0]
        header, claims, signature = path.with_suffix(".token").read_text().strip().split(".")
        forged = base64.urlsafe_b64encode(base64.urlsafe_b64decode(claims + "==").replace(b'"alice"', b'"root"'))
        check = globals()[f"{library}_verify"]
        name = check(f"{header}.{claims}.{signature}", key, alg)["sub"]
        try:
            check(f"{header}.{forged.decode().rstrip('=')}.{signature}", key, alg)
            print(path.stem, f"{name}, root accepted")
        except Exception as error:  # pylint: disable=broad-except
            assert "ignature" in repr(error), error
            print(path.stem, f"{name}, root refused")


def mint(library, folder):
    from jwcrypto import jwk

    now = int(time.time())
    claims = {"iss": "ca.example.org", "aud": ["host.example.org"], "sub": "alice", "iat": now, "exp": now + 300}
    made, public = {}, []
    for label, (alg, spec) in ALGS.items():
        text = json.dumps(spec)
        if text not in made or spec["kty"] != "RSA":  # one RSA key is enough for all: it takes long
            made[text] = jwk.JWK.generate(**spec)
        key = made[text]
        token = globals()[f"{library}_mint"](key, {"alg": alg, "typ": "JWT", "kid": label}, claims)
        (folder / f"{label}.token").write_text(token)
        shown = json.loads(key.export() if spec["kty"] == "oct" else key.export_public())
        public.append({**shown, "alg": alg, "kid": label})
    (folder / "set").write_text(json.dumps({"keys": public}))


globals()[sys.argv[2]](sys.argv[1], pathlib.Path(sys.argv[3]))
