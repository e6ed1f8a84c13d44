# SPDX-License-Identifier: MIT
"""The machines of a fleet, and all lines that were ever signed: what fleet.py plays with.

Each machine is a folder, a clock and an id; fleet_host is the library that acts on them. Fields of a machine that are the
oracle's (what was said and done, and never what a rule says) are in Ghost.
"""
import base64
import copy
import json
import os
import pickle
import shutil
import subprocess

LEEWAY, GATE, AGE, LIFE = 30, 120, 7 * 86400, 3600
START = 1800000000
ISSUERS = ["i1", "i2", "i3"]
HOSTS = ["h1", "h2", "h3", "h4"]   # h4 has a keyset of its own, too
OTHERS = ["admin", "twin", "thief", "scratch", "clone"]
USERS = ["alice", "bob"]


class Broken(Exception):
    """An invariant does not hold."""


def decode(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class Line:
    """A line that somebody signed. dead: the tokens that its issuer had revoked when it came out."""

    def __init__(self, text, signer, honest, dead=frozenset()):
        self.text, self.signer, self.honest, self.dead = text, signer, honest, dead
        head, body = (decode(part) for part in text.split(".")[:2])
        self.roster = "roster" in head["typ"]
        self.body = body
        self.number = body["n"] if self.roster else body["serial"]
        self.base = "" if self.roster else body["base"]
        self.keys = {} if self.roster else {int(key["kid"].rsplit(".", 1)[1]): key["x"] for key in body["keys"]}

    def entry(self, base):
        return next((one for one in self.body["issuers"] if one["base"] == base), None)

    def signs(self):
        """The versions that it says sign now or next."""
        return self.body["active"]["version"], self.body["next"]["version"]


class Token:
    def __init__(self, number, kid, jti, iat, exp, **other):
        self.number, self.jti, self.iat, self.exp = number, jti, iat, exp
        self.base, version = kid.rsplit(".", 1)
        self.version = int(version)
        self.iss = self.sub = self.host = self.x = None
        self.once = self.right = False
        self.__dict__.update(other)


class Ghost:
    """What the oracle remembers of a machine."""

    def __init__(self):
        self.dead, self.maybe = set(), set()        # of an issuer: tokens that it revoked, or tried to; of a host: had installed
        self.roster, self.installed = None, {}      # of a host: lines
        self.lost = False                           # a host that may have forgotten what was used
        self.dropped = {}                           # base: iat of the roster that dropped it
        self.keyless = set()                        # bases that were dropped, until they have another bundle
        self.copied = self.back = False             # an issuer: restored; its clock went back


class Machine:
    def __init__(self, world, number, name):
        self.world, self.number, self.name = world, number, name
        self.top = "%s/%s" % (world.top, name)
        self.state, self.config = self.top + "/state", self.top + "/rjwt.yaml"
        self.offset, self.boot, self.ghost = 0, 1, Ghost()
        self.base = self.key = None                 # of an issuer: its keyset's, its bundle key's public half
        self.pin = None                             # of a host
        self.alias = name
        self.id = name
        os.makedirs(self.top)
        with open(self.config, "w", encoding="ascii") as file:
            file.write("state_dir: %s\nrotate_every: %s\n" % (self.state, "1h" if name == "i3" else "7d"))
        self.declare()

    def declare(self):
        """Its name and its id; what was open is closed."""
        self.do("machine", self.config, self.alias, self.id.encode().hex().rjust(64, "0")[-64:])
        self.tick()

    def clock(self):
        return self.world.time + self.offset

    def right(self):
        return abs(self.offset) <= 14

    def tick(self):
        self.do("clock", self.clock(), self.world.time - START + 100000, "boot-%s-%d" % (self.name, self.boot))

    def do(self, command, *words):
        return self.world.ask(command, self.number, *words)

    def read(self, name):
        try:
            with open(self.state + "/" + name, encoding="utf-8") as file:
                return json.load(file)
        except (OSError, ValueError):
            return None

    def key_x(self, version):
        """The public key of a version, as it lies here."""
        found = self.read("keys/%d.jwk" % version)
        return None if found is None else found["x"]

    def copy_from(self, path):
        shutil.rmtree(self.state, ignore_errors=True)
        shutil.copytree(path, self.state, symlinks=True, copy_function=shutil.copy2)

    def is_listed(self):
        """Whether the roster that it has itself names its keyset: until then nobody follows it, and any key may sign."""
        base = (self.read("keyset.json") or {}).get("base")
        return any(entry["base"] == base for entry in (self.read("fleet.json") or {}).get("roster", {}).get("issuers", []))

    def learn(self):
        """Whose keyset it is now."""
        keyset = self.read("keyset.json")
        if keyset is None or "followed" in keyset:
            return
        if keyset["base"] != self.base:
            self.base, self.key = keyset["base"], None
            self.world.fast.add((self.base, keyset["active"]["version"]))


class World:
    """A fleet with an hour of quiet behind it."""

    def __init__(self, host, top, small=False):
        self.host, self.top, self.time = host, top, START
        self.air, self.texts, self.lines, self.tokens = [], {}, {}, []
        self.out, self.fast = {}, set()             # (base, version): since when it is out; those that may sign at once
        self.used, self.wild = {}, set()            # one-time tokens: where; machines whose clock was wrong
        self.thief, self.thief_fleet = {}, False    # stolen bundle keys: (file, base); a fleet key was
        self.forked, self.sworn, self.backup = False, set(), {}
        self.listed, self.newest = [], None
        self.keys, self.based = {}, {}              # all public keys that sign lines; bundle keys: for which base
        shutil.rmtree(top, ignore_errors=True)
        os.makedirs(top + "/kept")
        self.ask("forget")
        self.issuer_names = ISSUERS[:1] if small else ISSUERS
        self.host_names = HOSTS[:2] if small else HOSTS
        self.machines = {name: Machine(self, n, name) for n, name in enumerate(ISSUERS + HOSTS + OTHERS)}
        self.issuers = [self.machines[name] for name in self.issuer_names]
        self.hosts = [self.machines[name] for name in self.host_names]
        self.admin = self.machines["admin"]
        self.begin()

    # --- a world that many histories begin with

    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name != "host"}

    @classmethod
    def of(cls, host, top, made):
        """A copy of one that was made there before."""
        world = pickle.loads(made)
        world.host = host
        shutil.rmtree(top, ignore_errors=True)
        subprocess.run(["cp", "-a", top + ".made", top], check=True)
        world.ask("forget")
        for machine in world.machines.values():
            machine.declare()
        return world

    def keep(self):
        """For of()."""
        self.ask("forget")
        shutil.rmtree(self.top + ".made", ignore_errors=True)
        os.rename(self.top, self.top + ".made")
        return pickle.dumps(self)

    # --- the library

    def ask(self, *words, fault=None):
        if fault is not None:
            self.send("die", fault[0], int(fault[1]), fault[2], self.top + "/kept")
        self.send(*words)
        answer = self.host.stdout.readline().rstrip("\n").split("\t")
        if len(answer) < 3:
            raise Broken("the library crashed in %s" % (words,))
        answer, reason, text = answer[1:-2], answer[-2], answer[-1]
        if reason in ("crashed", "internal", "memory"):
            raise Broken("%s: %s: %s" % (words[0], reason, text))
        return reason, answer, text

    def send(self, *words):
        self.host.stdin.write("\t".join(str(word) for word in words) + "\n")
        self.host.stdin.flush()

    def must(self, result):
        if result[0] != "ok":
            raise Broken("%s: %s" % (result[0], result[2]))
        return result[1]

    def wait(self, seconds):
        self.time += seconds
        for machine in self.machines.values():
            machine.tick()

    # --- the beginning

    def begin(self):
        first = self.issuers[0]
        self.key_file, self.old_files = self.top + "/fleet.1", []
        self.must(self.ask("keyset", first.number))
        self.begin_chain()
        for one in self.issuers:
            self.join(one)
        for one in self.issuers:
            self.follow(one, self.air)
            one.do("publish")
            self.collect(one)
        for host in self.hosts:
            if host.name == "h4":
                self.must(host.do("keyset"))
                host.base = host.read("keyset.json")["base"]
            self.join(host)
            self.must_follow(host, self.air)
        self.wait(3600)

    def begin_chain(self):
        """Fleet keys that no host has heard of, on the first issuer; and the entries of the others."""
        first = self.issuers[0]
        first.learn()
        self.pin = self.must(first.do("begin", self.url(first), self.key_file))[0]
        self.keys.setdefault(self.pin)
        self.listed, self.newest = [first.name], None
        self.collect(first)
        self.entry(first)
        self.join(self.admin)
        self.follow(self.admin, self.full())
        for other in self.issuers[1:]:
            self.add(other)

    def join(self, machine, fault=None):
        """Believe in the fleet key of now."""
        before = machine.read("fleet.json")
        reason, _, _ = self.ask("join", machine.number, self.url(self.issuers[0]), self.pin, fault=fault)
        after = machine.read("fleet.json")
        if after is not None and (before is None or before["pin"] != after["pin"]):
            machine.pin, machine.ghost.roster = after["pin"], None
        return reason

    def must_follow(self, host, lines):
        """Nothing that anybody signed stops a host, unless its own files are torn or gone."""
        reason, said, text = self.follow(host, lines)
        if reason not in ("ok", "keyset") or (reason == "keyset" and host.read("fleet.json") is not None):
            raise Broken("F9 %s cannot follow: %s: %s" % (host.name, reason, text))
        self.look(host)
        return said

    def hash_of(self, name):
        return self.must(self.ask("hash", name))[0]

    def url(self, machine):
        return "http://%s.example/fleet.jws" % machine.name

    # --- lines

    def collect(self, machine):
        """What it publishes now is out, and a carrier may bring it for ever."""
        if machine in self.issuers and not machine.is_listed():
            keyset = machine.read("keyset.json") or {}
            self.fast.add((keyset.get("base"), keyset.get("active", {}).get("version")))
        try:
            with open(machine.state + "/www/fleet.jws", encoding="ascii") as file:
                text = file.read()
        except OSError:
            return
        for one in text.splitlines():
            if one not in self.texts:
                self.take(machine, one)

    def take(self, machine, text):
        kind = "roster" if "roster" in decode(text.split(".")[0])["typ"] else "bundle"
        line = Line(text, None, True)
        if kind == "roster":
            for entry in line.body["issuers"]:
                self.keys.setdefault(entry["key"])
            for key in line.body["keys"]:
                self.keys.setdefault(key)
        keys = list(self.keys)
        reason, answer, _ = self.ask("signer", text, kind, *keys)
        if reason != "ok":
            raise Broken("F3 %s publishes a line that nobody signed" % machine.name)
        line.signer = keys[int(answer[0])]
        if kind == "bundle":
            line.dead = frozenset(machine.ghost.dead)
            there = self.lines.setdefault((line.signer, line.number), line)
            if there.text != text and not machine.ghost.back:
                raise Broken("F10 two lines of %s have the serial %d" % (machine.name, line.number))
            for version in line.signs():
                self.out.setdefault((line.base, version), self.time)
            self.put(line)
            return
        there = self.lines.setdefault((line.signer, line.number), line)
        if there.text != text and not self.forked:
            raise Broken("F10 two rosters have the number %d" % line.number)
        if self.newest is None or line.number > self.newest.number:
            self.newest = line
        self.put(line)

    def put(self, line):
        self.texts[line.text] = line
        self.air.append(line)

    def full(self):
        """What a carrier brings that hides nothing: of the rosters with the same keys the first and the last, of each bundle
        key the last line, and what hosts have installed, as other mirrors do; and what was forged.
        """
        groups = {}
        for line in self.air:
            key = ("roster", *line.body["keys"]) if line.roster else (line.signer, line.honest)
            groups.setdefault(key, []).append(line)
        keep = set()
        for key, lines in groups.items():
            lines.sort(key=lambda line: line.number)
            keep.update(id(line) for line in (lines[:2] + lines[-2:] if key[0] == "roster" else lines[-1:]))
        for host in self.hosts:
            keep.update(id(line) for line in host.ghost.installed.values())
        forged = [line for line in self.air if not line.honest][-8:]
        return [line for line in self.air if id(line) in keep or line in forged]

    def files(self, lines):
        paths = []
        for i in range(0, max(1, len(lines)), 200):
            path = "%s/lines.%d" % (self.top, i)
            if os.path.exists(path):
                os.unlink(path)
            with open(path, "w", encoding="ascii") as file:
                file.writelines(line.text + "\n" for line in lines[i:i + 200])
            paths.append(path)
        return paths

    def follow(self, machine, lines, fault=None):
        return self.ask("follow", machine.number, *self.files(lines), fault=fault)

    # --- rosters

    def change(self, what, subject, admin=None, fault=None):
        """The next roster, by who has the fleet keys."""
        admin = admin or self.admin
        before = self.newest
        result = self.ask("roster", admin.number, what, subject, self.key_file, *self.files(self.full()), fault=fault)
        self.collect(admin)
        if result[0] == "ok" and self.newest is before and admin is self.admin:
            raise Broken("F9 a roster was made, and is not published")
        return result

    def entry(self, machine):
        reason, answer, _ = machine.do("request", self.url(machine), machine.name)
        if reason != "ok":
            return None
        machine.learn()
        machine.key = json.loads(answer[0])["key"]
        self.keys.setdefault(machine.key)
        if self.based.setdefault(machine.key, machine.base) != machine.base:
            raise Broken("F8 %s has one bundle key for two bases" % machine.name)
        return answer[0]

    def add(self, machine, fault=None):
        entry = self.entry(machine)
        if entry is None:
            return False
        done = self.change("add", entry, fault=fault)[0] == "ok"
        if done and machine.name not in self.listed:
            self.listed.append(machine.name)
        return done

    # --- what a host has

    def look(self, host):
        """Read what it believes and has installed, and compare that with what it had."""
        ghost, fleet = host.ghost, host.read("fleet.json")
        if fleet is None:
            return
        roster = fleet.get("roster")
        if roster is not None and (ghost.roster is None or ghost.roster.body != roster):
            self.look_at_roster(host, roster)
        for base in os.listdir(host.state + "/fleet") if os.path.isdir(host.state + "/fleet") else []:
            keyset = host.read("fleet/%s/keyset.json" % base)
            if keyset is not None:
                self.look_at_keyset(host, base, keyset)

    def look_at_roster(self, host, roster):
        ghost = host.ghost
        new = next((line for line in self.air if line.roster and line.body == roster), None)
        if new is None:
            raise Broken("F3 %s believes a roster that nobody signed" % host.name)
        if ghost.roster is not None and new.number <= ghost.roster.number:
            raise Broken("F2 n at %s falls from %d to %d" % (host.name, ghost.roster.number, new.number))
        if not self.leads(ghost.roster, new, host):
            raise Broken("F3 %s believes roster %d, which no key of the one before signed" % (host.name, new.number))
        for entry in ghost.roster.body["issuers"] if ghost.roster else []:
            if new.entry(entry["base"]) is None:
                ghost.dropped.setdefault(entry["base"], new.body["iat"])
        # Also one between them, that was taken in the same breath, removes the keys of whom it drops.
        for line in [one for one in self.air if one.roster and ghost.roster is not None]:
            if ghost.roster.number < line.number <= new.number:
                ghost.keyless |= {base for base in ghost.installed if line.entry(base) is None}
        for entry in new.body["issuers"]:
            ghost.dropped.pop(entry["base"], None)
        ghost.roster = new

    def leads(self, before, new, host):
        """Whether each of a row of rosters is signed by a key of the one before."""
        keys = {host.pin} if before is None else set(before.body["keys"])
        reached, least = [(keys, before.number if before else 0)], set()
        while reached:
            keys, number = reached.pop()
            for line in self.air:
                if line.roster and line.signer in keys and line.number > number and (number, line.text) not in least:
                    if line is new:
                        return True
                    least.add((number, line.text))
                    reached.append((set(line.body["keys"]), line.number))
        return False

    def look_at_keyset(self, host, base, keyset):
        ghost, followed = host.ghost, keyset["followed"]
        before = ghost.installed.get(base)
        if before is not None and followed["serial"] == before.number:
            if followed["issued"] > before.body["iat"]:
                raise Broken("F4 issued at %s is later than what is installed" % host.name)
            return
        if before is not None and followed["serial"] < before.number:
            raise Broken("F2 the serial of %s at %s falls" % (base, host.name))
        line = next((one for one in self.air if not one.roster and one.base == base and one.number == followed["serial"]
                     and one.signer == followed["key"]), None)
        if line is None or line.body["iat"] != followed["issued"]:
            raise Broken("F3 %s has a bundle of %s installed that nobody signed" % (host.name, base))
        entry = ghost.roster.entry(base) if ghost.roster else None
        if entry is None or entry["key"] != line.signer:
            raise Broken("F3 %s installed a bundle of %s without a key of its roster" % (host.name, base))
        for version, x in line.keys.items():
            if before is not None and version >= line.body["floor"] and before.keys.get(version, x) != x:
                raise Broken("F2 version %d of %s has another key at %s" % (version, base, host.name))
        ghost.installed[base] = line
        ghost.keyless.discard(base)
        ghost.dead |= line.dead

    def copied_ghost(self, ghost):
        other = copy.copy(ghost)
        for name in ("dead", "maybe", "installed", "dropped", "keyless"):
            setattr(other, name, copy.copy(getattr(ghost, name)))
        return other


def start(program):
    return subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1 << 16)
