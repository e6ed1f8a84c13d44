#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fleet.py [OPTION]... BUILD - random histories of a fleet, against an oracle of the invariants F1 to F11.

Three issuers and four hosts are state directories, and the library acts on them (fleet_host.c) by clocks that are made up.
A carrier brings any line that was ever signed, in any order; processes end, and the power is cut, at any call; bundle keys
and fleet keys are stolen; hosts are images of others, issuers come from backups. fleet_deeds.py has what may happen,
fleet_oracle.py what holds.

    --seconds N     of processor time, together with the library; 60
    --histories N   so many, whatever time they need
    --seed N        of the first history; the next has N + 1
    --history TEXT  play one history, as a failure prints it: "mint 3 4; sub 1 0"
    --small         one issuer and two hosts
    --no-shrink     a history that fails is printed as it was

TAP on stdout. A history that fails is printed with its seed, and without what it does not need.
"""
import argparse
import os
import random
import resource
import shutil
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import fleet_deeds as deeds
import fleet_oracle as oracle
from fleet_world import GATE, Broken, World, start

BASIC = "wait mint publish maintain rotate login some full".split()
RARE = [name for name in deeds.DEEDS if name not in BASIC]
SMALL = set("wait mint publish maintain rotate login some full beat sub jti kid all near hear crash prune lose".split())
# What changes nothing that a host judges by.
AWAY = set("publish maintain rotate sub jti kid all hear backup clone steal forge forgeroster sync drop return roll fork".split())

# Orders of events that chance alone finds too seldom. Some are left out, others come between; NAME:N draws the number N more
# often: of wait the step, of clock the offset.
ORDERS = [order.split() for order in """
clock:1 mint sub beat clock:0 beat wait:6|clock:1 mint clock:0 sub beat clock:0 beat wait:6|mint sub beat wait:6 wait:7 beat prune clock:0 login
mint sub crash crash|mint sub crash some|mint jti beat full wait:6 beat prune clock:2|mint mint sub beat drop beat return beat|mint mint sub beat drop beat
mint backup wait:3 all beat restore publish beat|mint backup wait:3 kid beat restore publish beat|backup wait:3 rotate beat mint restore wait:3 rotate wait:3 publish beat
mint backup sub beat restore publish beat|fork some beat|near near mint login lose beat login|mint login lose full login|mint login reinstall beat login
mint image login login|mint login image full login|clock lose beat clock:0|steal forge some beat|steal forge beat compromised sync beat thieftoken
steal forge:3 full|steal forge:0 full thieftoken|steal forge:1 beat drop beat prune|steal forge:1 beat wait:3 drop beat mint wait:1
roll forgeroster some beat|roll forgeroster:4 full|roll roll full|wait:3 rotate mint crash some|rotate rotate mint|rotate kid mint|rotate all mint
mint own full full login|wait:9 mint|wait:8 beat wait:9 mint beat|drop some mint beat|compromised:0 mint full return full|mint drop crash login return
ntp:3 clock:3 sub beat wait:7 beat prune ntp:0 clock:0|ntp:3 mint beat ntp:0 sub beat|clock:1 mint clock:0 jti beat wait:6 beat prune wait
backup wait:3 mint all publish some restore publish some|mint sub beat wait:7 beat maintain prune beat clock:4|tear beat rejoin beat login|losedenied mint full login
steal forge:2 full mint beat|steal forge:4 beat mint|adopt:0 mint full return full|clone mint beat|hear publish hear publish
mint forgeroster:1 full|sub backup wait:3 mint sub beat restore publish beat|mint sub beat drop beat return some some|mint mint sub beat drop beat losedenied
mint login lose login|backup sub publish restore publish|sync sync|drop sync return sync|rotate:51 wait:3 rotate mint|rotate:50 wait:6 maintain mint|sub:51 sub:0 publish
sub:6 mint:11 crash|mint:11 sub:6 crash|mint:11 drop crash|mint:11 image login:11|mint:11 mint:10 sub:6 full drop full losedenied|mint:11 sub:6 full drop full return some some
clock:3 lose full clock:0|rotate:51 wait:3 rotate mint|rotate:53 wait:3 rotate mint|rotate:50 sub:6|rotate:56 sub:6|clock:1 mint:11 clock:0 sub:6 beat wait:6|steal forge:0 beat
ntp:3 beat wait:7 beat sub beat ntp:0|roll rejoin full|forgeroster:1 full|backup wait:3 rotate beat restore publish hear full|mint:11 sub:6 full clock:3 prune clock:0 full
ntp:3 clock:3 beat wait:7 beat sub beat wait:7 beat prune beat ntp:0 clock:0|steal adopt:1 beat forge:0 beat|mint:11 sub:6 full wait:7 beat prune beat ntp:2 clock:2 beat
wait:3 rotate crash mint crash|wait:3 kid crash|wait:3 all crash|clock:1 sub clock:0 beat adopt:1 beat|mint sub drop beat return beat wait:6 beat prune beat clock:2
""".replace("\n", "|").split("|") if order]


def draw(dice, small):
    """A history: deeds with two numbers each. Most have one target in common."""
    rare = [name for name in RARE if not small or name in SMALL]
    common = BASIC * 2 + dice.sample(rare, min(len(rare), dice.randint(1, 7))) * 3
    target, drawn = dice.randrange(4), []
    if dice.random() < .4:
        drawn = [dice.choice(common) for _ in range(dice.randint(3, 22))]
    else:
        for name in dice.choice(ORDERS):
            if dice.random() < .15:
                drawn.append(dice.choice(common))
            if dice.random() < .95:
                drawn.append(name)
    history = []
    for name in drawn:
        name, _, fixed = name.partition(":")
        if small and name not in SMALL:
            continue
        x, y = target + 12 * dice.randrange(5), dice.randrange(60)
        if name == "wait" or dice.random() < .3:
            x = dice.randrange(60)
        if fixed and dice.random() < .9:
            x, y = (int(fixed), y) if name == "wait" else (x, int(fixed))
        history.append((name, x, y))
    return history + [("settle", 0, 0)] * (dice.random() < .35)


def settle(world, _x, _y):
    """F9, a deed that may be the last: clocks are set right, time passes, admins do what status tells them, everything honest is delivered."""
    for machine in world.machines.values():
        machine.offset = 0
    world.wait(8000)
    if world.thief_fleet:
        new_chain(world)
    for name in list(world.listed):
        heal(world, world.issuer_names.index(name))
    deeds.do_sync(world, 0, 0)
    world.wait(700)
    for i in range(len(world.issuers)):
        world.follow(world.issuers[i], world.full())
        deeds.do_publish(world, i, 0)
    for host in world.hosts:
        world.join(host)
        if host.base is None and not os.path.isdir(host.state + "/denied"):
            os.unlink(host.state + "/fleet.json")
            world.join(host)
        world.must_follow(host, world.full())
        oracle.check_host(world, host)
        if host.ghost.roster is not world.newest:
            raise Broken("F9 %s does not come to the newest roster" % host.name)
    world.wait(GATE + 10)
    oracle.check_fresh(world, deeds.mint)


def heal(world, i):
    """An issuer whose bundle key is known to others, that has stopped, or that denies what is far ahead."""
    issuer = world.issuers[i]
    deeds.do_hear(world, i, 0)
    deeds.do_maintain(world, i, 0)
    if issuer.key in world.thief:
        deeds.begin_anew(world, issuer, None, "rotate", "compromised")
    elif (issuer.read("private/published.json") or {}).get("stopped") or is_late(world, issuer):
        deeds.begin_anew(world, issuer, None, "keyset", "adopt")
    entry = world.newest.entry(issuer.base)
    if entry is None or entry["key"] != issuer.key:
        world.add(issuer)


def dates(folder):
    """Of the denials below it."""
    for path, _, names in os.walk(folder):
        for name in names:
            if "/denied/" in path + "/" and not name.startswith("."):
                with open(path + "/" + name, encoding="ascii") as file:
                    yield int(file.read().split()[0])


def is_late(world, issuer):
    """What status says: a denial more than 20 minutes ahead, or a `before` that is ahead of the time."""
    folders = [issuer.state + "/denied"]
    for host in world.hosts:
        folders.append("%s/fleet/%s/denied" % (host.state, issuer.base))
        keyset = host.read("fleet/%s/keyset.json" % issuer.base)
        if keyset is not None and keyset["followed"]["before"] > world.time:
            return True
    return any(date > world.time + 1200 for folder in folders for date in dates(folder))


def new_chain(world):
    """The fleet key was stolen: another one, and every host is told."""
    world.key_file = "%s/fleet.new" % world.top
    for machine in (world.issuers[0], world.admin):
        if os.path.exists(machine.state + "/fleet.json"):
            os.unlink(machine.state + "/fleet.json")
    world.begin_chain()
    for issuer in world.issuers:
        world.join(issuer)
    world.thief_fleet = False


def play(world, history):
    """Why it failed, None: it did not; and how many deeds there were until then."""
    done = 0
    try:
        for name, x, y in history:
            done += 1
            DEEDS[name](world, x, y)
            for one in [] if name in AWAY else world.hosts:
                world.look(one)
                oracle.check_host(world, one, world.tokens[-1:] if name == "mint" else None)
    except Broken as error:
        return str(error), done
    return None, done


def shrink(run, history, why):
    """Leave out what the same invariant does not need."""
    kind, n = why.split()[0], max(1, len(history) // 2)
    while n:
        k = 0
        while k < len(history):
            shorter = history[:k] + history[k + n:]
            again, _ = run(shorter)
            if again is not None and again.split()[0] == kind:
                history, why = shorter, again
            else:
                k += n
        n //= 2
    return history, why


def text_of(history):
    return "; ".join("%s %d %d" % deed for deed in history)


def spent():
    """Processor time of all of us, in seconds."""
    own = time.process_time()
    return own + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])


DEEDS = {**deeds.DEEDS, "settle": settle}


class Host:
    """The process that is all machines; a crash of it is a failure, and another one is started."""

    def __init__(self, build):
        self.program = build + "/tests/model/fleet_host"
        self.top = tempfile.mkdtemp(prefix="rjwt-model-", dir=os.environ.get("TMPDIR") or
                                    ("/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
        self.process, self.made = start(self.program), {}

    def used(self):
        """Its processor time until now."""
        with open("/proc/%d/stat" % self.process.pid, encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")

    def play(self, history, small):
        if self.process.poll() is not None:
            self.process = start(self.program)
        if small not in self.made:
            try:
                self.made[small] = World(self.process, "%s/%d" % (self.top, small), small).keep()
            except Broken as error:
                return "%s, before anything happened" % error, 0
        return play(World.of(self.process, "%s/%d" % (self.top, small), self.made[small]), history)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        shutil.rmtree(self.top, ignore_errors=True)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--histories", type=int, default=0)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    parser.add_argument("--history", default="")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--no-shrink", action="store_true")
    return parser.parse_args()


def failed(host, given, history, why, seed):
    print("not ok 1 - fleet\n# %s\n# seed %s, %d deeds: %s" % (why, seed, len(history), text_of(history)), flush=True)
    if not given.no_shrink:
        history, why = shrink(lambda shorter: host.play(shorter, given.small), history, why)
        print("# shrunk: %s\n# --history '%s'" % (why, text_of(history)))
    return 1


def main():
    given = options()
    host = Host(given.build)
    begun, count, steps = time.monotonic(), 0, 0
    print("1..1\n# seed %d" % given.seed, flush=True)
    try:
        if given.history:
            history = [(deed.split()[0], *map(int, deed.split()[1:])) for deed in given.history.split(";")]
            why, _ = host.play(history, given.small)
            print("ok 1 - fleet: one history" if why is None else "not ok 1 - fleet\n# %s" % why)
            return 0 if why is None else 1
        while count < given.histories or (given.histories == 0 and spent() + host.used() < given.seconds):
            seed = given.seed + count
            history = draw(random.Random(seed), given.small)
            why, done = host.play(history, given.small)
            count, steps = count + 1, steps + done
            if why is not None:
                print("# found after %d histories, %d steps, %.0f s" % (count, steps, time.monotonic() - begun))
                return failed(host, given, history, why, seed)
        print("ok 1 - fleet: %d histories, %d steps, seed %d, %.0f s" % (count, steps, given.seed, time.monotonic() - begun))
        return 0
    finally:
        host.close()


if __name__ == "__main__":
    sys.exit(main())
