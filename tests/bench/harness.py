# SPDX-License-Identifier: MIT
"""What measure.py measures with: where results go, how a process or an operation is measured, keysets, a log."""
import base64
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time

BUILD = os.path.abspath(sys.argv[1])
ROUNDS = max(3, int(os.environ.get("BENCH_ROUNDS", "15")))
PYTHON = "/usr/bin/python3"
results = open(os.environ.get("BENCH_JSON", BUILD + "/bench.json"), "w", encoding="ascii")
os.umask(0o022)
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


# --- what is printed ------------------------------------------------------------------------------

def note(**members):
    results.write(json.dumps(members) + "\n")
    results.flush()


def say(text=""):
    print(text, flush=True)


def title(text, *columns):
    say("\n%s" % text)
    if columns:
        say("  %-28s" % "" + "".join("%21s" % column for column in columns))


def row(name, *cells):
    say("  %-28s" % name + "".join("%21s" % cell for cell in cells))


def spread(values, digits=1):
    """The median, with the least and the most."""
    return "%.*f (%.*f-%.*f)" % (digits, statistics.median(values), digits, min(values), digits, max(values))


def summary(values):
    return {"median": round(statistics.median(values), 4), "min": round(min(values), 4), "max": round(max(values), 4)}


def ratio(ours, theirs):
    """The median of what each round gave."""
    return statistics.median(a / b for a, b in zip(ours, theirs))


def times(value):
    return "%.3f x" % value


# --- how it is measured ---------------------------------------------------------------------------

def run(command, **options):
    return subprocess.run(command, check=True, **options)


def output(command, **options):
    made = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    if made.returncode != 0:
        raise SystemExit("%s: exit status %d\n%s" % (" ".join(command), made.returncode, made.stderr.decode()))
    return made.stdout.decode()


def once(command, **options):
    """Milliseconds of the clock and of the processor that one process took."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, **{**QUIET, **options})
    _, status, usage = os.wait4(process.pid, 0)
    clock = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit("%s: exit status %d" % (" ".join(command), process.returncode))
    return 1000 * clock, 1000 * (usage.ru_utime + usage.ru_stime)


def instructions(command, **options):
    if not shutil.which("valgrind"):
        return None
    made = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"] + command, check=False,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **options)
    found = re.search(rb"Collected : (\d+)", made.stderr)
    if made.returncode != 0 or not found:
        raise SystemExit("valgrind %s:\n%s" % (" ".join(command), made.stderr.decode(errors="replace")))
    return int(found.group(1))


def millions(count):
    return "-" if count is None else "%.2f M" % (count / 1e6)


def over(count, base):
    return None if count is None or base is None else count / base


def per_operation(folder, operation):
    """Instructions of one: of 61 less those of 1, by 60."""
    counts = [instructions([program("bench"), folder, "-n", str(n), operation]) for n in (1, 61)]
    return None if None in counts else (counts[1] - counts[0]) / 60


def rounds(folder, *operations):
    """Operation -> microseconds of each round."""
    lines = output([program("bench"), folder] + list(operations), env=dict(os.environ, BENCH_ROUNDS=str(ROUNDS)))
    return {line["op"]: line["us"] for line in map(json.loads, lines.splitlines())}


def renew(options):
    """What is new for each run comes from options["fresh"]."""
    options = dict(options)
    fresh = options.pop("fresh", None)
    return {**options, **(fresh() if fresh else {})}


def processes(commands):
    """Name -> (command, options); each some times, in turns: name -> (clock, processor, instructions)."""
    took = {name: ([], []) for name in commands}
    for number in range(2 * ROUNDS + 1):
        for name, (command, options) in commands.items():
            clock, processor = once(command, **renew(options))
            if number > 0:
                took[name][0].append(clock)
                took[name][1].append(processor)
    for name, (command, options) in commands.items():
        took[name] += (instructions(command, **renew(options)),)
    return took


def filesystem(path):
    return output(["stat", "-f", "-c", "%T", path]).strip()


# --- what is measured -----------------------------------------------------------------------------

class Keyset:
    """A keyset in a folder of its own, with a configuration and its active key as a JWK Set."""

    def __init__(self, folder, alg):
        os.mkdir(folder, 0o755)
        self.folder, self.conf, self.state = folder, folder + "/rjwt.yaml", folder + "/state"
        self.set, self.token_file = folder + "/set.json", folder + "/token"
        with open(self.conf, "w", encoding="ascii") as file:
            # libjwt takes no other type than JWT
            file.write("state_dir: %s\nissuer: ca.example.org\naudience: host.example.org\nalg: %s\nrsa_bits: 2048\n"
                       "token_type: JWT\ndefault_lifetime: 1h\n" % (self.state, alg))
        self.keyd("init")
        with open(os.open(self.set, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as file:
            file.write(self.secret_set(alg) if alg.startswith("HS") else self.keyd("jwks"))
        token = self.issue("--reusable")
        with open(self.token_file, "w", encoding="ascii") as file:
            file.write(token)

    def keyd(self, *words):
        return output([program("rjwt-keyd"), "-c", self.conf] + list(words))

    def issue(self, *words):
        return output([program("rjwt-issue"), "-c", self.conf] + list(words) + ["alice"]).strip()

    def secret_set(self, alg):
        """By hand: no command of rjwt gives a secret away."""
        status = json.loads(self.keyd("status", "--json"))
        kid = next(key["kid"] for key in status["keys"] if key["state"] == "active")
        with open(self.state + "/private/%s.key" % kid.split(".")[1], "rb") as file:
            secret = base64.urlsafe_b64encode(file.read()).decode().rstrip("=")
        return json.dumps({"keys": [{"kty": "oct", "alg": alg, "use": "sig", "kid": kid, "k": secret}]})


class Keysets(dict):
    """One for each algorithm, made when it is wanted."""

    def __init__(self, top):
        super().__init__()
        self.top = top

    def __missing__(self, alg):
        self[alg] = Keyset("%s/%s" % (self.top, alg), alg)
        return self[alg]


STRIPPED = []    # the folder


def strip(folder):
    """Copy what is measured, as it would be installed. Not every valgrind can read what is for debuggers, either."""
    os.mkdir(folder, 0o755)
    STRIPPED.append(folder)
    for name in ("rjwt-keyd", "rjwt-issue", "rjwt-verify", "pam_rjwt.so", "tests/fault/login",
                 "tests/bench/bench", "tests/bench/pam_floor.so", "tests/bench/shim.so"):
        run(["strip", "-o", "%s/%s" % (folder, os.path.basename(name)), "%s/%s" % (BUILD, name)])


def program(name):
    return "%s/%s" % (STRIPPED[0], name)


class Log:
    """Where what is logged goes, instead of the host's log. Read by a process of its own, as by a real one."""

    def __init__(self, top):
        self.path = top + "/log"
        if os.path.exists(self.path):
            os.unlink(self.path)
        reader = ("import socket, sys\ns = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\ns.bind(sys.argv[1])\n"
                  "print(flush=True)\nn = 0\nwhile True:\n m = s.recv(65536)\n if not m: break\n n += 1\nprint(n)\n")
        self.process = subprocess.Popen([PYTHON, "-c", reader, self.path], stdout=subprocess.PIPE)
        self.process.stdout.readline()

    def environment(self, **more):
        return dict(os.environ, LD_PRELOAD=program("shim.so"), BENCH_LOG=self.path, **more)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.process.kill()
        self.process.wait()

    def end(self):
        """How many lines came."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", self.path)
        return int(self.process.stdout.readline())
