# SPDX-License-Identifier: MIT
"""A keyset in a folder of its own, with the programs that work on it: for crash.py and fleet.py."""
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
import uuid


class Broken(Exception):
    """An invariant does not hold."""


class Rig:
    """A keyset in a folder of its own, and the programs that work on it."""

    def __init__(self, build, tpm=False):
        base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        os.umask(0o022)
        self.build = build
        self.tpm = tpm
        self.top = tempfile.mkdtemp(prefix="rjwt-fault-", dir=base)
        self.state = self.top + "/state"
        self.conf = self.top + "/rjwt.yaml"
        self.configure()
        self.boot()

    def boot(self):
        """From now on programs see another boot, which began a minute ago."""
        with open(self.top + "/boot_id", "w", encoding="ascii") as file:
            file.write("%s\n" % uuid.uuid4())
        with open(self.top + "/clock", "w", encoding="ascii") as file:
            file.write("0 %d\n" % (60 - int(time.clock_gettime(time.CLOCK_BOOTTIME))))

    def close(self):
        shutil.rmtree(self.top)

    def configure(self, *lines):
        with open(self.conf, "w", encoding="ascii") as file:
            file.write("state_dir: %s\nissuer: ca\naudience: host\n" % self.state)
            file.writelines(line + "\n" for line in lines)
            if self.tpm:
                file.write("private_keys: tpm2\n")

    def run(self, program, *args, stdin="", fault=None):
        """(exit status, stdout, stderr); fault: variables for the shim."""
        env = dict(os.environ, LC_ALL="C.UTF-8", LD_PRELOAD=self.build + "/tests/fault/clock.so",
                   RJWT_CLOCK_BOOT_ID=self.top + "/boot_id", RJWT_CLOCK_FILE=self.top + "/clock")
        if fault is not None:
            env["LD_PRELOAD"] += " " + self.build + "/tests/fault/shim.so"
            env["RJWT_FAULT_BELOW"] = self.state
            env.update(fault)
        done = subprocess.run([self.build + "/" + program, *args], input=stdin, env=env, text=True,
                              capture_output=True, timeout=60, check=False)
        if self.tpm and fault is not None:  # there is no resource manager to remove what a killed process had loaded
            subprocess.run(["tpm2_flushcontext", "-T", os.environ["TPM2OPENSSL_TCTI"], "-t"], check=True)
        return done.returncode, done.stdout, done.stderr

    def keyd(self, *args, fault=None):
        return self.run("rjwt-keyd", "-c", self.conf, *args, fault=fault)

    def issue(self, *args, fault=None):
        return self.run("rjwt-issue", "-c", self.conf, *args, fault=fault)

    def must(self, what, result):
        if result[0] != 0:
            raise Broken("%s: status %d: %s" % (what, result[0], result[2].strip()))
        return result[1].strip()

    def mint(self, *args):
        return self.must("minting", self.issue(*args))

    def verify(self, *tokens):
        """The reason of each, "ok" when it is accepted: by one program, for starting it is what takes time."""
        status, out, err = self.run("rjwt-verify", "-c", self.conf, "-s", "sshd", "--lines",
                                    stdin="".join(token + "\n" for token in tokens))
        if status == 2:
            raise Broken("no verdict: " + err.strip())
        verdicts = out.splitlines()
        if len(verdicts) != len(tokens):
            raise Broken("%d verdicts on %d tokens" % (len(verdicts), len(tokens)))
        return ["ok" if verdict.startswith("accepted") else verdict.split(":")[1].strip() for verdict in verdicts]

    def login(self, token, fault=None):
        return self.run("tests/fault/login", self.conf, "alice", "sshd", token, fault=fault)

    def parked(self, code):
        """The token of a code that was printed."""
        name = hashlib.sha256(code.replace("-", "").encode()).hexdigest()
        try:
            with open("%s/private/parked/%s" % (self.state, name), encoding="ascii") as file:
                return file.read().split("\n")[1]
        except OSError as error:
            raise Broken("a code was printed, and its token is gone: %s" % error) from error

    def keyset(self):
        with open(self.state + "/keyset.json", encoding="utf-8") as file:
            return json.load(file)

    def public_keys(self):
        """{(base, version): x} of what keyset.json vouches for."""
        try:
            keyset = self.keyset()
        except (OSError, ValueError):
            return {}
        found = {}
        for version in range(keyset["floor"], keyset["next"]["version"] + 1):
            try:
                with open("%s/keys/%d.jwk" % (self.state, version), encoding="utf-8") as file:
                    key = json.load(file)
                found[key["kid"]] = key["x"]
            except (OSError, ValueError, KeyError):
                continue
        return found

    def save(self, name):
        if os.path.exists(self.state):
            shutil.copytree(self.state, self.top + "/" + name)
        else:
            os.mkdir(self.top + "/" + name + ".none")

    def restore(self, name):
        shutil.rmtree(self.state, ignore_errors=True)
        if os.path.exists(self.top + "/" + name):
            shutil.copytree(self.top + "/" + name, self.state)
