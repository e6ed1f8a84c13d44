# SPDX-License-Identifier: MIT
"""What may happen: each deed is a function of the world and two numbers, and one that does not apply does nothing."""
import os
import random
import shutil

import fleet_oracle as oracle
import fleet_thief
from fleet_world import GATE, ISSUERS, LEEWAY, LIFE, USERS, Broken, Ghost, Token

STEPS = [1, 20, 40, 130, 300, 700, 4000, 8000, 90000, 700000]
NEAR, WILD = [0, 14, -14], [0, 4000, -4000, 90000, -90000, 1000000]
TOKENS = 24


def fault_of(x, y):
    """One deed in five is broken off: at which call, and whether the power is cut."""
    return None if y < 48 else (1 + (x * 31 + y * 7) % 41, y % 2 == 0, x * 7919 + y * 1000003 + 7)


# --- tokens

def mint(world, issuer, user, host, once, lifetime):
    issuer.learn()
    reason, answer, _ = issuer.do("mint", user, host.alias, "once" if once else "reusable", lifetime)
    world.collect(issuer)
    if reason != "ok":
        return None
    token = Token(int(answer[0]), answer[1], answer[2], int(answer[3]), int(answer[4]), iss=issuer.alias, sub=user,
                  host=host.name, once=once, right=issuer.right())
    token.x = issuer.key_x(token.version)
    check_out(world, issuer, token)
    if len(world.tokens) >= TOKENS:
        world.tokens.pop(0)
    world.tokens.append(token)
    return token


def check_out(world, issuer, token):
    """F7. A clock that was set, an issuer that nobody follows, and a new base are no matter of it."""
    key = token.base, token.version
    if key in world.fast or issuer.name in world.wild or not issuer.is_listed():
        world.fast.add(key)
        return
    out = world.out.get(key)
    if out is None or world.time - out < GATE - LEEWAY:
        raise Broken("F7 %s.%d signs, out since %s s" % (key + ("-" if out is None else world.time - out,)))


def kill(world, issuer, covers, done):
    for token in world.tokens:
        if covers(token):
            issuer.ghost.maybe.add(token.number)
            if done:
                issuer.ghost.dead.add(token.number)


def mine(issuer, token):
    return token.base == issuer.base and token.x is not None and issuer.key_x(token.version) == token.x


def change(world, issuer, fault, covers, *words):
    """A command that revokes: what it covers was fixed before, and is promised when it returns."""
    covered = {token.number for token in world.tokens if covers(token)}
    reason, _, _ = world.ask(words[0], issuer.number, *words[1:], fault=fault)
    kill(world, issuer, lambda token: token.number in covered, reason == "ok")
    world.collect(issuer)
    return reason


def begin_anew(world, issuer, fault, *words):
    """--compromised and adoption: broken off, they are done again; then a roster is to name the new base."""
    reason = change(world, issuer, fault, lambda token: mine(issuer, token), *words)
    if reason == "died":
        reason = change(world, issuer, None, lambda token: mine(issuer, token), *words)
    issuer.learn()
    world.fast.add((issuer.base, (issuer.read("keyset.json") or {}).get("active", {}).get("version", 0)))
    issuer.ghost.copied = issuer.ghost.copied and reason != "ok"
    return reason


# --- deeds: issuers

def pick(world, x):
    return world.issuers[x % len(world.issuers)]


def at(world, x):
    return world.hosts[x % len(world.hosts)]


