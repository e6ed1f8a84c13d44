#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
mutate.py [OPTION]... FILE... -- FLAG...
Does a unit test notice when a condition of these files is wrong?

Changes the files in one place at a time (points.py says how) and runs the unit tests that come to that place,
the quickest first, until one fails: then the mutant is killed. One that survives is tried again with tests that are built with ASan
and UBSan, which notice what reads too far or leaks. One that survives that too must stand in equivalent.txt with the
reason why nobody can tell it from the program; one that stands there must survive.
FLAG: how to compile and link; make mutation gives them.

    --cc COMPILER
    --jobs N        how many tests run at once
    --share N       every N-th mutant only, for a quick look
    --only TEXT     mutants whose key (as in equivalent.txt) contains TEXT
    --again LOG     mutants that survived, or were not run, by this output of mutate.py
    --tests NAMES   these tests alone, as test_keyset,test_change: whether they hold the rules of a file by themselves
    --quick         without ASan and UBSan, and without the mutants that free or wipe less
    --sanitized     with ASan and UBSan at once
    --unlisted      without those of equivalent.txt, which come to every test
    --slow          also tests that take long and are not about the file
    --list          show the mutants, run nothing
    --verbose       show each mutant and what killed it

The last lines are a table: mutants, killed, equivalent, survived, by file. Exit 1 when one survived that is not
listed, or one that is listed was killed or is not there.
"""
import argparse
import concurrent.futures
import ctypes
import mmap
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from points import Source  # noqa: E402

FLAGS = "-w -g0 -O0 -fPIC -fvisibility=hidden".split()
SANITIZED = FLAGS + "-fsanitize=address,undefined -fno-sanitize-recover=undefined".split()
ENVIRONMENT = {"ASAN_OPTIONS": "detect_odr_violation=0:allocator_may_return_null=1:hard_rss_limit_mb=1000",
	"LANG": "C", "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"}
SHARES = {"test_failing_codes": "1"}  # RJWT_SHARE: of the calls that fail, one in so many is tried; 32 for others
QUICK_S = 0.4
LEAK = re.compile(r"(?!json_close|marks_)\w*(free|clear|clean|close|wipe|object_put)\(")  # what ASan alone would miss
# They run what is not built here, or measure.
WITHOUT = ("test_programs", "test_sets", "test_sets_numbers", "test_host_process", "test_stack_libpam")
# Of the tests that take longer those that are about a file, beside the one that has its name, and about all.
NEAR = {"lib/jose/key.c": ["jws_sign"], "lib/jose/key_weak.c": ["key"], "lib/jose/jwk.c": ["verdict_keys"],
	"lib/jose/alg.c": ["jwk"], "lib/token/check_jws.c": ["verdict", "followed", "handle_jwks"], "lib/token/check_claims.c": ["revoke", "followed"],
	"lib/token/check.c": ["verdict"], "lib/token/verify.c": ["followed", "failing_fleet"], "lib/config/config_yaml.c": ["config", "config_file"],
	"lib/keyset/marks.c": ["marks_kept", "revoke", "revoke_marks", "change"], "lib/keyset/marks_write.c": ["marks", "marks_kept", "revoke", "revoke_marks", "change"],
	"lib/keyset/issued.c": ["marks_kept", "revoke", "change"], "lib/keyset/store.c": ["change", "revoke"],
	"lib/keyset/tickets.c": ["store", "mint_keyset"], "lib/keyset/inspect.c": ["store", "store_owner", "change", "revoke", "revoke_marks"],
	"lib/keyset/jwks.c": ["store", "change", "revoke"], "lib/base/json_write.c": ["json"],
	"lib/keyset/plan.c": ["keyset", "change", "store", "revoke"], "lib/keyset/keyset.c": ["change", "store"],
	"lib/keyset/change.c": ["sentences", "codes", "revoke", "store", "corruption", "reload", "concurrency", "lock"],
	"lib/keyset/commit.c": ["failing_init", "change", "revoke", "store", "corruption"],
	"lib/keyset/recover.c": ["commit", "change", "revoke", "store", "corruption"],
	"lib/keyset/init.c": ["failing_init", "adopt", "change", "revoke", "store", "config_changes"], "lib/keyset/lock.c": ["change", "concurrency"],
	"lib/keyset/lock_end.c": ["lock"], "lib/keyset/denials_write.c": ["denials"], "lib/keyset/parked_write.c": ["parked", "codes"],
	"lib/keyset/parked.c": ["codes"], "lib/keyset/codes.c": ["codes_pass", "codes_read", "parked", "list", "failing_codes"], "lib/keyset/codes_renew.c": ["codes_pass", "codes", "failing_codes"],
	"lib/grant.c": ["rules", "grants"],
	"lib/jose/provider_write.c": ["provider", "change"], "lib/token/mint.c": ["mint_keyset", "concurrency"], "lib/token/rules.c": ["grants"],
	"lib/token/mint_request.c": ["mint", "handle"], "lib/status.c": ["handle", "store", "change", "revoke"],
	"lib/keep.c": ["sentences", "handle", "revoke", "change", "mint"], "lib/list.c": ["revoke", "marks_kept"],
	"lib/handle.c": ["reload", "config_changes", "config_default"], "lib/base/file.c": ["store", "config_file", "change"],
	"lib/base/file_write.c": ["file", "change"], "lib/base/host.c": ["store"],
	"lib/status_denials.c": ["status"], "lib/status_issuer.c": ["status"], "lib/status_tpm.c": ["status"],
	**{"lib/fleet/%s.c" % name: ["payloads", "before", "follow", "publish", "roster_change", "fleet_reader", "record", "offer", "join", "issuer_keys"]
		for name in ("bundle", "roster", "fleet_json", "fleet", "keys", "offer", "conflict", "spool", "record", "own",
			"install", "merge", "prune", "watch", "www", "publish", "follow", "join", "change_roster", "make")},
	"pam/login.c": ["phases", "module"], "pam/origin.c": ["origin"], "lib/token/mint_origin.c": ["mint"], "pam/phases.c": ["login", "login_clock"], "pam/prompt.c": ["login", "login_prompts"], "pam/args.c": ["login"]}
NEAR_ALL = ["failing", "failing_keys", "table", "verify"]


class Build:
	"""Objects, test programs and modules, all in one folder."""
	def __init__(self, options, folder, flags, sources):
		self.top, self.folder, self.flags, self.options = options.source, folder, flags, options
		self.cppflags = [f for f in options.flags if not f.startswith(("-l", "-L"))]
		self.libs = [f for f in options.flags if f.startswith(("-l", "-L"))]
		self.sources = sources
		self.made = {}  # source -> object

	def path(self, name):
		return os.path.join(self.folder, name)

	def run(self, command):
		done = subprocess.run(command, env=dict(os.environ, TMPDIR=self.folder), stdin=subprocess.DEVNULL,
			stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
		if done.returncode != 0:
			raise SystemExit("mutate.py: %s\n%s" % (" ".join(command), done.stdout[-3000:]))

	def compile(self, name):
		out = self.path("o/" + name.replace("/", "_")[:-2] + ".o")
		text, extra = os.path.join(self.top, name), []
		if name in self.sources:
			text = self.path("mutated/" + name.replace("/", "_"))
			with open(text, "w", encoding="utf-8") as file:
				file.write(self.sources[name].text_changed)
			extra = ["-include", os.path.join(self.top, "tests/mutation/mutant.h")]
		self.run([*self.options.cc, *self.cppflags, *self.flags, *extra, "-I" + os.path.join(self.top, "tests/unit"), "-c",
			text, "-o", out])
		self.made[name] = out

	def unit_tests(self):
		"""name of each program -> its sources and its own link flags, from the Makefile.inc"""
		def text_of(name):
			with open(os.path.join(self.top, name), encoding="utf-8") as file:
				return file.read().replace("\\\n", " ")

		text = text_of("tests/unit/Makefile.inc") + text_of("tests/rejection/Makefile.inc")
		values = dict(re.findall(r"^(\w+) = (.*)$", text_of("Makefile.am") + text_of("tests/fault/Makefile.inc") + text,
			re.M), AM_LDFLAGS="", srcdir=self.top)

		def words(variable, otherwise):
			value = values.get(variable, otherwise)
			while "$(" in value:
				value = re.sub(r"\$\((\w+)\)", lambda m: values[m.group(1)], value)
			return [w for w in value.split() if not w.endswith((".h", ".def"))]

		tests = {}
		for path in sorted(set(re.findall(r"\btests/(?:unit|rejection)/test_\w+(?![\w.])", text))):
			name, target = os.path.basename(path), path.replace("/", "_")
			if name not in WITHOUT and (not self.options.tests or name in self.options.tests.split(",")):
				tests[name] = {"SOURCES": words(target + "_SOURCES", path + ".c"), "LDFLAGS": words(target + "_LDFLAGS", "")}
		return tests

	def everything(self, pool):
		for made in ("o", "mutated", "tests/unit"):
			os.makedirs(self.path(made))
		listed = lambda where: sorted(where + n for n in os.listdir(os.path.join(self.top, where)) if n.endswith(".c"))
		tests = self.unit_tests()
		core = [n for d, _, _ in sorted(os.walk(os.path.join(self.top, "lib")))
			for n in listed(os.path.relpath(d, self.top) + "/")] + [n for n in listed("pam/") if n != "pam/pam_rjwt.c"]
		fixture = ["tests/unit/" + n for n in ("fixture.c", "fixture_files.c", "provider_memory.c")] + [
			n for n in listed("tests/rejection/") if not n.startswith("tests/rejection/test_")]
		rest = ["pam/pam_rjwt.c", "tests/unit/pam_probe.c", "tests/mutation/mutant.c"]
		mains = sorted({s for t in tests.values() for s in t["SOURCES"]} - set(fixture))
		list(pool.map(self.compile, core + fixture + rest + mains))
		self.run(["ar", "rcs", self.path("all.a"), *[self.made[n] for n in core + fixture + rest[2:]]])
		link = [*self.options.cc, *self.flags]
		jobs = [[*link, *t["LDFLAGS"], *[self.made[s] for s in t["SOURCES"]], self.path("all.a"), *self.libs,
			"-o", self.path("tests/unit/" + name)] for name, t in tests.items()]
		for main, out, flags in (("pam/pam_rjwt.c", "pam_rjwt.so", [
			"-Wl,--version-script=" + os.path.join(self.top, "pam/pam_rjwt.map")]),
		    ("tests/unit/pam_probe.c", "tests/unit/pam_probe.so", [])):
			jobs.append([*link, "-shared", *flags, self.made[main], self.path("all.a"), *self.libs, "-o",
				self.path(out)])
		list(pool.map(self.run, jobs))
		return sorted(tests)


def processes():
	"""How many the machine has."""
	with open("/proc/loadavg", encoding="ascii") as file:
		return int(file.read().split()[3].split("/")[1])


class Runner:
	"""Runs one test program for one mutant."""
	def __init__(self, build, count):
		self.build, self.count = build, count
		self.local = threading.local()
		self.groups = set()  # of the programs that run
		threading.Thread(target=self.guard, daemon=True).start()

	def guard(self):
		"""A mutant that forks without end is ended, before no other process finds room."""
		most = processes() + 2000
		while True:
			time.sleep(0.1)
			for group in list(self.groups) if processes() > most else []:
				self.end(group)

	def run(self, test, mutant, limit_s, to=subprocess.DEVNULL):
		"""(failed, seconds of the processor, numbers of the mutants that were reached)"""
		if not hasattr(self.local, "tmp"):
			self.local.tmp = tempfile.mkdtemp(dir=self.build.folder)
			os.chmod(self.local.tmp, 0o1777)  # some tests are somebody else for a while
		tmp, reached = self.local.tmp, self.local.tmp + ".reached"
		with open(reached, "wb") as file:
			file.truncate(self.count + 1)
		environment = dict(ENVIRONMENT, TMPDIR=tmp, RJWT_TMP=tmp, RJWT_BUILD=self.build.folder, RJWT_SOURCE=self.build.top,
			RJWT_SHARE=SHARES.get(test, "32"),
			RJWT_MUTANT=str(mutant), RJWT_REACHED=reached)
		child = subprocess.Popen([self.build.path("tests/unit/" + test)], env=environment, cwd=tmp,
			stdin=subprocess.DEVNULL, stdout=to, stderr=to, start_new_session=True,
			preexec_fn=lambda: self.limits(limit_s))
		watch = threading.Timer(30 + 10 * limit_s, self.end, [child.pid])
		watch.start()
		self.groups.add(child.pid)
		_, child.returncode, used = os.wait4(child.pid, 0)
		watch.cancel()
		self.groups.discard(child.pid)
		self.end(child.pid)  # what it started
		for name in os.listdir(tmp):
			shutil.rmtree(os.path.join(tmp, name), ignore_errors=True)
		with open(reached, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as seen:
			return child.returncode != 0, used.ru_utime + used.ru_stime, {i for i in range(self.count) if seen[i]}

	@staticmethod
	def end(group):
		try:
			os.killpg(group, signal.SIGKILL)
		except ProcessLookupError:
			pass

	@staticmethod
	def limits(limit_s):
		resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
		resource.setrlimit(resource.RLIMIT_CPU, (int(limit_s), int(limit_s) + 1))


def fence():
	"""What a mutant does, nobody knows: as root it finds the root file system read only."""
	unshare_mounts, private, remount_read_only = 0x20000, 0x44000, 0x1021
	libc = ctypes.CDLL(None, use_errno=True)
	if os.geteuid() == 0 and (libc.unshare(unshare_mounts) != 0 or
	    libc.mount(None, b"/", None, private, None) != 0 or
	    libc.mount(None, b"/", None, remount_read_only, None) != 0):
		raise SystemExit("mutate.py: no mount namespace: " + os.strerror(ctypes.get_errno()))


def read_equivalent(path):
	"""key -> reason; a key begins a line, its reason is indented below"""
	listed, key = {}, None
	with open(path, encoding="utf-8") as file:
		for line in file:
			if line.startswith("\t") and key:
				listed[key] = (listed[key] + " " + line.strip()).strip()
			elif line.strip() and not line.startswith("#"):
				key = line.strip()
				if key in listed:
					raise SystemExit(os.path.basename(path) + ": twice: " + key)
				listed[key] = ""
	bare = [k for k, reason in listed.items() if not reason]
	if bare:
		raise SystemExit(os.path.basename(path) + ": without a reason: " + bare[0])
	return listed


def mutate(options, build, mutants, pool, count):
	"""build the tests, and run them for each mutant: by becomes the test that killed it"""
	begin = time.monotonic()
	tests = build.everything(pool)
	runner = Runner(build, count)
	base = dict(zip(tests, pool.map(lambda t: runner.run(t, -1, 300), tests)))
	for test in [t for t in tests if base[t][0]]:  # once more, alone: on a busy machine some wait in vain
		base[test] = runner.run(test, -1, 300)
	broken = [t for t in tests if base[t][0]]
	if broken and build.flags is FLAGS:
		runner.run(broken[0], -1, 300, None)
		raise SystemExit("mutate.py: fails without a mutant: " + ", ".join(broken))
	if broken:  # test_module loads the module so often that ASan runs out of memory
		print("not under ASan: " + ", ".join(broken), flush=True)
		tests = [t for t in tests if t not in broken]
	print("%d tests built and run, %d s" % (len(base), time.monotonic() - begin), flush=True)
	tried = {}  # (file or function, test) -> how often it was run, and killed

	def about(mutant):
		return [os.path.basename(mutant.file)[:-2], *NEAR.get(mutant.file, [])]

	def order(mutant, test):
		"""what a kill by this test is likely to cost: what killed in the same function does it again"""
		runs, kills = tried.get((mutant.file, test), (0, 0))
		here, killed = tried.get((mutant.file, mutant.function, test), (0, 0))
		named = 4 if any(test.startswith("test_" + a) for a in about(mutant)[:1]) else 0
		return (0.02 + base[test][1]) * (runs + 8 * here + named + 2) / (kills + 8 * killed + named + 1)

	def near(mutant, test):
		"""whether the test is quick, or about this file"""
		names = about(mutant) + NEAR_ALL
		return options.slow or base[test][1] < QUICK_S or any(test.startswith("test_" + a) for a in names)

	def judge(mutant):
		come_by = [t for t in tests if mutant.number in base[t][2]]
		if build.flags is FLAGS and mutant.kind == "deleted" and re.match(LEAK, mutant.text):
			if options.quick:
				print("%s:%d: %s\tNOT RUN" % (mutant.file, mutant.line, mutant.key), flush=True)
			return
		for test in sorted((t for t in come_by if near(mutant, t)), key=lambda t: order(mutant, t)):
			killed = runner.run(test, mutant.number, 2 + 3 * base[test][1])[0]
			for where in ((mutant.file, test), (mutant.file, mutant.function, test)):
				runs, kills = tried.get(where, (0, 0))
				tried[where] = (runs + 1, kills + killed)
			if killed:
				mutant.by = test
				break
		mutant.reached = come_by != []
		if options.verbose or mutant.by is None and mutant.key not in options.listed:
			print("%s:%d: %s\t%s" % (mutant.file, mutant.line, mutant.key,
				"killed by " + mutant.by if mutant.by else "SURVIVED" if mutant.reached else "NOT REACHED"), flush=True)
	list(pool.map(judge, mutants))


def report(mutants, listed, whole):
	"""the table; True when all is as it should be"""
	good = True
	rows, total = {}, [0, 0, 0, 0]
	for m in mutants:
		column = 1 if m.by else 2 if m.key in listed else 3
		row = rows.setdefault(m.file, [0, 0, 0, 0])
		for counts in (row, total):
			counts[0] += 1
			counts[column] += 1
		if m.by and m.key in listed:
			print("not equivalent, %s kills it: %s" % (m.by, m.key))
			good = False
	if whole:
		keys, files = {m.key for m in mutants}, {m.file for m in mutants}
		for key in listed:
			if key.split(":")[0] in files and key not in keys:
				print("listed, and not there: " + key)
				good = False
	print("%-24s %8s %8s %11s %9s" % ("file", "mutants", "killed", "equivalent", "survived"))
	for name, row in [*rows.items(), ("together", total)]:
		print("%-24s %8d %8d %11d %9d" % (name, *row))
	return good and total[3] == 0


def main():
	top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
	parser = argparse.ArgumentParser(usage=__doc__)
	parser.add_argument("--cc", default=["cc"], type=shlex.split)
	parser.add_argument("--jobs", type=int, default=2)
	parser.add_argument("--share", type=int, default=1)
	parser.add_argument("--only", default="")
	parser.add_argument("--again")
	parser.add_argument("--tests", default="")
	for flag in ("--quick", "--sanitized", "--unlisted", "--slow", "--list", "--verbose"):
		parser.add_argument(flag, action="store_true")
	parser.add_argument("files", nargs="+")
	begin = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
	options = parser.parse_args(sys.argv[1:begin])
	options.flags = sys.argv[begin + 1:]
	options.source = top
	options.listed = read_equivalent(os.path.join(top, "tests/mutation/equivalent.txt"))
	sources, first = {}, 0
	for name in options.files:
		with open(os.path.join(top, name), encoding="utf-8") as file:
			sources[name] = Source(name, file.read(), first)
		sources[name].text_changed = sources[name].changed()
		first = sources[name].next
	mutants = [m for s in sources.values() for m in sorted(s.mutants, key=lambda m: (m.line, m.number))]
	mutants = [m for m in mutants if options.only in m.key][::options.share]
	if options.again:
		with open(options.again, encoding="utf-8") as file:
			keys = {line.split(": ", 1)[1].rsplit("\t")[0] for line in file if "\tSURVIVED" in line or "\tNOT R" in line}
		mutants = [m for m in mutants if m.key in keys]
	if options.unlisted:
		mutants = [m for m in mutants if m.key not in options.listed]
	if options.list:
		print("\n".join("%s:%d: %s" % (m.file, m.line, m.key) for m in mutants))
		return 0
	fence()
	folder = tempfile.mkdtemp(prefix="rjwt-mutation-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
	os.chmod(folder, 0o711)
	pool = concurrent.futures.ThreadPoolExecutor(options.jobs)
	try:
		if not options.sanitized:
			mutate(options, Build(options, folder + "/plain", FLAGS, sources), mutants, pool, first)
		left = [m for m in mutants if not m.by and m.key not in options.listed]
		if left and not options.quick:
			mutate(options, Build(options, folder + "/sanitized", SANITIZED, sources), left, pool, first)
	finally:
		pool.shutdown(cancel_futures=True)
		shutil.rmtree(folder, ignore_errors=True)
	whole = options.share == 1 and not options.only and not options.again and not options.unlisted
	return 0 if report(mutants, options.listed, whole) else 1


if __name__ == "__main__":
	signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
	sys.exit(main())
