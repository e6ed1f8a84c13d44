#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""measure.py BUILD [PART...] - what rjwt costs, beside what nobody can do without, and beside others.

`make bench` runs it. A table on stdout, and BUILD/bench.json (or BENCH_JSON) with a line of JSON for each measure.
Times are of the processor, kernel included, where nothing waits, so that what else runs here does not count;
"clock" says where they are of the clock. Each is the median, with the least and the most; what is compared takes
turns. Instructions are those of user space, by valgrind's callgrind. In a ratio t is time of the processor, i
instructions. BENCH_ROUNDS: how many rounds (15). No time makes it fail.
Parts: verify mint instructions cold tools batch spend flat rotation idle; counts, alone, is for instructions.bats.
"""
import ctypes
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
from harness import (PYTHON, QUIET, ROUNDS, Keyset, Keysets, Log, filesystem, instructions, millions, note, once,
                     output, over, per_operation, processes, program, ratio, renew, results, rounds, row, run, say,
                     spread, strip, summary, times, title)

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ALGS = ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
        "ES256", "ES384", "ES512", "EdDSA", "Ed448"]
LIBJWT = ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]
BATCH = 4000    # tokens


def debian(package):
    try:
        return output(["dpkg-query", "-W", "-f", "${Version}", package]).strip() or None
    except (OSError, SystemExit):
        return None


def have_libjwt():
    try:
        return ctypes.CDLL("libjwt.so.0") and (debian("libjwt0") or "of unknown version")
    except OSError:
        return None


def have_pyjwt():
    probe = "import jwt; print(jwt.__version__)"
    try:
        return output([PYTHON, "-c", probe]).strip()
    except SystemExit:
        return None


def describe():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        model = re.search(r"model name\s*: (.*)", file.read())
    machine = {"cores": os.cpu_count(), "cpu": model.group(1) if model else os.uname().machine,
               "openssl": output(["openssl", "version"]).strip(), "kernel": os.uname().release,
               "load": round(os.getloadavg()[0], 1)}
    peers = {"libjwt": have_libjwt(), "PyJWT": have_pyjwt(),
             "jose": shutil.which("jose") and (debian("jose") or "of unknown version"),
             "valgrind": shutil.which("valgrind") and (debian("valgrind") or "of unknown version"),
             "pamtester": shutil.which("pamtester") and (debian("pamtester") or "of unknown version"),
             "strace": shutil.which("strace") and (debian("strace") or "of unknown version")}
    note(what="machine", rounds=ROUNDS, peers=peers, **machine)
    say("%(cores)d cores, %(cpu)s, Linux %(kernel)s, load %(load)s, %(openssl)s" % machine)
    say("%d rounds; beside: %s" % (ROUNDS, ", ".join("%s %s" % (name, version) if version else name + " IS MISSING"
                                                     for name, version in peers.items())))
    return peers


PYJWT = """
import json, sys, time
import jwt
from jwt.algorithms import get_default_algorithms
token, alg, rounds, key = sys.argv[1], sys.argv[2], int(sys.argv[3]), json.load(open(sys.argv[4]))["keys"][0]
key = get_default_algorithms()[alg].from_jwk(json.dumps(key))
def once():
    claims = jwt.decode(token, key, algorithms=[alg], issuer="ca.example.org", audience="host.example.org",
                        options={"require": ["exp", "iat", "nbf"]})
    assert claims["sub"] == "alice" and claims["scope"] == "ssh"
def took(n):
    begin = time.process_time_ns()
    for _ in range(n):
        once()
    return (time.process_time_ns() - begin) / n / 1000
