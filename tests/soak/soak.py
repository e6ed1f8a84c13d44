#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""soak.py BUILD [--seconds N] [--seed S] - a keyset that rotates every second, and everybody at work on it.

Two daemons (one is killed and started again, one lives), minting, logins by one-time tokens, two for each, a
revoker, readers by process and by one handle that stays open. One process in eight is killed with kill -9. In the
first third of the time the host boots every two seconds or so: all processes are killed, the next ones see another
boot, as the crash tests have it (tests/fault/rig.py). Whatever is asked, we know what must be answered:

  accepted   within its time, and nothing that revokes it was begun, and not spent
  refused    after exp + leeway, or when what revokes it had ended, or a login by it had

and between them either will do. What lives must not grow. TAP on stdout.
"""
import argparse
import base64
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid

LEEWAY, LIFETIME, MAX_LIFETIME = 1, 4, 6
TTL = MAX_LIFETIME + 2 * LEEWAY
# A key, its marks and its spent tokens go with the first commit after its exp: there is one every second. The rest is
# for a machine that has no time for us.
KEEP = TTL + 8
KILLED = 8          # one process in so many
WARM, WINDOW = 10, 3  # seconds: from when on nothing grows, and how long we look for a moment of rest
BOOT_S = (1, 3)     # from one boot to the next one
# What has expired waits until the clocks were seen in step for so long. Over boots that adds up, some of it is lost at
# each, and what expires meanwhile waits for the next time.
STEP = MAX_LIFETIME + LEEWAY
KEEP_BOOTING = KEEP + 4 * STEP
GROWTH_KB = 256     # of RssAnon: what a heap does that is used up and down; a leak of 100 bytes a verdict is more


class Token:
    def __init__(self, text, user, once):
        claims = text.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        header = text.split(".")[0]
        self.kid = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"]
        self.text, self.user, self.once = text, user, once
        self.exp, self.jti = claims["exp"], claims["jti"]
        self.minted = time.time()
        self.logins = []       # their ends, of those that were accepted
        self.login_begun = False


class Soak:
    """All that the threads share. Lists and dictionaries alone, which Python keeps whole."""

    def __init__(self, build, seed):
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        os.umask(0o022)
        self.build, self.seed = build, seed
        self.top = tempfile.mkdtemp(prefix="rjwt-soak-", dir=base)
        self.state, self.conf = self.top + "/state", self.top + "/rjwt.yaml"
        with open(self.conf, "w", encoding="ascii") as file:
            file.write("state_dir: %s\nissuer: ca\naudience: host\nleeway: %ds\nrotate_every: 1s\n"
                       "default_lifetime: %ds\nmax_lifetime: %ds\nprevious_key_ttl: %ds\n"
                       % (self.state, LEEWAY, LIFETIME, MAX_LIFETIME, TTL))
        self.pool = []         # tokens that readers look at
        self.revoked = {}      # ("kid", kid), ("sub", user) or ("jti", jti): [begun, ended or None]
        self.wrong = {"refused": [], "accepted": [], "logins": [], "memory": [], "descriptors": [], "files": [],
                      "end": []}
        self.figures = dict.fromkeys(("mints", "logins", "verdicts", "revocations", "kills", "restarts", "boots"), 0)
        self.recent = {"spent": [], "revoked": []}  # when a mark of it may have been made
        self.names = 0
        self.history = []      # (time, active version)
        self.living = {"daemon": [], "reader": []}  # (time, RssAnon in kB, descriptors)
        self.lock = threading.Lock()
        self.host = threading.RLock()  # who starts a process has it, and who boots
        self.running = []
        self.env = dict(os.environ, LD_PRELOAD=self.build + "/tests/fault/clock.so",
                        RJWT_CLOCK_BOOT_ID=self.top + "/boot_id", RJWT_CLOCK_FILE=self.top + "/clock")
        self.stop = threading.Event()
        self.log = open(self.top + "/log", "w", encoding="utf-8")

    def count(self, name, n=1):
        with self.lock:
            self.figures[name] += n

    def spawn(self, program, *args, **how):
        with self.host:
            process = subprocess.Popen([self.build + "/" + program, *args], text=True, close_fds=False, env=self.env, **how)
            self.running = [other for other in self.running if other.returncode is None] + [process]
        return process

    def run(self, rng, program, *args, stdin=""):
        """(exit status, stdout, stderr); the status of what was killed is -9."""
        process = self.spawn(program, *args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if rng is not None and rng.randrange(KILLED) == 0:
            time.sleep(rng.uniform(0, 0.012))
            process.kill()
        out, err = process.communicate(stdin, timeout=90)
        if process.returncode == -signal.SIGKILL:
            self.count("kills")
        return process.returncode, out, err

    def keyd(self, rng, *args):
        return self.run(rng, "rjwt-keyd", "-c", self.conf, *args)

    def keyset(self):
        with open(self.state + "/keyset.json", encoding="utf-8") as file:
            return json.load(file)

    # --- what is done -----------------------------------------------------------------------------------

    def mint(self, rng, user, once=False):
        """A token, or None when its minting was killed."""
        status, out, err = self.run(rng, "rjwt-issue", "-c", self.conf, *([] if once else ["--reusable"]), user)
        if status == -signal.SIGKILL:
            return None
        if status != 0:
            self.wrong["refused"].append("minting: status %d: %s" % (status, err.strip()))
            return None
        self.count("mints")
        return Token(out.strip(), user, once)

    def judge(self, token, begun, reason):
        """Whether that answer, to what was asked at begun, may be now."""
        self.count("verdicts")
        ended = time.time()
        marks = [self.revoked[key] for key in (("kid", token.kid), ("jti", token.jti)) if key in self.revoked]
        if ("sub", token.user) in self.revoked and token.minted < self.revoked[("sub", token.user)][0]:
            marks.append(self.revoked[("sub", token.user)])
        gone = [mark for mark in marks if mark[1] is not None and mark[1] <= begun]
        spent = any(end <= begun for end in token.logins)
        if reason == "ok":
            if begun >= token.exp + LEEWAY + 1 or gone or spent:
                self.wrong["accepted"].append("%s: %.1f s after its exp, %d times revoked, %d times spent" % (
                    token.jti, begun - token.exp, len(gone), len(token.logins)))
        elif ended < token.exp and not marks and not token.login_begun:
            self.wrong["refused"].append("%s of %s: %s, %.1f s before its exp" % (
                token.jti, token.kid, reason, token.exp - ended))

    def verify(self, rng, token):
        begun = time.time()
        status, out, err = self.run(rng, "rjwt-verify", "-c", self.conf, "-u", token.user, "-s", "sshd",
                                    stdin=token.text)
        if status != -signal.SIGKILL:
            self.judge(token, begun, "ok" if status == 0 else out.split(":")[1].strip() if status == 1 else err.strip())

    def login(self, rng, token, ways):
        """So many at once; the reasons of those that were not killed."""
        token.login_begun = True
        self.recent["spent"].append(time.time())
        processes = []
        for _ in range(ways):
            processes.append(self.spawn("tests/fault/login", self.conf, token.user, "sshd", token.text,
                                        stdout=subprocess.PIPE))
        if rng.randrange(KILLED) == 0:
            time.sleep(rng.uniform(0, 0.006))
            rng.choice(processes).kill()
        reasons = []
        for process in processes:
            out = process.communicate(timeout=90)[0]
            if process.returncode == -signal.SIGKILL:
                self.count("kills")
                continue
            self.count("logins")
            reasons.append(out.strip())
            if out.startswith("ok "):
                token.logins.append(time.time())
        return reasons

    def revoke(self, rng, kind, what):
        """Until it is done, or no such key is left."""
        self.revoked.setdefault((kind, what), [time.time(), None])
        while not self.stop.is_set():
            status, _, err = self.keyd(rng, "revoke", "--" + kind, what)
            if status == 1 and "no live token of it" in err:
                status = 0    # it has expired meanwhile, and is recorded all the same
            if status == 0:
                self.count("revocations")
                self.revoked[(kind, what)][1] = time.time()
                return True
            if status != -signal.SIGKILL and "key_unknown" not in err:
                self.wrong["end"].append("revoke --%s %s: status %d: %s" % (kind, what, status, err.strip()))
            if status != -signal.SIGKILL:
                return False
        return False

    # --- who does it ------------------------------------------------------------------------------------

    def minter(self, rng):
        token = self.mint(rng, rng.choice(["alice", "bob"]))
        if token is not None:
            self.pool.append(token)
        old = time.time() - KEEP
        while self.pool and self.pool[0].minted < old:
            self.pool.pop(0)
        time.sleep(0.02)

    def user(self, rng):
        token = self.mint(rng, "carol", once=True)
        if token is None:
            return
        reasons = self.login(rng, token, 2)
        opened = len(token.logins)
        late = time.time() >= token.exp or ("kid", token.kid) in self.revoked
        if opened > 1 or (opened == 0 and len(reasons) == 2 and not late):
            self.wrong["logins"].append("%s: %d of 2 logins succeeded: %s" % (token.jti, opened, reasons))
        reasons = self.login(rng, token, 1)
        if opened and len(token.logins) > 1:
            self.wrong["logins"].append("%s: opened again" % token.jti)
        if opened and reasons and not late and not reasons[0].startswith("spent") and time.time() < token.exp:
            self.wrong["logins"].append("%s: spent, and refused for another reason: %s" % (token.jti, reasons))
        self.pool.append(token)

    def revoker(self, rng):
        self.names += 1
        name, kind = "mallory%d" % self.names, rng.choice(["sub", "sub", "jti", "kid"])
        token = self.mint(None, name)
        if kind == "kid":
            active = self.keyset()["active"]["version"]
            token = rng.choice([t for t in self.pool if int(t.kid.split(".")[1]) < active] or [None])
        if token is None:
            return
        self.verify(None, token)
        self.pool.append(token)
        self.recent["revoked"].append(time.time())
        if self.revoke(rng, kind, {"sub": token.user, "jti": token.jti, "kid": token.kid}[kind]):
            self.verify(None, token)
        again = self.mint(None, name)
        if again is not None:  # only what was minted before is revoked
            self.verify(None, again)
            self.pool.append(again)
        status, _, err = self.keyd(rng, "once")
        if status not in (0, -signal.SIGKILL):
            self.wrong["end"].append("once: status %d: %s" % (status, err.strip()))
        time.sleep(rng.uniform(0, 0.5))

    def reader(self, rng):
        if self.pool:
            self.verify(rng, rng.choice(self.pool))

    def ask(self, asked, token):
        """What the handle says; "" when it has died."""
        try:
            asked.stdin.write("%s %s\n" % (token.user, token.text))
            asked.stdin.flush()
            return asked.stdout.readline()
        except OSError:
            return ""

    def handle(self, rng):
        asked = self.asked
        for token in rng.sample(self.pool, min(20, len(self.pool))):
            begun = time.time()
            line = self.ask(asked, token)
            with self.host:
                booted = asked is not self.asked
            if booted:
                return
            self.judge(token, begun, line.split(" ")[0] or "the reader has died")
        time.sleep(0.01)

    def daemon(self):
        return self.spawn("rjwt-keyd", "-c", self.conf, "run", stdin=subprocess.DEVNULL, stdout=self.log,
                          stderr=self.log)

    def mortal(self, rng):
        process = self.daemon()
        self.count("restarts")
        self.stop.wait(rng.uniform(0.05, 2.5))
        process.kill()
        process.wait()
        self.count("kills")

    def another_boot(self):
        """That is what programs see from now on; it has just begun."""
        with open(self.top + "/boot_id", "w", encoding="ascii") as file:
            file.write("%s\n" % uuid.uuid4())
        with open(self.top + "/clock", "w", encoding="ascii") as file:
            file.write("0 %d\n" % -int(time.clock_gettime(time.CLOCK_BOOTTIME)))
        self.booted = time.time()

    def boot(self):
        """All that runs ends, and what is to live is started again."""
        with self.host:
            for process in self.running:
                process.kill()
            for process in self.running:
                process.wait()
            self.another_boot()
            self.lives = self.daemon()
            self.asked = self.spawn("tests/soak/reader", self.conf, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.living = {"daemon": [], "reader": []}

    # --- what is watched --------------------------------------------------------------------------------

    def look(self, name, process):
        try:
            with open("/proc/%d/status" % process.pid, encoding="ascii", errors="replace") as file:
                anon = [int(line.split()[1]) for line in file if line.startswith("RssAnon:")]
            self.living[name].append((time.time(), anon[0], len(os.listdir("/proc/%d/fd" % process.pid))))
        except (OSError, IndexError):
            self.wrong["end"].append("the %s that was to live has died" % name)
            self.stop.set()

    def files(self, folder):
        try:
            return os.listdir(self.state + "/" + folder)
        except FileNotFoundError:
            return []

    def bound(self, name, found, most, why):
        if found > most and len(self.wrong["files"]) < 100:
            self.wrong["files"].append("%d files in %s, more than %d: %s" % (found, name, most, why))

    def look_at_files(self):
        """What keyset.json no longer needs is gone."""
        now = time.time()
        keep = KEEP if now >= self.booted + STEP + 4 else KEEP_BOOTING
        versions = self.files("spent")
        spent = sum(len(self.files("spent/" + version)) for version in versions)
        found = {name: len(self.files(name)) for name in ("keys", "private", "issued")}
        revoked = len(self.files("revoked/sub")) + len(self.files("revoked/jti"))
        keyset = self.keyset()
        self.history.append((now, keyset["active"]["version"]))
        while self.history[1:] and self.history[1][0] < now - keep:
            self.history.pop(0)
        alive = keyset["next_version"] - self.history[0][1]
        self.bound("keys/", found["keys"], alive + 1, "those of the last %d s, and one in the making" % keep)
        self.bound("spent/", len(versions), alive + 1, "a folder for each of these")
        # Each key has two; the active one, the next one, two that are made and one that retires; and one in the making.
        self.bound("private/", found["private"], 12, "of the lock, active, next, two that are made and one that retires")
        # These wait for the key that signed, or for the next one: a second or two more than TTL.
        for name, number in (("spent", spent), ("revoked", revoked)):
            times = [at for at in self.recent[name] if at > now - keep]
            self.recent[name][:len(self.recent[name]) - len(times)] = []
            self.bound(name + "/", number, len(times) + 1, "one for each of the last %d s" % keep)
        self.bound("issued/", found["issued"], 4, "an hour that is, one that comes, and two that were")
        return dict(found, spent=spent, revoked=revoked)

    def growth(self):
        told = []
        for name, samples in self.living.items():
            begin, end = samples[0][0], samples[-1][0]
            warm = min(WARM, (end - begin) / 2)
            first = [s for s in samples if begin + warm <= s[0] < begin + warm + WINDOW]
            last = [s for s in samples if s[0] >= end - WINDOW]
            kilobytes = min(s[1] for s in last) - max(s[1] for s in first)
            descriptors = min(s[2] for s in last) - min(s[2] for s in first)
            told.append("%s %d kB, %+d, and %d descriptors" % (name, last[-1][1], kilobytes, min(s[2] for s in last)))
            if kilobytes > GROWTH_KB:
                self.wrong["memory"].append("%s: %d kB more" % (name, kilobytes))
            if descriptors > 0:
                self.wrong["descriptors"].append("%s: %d more at rest" % (name, descriptors))
        return "; ".join(told)

    def loop(self, work, name):
        rng = random.Random("%d %s" % (self.seed, name))
        while not self.stop.is_set():
            try:
                work(rng)
            except Exception as error:  # whatever it is, it shall not be missed
                self.wrong["end"].append("%s: %r" % (name, error))
                return

    def end(self):
        """When all have gone: what is left is a good keyset."""
        self.lives.terminate()
        self.asked.stdin.close()
        for process, name in ((self.lives, "daemon"), (self.asked, "reader")):
            if process.wait(60) != 0:
                self.wrong["end"].append("the %s ended with %d" % (name, process.returncode))
        for token in self.pool[-100:]:
            self.verify(None, token)
        for command in (["once"], ["rotate"], ["status"], ["check"]):
            status, out, err = self.keyd(None, *command)
            if status != 0:
                self.wrong["end"].append("%s: status %d: %s" % (command[0], status, (out + err).strip()))

    def play(self, seconds):
        self.another_boot()
        status, _, err = self.keyd(None, "init")
        if status != 0:
            sys.exit("soak.py: init: " + err)
        self.history.append((time.time(), 1))
        rng = random.Random("%d boots" % self.seed)
        self.boot()
        workers = [self.minter, self.user, self.user, self.revoker, self.reader, self.handle, self.mortal]
        threads = [threading.Thread(target=self.loop, args=(work, "%d %s" % (number, work.__name__)))
                   for number, work in enumerate(workers)]
        for thread in threads:
            thread.start()
        begin = time.time()
        boot, last_boot, end = begin + rng.uniform(*BOOT_S), begin + seconds / 3, begin + seconds
        files, most, active, rotations = {}, {}, 1, 0
        while time.time() < end and not self.stop.wait(0.1):
            if boot <= time.time() < last_boot:
                self.boot()
                self.count("boots")
                boot += rng.uniform(*BOOT_S)
            self.look("daemon", self.lives)
            self.look("reader", self.asked)
            files = self.look_at_files()
            most = {name: max(number, most.get(name, 0)) for name, number in files.items()}
            rotations += self.history[-1][1] > active
            active = self.history[-1][1]
        self.stop.set()
        for thread in threads:
            thread.join()
        self.end()
        if rotations < seconds / 3:
            self.wrong["end"].append("%d rotations in %d s" % (rotations, seconds))
        figures = dict(self.figures, rotations=rotations)
        return (", ".join("%d %s" % (number, name) for name, number in sorted(figures.items())),
                self.growth(), "at most " + ", ".join("%d in %s/" % (number, name) for name, number in most.items()))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=None)
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else random.randrange(1 << 31)
    print("1..7\n# seed %d, %d s" % (seed, args.seconds), flush=True)
    soak = Soak(os.path.abspath(args.build), seed)
    try:
        figures, growth, files = soak.play(args.seconds)
    finally:
        soak.log.close()
        with open(soak.top + "/log", encoding="utf-8") as log:
            said = log.readlines()
        shutil.rmtree(soak.top)
    lines = {"refused": "nothing was refused that was good: " + figures, "accepted": "nothing opened that was not",
             "logins": "of two logins at once one succeeded", "memory": "no memory grew: " + growth,
             "descriptors": "no descriptors are left open", "files": "no files pile up: " + files,
             "end": "in the end the keyset is whole"}
    for number, (name, line) in enumerate(lines.items(), 1):
        wrong = soak.wrong[name]
        print("%sok %d - soak: %s" % ("not " if wrong else "", number, line))
        for text in wrong[:5]:
            print("# %s" % text)
        if len(wrong) > 5:
            print("# and %d more" % (len(wrong) - 5))
    if any(soak.wrong.values()):
        print("".join("# the daemons: " + text for text in said[-10:]), end="")
    return 1 if any(soak.wrong.values()) else 0


sys.exit(main())
