#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fleet.py BUILD [PART...] - what a fleet costs a host and a web server. `make bench-fleet` runs it.

A table on stdout, and BENCH_JSON (BUILD/bench.json) with a line of JSON for each measure. Nothing makes it fail.
follow   rjwt-keyd follow with nothing new, and with 2,000 denials new: time of the processor, writes and syncs
logins   a cold login by the own keyset and by one that is followed: 3 and 8 issuers, 0 and 16,000 denials; instructions.
         RJWT_BASE: another pam_rjwt.so, whose login by the own keyset is what all are compared with
crowd    10,000 hosts that poll one nginx with TLS: how long a new serial takes to reach the last, and time of the
         processor; CROWD: another number
few      of logins, those without denials: for instructions.bats
tests/bench/fleet-hosts measures hosts with real curl.
"""
import asyncio
import os
import random
import re
import resource
import shutil
import ssl
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
# pylint: disable=wrong-import-position
from harness import (QUIET, ROUNDS, Log, instructions, millions, note, once, output, program, results, row, run, say,
                     spread, strip, summary, title)

DENIALS = 2000    # a bundle has no more
WRITES = "openat,open,creat,write,pwrite64,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,link,linkat," \
         "symlinkat,utimensat,fchmod,fchmodat,ftruncate,fsync,fdatasync,syncfs"


class Node:
    """An issuer or a host: a configuration and a state directory in a folder of its own."""

    def __init__(self, folder):
        os.mkdir(folder)
        self.folder, self.conf, self.state = folder, folder + "/rjwt.yaml", folder + "/state"
        self.name = os.path.basename(folder)
        self.www = self.state + "/www/fleet.jws"
        with open(self.conf, "w", encoding="ascii") as file:
            file.write("state_dir: %s\naudience: %s\nissuer: %s\nleeway: 1s\ndefault_lifetime: 1h\n" %
                       (self.state, self.name, self.name))

    def keyd(self, *words):
        return output([program("rjwt-keyd"), "-c", self.conf] + list(words))

    def issue(self, host):
        path = "%s/token-%s" % (self.folder, host.name)
        with open(path, "w", encoding="ascii") as file:
            file.write(output([program("rjwt-issue"), "-c", self.conf, "--reusable", "-a", host.name, "alice"]))
        return path

    def deny(self, count):
        """That many users, none of whom has a token: it exits with 1."""
        for first in range(0, count, 500):
            names = ["%s-%d" % (self.name, n) for n in range(first, min(first + 500, count))]
            subprocess.call([program("rjwt-keyd"), "-c", self.conf, "revoke", "--sub"] + names, **QUIET)


class Fleet:
    """Issuers that follow each other, and what they publish."""

    def __init__(self, folder, count):
        os.mkdir(folder)
        self.folder, self.key = folder, folder + "/fleet.key"
        self.issuers = [Node("%s/i%d" % (folder, n + 1)) for n in range(count)]
        first = self.issuers[0]
        self.join = first.keyd("fleet", "init", "--key", self.key, "http://i1/fleet.jws").split()[1:]
        for issuer in self.issuers[1:]:
            entry = issuer.keyd("fleet", "request", "http://%s/fleet.jws" % issuer.name, issuer.name).strip()
            issuer.keyd(*self.join)
            first.keyd("fleet", "add", "--key", self.key, entry)
        for issuer in self.issuers[1:]:
            issuer.keyd("follow", first.www)
            issuer.keyd("publish")

    def host(self, name, own=False):
        host = Node("%s/%s" % (self.folder, name))
        if own:
            host.keyd("init")
        host.keyd(*self.join)
        self.carry(host)
        return host

    def carry(self, host):
        return host.keyd("follow", *[issuer.www for issuer in self.issuers])


# --- follow -------------------------------------------------------------------------------------------

def calls(command, top):
    """How often it changes a file, and how often it syncs."""
    trace = top + "/strace"
    run(["strace", "-f", "-o", trace, "-e", "trace=" + WRITES] + command, **QUIET)
    with open(trace, encoding="utf-8", errors="replace") as file:
        # rjwt-keyd makes itself as important as others are: a write to a file of /proc
        lines = re.sub(r".*/autogroup\".* = (\d+)\n.*write\(\1, .*\n", "", file.read()).splitlines()
    lines = [line for line in lines if "resumed>" not in line and "+++" not in line and "---" not in line]
    syncs = [line for line in lines if re.search(r"\b(fsync|fdatasync|syncfs)\(", line)]
    reads = [line for line in lines if re.search(r"\bopen(at)?\(", line) and not re.search("O_(WRONLY|RDWR|CREAT)", line)]
    said = [line for line in lines if re.search(r"\bwrite\([12],", line)]
    return len(lines) - len(reads) - len(said) - len(syncs), len(syncs)


def follow(top):
    title("rjwt-keyd follow", "ms of CPU", "changes of files", "syncs")
    fleet = Fleet(top + "/follow", 3)
    host = fleet.host("h")
    command = [program("rjwt-keyd"), "-c", host.conf, "follow"] + [issuer.www for issuer in fleet.issuers]

    def measure(name, before):
        took = []
        for _ in range(ROUNDS):
            before()
            took.append(once(command)[1])
        before()
        changes, syncs = calls(command, top)
        note(what="follow", name=name, cpu_ms=summary(took), changes=changes, syncs=syncs)
        row(name, spread(took), changes, syncs)

    measure("nothing new", lambda: None)
    shutil.copytree(host.state, top + "/before", copy_function=shutil.copy2)
    fleet.issuers[0].deny(DENIALS)

    def again():
        shutil.rmtree(host.state)
        shutil.copytree(top + "/before", host.state, copy_function=shutil.copy2)

    measure("2,000 denials are new", again)
    measure("nothing new, 2,000 denials", lambda: None)


# --- logins -------------------------------------------------------------------------------------------

def login(top, log, name, module, conf, token):
    """Instructions of a pamtester process that logs in with the token."""
    pam = top + "/pam.d"
    os.makedirs(pam, exist_ok=True)
    with open("%s/%s" % (pam, name), "w", encoding="ascii") as file:
        file.write("auth required %s conf=%s\n" % (module, conf))
    with open(token, encoding="ascii") as file:
        return instructions(["pamtester", name, "alice", "authenticate"], stdin=file,
                            env=log.environment(BENCH_PAM=pam))


def logins(top, sizes=(3, 8), numbers=(0, 8 * DENIALS)):
    if not shutil.which("pamtester") or not shutil.which("valgrind"):
        say("\nlogins: pamtester or valgrind is missing")
        return
    module = program("pam_rjwt.so")
    title("Cold login, ES256: whole pamtester processes", "instructions", "to the first")
    first = None

    def show(name, count):
        nonlocal first
        first = first or count
        note(what="fleet-login", name=name, instructions=count, ratio=round(count / first, 4))
        row(name, millions(count), "%.4f" % (count / first))

    with Log(top) as log:
        alone = Node(top + "/alone")
        alone.keyd("init")
        token = alone.issue(alone)
        base = os.environ.get("RJWT_BASE")
        if base:
            run(["strip", "-o", top + "/bin/base.so", base])
            show("own, RJWT_BASE", login(top, log, "sshd", top + "/bin/base.so", alone.conf, token))
        show("own, no fleet", login(top, log, "sshd", module, alone.conf, token))
        for count in sizes:
            fleet = Fleet("%s/fleet%d" % (top, count), count)
            host = fleet.host("host", own=True)
            own, other = host.issue(host), fleet.issuers[count // 2].issue(host)
            for denials in numbers:
                if denials:
                    for issuer in fleet.issuers:
                        issuer.deny(DENIALS)
                    fleet.carry(host)
                    host.deny(denials - count * DENIALS)
                what = "%d issuers, %d denials" % (count, denials)
                show("own, " + what, login(top, log, "sshd", module, host.conf, own))
                show("one of " + what, login(top, log, "sshd", module, host.conf, other))


# --- crowd --------------------------------------------------------------------------------------------

NGINX = """daemon off; worker_processes 1; worker_cpu_affinity 01; error_log %(top)s/error.log; pid %(top)s/nginx.pid;
events { worker_connections 4096; }
http {
%(server)s}
"""


def served(top, port, www):
    """The configuration that comes with rjwt, with its lines for https."""
    with open(os.path.join(os.path.dirname(__file__), "../../etc/nginx/rjwt.conf"), encoding="ascii") as file:
        text = re.sub(r"\t#(listen|ssl_)", r"\t\1", file.read())
    for pattern, by in ((r"\tlisten (80|\[::\].*);\n", ""), ("listen 443", "listen 127.0.0.1:%d" % port), ("/var/lib/rjwt/www", www),
                        (r"/etc/ssl/certs/.*;", top + "/crt;"), (r"/etc/ssl/private/.*;", top + "/key;"),
                        ("/var/log/nginx", top)):
        text, found = re.subn(pattern, by, text)
        assert found, pattern
    return NGINX % {"top": top, "server": text}


class Crowd:
    """Hosts that ask as rjwt-fetch does: a new connection each, every 30 to 60 s, again after 5 to 10 s if it failed."""

    def __init__(self, port, issuer, count):
        self.port, self.issuer, self.count = port, issuer, count
        self.context = ssl.create_default_context()
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE
        self.asked = self.errors = 0
        self.heard, self.published, self.kinds = [], None, {}
        self.newest = self.stamp()

    def stamp(self):
        return time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(int(os.stat(self.issuer.www).st_mtime)))

    async def ask(self, name, since):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.context)
        writer.write(("GET /fleet.jws HTTP/1.1\r\nHost: i1\r\nUser-Agent: rjwt/1 %s n=1 i1=1\r\nAccept: */*\r\n"
                      "If-Modified-Since: %s\r\nConnection: close\r\n\r\n" % (name, since)).encode())
        answer = await reader.read(-1)
        writer.close()
        code = answer.split(b" ", 2)[1]
        if code == b"304":
            return since
        if code != b"200":
            raise OSError(code)
        return re.search(rb"Last-Modified: ([^\r]+)", answer).group(1).decode()

    async def host(self, number):
        since, wait = self.newest, random.uniform(0, 45)
        while True:
            await asyncio.sleep(wait)
            self.asked += 1
            try:
                has = await asyncio.wait_for(self.ask("h%d" % number, since), 10)
                wait = random.uniform(30, 60)
                if has != since and self.published:
                    self.heard.append(time.monotonic() - self.published)
                since = has
            except (OSError, asyncio.TimeoutError, IndexError, AttributeError) as error:
                self.errors += 1
                self.kinds[repr(error)] = self.kinds.get(repr(error), 0) + 1
                wait = random.uniform(5, 10)

    async def live(self, worker):
        hosts = [asyncio.create_task(self.host(n)) for n in range(self.count)]
        await asyncio.sleep(50)
        begin, took, asked = time.monotonic(), processor_of(worker), self.asked
        self.published = time.monotonic()
        self.issuer.keyd("publish")
        while len(self.heard) < self.count and time.monotonic() < begin + 100:
            await asyncio.sleep(0.2)
        seconds = time.monotonic() - begin
        for host in hosts:
            host.cancel()
        return (self.asked - asked) / seconds, (processor_of(worker) - took) / seconds


def processor_of(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as file:
        words = file.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def crowd(top):
    if not shutil.which("nginx"):
        say("\ncrowd: nginx is missing")
        return
    count, port = int(os.environ.get("CROWD", "10000")), 18443
    fleet = Fleet(top + "/crowd", 3)
    for issuer in fleet.issuers[1:]:
        fleet.issuers[0].keyd("follow", issuer.www)
    run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=i1",
         "-keyout", top + "/key", "-out", top + "/crt"], **QUIET)
    with open(top + "/nginx.conf", "w", encoding="ascii") as file:
        file.write(served(top, port, os.path.dirname(fleet.issuers[0].www)))
    cores = os.sched_getaffinity(0)
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192 if most == resource.RLIM_INFINITY else min(8192, most), most))
    nginx = subprocess.Popen(["nginx", "-p", top, "-c", top + "/nginx.conf"], **QUIET)
    try:
        time.sleep(1)
        worker = int(output(["pgrep", "-P", str(nginx.pid)]))
        os.sched_setaffinity(0, cores - {0} or cores)    # nginx has the first to itself
        hosts = Crowd(port, fleet.issuers[0], count)
        rate, core = asyncio.run(hosts.live(worker))
    finally:
        nginx.terminate()
        nginx.wait()
        os.sched_setaffinity(0, cores)
    heard = sorted(hosts.heard) or [0]
    title("%d hosts, one core of nginx with TLS" % count, "requests/s", "% of the core", "errors", "p50 s", "p99 s", "last s",
          "heard")
    cells = [round(rate, 1), round(100 * core, 1), hosts.errors, round(heard[len(heard) // 2], 1),
             round(heard[len(heard) * 99 // 100], 1), round(heard[-1], 1), len(hosts.heard)]
    note(what="crowd", hosts=count, **dict(zip(("rate", "core", "errors", "p50", "p99", "last", "heard"), cells)))
    row("", *cells)
    for kind, number in hosts.kinds.items():
        say("  %d times %s" % (number, kind))


def main():
    wanted = sys.argv[2:] or ["follow", "logins", "crowd"]
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="rjwt-bench-", dir=memory) as top:
        os.chmod(top, 0o755)
        strip(top + "/bin")
        for name, part in (("follow", follow), ("logins", logins), ("few", lambda top: logins(top, numbers=(0,))),
                           ("crowd", crowd)):
            if name in wanted:
                part(top)
    say("\n%s has these figures." % results.name)


main()
