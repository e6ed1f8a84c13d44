#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fleet.py BUILD [SCENARIO...] - kill join, follow, publish and fleet add before each call that changes a file, and let
each such call fail once with ENOSPC and from there on with EIO. After each: what is published is whole, no serial and no
number of a roster is there twice with other bytes, and the same command, undisturbed, ends as if nothing had happened.
TAP on stdout.
"""
import base64
import errno
import json
import os
import sys

from crash import Broken, Rig

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
        self.issuer, self.host = Rig(build), Rig(build)
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

    def __init__(self, name, rig, prepare, args, check):
        self.name, self.rig, self.prepare, self.args, self.check = name, rig, prepare, args, check


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
    Scenario("follow", "host", lambda fleet: fleet.join(), follow_args, check_followed),
    Scenario("follow with denials", "host",
             lambda fleet: (fleet.join(), fleet.host.keyd("follow", fleet.file), fleet.deny(9)), follow_args, check_followed),
    Scenario("join", "host", lambda fleet: None, lambda fleet: ["join", URL, fleet.key], check_joined),
]


def once(fleet, scenario, fault, undisturbed):
    """Broken off or failing, and then done again. The exit status of the first."""
    rig = getattr(fleet, scenario.rig)
    rig.restore("before")
    seen = lines_of(fleet.issuer)
    status = rig.keyd(*scenario.args(fleet), fault=fault)[0]
    for again in (False, True):
        if again:
            rig.must("again", rig.keyd(*scenario.args(fleet)))
        for name, line in lines_of(fleet.issuer).items():
            if seen.setdefault(name, line) != line:
                raise Broken("%s is there twice, with other bytes" % (name,))
    scenario.check(fleet, undisturbed)
    return status


def faults():
    yield "killed", {}
    yield "ENOSPC", {"RJWT_FAULT_ERRNO": str(errno.ENOSPC)}
    yield "EIO from there on", {"RJWT_FAULT_ERRNO": str(errno.EIO), "RJWT_FAULT_ON": "1"}


def try_all(build, scenario):
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
            for k in range(1, calls + 1):
                try:
                    once(fleet, scenario, dict(fault, RJWT_FAULT_AT=str(k)), undisturbed)
                except Broken as broken:
                    raise Broken("call %d %s: %s" % (k, what, broken)) from broken
        return calls
    finally:
        fleet.close()


def main():
    wanted = [s for s in SCENARIOS if not sys.argv[2:] or s.name in sys.argv[2:]]
    failed = False
    print("1..%d" % len(wanted))
    for i, scenario in enumerate(wanted, 1):
        try:
            print("ok %d %s: %d calls" % (i, scenario.name, try_all(sys.argv[1], scenario)), flush=True)
        except Broken as broken:
            failed = True
            print("not ok %d %s: %s" % (i, scenario.name, broken), flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
