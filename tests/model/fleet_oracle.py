# SPDX-License-Identifier: MIT
"""What holds after each step, whatever happened: F1 to F11 as far as one can see them from outside.

F1   check_verdict: a token that was revoked when the line came out that a host installed is refused there for ever
F2   World.look_at_roster, look_at_keyset: n and serials at a host never fall within a chain
F3   World.look_at_roster, look_at_keyset: who signed what is believed; check_verdict: key and iss of the present entry
F4   check_verdict: nothing verifies by what is stale; World.look_at_keyset: issued is the installed line's
F5   check_verdict, and the deed login: what was used is not accepted again
F6   check_broken_off: what was broken off opens nothing that was closed before and after, and done again ends the same
F7   the deed mint: what signs has been out for two minutes
F8   check_verdict: who was dropped denies nothing; the other half, that the bundle key of one changes nothing of another,
     is what F3 and F11 say of the other
F9   check_newest: the highest honest line is installed where it is offered; settle: after all of it every token is good
F10  World.take: one serial, one line
F11  check_verdict: a key that was next or active when the host last heard is not refused
"""
from fleet_world import AGE, LEEWAY, USERS, Broken

CLOSED = ("keyset", "io", "config")  # no verdict


def judge(world, host, tokens=None):
    tokens = world.tokens if tokens is None else tokens
    if not tokens:
        return []
    return world.must(host.do("judge", *(token.number for token in tokens)))


def check_host(world, host, tokens=None):
    tokens = world.tokens if tokens is None else tokens
    for token, verdict in zip(tokens, judge(world, host, tokens)):
        if token.base != host.base:
            check_verdict(world, host, token, verdict)


def check_verdict(world, host, token, verdict):
    ghost = host.ghost
    entry = ghost.roster.entry(token.base) if ghost.roster else None
    line = ghost.installed.get(token.base)
    if verdict == "ok":
        check_accepted(world, host, token, entry, line)
    elif verdict in ("key_unknown", "key_retired", "key_revoked", "stale", "signature"):
        check_refused(host, token, verdict, entry, line)
    elif verdict == "denied":
        check_denied(world, host, token)


def check_accepted(world, host, token, entry, line):
    where = "%s of %s, for %s, is accepted at %s" % (token.jti, token.base, token.sub, host.name)
    if token.number in host.ghost.dead:
        raise Broken("F1 %s, where it was revoked" % where)
    if entry is None:
        raise Broken("F3 %s, whose roster has no such base" % where)
    if entry["iss"] != token.iss:
        raise Broken("F3 %s with another iss" % where)
    if not any(not one.roster and one.base == token.base and one.signer == entry["key"] and
               one.keys.get(token.version) == token.x for one in world.air):
        raise Broken("F3 %s by a key that no bundle of this entry has" % where)
    if host.clock() > line.body["iat"] + AGE:
        raise Broken("F4 %s by what is stale" % where)
    if token.once and token.number in world.used:
        same, lost = world.used[token.number] is host, host.ghost.lost
        if not world.wild or (same and not lost):
            raise Broken("F5 %s, and was used before" % where)


def check_refused(host, token, verdict, entry, line):
    if line is None or entry is None or not line.honest or entry["key"] != line.signer:
        return
    if token.base in host.ghost.keyless or token.version not in line.signs() or line.keys[token.version] != token.x:
        return
    if verdict == "stale" and max(host.clock(), line.body["iat"]) > line.body["iat"] + AGE:
        return
    raise Broken("F11 %s at %s: its key was next or active when it last heard" % (verdict, host.name))