def token_of(world, y):
    """The newest, mostly."""
    return world.tokens[-1 - (y // 3 % len(world.tokens) if y % 3 == 0 else 0)] if world.tokens else None


def do_mint(world, x, y):
    mint(world, pick(world, x), USERS[y % 2], at(world, x if y % 5 else y), y // 7 % 3 > 0, [LIFE, 300][y // 20 % 2])


def do_publish(world, x, y):
    issuer = pick(world, x)
    world.ask("publish", issuer.number, fault=fault_of(x, y))
    world.collect(issuer)


def do_maintain(world, x, y):
    issuer = pick(world, x)
    world.ask("maintain", issuer.number, fault=fault_of(x, y))
    world.collect(issuer)


def do_rotate(world, x, y):
    issuer = pick(world, x)
    world.ask("rotate", issuer.number, fault=fault_of(x, y))
    world.collect(issuer)


def do_sub(world, x, y):
    issuer, user = pick(world, x), USERS[y // 6 % 2]
    world.sworn.add(("sub", user))
    change(world, issuer, fault_of(x, y), lambda token: token.sub == user and
           (mine(issuer, token) or (token.right and issuer.right())), "revoke", "sub", user)


def do_jti(world, x, y):
    issuer, token = pick(world, x), token_of(world, y)
    if token is None:
        return
    world.sworn.add(("jti", token.jti))
    change(world, issuer, fault_of(x, y), lambda one: one is token and
           (mine(issuer, token) or (token.right and issuer.right())), "revoke", "jti", token.jti)


def do_kid(world, x, y):
    issuer = pick(world, x)
    version = (issuer.read("keyset.json") or {}).get("active", {}).get("version", 0)
    change(world, issuer, fault_of(x, y), lambda token: mine(issuer, token) and token.version == version,
           "revoke", "kid", "%s.%d" % (issuer.base, version))


def do_all(world, x, y):
    issuer = pick(world, x)
    change(world, issuer, fault_of(x, y), lambda token: mine(issuer, token), "revoke", "all")


def do_compromised(world, x, y):
    begin_anew(world, pick(world, x), fault_of(x, y), "rotate", "compromised")
    if y % 3 > 0:
        do_return(world, x, y)


def do_adopt(world, x, y):
    begin_anew(world, pick(world, x), fault_of(x, y), "keyset", "adopt")
    if y % 3 > 0:
        do_return(world, x, y)


def do_hear(world, x, y):
    issuer = pick(world, x)
    _, said, _ = world.follow(issuer, world.full(), fault=fault_of(x, y))
    world.collect(issuer)
    if any("stopped" in one for one in said) and not issuer.ghost.copied and not issuer.ghost.back and \
            issuer.key not in world.thief:
        raise Broken("F9 %s, which nobody copied, takes its own line for foreign and stops" % issuer.name)


def do_beat(world, x, y):
    for i in range(len(world.issuers)):
        do_hear(world, i, 0)
        do_maintain(world, i, 0)
    for i in range(len(world.hosts)):
        do_full(world, i, 0)


# --- deeds: backups and clones

def do_backup(world, x, y):
    issuer = pick(world, x)
    path = issuer.top + "/backup"
    shutil.rmtree(path, ignore_errors=True)
    shutil.copytree(issuer.state, path, symlinks=True, copy_function=shutil.copy2)
    world.backup[issuer.name] = (issuer.base, issuer.key, world.copied_ghost(issuer.ghost))


def do_restore(world, x, y):
    issuer = pick(world, x)
    if issuer.name not in world.backup or world.backup[issuer.name][0] != issuer.base:
        return
    back = issuer.ghost.back
    issuer.copy_from(issuer.top + "/backup")
    issuer.base, issuer.key, ghost = world.backup[issuer.name]
    issuer.ghost = world.copied_ghost(ghost)
    issuer.ghost.back, issuer.ghost.copied = back, True
    issuer.declare()
    world.wait(60)


def do_clone(world, x, y):
    """It has the keys, and another machine id: it must not publish."""
    issuer, clone = pick(world, x), world.machines["clone"]
    clone.copy_from(issuer.state)
    clone.alias, clone.base, clone.offset = issuer.alias, issuer.base, issuer.offset
    clone.declare()
    before = len(world.air)
    clone.do("maintain")
    clone.do("publish")
    world.collect(clone)
    if len(world.air) > before:
        raise Broken("F10 a clone of %s publishes" % issuer.name)


# --- deeds: rosters

def do_sync(world, x, y):
    """The same roster again, with the next number."""
    named = [one for one in world.issuers if one.name in world.listed]
    world.add(named[x % len(named)], fault=fault_of(x, y))


def do_drop(world, x, y):
    issuer = pick(world, x)
    if issuer.name in world.listed and len(world.listed) > 1:
        if world.change("drop", issuer.name, fault=fault_of(x, y))[0] == "ok":
            world.listed.remove(issuer.name)


def do_return(world, x, y):
    world.add(pick(world, x))


def do_roll(world, x, y):
    path = "%s/fleet.%d" % (world.top, len(world.old_files) + 2)
    if world.change("roll", path)[0] == "ok":
        world.old_files.append((world.key_file, world.pin))
        world.key_file = path
        world.pin = world.newest.body["keys"][0]


def do_fork(world, x, y):
    """Two who have the fleet keys use one number for two rosters."""
    twin = world.machines["twin"]
    issuer = pick(world, x)
    if len(world.listed) < 2 or issuer.name not in world.listed:
        return
    twin.copy_from(world.admin.state)
    twin.alias, twin.id = world.admin.alias, world.admin.id
    twin.declare()
    world.forked = True
    world.change("drop", issuer.name, admin=twin)
    do_sync(world, x, 0)
    if world.newest.entry(issuer.base) is None:
        world.listed.remove(issuer.name)


# --- deeds: hosts

def offered(world, y):
    air, dice, kind = world.air, random.Random(y), 0 if y < 20 else y % 5
    if kind == 0:
        return world.full()
    if kind == 1:
        return [dice.choice(air)]
    if kind == 2:
        return dice.sample(air, min(len(air), 12))
    if kind == 3:
        bundles = [line for line in air if not line.roster]
        return [line for line in air if line.roster] + bundles[:dice.randrange(len(bundles)) + 1][-40:]
    return [line for line in air if not line.honest][-20:] or [air[-1]]


def do_full(world, x, y):
    host = at(world, x)
    before = host.ghost.roster
    world.must_follow(host, world.full())
    oracle.check_newest(world, host)
    oracle.check_walk(world, host, before)


def do_some(world, x, y):
    host = at(world, x)
    world.must_follow(host, offered(world, y))


def do_crash(world, x, y):
    host = at(world, x)
    oracle.follow_broken_off(world, host, offered(world, y), x * 7919 + y * 104729, y % 2 == 0)
    world.look(host)


def do_login(world, x, y):
    host, token = at(world, x), token_of(world, y)
    if token is None or token.base == host.base:
        return
    if host.do("login", token.number)[0] != "ok":
        return
    if token.once:
        oracle.check_accepted(world, host, token, host.ghost.roster.entry(token.base), host.ghost.installed[token.base])
        world.used[token.number] = host


def do_prune(world, x, y):
    world.ask("maintain", at(world, x).number, fault=fault_of(x, y))


def do_own(world, x, y):
    """A denial of a host's own."""
    host, token = world.hosts[-1], token_of(world, y)
    if token is None or host.base is None:
        return
    world.sworn.add(("jti", token.jti))
    if host.do("revoke", "jti", token.jti)[0] == "ok" and token.right and host.right():
        host.ghost.dead.add(token.number)


def do_image(world, x, y):
    """The disk of one host becomes another's, whose machine id it has not."""
    if len(world.hosts) < 3:
        return
    a, b = world.hosts[x % 3], world.hosts[(x + 1) % 3]
    if not os.path.isdir(a.state):
        return
    b.copy_from(a.state)
    b.id = "%s-%d" % (b.name, world.time)
    b.ghost, b.pin = world.copied_ghost(a.ghost), a.pin
    b.ghost.lost = True
    b.declare()


def do_reinstall(world, x, y):
    host = at(world, x)
    if host.base is not None:
        return
    shutil.rmtree(host.state, ignore_errors=True)
    host.id, host.ghost = "%s-%d" % (host.name, world.time), Ghost()
    host.ghost.lost = True
    host.declare()
    world.join(host)


def do_rejoin(world, x, y):
    world.join(at(world, x), fault=fault_of(x, y))


def do_tear(world, x, y):
    host = at(world, x)
    path = host.state + "/fleet.json"
    if os.path.exists(path):
        os.truncate(path, max(0, os.path.getsize(path) - 9))


def do_lose(world, x, y):
    host = at(world, x)
    host.ghost.lost = True
    for base in os.listdir(host.state + "/fleet") if os.path.isdir(host.state + "/fleet") else []:
        shutil.rmtree("%s/fleet/%s/spent" % (host.state, base), ignore_errors=True)


def do_losedenied(world, x, y):
    host = at(world, x)
    if host.base is None:
        shutil.rmtree(host.state + "/denied", ignore_errors=True)


# --- deeds: time

def do_wait(world, x, y):
    world.wait(STEPS[x % len(STEPS)])


def names(world):
    return world.issuer_names + world.host_names


def set_clock(world, name, offset):
    machine = world.machines[name]
    if offset < machine.offset:
        machine.ghost.back = machine.ghost.back or name in ISSUERS
    machine.offset = offset
    machine.tick()


def do_near(world, x, y):
    name = names(world)[x % len(names(world))]
    if abs(world.machines[name].offset) <= 14:
        set_clock(world, name, NEAR[y % 3])


def do_clock(world, x, y):
    name = names(world)[x % len(names(world))]
    world.wild.add(name)
    if y >= 48:
        world.machines[name].boot += 1
    set_clock(world, name, WILD[y % 6])


def do_ntp(world, x, y):
    for name in world.issuer_names:
        world.wild.add(name)
        set_clock(world, name, WILD[y % 6])


DEEDS = {name[3:]: deed for name, deed in [*vars(fleet_thief).items(), *list(globals().items())]
         if name.startswith("do_")}
