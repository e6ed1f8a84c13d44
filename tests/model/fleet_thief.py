# SPDX-License-Identifier: MIT
"""What a thief does who has a bundle key or a fleet key: deeds like those of fleet_deeds.py."""
import json
import shutil

from fleet_world import LEEWAY, USERS, Line, Token, decode

FAR = 2000000000


def do_steal(world, x, y):
    issuer = world.issuers[x % len(world.issuers)]
    if issuer.key is None and world.entry(issuer) is None:
        return
    path = "%s/stolen.%d" % (world.top, len(world.thief))
    shutil.copy(issuer.state + "/private/bundle.key", path)
    world.thief[issuer.key] = (path, issuer.base)


def thief(world):
    """A whole fleet of his own, whose keys he uses."""
    one = world.machines["thief"]
    if one.key is None:
        world.must(one.do("keyset"))
        world.thief_file = world.top + "/thief.key"
        world.thief_pin = world.must(one.do("begin", world.url(one), world.thief_file))[0]
        one.base = one.read("keyset.json")["base"]
        with open(one.state + "/www/fleet.jws", encoding="ascii") as file:
            roster = next(body for body in (decode(line.split(".")[1]) for line in file) if "issuers" in body)
        one.key = roster["issuers"][0]["key"]
        world.keys.setdefault(one.key)
    return one


def sign(world, path, kind, body, signer):
    text = world.must(world.ask("sign", path, kind, json.dumps(body, separators=(",", ":"))))[0]
    if text not in world.texts:
        world.put(Line(text, signer, False))


def forged_keys(world, base, body):
    """Keys of the thief in the place of the issuer's, so high that none of the issuer's comes after them."""
    own = thief(world).read("keys/1.jwk")
    other = thief(world).read("keys/2.jwk")
    body["floor"] = body["active"]["version"] = 10 ** 6
    body["next"]["version"], body["next_version"] = 10 ** 6 + 1, 10 ** 6 + 2
    for key, version in ((own, 10 ** 6), (other, 10 ** 6 + 1)):
        key.pop("sum")
        key["kid"] = "%s.%d" % (base, version)
    body["keys"] = [own, other]


def do_forge(world, x, y):
    """What a bundle key that was stolen can sign."""
    if not world.thief:
        return
    key = sorted(world.thief)[x % len(world.thief)]
    path, base = world.thief[key]
    base = next((one.base for one in world.issuers if one.key == key), base)
    lines = [line for line in world.air if line.signer == key and line.base == base]
    if not lines:
        return
    body, kind = json.loads(json.dumps(lines[-1].body)), y % 5
    body["serial"] = max([line.number for line in lines] + [world.time]) + 3
    body["iat"] = world.time
    if kind == 0:
        body["serial"] = min(body["serial"] + FAR, 2 ** 53)
        forged_keys(world, base, body)
    elif kind == 1:
        body["denied"]["sub"] = sorted("%s %d" % (world.hash_of(user), FAR) for user in USERS)
    elif kind == 2:
        body["serial"], body["iat"] = min(body["serial"] + FAR, 2 ** 53), FAR
        body["denied"] = {"sub": [], "jti": []}
    elif kind == 3:
        other = next(one for one in world.issuers if one.base != base) if len(world.issuers) > 1 else None
        body["base"] = other.base if other else base
        forged_keys(world, body["base"], body)
    else:
        body["denied"]["sub"] = sorted("%s %d" % (world.hash_of(user), world.time + LEEWAY) for user in USERS)
    sign(world, path, "bundle", body, key)


def do_thieftoken(world, x, y):
    """Tokens of the keys that the thief published, with the iss of everybody."""
    line = next((one for one in reversed(world.air) if not one.roster and not one.honest and 10 ** 6 in one.keys), None)
    if line is None:
        return
    for name in world.issuer_names:
        kid, host = "%s.%d" % (line.base, 10 ** 6), world.hosts[y % len(world.hosts)]
        claims = {"iss": name, "sub": "alice", "aud": host.alias, "iat": world.time, "exp": world.time + 300,
                  "jti": "t%d" % len(world.tokens), "scope": "ssh"}
        number = int(world.must(world.ask("forge", thief(world).state + "/private/1.key", kid, "alice",
                                          json.dumps(claims)))[0])
        world.tokens.append(Token(number, kid, claims["jti"], world.time, world.time + 300, iss=name, sub="alice",
                                  host=host.name, right=True, x=line.keys[10 ** 6]))


def do_forgeroster(world, x, y):
    """What a fleet key that was stolen signs: an old one, or the present one."""
    files = world.old_files + ([(world.key_file, world.pin)] if y % 2 else [])
    if not files:
        return
    path, pin = files[x % len(files)]
    evil, victim = thief(world), world.issuers[0]
    number = [world.hosts[0].ghost.roster.number + 1 if world.hosts[0].ghost.roster else 5, FAR, world.newest.number][y % 3]
    body = {"n": number, "iat": world.time, "keys": [world.thief_pin], "issuers": [
        {"name": victim.name, "base": victim.base, "iss": victim.alias, "url": world.url(evil), "key": evil.key}]}
    world.thief_fleet = True
    world.keys.setdefault(world.thief_pin)
    sign(world, path, "roster", body, pin)