def check_denied(world, host, token):
    """Nobody who counts ever denied it, and who was dropped denies only what is older."""
    ghost = host.ghost
    if world.wild or ghost.roster is None or ghost.lost or world.thief_fleet:
        return
    if ("sub", token.sub) in world.sworn or ("jti", token.jti) in world.sworn:
        return
    stolen = {base for _, base in world.thief.values()}
    if any(base in stolen and ghost.roster.entry(base) for base in ghost.installed):
        return
    if all(token.iat > iat + 2 * LEEWAY for base, iat in ghost.dropped.items() if base in stolen):
        raise Broken("F8 %s is denied at %s, and nobody who is listed denies it" % (token.jti, host.name))


def check_newest(world, host):
    """All that matters was offered, nothing broke off: then it is installed."""
    ghost = host.ghost
    if world.forked or world.thief_fleet or host.read("fleet.json") is None or ghost.roster is not world.newest:
        return
    for issuer in world.issuers:
        lines = [one for one in world.air if not one.roster and one.base == issuer.base]
        entry = ghost.roster.entry(issuer.base)
        if entry is None or not lines or issuer.ghost.back or issuer.ghost.copied:
            continue
        if any(not one.honest for one in lines) or any(one.signer != entry["key"] for one in lines):
            continue
        newest = max(one.number for one in lines)
        if issuer.base not in ghost.installed or ghost.installed[issuer.base].number < newest:
            raise Broken("F9 the newest bundle of %s is offered, and not installed at %s" % (issuer.name, host.name))


def check_walk(world, host, before):
    """A fleet key that is out of use, and was stolen, takes nobody who is offered the rosters after it."""
    forged = [line for line in world.air if line.roster and not line.honest]
    if not forged or before is None or not before.honest or world.forked or host.read("fleet.json") is None:
        return
    now, honest = set(world.newest.body["keys"]), [line for line in world.air if line.roster and line.honest]
    for line in forged:
        later = [one.number for one in honest if line.signer not in one.body["keys"]]
        if line.signer in now or not later or line.number <= min(later):
            return
    if host.ghost.roster is not world.newest:
        raise Broken("F9 %s believes a fleet key that is out of use, and was offered what came after it" % host.name)


def follow_broken_off(world, host, lines, point, cut):
    """F6: follow, broken off at one of its calls, and once more; a copy of the host does it at once."""
    before = judge(world, host)
    other = world.machines["scratch"]
    other.copy_from(host.state)
    other.alias, other.id, other.offset, other.boot = host.alias, host.id, host.offset, host.boot
    other.declare()
    calls = int(world.follow(other, lines)[1][-1])
    after = judge(world, other)
    if calls > 0 and world.follow(host, lines, fault=(1 + point % calls, cut, point))[0] == "died":
        check_broken_off(world, host, lines, before, after)


def check_broken_off(world, host, lines, before, after):
    world.look(host)
    for token, old, now, new in zip(world.tokens, before, judge(world, host), after):
        if now == "ok" and old != "ok" and new != "ok":
            raise Broken("F6 %s at %s: %s before, %s broken off, %s when done" % (token.jti, host.name, old, now, new))
    check_host(world, host)
    host.declare()  # who looks for the first time knows nothing of what was there before
    check_host(world, host)
    world.follow(host, lines)
    world.look(host)
    for token, now, new in zip(world.tokens, judge(world, host), after):
        if (now == "ok") != (new == "ok"):
            raise Broken("F6 %s at %s: %s broken off and done again, %s done at once" % (token.jti, host.name, now, new))


def check_fresh(world, mint):
    """F9: every issuer that is listed mints for each host, and each token is good."""
    for i, host in enumerate(world.hosts):
        for j, issuer in enumerate(world.issuers):
            if issuer.name not in world.listed:
                continue
            user = USERS[(i + j) % 2]
            token = mint(world, issuer, user, host, True, 300)
            if token is None:
                raise Broken("F9 in the end %s does not mint for %s" % (issuer.name, user))
            verdict = judge(world, host, [token])[0]
            if verdict != "ok":
                raise Broken("F9 in the end %s refuses a token of %s for %s: %s" % (host.name, issuer.name, user, verdict))
        check_host(world, host)