n = int(20000 / took(20)) + 1
print(json.dumps([took(n) for _ in range(rounds)]))
"""


def verify(keysets, peers):
    # On a disk, as it will be: tmpfs remembers no name that is not there.
    title("Warm handle on %s, one token of eight claims: microseconds; median (least-most)" % filesystem(keysets.top),
          "keyset", "JWK Set", "bare EVP", "keyset/bare", "more us", "set/bare", "libjwt", "PyJWT")
    for alg in ALGS:
        keyset, operations = keysets[alg], ["verify", "verify-set", "verify-bare"]
        if peers["libjwt"] and alg in LIBJWT:
            operations.append("verify-libjwt")
        took = rounds(keyset.folder, *operations)
        if peers["PyJWT"]:
            with open(keyset.token_file, encoding="ascii") as file:
                took["verify-pyjwt"] = json.loads(output(
                    [PYTHON, "-c", PYJWT, file.read(), "EdDSA" if alg == "Ed448" else alg, str(ROUNDS), keyset.set]))
        more = [a - b for a, b in zip(took["verify"], took["verify-bare"])]
        cells = {name: spread(us) for name, us in took.items()}
        note(what="verify", alg=alg, us={name: summary(us) for name, us in took.items()},
             ratio=round(ratio(took["verify"], took["verify-bare"]), 4), more_us=summary(more))
        row("verify " + alg, cells["verify"], cells["verify-set"], cells["verify-bare"],
            times(ratio(took["verify"], took["verify-bare"])), spread(more),
            times(ratio(took["verify-set"], took["verify-bare"])),
            cells.get("verify-libjwt", "-"), cells.get("verify-pyjwt", "-"))
        if alg == "HS256":
            against = {peer: ratio(took["verify-set"], took["verify-" + peer])
                       for peer in ("libjwt", "pyjwt") if "verify-" + peer in took}
            note(what="verify-set", alg=alg, **against)
            row("  JWK Set beside", *["%s: %s" % (peer, times(value)) for peer, value in against.items()])


def mint(keysets):
    title("Mint, warm, one at a time on %s: microseconds" % filesystem(keysets["ES256"].folder), "mint", "bare EVP",
          "mint/bare", "more us")
    for alg in ALGS:
        took = rounds(keysets[alg].folder, "mint", "mint-bare")
        more = [a - b for a, b in zip(took["mint"], took["mint-bare"])]
        note(what="mint", alg=alg, us={name: summary(us) for name, us in took.items()},
             ratio=round(ratio(took["mint"], took["mint-bare"]), 4), more_us=summary(more))
        row("mint " + alg, spread(took["mint"]), spread(took["mint-bare"]),
            times(ratio(took["mint"], took["mint-bare"])), spread(more))


def counts(top, keysets):
    """What must not grow, without a time: for instructions.bats."""
    for alg, names in (("ES256", ("verify", "verify-bare", "mint", "mint-bare")), ("EdDSA", ("verify", "verify-bare")),
                       ("HS256", ("verify", "verify-set", "verify-bare"))):
        for name in names:
            note(count="%s %s" % (name, alg), instructions=round(per_operation(keysets[alg].folder, name)))
    with Log(top) as log:
        commands = {**logins(top, keysets["ES256"], log), **minters(top, keysets["ES256"])}
        for name in ("floor", "pam_rjwt reusable", "pam_rjwt one-time", "rjwt-issue", "openssl pkeyutl -sign"):
            command, options = commands[name]
            note(count=name, instructions=instructions(command, **renew(options)))


def counted(keysets):
    """The same for ES256, EdDSA and HS256 as instructions: no noise at all."""
    if not shutil.which("valgrind"):
        return
    title("Warm handle: instructions", "verify keyset", "JWK Set", "bare", "keyset/bare", "mint", "bare sign",
          "mint/bare")
    for alg in ("ES256", "EdDSA", "HS256"):
        count = {name: per_operation(keysets[alg].folder, name)
                 for name in ("verify", "verify-set", "verify-bare", "mint", "mint-bare")}
        note(what="instructions", alg=alg, **count)
        row(alg, *["%.0f" % count[name] for name in ("verify", "verify-set", "verify-bare")],
            times(count["verify"] / count["verify-bare"]), "%.0f" % count["mint"], "%.0f" % count["mint-bare"],
            times(count["mint"] / count["mint-bare"]))


def yescrypt(password):
    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    return crypt(password.encode(), b"$y$j9T$rjwtbnch$").decode()


def logins(top, keyset, log):
    """Whole pamtester processes, with what PAM needs from a folder of their own."""
    pam = top + "/pam.d"
    os.makedirs(pam, exist_ok=True)
    stacks = {"permit": "pam_permit.so", "floor": program("pam_floor.so"), "unix": "pam_unix.so nodelay",
              "sshd": "%s conf=%s" % (program("pam_rjwt.so"), keyset.conf), "other": "pam_deny.so"}
    for name, module in stacks.items():
        with open("%s/%s" % (pam, name), "w", encoding="ascii") as file:
            file.write("auth required %s\n" % module)
    with open(top + "/password", "w", encoding="ascii") as file:
        file.write("a password\n")
    environment = log.environment(BENCH_PAM=pam, BENCH_HASH=yescrypt("a password"))

    def spent_once():
        with open(top + "/once", "w", encoding="ascii") as file:
            file.write(keyset.issue())
        return {"stdin": open(top + "/once", encoding="ascii")}

    def login(service, path=keyset.token_file, fresh=None):
        return (["pamtester", service, "alice", "authenticate"],
                {"fresh": fresh or (lambda: {"stdin": open(path, encoding="ascii")}), "env": environment})

    return {"pam_permit": login("permit"), "floor": login("floor"), "pam_rjwt reusable": login("sshd"),
            "pam_rjwt one-time": login("sshd", fresh=spent_once), "pam_unix yescrypt": login("unix", top + "/password")}


def cold(top, keyset):
    if not shutil.which("pamtester"):
        say("\nCold login: pamtester is missing")
        return
    with Log(top) as log:
        took = processes(logins(top, keyset, log))
    table_of_processes("Cold login, ES256: whole pamtester processes, state on %s" % filesystem(keyset.folder), took,
                       "floor", "pam_unix yescrypt")


def table_of_processes(text, took, *bases):
    title(text, "ms of the clock", "ms of CPU", "instructions", *["/ " + base for base in bases])
    for name, (clock, processor, count) in took.items():
        cells = []
        for base in bases:
            part = over(count, took[base][2])
            cells.append("%.3f t%s" % (ratio(processor, took[base][1]), "" if part is None else " %.3f i" % part))
        note(what="process", group=text.split(":", maxsplit=1)[0], name=name, clock_ms=summary(clock),
             cpu_ms=summary(processor), instructions=count,
             **{"to_" + base.replace(" ", "_"): [round(ratio(processor, took[base][1]), 4), over(count, took[base][2])]
                for base in bases})
        row(name, spread(clock, 2), spread(processor, 2), millions(count), *cells)


def minters(top, keyset):
    message, key = top + "/message", keyset.state + "/private/1.key"
    with open(message, "wb") as file:
        file.write(bytes(32))
    return {"rjwt-issue": ([program("rjwt-issue"), "-c", keyset.conf, "--reusable", "alice"], {}),
            "openssl pkeyutl -sign": (["openssl", "pkeyutl", "-sign", "-inkey", key, "-in", message], {})}


def tools(top, keyset, peers):
    took = processes(minters(top, keyset))
    table_of_processes("Minting: one process for an ES256 token", took, "openssl pkeyutl -sign")
    commands = {"rjwt-verify --jwks": ([program("rjwt-verify"), "-c", keyset.conf, "-j", keyset.set,
                                        "-i", "ca.example.org", "-a", "host.example.org", "-u", "alice", "-s", "sshd",
                                        keyset.token_file], {})}
    if peers["jose"]:
        with open(keyset.set, encoding="ascii") as file:
            jwk = json.load(file)["keys"][0]
        with open(top + "/jwk", "w", encoding="ascii") as file:
            json.dump(jwk, file)
        commands["jose jws ver"] = (["jose", "jws", "ver", "-i", keyset.token_file, "-k", top + "/jwk"], {})
    table_of_processes("Verifying: one process for an ES256 token", processes(commands),
                       list(commands)[-1])


def batch(top, keyset):
    """Tokens of one process, a log line each; what the process takes without them is taken off."""
    command, us, each = [program("rjwt-issue"), "-c", keyset.conf, "--batch"], [], []
    files = {top + "/line": 1, top + "/lines": BATCH}
    for path, count in files.items():
        with open(path, "w", encoding="ascii") as file:
            file.write('{"sub":"alice"}\n' * count)
    with Log(top) as log:
        for _ in range(5):
            each += rounds(keyset.folder, "mint-bare")["mint-bare"][:3]
            took = [once(command, stdin=open(path, encoding="ascii"), env=log.environment())[1] for path in files]
            us += [1000 * (took[1] - took[0]) / (BATCH - 1)] * 3
        logged = log.end()
    title("Batch mint, ES256, a log line each", "us a token", "bare EVP sign", "bare/batch", "tokens a second",
          "lines logged")
    note(what="batch", us=summary(us), bare_us=summary(each), rate=round(ratio(each, us), 4), logged=logged)
    row("rjwt-issue --batch on " + filesystem(keyset.folder), spread(us), spread(each), times(ratio(each, us)),
        "%.0f" % (1e6 / statistics.median(us)), logged)


def spend(disk):
    keyset = Keyset(disk + "/spend", "ES256")
    found = [json.loads(line) for line in output([program("bench"), keyset.folder, "-s", "8", "25"]).splitlines()]
    ours, bare = [line["spend"] for line in found], [line["bare"] for line in found]
    title("One-time logins, warm, durable, 8 processes: logins a second by the clock", "rjwt", "EVP + file",
          "rjwt/bare")
    note(what="spend", filesystem=filesystem(disk), a_second=summary(ours), bare=summary(bare),
         ratio=round(ratio(ours, bare), 4))
    row("on " + filesystem(disk), spread(ours, 0), spread(bare, 0), times(ratio(ours, bare)))


# --- what must not grow ---------------------------------------------------------------------------

def scaled(top, number):
    """A keyset with that many retained keys, ten revocations and ten marks."""
    folder = "%s/scale-%d" % (top, number)
    os.mkdir(folder, 0o755)
    keyset = Keyset.__new__(Keyset)
    keyset.folder, keyset.conf, keyset.state = folder, folder + "/rjwt.yaml", folder + "/state"
    with open(keyset.conf, "w", encoding="ascii") as file:
        file.write("state_dir: %s\nissuer: ca.example.org\naudience: host.example.org\n" % keyset.state)
    keyset.keyd("init")
    scale("keys", keyset.state, number)
    keyset.keyd("once")
    os.mkdir(keyset.state + "/spent/1001", 0o700)
    scale("names", keyset.state + "/revoked/jti", 10)
    scale("names", keyset.state + "/spent/1001", 10)
    return keyset


def scale(*words):
    run([PYTHON, SOURCE + "/tests/bats/scale.py"] + [str(word) for word in words])


def login_cost(keyset):
    return [instructions([program("login"), keyset.conf, "alice", "sshd", keyset.issue(*options)])
            for options in (["--reusable"], [])]


def flat(top):
    if not shutil.which("valgrind"):
        return
    title("A login's instructions when there is more", "reusable", "one-time")
    few = scaled(top, 10)
    before = login_cost(few)
    row("10 keys, revocations, marks", *map(millions, before))

    def beside(name, keyset):
        after = login_cost(keyset)
        note(what="flat", name=name, instructions=after, before=before)
        row(name, *["%s %.4f x" % (millions(a), a / b) for a, b in zip(after, before)])

    scale("names", few.state + "/revoked/jti", 100000)
    beside("100,000 revocations", few)
    shutil.rmtree(few.state + "/revoked/jti")
    os.mkdir(few.state + "/revoked/jti", 0o755)
    scale("names", few.state + "/spent/1001", 1000000)
    beside("1,000,000 spent marks", few)
    shutil.rmtree(few.folder)
    many = scaled(top, 1000)
    beside("1,000 retained keys", many)
    shutil.rmtree(many.folder)


def calls_of_rotation(keyset):
    """System calls of rjwt-keyd rotate, and those of them that read retired keys, which go into jwks.json."""
    trace = keyset.folder + "/trace"
    run(["strace", "-f", "-o", trace, program("rjwt-keyd"), "-c", keyset.conf, "rotate"], **QUIET)
    calls, export, reading = 0, 0, set()
    with open(trace, encoding="ascii", errors="replace") as file:
        for line in file:
            call = re.match(r"\d+ +(\w+)\((\d*)", line)
            if not call:
                continue
            calls += 1
            opened = re.search(r'"(\d+)\.jwk", O_RDONLY.* = (\d+)$', line)
            if opened and int(opened.group(1)) < 1001:
                reading.add(opened.group(2))
                export += 1
            elif call.group(2) in reading:
                export += 1
                if call.group(1) == "close":
                    reading.remove(call.group(2))
    return calls, export


def rotation(top):
    may = shutil.which("strace") and subprocess.run(["strace", "-o", "/dev/null", "true"], check=False, **QUIET)
    if not may or may.returncode != 0:
        say("\nRotation: strace is missing, or may not trace here")
        return
    if os.geteuid() != 0:
        say("\nRotation: only root sees which files rjwt-keyd reads: it lets nobody else look into it")
        return
    title("A rotation's system calls", "all", "read retired keys", "the rest", "beside 10 keys")
    first = None
    for number in (10, 1000):
        keyset = scaled(top, number)
        calls, export = calls_of_rotation(keyset)
        first = first or calls - export
        note(what="rotation", keys=number, calls=calls, export=export, ratio=(calls - export) / first)
        row("%d retained keys" % number, calls, export, calls - export, times((calls - export) / first))
        shutil.rmtree(keyset.folder)


def idle(keyset):
    def status(name):
        with open("/proc/%d/status" % process.pid, encoding="ascii") as file:
            return int(re.search(name + r":\s*(\d+)", file.read()).group(1))

    process = subprocess.Popen([program("rjwt-keyd"), "-c", keyset.conf, "run"], **QUIET)
    try:
        time.sleep(1)
        before = status("voluntary_ctxt_switches")
        time.sleep(5)
        woken, memory = status("voluntary_ctxt_switches") - before, status("RssAnon")
    finally:
        process.terminate()
        process.wait()
    title("rjwt-keyd run, nothing due", "wake-ups in 5 s", "RssAnon KiB")
    note(what="idle", wakeups=woken, seconds=5, rss_anon_kib=memory)
    row("rjwt-keyd run", woken, memory)


def main():
    """Only the parts that are named, or all but counts."""
    wanted = sys.argv[2:]
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))    # and leave nothing behind
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="rjwt-bench-", dir=memory) as top, \
            tempfile.TemporaryDirectory(prefix="rjwt-bench-", dir="/var/tmp") as disk:
        os.chmod(top, 0o755)
        os.chmod(disk, 0o755)
        strip(top + "/bin")
        keysets = Keysets(top)
        if wanted == ["counts"]:
            counts(top, keysets)
            return
        peers = describe()
        for name, part in (("verify", lambda: verify(Keysets(disk), peers)), ("mint", lambda: mint(keysets)),
                           ("instructions", lambda: counted(keysets)), ("cold", lambda: cold(top, keysets["ES256"])),
                           ("tools", lambda: tools(top, keysets["ES256"], peers)),
                           ("batch", lambda: batch(top, keysets["ES256"])), ("spend", lambda: spend(disk)),
                           ("flat", lambda: flat(top)), ("rotation", lambda: rotation(top)),
                           ("idle", lambda: idle(keysets["ES256"]))):
            if not wanted or name in wanted:
                part()
    say("\n%s has these figures, and more." % results.name)


main()
