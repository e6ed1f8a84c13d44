#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fleet.py BUILD [SCENARIO...] - kill join, follow, publish and fleet init, add, drop and roll before each call that
changes a file, let each such call fail once with ENOSPC and from there on with EIO, and cut the power after each (crash.py
says what that leaves). After each: what is published is whole, no serial and no number of a roster is there twice with other
bytes, and the same command, undisturbed, ends as if nothing had happened. Of a command with many calls each run looks at
some. TAP on stdout; RJWT_SEED repeats a run.
"""
import base64
import errno
import json
import os
import random
import sys

from disk import Disk, states
from rig import Broken, Rig

URL = "http://i.example/fleet.jws"


def lines_of(rig):
    """{(typ and key, number): line} of what is published."""
    try:
        with open(rig.state + "/www/fleet.jws", encoding="ascii") as file:
            text = file.read()
    except FileNotFoundError:
        return {}
    if not text.endswith("\n"):
        raise Broken("fleet.jws is torn")
    found = {}
    for line in text.splitlines():
        part = line.split(".")[1]
        payload = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        found[payload.get("base", ""), payload.get("serial", payload.get("n"))] = line
    return found


class Fleet:
    """An issuer, and a host that has joined it."""

    def __init__(self, build):
        self.issuer, self.host, self.fresh = Rig(build), Rig(build), Rig(build)
        self.key_file = self.issuer.top + "/fleet.key"
        line = self.issuer.must("fleet init", self.issuer.keyd("fleet", "init", "--key", self.key_file, URL))
        self.key = line.split()[-1]
        self.file = self.issuer.state + "/www/fleet.jws"
        self.other = Rig(build)
        self.entry = self.other.must("request", self.other.keyd("fleet", "request", "http://j.example/f", "j"))
        self.other.close()

    def close(self):
        self.issuer.close()
        self.host.close()
        self.fresh.close()

    def join(self):
        self.host.must("join", self.host.keyd("join", URL, self.key))

    def deny(self, number):
        for i in range(number):
            self.issuer.keyd("revoke", "--sub", "user%d" % i)


def installed(rig):
    """What a host has taken: the roster, the serials, the denials."""
    with open(rig.state + "/fleet.json", encoding="utf-8") as file:
        found = [json.load(file).get("roster", {}).get("n", 0)]
    for base in sorted(os.listdir(rig.state + "/fleet")):
        path = "%s/fleet/%s" % (rig.state, base)
        with open(path + "/keyset.json", encoding="utf-8") as file:
            found.append(json.load(file)["followed"]["serial"])
        found += [(name, open(path + "/denied/sub/" + name, encoding="ascii").read())
                  for name in sorted(os.listdir(path + "/denied/sub")) if not name.startswith(".")]
        found += sorted(name for name in os.listdir(path + "/keys") if not name.startswith("."))
    return found


class Scenario:
    """A command on one of them, and what holds after it was broken off and done again."""

    def __init__(self, name, rig, prepare, args, check, once=False):
        """once: what is done cannot be done again, and says so."""
        self.name, self.rig, self.prepare, self.args, self.check, self.once = name, rig, prepare, args, check, once

    def again(self, fleet):
        rig = getattr(fleet, self.rig)
        result = rig.keyd(*self.args(fleet))
        if result[0] != 0 and self.once:
            result = rig.keyd("publish")
        rig.must("again", result)


def follow_args(fleet):
    return ["follow", fleet.file]


def check_published(fleet, _):
    """A host believes all of it, and has what the issuer says."""
    fleet.host.restore("joined")
    fleet.host.must("follow", fleet.host.keyd("follow", fleet.file))
    with open(fleet.issuer.state + "/private/published.json", encoding="utf-8") as file:
        record = json.load(file)
    if record["serial"] not in [number for base, number in lines_of(fleet.issuer) if base != ""]:
        raise Broken("the last serial is not published")
    if record["serial"] not in installed(fleet.host):
        raise Broken("the host has another serial")


def check_added(fleet, _):
    check_published(fleet, _)
    with open(fleet.host.state + "/fleet.json", encoding="utf-8") as file:
        if "j" not in [issuer["name"] for issuer in json.load(file)["roster"]["issuers"]]:
            raise Broken("the host has not heard of the second issuer")


def roster_of(rig):
    with open(rig.state + "/fleet.json", encoding="utf-8") as file:
        return json.load(file)["roster"]


def check_dropped(fleet, _):
    check_published(fleet, _)
    if "j" in [issuer["name"] for issuer in roster_of(fleet.host)["issuers"]]:
        raise Broken("the host has not heard that the second issuer is dropped")


def check_rolled(fleet, _):
    check_published(fleet, _)
    if fleet.key in roster_of(fleet.host)["keys"]:
        raise Broken("the host has not heard of the new fleet keys")


def check_begun(fleet, _):
    line = fleet.fresh.must("fleet init", fleet.fresh.keyd("fleet", "init", "--key", fleet.fresh.top + "/fleet.key", URL))
    fleet.host.restore("none")
    fleet.host.must("join", fleet.host.keyd("join", URL, line.split()[-1]))
    fleet.host.must("follow", fleet.host.keyd("follow", fleet.fresh.state + "/www/fleet.jws"))
    if len(installed(fleet.host)) < 2:
        raise Broken("the host has nothing of the new issuer")


def add_second(fleet):
    fleet.issuer.must("fleet add", fleet.issuer.keyd("fleet", "add", "--key", fleet.key_file, fleet.entry))


def check_followed(fleet, undisturbed):
    if installed(fleet.host) != undisturbed:
        raise Broken("another end than undisturbed: %s, not %s" % (installed(fleet.host), undisturbed))


def check_joined(fleet, _):
    fleet.host.must("join --check", fleet.host.keyd("join", "--check", URL, fleet.key))
    fleet.host.must("follow", fleet.host.keyd("follow", fleet.file))


SCENARIOS = [
    Scenario("publish", "issuer", lambda fleet: None, lambda fleet: ["publish"], check_published),
    Scenario("fleet add", "issuer", lambda fleet: None,
             lambda fleet: ["fleet", "add", "--key", fleet.key_file, fleet.entry], check_added),
    Scenario("fleet drop", "issuer", add_second,
             lambda fleet: ["fleet", "drop", "--key", fleet.key_file, "j"], check_dropped, once=True),
    Scenario("fleet roll", "issuer", lambda fleet: None,
             lambda fleet: ["fleet", "roll", "--key", fleet.key_file, fleet.issuer.top + "/new.key"], check_rolled, once=True),
    Scenario("fleet init", "fresh", lambda fleet: None,
             lambda fleet: ["fleet", "init", "--key", fleet.fresh.top + "/fleet.key", URL], check_begun),
    Scenario("follow", "host", lambda fleet: fleet.join(), follow_args, check_followed),
    Scenario("follow with denials", "host",
             lambda fleet: (fleet.join(), fleet.host.keyd("follow", fleet.file), fleet.deny(9)), follow_args, check_followed),
    Scenario("join", "host", lambda fleet: None, lambda fleet: ["join", URL, fleet.key], check_joined),
]


def once(fleet, scenario, fault, undisturbed):
    """Broken off or failing, and then done again. The exit status of the first."""
    rig = getattr(fleet, scenario.rig)
    rig.restore("before")
    seen = published_by(fleet, scenario)
    status = rig.keyd(*scenario.args(fleet), fault=fault)[0]
    compare(fleet, scenario, seen)
    scenario.again(fleet)
    compare(fleet, scenario, seen)
    scenario.check(fleet, undisturbed)
    return status


def published_by(fleet, scenario):
    return lines_of(fleet.fresh if scenario.rig == "fresh" else fleet.issuer)


def compare(fleet, scenario, seen):
    """No number is there twice. seen: what anybody may have fetched."""
    for name, line in published_by(fleet, scenario).items():
        if seen.setdefault(name, line) != line:
            raise Broken("%s is there twice, with other bytes" % (name,))


def cut(fleet, scenario, undisturbed, rng):
    """The states that a power cut may leave after each call, and then the command again. How many there were."""
    rig = getattr(fleet, scenario.rig)
    journal = rig.top + "/journal"
    rig.restore("before")
    rig.must("undisturbed", rig.keyd(*scenario.args(fleet), fault={"RJWT_FAULT_JOURNAL": journal}))
    with open(journal, encoding="ascii") as file:
        lines = file.readlines()
    rig.restore("before")
    disk = Disk(rig.state)
    disk.entries.setdefault(rig.top, {"state": None} if os.path.exists(rig.state) else {})
    points = 0
    looked_at = set(some(len(lines), rng)) | {len(lines)}
    for done in range(len(lines) + 1):
        seen = {}
        if done not in looked_at:
            disk.apply(lines[done])
            continue
        for name, keep, data in list(states(disk, rng, done == len(lines))):
            disk.materialize(keep, data)
            points += 1
            try:
                if name == "all":
                    seen = published_by(fleet, scenario)
                elif done < len(lines) and rng.randrange(3) != 0:
                    continue
                if done == len(lines) and scenario.check is check_followed:
                    scenario.check(fleet, undisturbed)  # what was reported as installed is
                compare(fleet, scenario, dict(seen))
                there = dict(seen)
                scenario.again(fleet)
                compare(fleet, scenario, there)
                scenario.check(fleet, undisturbed)
            except Broken as broken:
                raise Broken("power cut after call %d of %d (%s), %s: %s" % (
                    done, len(lines), lines[done - 1].strip()[:120] if done else "", name, broken)) from broken
        if done < len(lines):
            disk.apply(lines[done])
    return points


def some(calls, rng):
    """All of the first 60; where there are more, every second, third, ..."""
    step = 1 + calls // 60
    return range(1 + rng.randrange(step), calls + 1, step)


def faults():
    yield "killed", {}
    yield "ENOSPC", {"RJWT_FAULT_ERRNO": str(errno.ENOSPC)}
    yield "EIO from there on", {"RJWT_FAULT_ERRNO": str(errno.EIO), "RJWT_FAULT_ON": "1"}


def try_all(build, scenario, rng):
    fleet = Fleet(build)
    try:
        fleet.join()
        fleet.host.save("joined")
        fleet.host.restore("none")
        scenario.prepare(fleet)
        rig = getattr(fleet, scenario.rig)
        rig.save("before")
        rig.must("undisturbed", rig.keyd(*scenario.args(fleet)))
        undisturbed = installed(fleet.host) if scenario.check is check_followed else None
        calls = 0
        while once(fleet, scenario, {"RJWT_FAULT_AT": str(calls + 1)}, undisturbed) == 137:
            calls += 1
        if calls == 0:
            raise Broken("no call changes a file")
        for what, fault in faults():
            for k in some(calls, rng):
                try:
                    once(fleet, scenario, dict(fault, RJWT_FAULT_AT=str(k)), undisturbed)
                except Broken as broken:
                    raise Broken("call %d %s: %s" % (k, what, broken)) from broken
        return "%d calls, %d states after a power cut" % (calls, cut(fleet, scenario, undisturbed, rng))
    finally:
        fleet.close()


def main():
    wanted = [s for s in SCENARIOS if not sys.argv[2:] or s.name in sys.argv[2:]]
    failed = False
    seed = os.environ.get("RJWT_SEED", str(random.randrange(1 << 31)))
    print("1..%d\n# seed %s" % (len(wanted), seed))
    for i, scenario in enumerate(wanted, 1):
        try:
            print("ok %d %s: %s" % (i, scenario.name, try_all(sys.argv[1], scenario, random.Random(seed + scenario.name))), flush=True)
        except Broken as broken:
            failed = True
            print("not ok %d %s: %s" % (i, scenario.name, broken), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
