#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""crash.py BUILD [--share N] [--seed S] [--tpm] [SCENARIO...] - kill, cut the power, and break calls, at every point.

Each scenario is a command on a keyset with tokens of an active and a retired key. The command is run

  kill    with the process ended before its k-th call that changes a file, for every k;
  cut     whole, with its calls recorded; then for every prefix of them the states that a power cut may leave are
          made: what was not fsynced is dropped, kept, torn, or a part of it kept; what comes then is after a boot;
  fail    with its k-th call failing, once and from there on, for every k, by ENOSPC, EIO and others;

and after each the invariants of lib/keyset/keyset.h are checked: first without a writer, then with one, then minting
and rotating again. --share N looks at one point in N, chosen by the seed (all of the last state of a command,
where its promise counts). --tpm: the keys are a TPM's, which TPM2OPENSSL_TCTI names. TAP on stdout.
"""
import argparse
import base64
import errno
import json
import os
import random
import shutil
import sys
import time

from disk import Disk, states
from rig import Broken, Rig

ERRNOS = [errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE]
READS = [errno.EIO, errno.EMFILE, errno.ENFILE]  # which opening to read can fail with


# --- scenarios --------------------------------------------------------------------------------------------


class Scenario:
    """A command, and what it may take away: the tokens that it revokes, and when it is done, must have."""

    def __init__(self, name, command, takes=(), lines=(), fresh=False, setup=None):
        self.name, self.command, self.takes, self.lines = name, command, takes, lines
        self.fresh, self.setup = fresh, setup


def keyd(*args):
    return lambda rig, fault: rig.keyd(*args, fault=fault)


def by_kid(which):
    def command(rig, fault):
        keyset = rig.keyset() if os.path.exists(rig.state + "/keyset.json") else rig.before
        version = keyset["active"]["version"] - 1 if which == "retired" else keyset[which]["version"]
        return rig.keyd("revoke", "--kid", "%s.%d" % (keyset["base"], version), fault=fault)
    return command


def find_unsynced_rotation(rig):
    """The call before which a rotation must be killed so that it has renamed, and not synced the folder."""
    rig.kill_at = 0
    active = rig.before["active"]["version"]
    while rig.keyset()["active"]["version"] == active:
        rig.kill_at += 1
        trial_of(rig, lambda rig, fault: rig.keyd("rotate", fault=fault), {"RJWT_FAULT_AT": str(rig.kill_at)})


def find_unsynced_folder(rig):
    """The call before which a first login must be killed so that it has made a folder, and not synced above it."""
    rig.kill_at = 0
    while not os.path.exists("%s/spent/%d" % (rig.state, rig.before["active"]["version"])):
        rig.kill_at += 1
        trial_of(rig, lambda rig, fault: rig.login(rig.other, fault=fault), {"RJWT_FAULT_AT": str(rig.kill_at)})


def after_killed(first, then):
    """first is killed before call rig.kill_at; then comes what is tried, in the same journal."""
    def command(rig, fault):
        journal = {name: value for name, value in fault.items() if name == "RJWT_FAULT_JOURNAL"}
        first(rig, dict(journal, RJWT_FAULT_AT=str(rig.kill_at)))
        return then(rig, fault)
    return command


def issue(rig, fault):
    return rig.issue("--reusable", "alice", fault=fault)


def issue_short(rig, fault):
    return rig.issue("--short", "alice", fault=fault)


ALL = ("alice", "old", "bob")
SCENARIOS = [
    Scenario("init", keyd("init"), fresh=True),
    Scenario("rotate", keyd("rotate")),
    Scenario("once", keyd("once"), lines=["rotate_every: 1s", "previous_key_ttl: 2h"]),
    Scenario("issue", issue),
    # A code that was printed has its token, whatever comes.
    Scenario("issue-short", issue_short),
    Scenario("issue-limit", issue, lines=["max_tokens_per_key: 2"]),
    # What hangs on another's commit that is not durable must make it so before a token is printed.
    Scenario("issue-after-killed-rotation", after_killed(keyd("rotate"), issue), setup=find_unsynced_rotation),
    # A second rotation erases what the first one needs, if the first comes undone.
    Scenario("rotate-after-killed-rotation", after_killed(keyd("rotate"), keyd("rotate")),
             setup=find_unsynced_rotation),
    Scenario("revoke-jti", lambda rig, fault: rig.keyd("revoke", "--jti", rig.jti, fault=fault), ("alice",)),
    Scenario("revoke-sub", keyd("revoke", "--sub", "alice"), ("alice", "old")),
    Scenario("revoke-kid-active", by_kid("active"), ("alice", "bob")),
    Scenario("revoke-kid-next", by_kid("next")),
    Scenario("revoke-kid-retired", by_kid("retired"), ("old",)),
    Scenario("revoke-all", keyd("revoke", "--all"), ALL),
    Scenario("compromised", keyd("rotate", "--compromised"), ALL),
    Scenario("adopt", keyd("init", "--adopt"), ALL),
    Scenario("login", lambda rig, fault: rig.login(rig.once, fault=fault)),
    Scenario("login-uses", lambda rig, fault: rig.login(rig.few, fault=fault)),
    # The tokens of codes are signed anew, by another key; all of them, since a token may live shorter than it did.
    Scenario("codes-renew", keyd("once"), lines=["codes: [ssh]", "max_lifetime: 30m"]),
    # Whoever made the folder may not have come to its sync: a mark in it must not go with it.
    Scenario("login-after-killed-login",
             after_killed(lambda rig, fault: rig.login(rig.other, fault=fault),
                          lambda rig, fault: rig.login(rig.once, fault=fault)), setup=find_unsynced_folder),
]


def prepare(rig, scenario):
    """The state before the command; its tokens are in rig.tokens."""
    rig.tokens, rig.once, rig.jti, rig.seen, rig.before = {}, "", "", {}, {}
    if not scenario.fresh:
        rig.must("init", rig.keyd("init"))
        rig.tokens["old"] = rig.mint("--reusable", "alice")
        rig.must("rotate", rig.keyd("rotate"))
        rig.tokens["alice"] = rig.mint("--reusable", "alice")
        rig.tokens["bob"] = rig.mint("--reusable", "bob")
        rig.once, rig.other = rig.mint("alice"), rig.mint("alice")
        rig.few = rig.mint("--uses", "3", "alice")
        if scenario.name == "login-uses":
            rig.must("first use", rig.login(rig.few))
        if scenario.name == "codes-renew":
            prepare_codes(rig)
        claims = rig.tokens["alice"].split(".")[1]
        rig.jti = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["jti"]
        rig.before = rig.keyset()
    rig.save("before")
    rig.seen = rig.public_keys()
    if scenario.setup is not None:
        scenario.setup(rig)
        rig.restore("before")
    if scenario.name == "once":
        time.sleep(1.1)


def prepare_codes(rig):
    """Two codes and one that was used, by a key that has retired since."""
    rig.configure("codes: [ssh]")
    rig.codes = rig.must("codes", rig.keyd("codes", "3", "--lifetime", "30d", "--scope", "ssh", "alice")).split("\n")
    rig.held = [rig.parked(code) for code in rig.codes]
    rig.must("rotate", rig.keyd("rotate"))
    rig.must("login by a code", rig.login(rig.held[2]))


def note_keys(rig, seen):
    for kid, x in rig.public_keys().items():
        if seen.setdefault(kid, x) != x:
            raise Broken("%s came again with another key" % kid)


def check_tokens(rig, scenario, done):
    for name, reason in zip(rig.tokens, rig.verify(*rig.tokens.values())):
        if name not in scenario.takes and reason != "ok":
            raise Broken("the token %s is refused: %s" % (name, reason))
        if name in scenario.takes and done and reason == "ok":
            raise Broken("the token %s opens, although it was revoked" % name)


def check_private(rig):
    keyset = rig.keyset()
    expected = {"%d.%s" % (v, kind) for v in (keyset["active"]["version"], keyset["next"]["version"])
                for kind in ("key", "minted")}
    found = set(os.listdir(rig.state + "/private")) - {"lock", "parked"}
    if found != expected:
        raise Broken("private/ holds %s, not %s" % (sorted(found), sorted(expected)))


def check_once(rig, done):
    """Of all logins with the one-time token one succeeds at most, and none after one that did."""
    accepted = sum(rig.login(rig.once)[0] == 0 for _ in range(2))
    if accepted > (0 if done else 1):
        raise Broken("a one-time token opened again, %d times" % accepted)


def check_uses(rig, done):
    """Of three uses one was made before: no more logins than are left, and as many as the crash cannot have taken."""
    accepted = sum(rig.login(rig.few)[0] == 0 for _ in range(4))
    if accepted > (1 if done else 2) or accepted < 1:
        raise Broken("a token with uses opened %d times more" % accepted)


def code_opens(rig, number):
    """How many logins succeed by a code: by the token that somebody held since before, and twice by the one that is there."""
    rig.configure()    # which accepts the old lifetime too
    tokens = [rig.held[number]]
    try:
        tokens += 2 * [rig.parked(rig.codes[number])]
    except Broken:
        pass
    return sum(rig.login(token)[0] == 0 for token in tokens)


def check_codes(rig, scenario, well):
    """A code is good once, whatever came: at once, or when a writer has gone on. One that was used is never good again."""
    if well and rig.held[1] == rig.parked(rig.codes[1]):
        raise Broken("a code was not renewed")
    first = code_opens(rig, 0)
    rig.configure(*scenario.lines)
    rig.must("once", rig.keyd("once"))
    for number, opened in ((0, first), (1, 0), (2, 1)):
        opened += code_opens(rig, number)
        if opened != 1:
            raise Broken("code %d of 3 opened %d times in all" % (number + 1, opened))


def check_all_revoked(rig, token):
    """A token that was printed is one that "all until now" means, whatever the power cut has undone."""
    rig.save("printed")
    rig.must("revoke --all", rig.keyd("revoke", "--all"))
    if rig.verify(token) == ["ok"]:
        raise Broken("a token that was printed survives revoke --all")
    rig.restore("printed")
    shutil.rmtree(rig.top + "/printed")


def recover(rig, scenario):
    """A writer comes; what it must be to go on depends on what was under way."""
    if scenario.fresh and not os.path.exists(rig.state + "/keyset.json"):
        rig.must("init again", rig.keyd("init"))
    status, _, err = rig.keyd("once")
    if status != 0:
        raise Broken("once: status %d: %s" % (status, err.strip()))


def check(rig, scenario, result):
    """All invariants, after a command that ended with result, or None when it did not end."""
    done = result is not None and result[0] == 0
    seen = dict(rig.seen)
    rig.configure()
    note_keys(rig, seen)
    if not scenario.fresh:
        check_tokens(rig, scenario, done)
        if scenario.name == "codes-renew":
            check_codes(rig, scenario, done and "warning" not in result[2])
        elif scenario.name == "login-uses":
            check_uses(rig, done)
        elif scenario.name.startswith("login"):
            check_once(rig, done)
    printed = result[1].strip() if done and scenario.name.startswith("issue") else ""
    if scenario.name == "issue-short":
        printed = rig.parked(printed) if printed else ""
    if printed:
        if rig.verify(printed) != ["ok"]:
            raise Broken("a token that was printed is refused: %s" % rig.verify(printed))
        check_all_revoked(rig, printed)
    recover(rig, scenario)
    note_keys(rig, seen)
    check_private(rig)
    if not scenario.fresh:
        check_tokens(rig, scenario, done)
    first = rig.mint("--reusable", "alice")
    rig.must("rotate", rig.keyd("rotate"))
    second = rig.mint("--reusable", "alice")
    note_keys(rig, seen)
    reasons = rig.verify(first, second, *([printed] if printed else []))
    if set(reasons) != {"ok"}:
        raise Broken("a token minted is refused: %s" % reasons)
    check_private(rig)
    status, out, _ = rig.keyd("status", "--json")
    if status != 0:
        raise Broken("status %d: %s" % (status, json.loads(out)["notes"]))


# --- the three ways to break it -----------------------------------------------------------------------------


def count_calls(rig, scenario):
    """(number of calls that change files, the journal of the undisturbed run, its result)"""
    journal = rig.top + "/journal"
    if os.path.exists(journal):
        os.unlink(journal)
    rig.restore("before")
    rig.configure(*scenario.lines)
    result = scenario.command(rig, {"RJWT_FAULT_JOURNAL": journal})
    if result[0] != 0:
        raise Broken("undisturbed: status %d: %s" % (result[0], result[2]))
    with open(journal, encoding="ascii") as file:
        lines = file.readlines()
    check(rig, scenario, result)
    return lines, result


def trial_of(rig, command, fault):
    rig.restore("before")
    rig.seen = rig.public_keys()
    return command(rig, fault)


def trial(rig, scenario, fault):
    rig.configure(*scenario.lines)
    return trial_of(rig, scenario.command, fault)


def count(rig, scenario, more):
    """How many calls there are to be killed at."""
    calls = 0
    while trial(rig, scenario, dict(more, RJWT_FAULT_AT=str(calls + 1)))[0] == 137:
        calls += 1
    return calls


def try_kill(rig, scenario, rng, share):
    points, k = 0, 0
    while True:
        k += 1
        result = trial(rig, scenario, {"RJWT_FAULT_AT": str(k)})
        if result[0] != 137:
            return points
        if rng.randrange(share) == 0:
            points += 1
            try:
                check(rig, scenario, None)
            except Broken as broken:
                raise Broken("killed before call %d: %s" % (k, broken)) from broken


def try_fail(rig, scenario, rng, share):
    points = 0
    for number in ERRNOS:
        for on in (False, True):
            k = 0
            while True:
                k += 1
                fault = {"RJWT_FAULT_AT": str(k), "RJWT_FAULT_ERRNO": str(number)}
                last = rig.calls
                if on:
                    fault["RJWT_FAULT_ON"] = "1"
                if number in READS:
                    fault["RJWT_FAULT_READS"] = "1"
                    last = rig.calls_and_reads
                if rng.randrange(share) != 0 and k < last:
                    continue
                if k > last:
                    break
                result = trial(rig, scenario, fault)
                points += 1
                try:
                    check(rig, scenario, result)
                except Broken as broken:
                    raise Broken("call %d%s fails with %s (status %d, %s): %s" % (
                        k, " and all after" if on else "", errno.errorcode[number], result[0],
                        result[2].strip(), broken)) from broken
    return points


def try_cut(rig, scenario, rng, share, lines, result):
    points = 0
    rig.restore("before")
    rig.seen = rig.public_keys()
    disk = Disk(rig.state)
    disk.entries.setdefault(rig.top, {"state": None} if os.path.exists(rig.state) else {})
    for done in range(len(lines) + 1):
        last = done == len(lines)
        for name, keep, data in list(states(disk, rng, last)):
            if not last and name != "all" and rng.randrange(share) != 0:
                continue
            disk.materialize(keep, data)
            if name == "all":
                rig.seen.update(rig.public_keys())  # somebody may have seen them before the power went
            points += 1
            rig.boot()
            try:
                check(rig, scenario, result if last else None)
            except Broken as broken:
                raise Broken("power cut after call %d of %d (%s), %s: %s" % (
                    done, len(lines), lines[done - 1].strip()[:120] if done else "", name, broken)) from broken
        if not last:
            disk.apply(lines[done])
    return points


def scenario_run(build, scenario, rng, share, tpm):
    """{way: points}"""
    rig = Rig(build, tpm)
    try:
        prepare(rig, scenario)
        lines, result = count_calls(rig, scenario)
        rig.calls = count(rig, scenario, {})
        rig.calls_and_reads = count(rig, scenario, {"RJWT_FAULT_READS": "1"})
        return {"kill": try_kill(rig, scenario, rng, share),
                "cut": try_cut(rig, scenario, rng, share, lines, result),
                "fail": try_fail(rig, scenario, rng, share)}
    finally:
        rig.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--share", type=int, default=1)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--tpm", action="store_true")
    parser.add_argument("scenarios", nargs="*")
    args = parser.parse_intermixed_args()
    seed = args.seed if args.seed is not None else random.randrange(1 << 31)
    chosen = [s for s in SCENARIOS if not args.scenarios or s.name in args.scenarios]
    print("1..%d" % len(chosen))
    print("# seed %d, one point in %d" % (seed, args.share), flush=True)
    bad = 0
    for number, scenario in enumerate(chosen, 1):
        rng = random.Random("%d %s" % (seed, scenario.name))
        try:
            points = scenario_run(os.path.abspath(args.build), scenario, rng, args.share, args.tpm)
            print("ok %d - crash %s: %s" % (number, scenario.name,
                                            ", ".join("%s %d" % pair for pair in points.items())), flush=True)
        except Broken as broken:
            bad += 1
            print("not ok %d - crash %s" % (number, scenario.name))
            print("# %s" % broken, flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
