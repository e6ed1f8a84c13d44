#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# What a program did, by strace -f -y -s 4096, as SELinux sees it; apparmor.py uses it too.
#
#   accesses.py selinux FILE_CONTEXTS TRACE...    a line "TYPE CLASS PERMISSION PATH" for each access, once, with a path that had it;
#                                                 "self" for TYPE: of the process itself
#   accesses.py missing POLICY DOMAIN <ACCESSES   those that a compiled policy does not allow the domain
#   accesses.py readers POLICY TYPE               the domains that may read files of that type
#   accesses.py text EXPANDED DOMAIN... <ACCESSES the same of the types of rjwt alone, by the allow rules of a module's text after m4
#   accesses.py labels POLICY DOMAIN FILE_CONTEXTS TRACE...
#                                                 directories that would be made with another type than FILE_CONTEXTS has for them
#
# Exits with 1 if it printed what is missing or wrong, with 2 for a call with a path that it does not know.
import os
import re
import stat
import subprocess
import sys

CALL = re.compile(r"^(\d+) +(\w+)\((.*)\) += (-?\d+|0x[0-9a-f]+|\?)(?:<([^>]*)>)?(?: (E\w+))?")
HALF = re.compile(r"^(\d+) +(\w+\(.*) <unfinished \.\.\.>$")
REST = re.compile(r"^(\d+) +<\.\.\. \w+ resumed>(.*)$")
# take a descriptor or a path, and ask no more than what opened it
QUIET = set("read write pread64 pwrite64 readv writev close lseek fsync fdatasync fadvise64 dup dup2 dup3 poll ppoll select pselect6 "
            "epoll_ctl epoll_wait epoll_pwait epoll_create1 sendto recvfrom sendmsg recvmsg sendmmsg setsockopt getsockopt getsockname "
            "getpeername shutdown pipe pipe2 eventfd2 timerfd_create timerfd_settime signalfd4 getcwd fchdir chdir munmap wait4 "
            "clone clone3 vfork fork inotify_init1 inotify_rm_watch exit_group prctl kill tgkill copy_file_range sendfile "
            "fallocate sync_file_range pidfd_open pidfd_send_signal splice".split())
FORKS = {"clone", "clone3", "fork", "vfork"}
PROCESS = {"setrlimit": "setrlimit", "sched_setscheduler": "setsched", "sched_setaffinity": "setsched", "setpriority": "setsched",
           "ioprio_set": "setsched", "sched_setattr": "setsched"}
FAMILIES = {"AF_UNIX": {"SOCK_DGRAM": "unix_dgram_socket", "SOCK_STREAM": "unix_stream_socket"},
            "AF_INET": {"SOCK_DGRAM": "udp_socket", "SOCK_STREAM": "tcp_socket"},
            "AF_INET6": {"SOCK_DGRAM": "udp_socket", "SOCK_STREAM": "tcp_socket"},
            "AF_NETLINK": {"": "netlink_route_socket"}}


def lines(name):
    """(process, call, arguments, result, path of the result, errno) of a trace, in order; of several processes put together"""
    halves = {}
    with open(name, errors="replace") as trace:
        for line in trace:
            line = line.rstrip("\n")
            half, rest = HALF.match(line), REST.match(line)
            if half:
                halves[half[1]] = half[2]
                continue
            if rest:
                line = rest[1] + " " + halves.pop(rest[1], "?(") + rest[2]
            call = CALL.match(line)
            if call:
                yield call.groups()


def calls(name, whole):
    """those of the program itself, up to the execve() of another one, which is in a domain of its own"""
    trace = list(lines(name))
    parents = {call[3]: call[0] for call in trace if call[1] in FORKS and call[3].isdigit()}
    others, first = set(), True
    for process, call, arguments, result, path, errno in trace:
        above = process
        while above in parents and above not in others:
            above = parents[above]
        if above in others:
            continue
        yield call, arguments, result, path, errno
        if call == "execve" and not errno and not whole:
            if not first:
                others.add(process)
            first = False


def split(arguments):
    """the arguments, at commas that are in no string, bracket or <path>"""
    out, word, depth, quoted, escaped = [], "", 0, False, False
    for c in arguments:
        if quoted:
            quoted = escaped or c != '"'
            escaped = c == "\\" and not escaped
        elif c == '"':
            quoted = True
        elif c in "{[<(":
            depth += 1
        elif c in "}]>)":
            depth -= 1
        elif c == "," and depth == 0:
            out.append(word.strip())
            word = ""
            continue
        word += c
    return out + [word.strip()]


def text(argument):
    return argument[1:-1].encode().decode("unicode_escape") if argument.startswith('"') else None


def of_fd(argument):
    found = re.match(r"(?:AT_FDCWD|\d+)<(.*)>$", argument)
    return found[1] if found and found[1].startswith("/") else None


def at(directory, name):
    base = of_fd(directory) or "/"
    return os.path.normpath(os.path.join(base, text(name) or ""))


class Accesses:
    """What the calls of traces ask for: {(path, class, permission)}, and what the process asks for itself"""

    def __init__(self, names, whole=False):
        self.kinds, self.asked, self.own, self.made, self.runs = {}, [], [], [], []
        self.processes = set()
        for name in names:
            self.processes.update(call[0] for call in lines(name))
            first = len(self.runs)
            for call in calls(name, whole):
                self.take(*call)
            del self.runs[first:first + 1]    # the program that was watched

    def kind(self, path):
        if path not in self.kinds:
            try:
                mode = os.lstat(path).st_mode
            except OSError:
                mode = stat.S_IFREG
            self.kinds[path] = {stat.S_IFDIR: "dir", stat.S_IFLNK: "lnk_file", stat.S_IFCHR: "chr_file", stat.S_IFSOCK: "sock_file",
                                stat.S_IFIFO: "fifo_file"}.get(stat.S_IFMT(mode), "file")
        return self.kinds[path]

    def ask(self, path, *permissions, kind=None):
        for permission in permissions:
            self.asked.append((path, kind or self.kind(path), permission))

    def walk(self, path, start=None):
        """search in what is above; links on the way are read"""
        above = os.path.dirname(path)
        while above != path:
            if os.path.islink(above):
                self.ask(above, "read", "getattr", kind="lnk_file")
            else:
                self.ask(above, "search", kind="dir")
            if above in ("/", start):
                break
            above = os.path.dirname(above)

    def take(self, call, arguments, result, path, errno):
        words = split(arguments)
        handler = getattr(self, "on_" + call, None)
        if handler:
            handler(words, errno, path)
        elif call in PROCESS:
            self.own.append(("process", PROCESS[call]))
        elif call not in QUIET and re.search(r'<(/[^>]*)>|"/', arguments) and not errno:
            sys.exit("accesses.py: what does %s(%s) ask for?" % (call, arguments))

    def on_openat(self, words, errno, path):
        name, flags = at(words[0], words[1]), words[2].split("|")
        self.walk(name, of_fd(words[0]))
        if errno:
            return
        if os.path.islink(name):
            self.ask(name, "read", kind="lnk_file")
            self.walk(path)
            name = path
        if "O_DIRECTORY" in flags:
            self.kinds[name] = "dir"
        elif name not in self.kinds and not os.path.lexists(name):
            self.kinds[name] = "file"
        if "O_PATH" in flags:
            return
        if "O_CREAT" in flags and ("O_EXCL" in flags or not os.path.exists(name) and name not in self.made):
            self.create(name, "file")
        self.ask(name, "open")
        if "O_RDONLY" in flags or "O_RDWR" in flags:
            self.ask(name, "read")
        if "O_WRONLY" in flags or "O_RDWR" in flags:
            self.ask(name, "append" if "O_APPEND" in flags else "write")

    def create(self, name, kind):
        self.kinds[name] = kind
        self.made.append(name)
        self.ask(os.path.dirname(name), "write", "add_name", kind="dir")
        self.ask(name, "create")

    def status(self, name, errno):
        self.walk(name)
        if not errno:
            self.ask(name, "getattr")

    def on_newfstatat(self, words, errno, path):
        name = at(words[0], words[1]) if text(words[1]) else of_fd(words[0])
        if name:
            if "S_IFDIR" in words[2]:
                self.kinds[name] = "dir"
            if not text(words[1]):
                self.ask(name, "getattr")
            else:
                self.status(name, errno)

    on_statx = on_newfstatat

    def on_fstat(self, words, errno, path):
        if of_fd(words[0]):
            self.ask(of_fd(words[0]), "getattr")

    def on_stat(self, words, errno, path):
        self.status(os.path.normpath(text(words[0])), errno)

    on_lstat = on_stat

    def on_access(self, words, errno, path):
        self.may(os.path.normpath(text(words[0])), words[1], errno)

    def on_faccessat(self, words, errno, path):
        self.may(at(words[0], words[1]), words[2], errno)

    on_faccessat2 = on_faccessat

    def may(self, name, mode, errno):
        self.walk(name)
        if not errno:
            self.ask(name, "getattr", *(["read"] if "R_OK" in mode else []), *(["write"] if "W_OK" in mode else []),
                     *(["search" if self.kind(name) == "dir" else "execute"] if "X_OK" in mode else []))

    def on_statfs(self, words, errno, path):
        self.walk(text(words[0]))

    def on_fstatfs(self, words, errno, path):
        self.own.append(("filesystem", "getattr"))

    def on_mkdirat(self, words, errno, path):
        name = at(words[0], words[1])
        self.walk(name, of_fd(words[0]))
        if not errno:
            self.create(name, "dir")

    def on_mkdir(self, words, errno, path):
        self.on_mkdirat(["AT_FDCWD</>", *words], errno, path)

    def on_unlinkat(self, words, errno, path):
        name, kind = at(words[0], words[1]), "dir" if "AT_REMOVEDIR" in words[2] else "file"
        self.walk(name, of_fd(words[0]))
        if not errno:
            self.ask(os.path.dirname(name), "write", "remove_name", kind="dir")
            self.ask(name, "rmdir" if kind == "dir" else "unlink", kind=kind)

    def on_unlink(self, words, errno, path):
        self.on_unlinkat(["AT_FDCWD</>", words[0], "0"], errno, path)

    def on_rmdir(self, words, errno, path):
        self.on_unlinkat(["AT_FDCWD</>", words[0], "AT_REMOVEDIR"], errno, path)

    def on_renameat(self, words, errno, path):
        old, new = at(words[0], words[1]), at(words[2], words[3])
        self.walk(old, of_fd(words[0]))
        self.walk(new, of_fd(words[2]))
        if errno:
            return
        kind = self.kinds.get(old) or self.kind(new)
        self.ask(os.path.dirname(old), "write", "remove_name", kind="dir")
        self.ask(os.path.dirname(new), "write", "add_name", kind="dir")
        self.ask(old, "rename", kind=kind)
        # one that was there before goes
        self.ask(os.path.dirname(new), "remove_name", kind="dir")
        self.ask(new, "unlink" if kind == "file" else "rmdir", kind=kind)

    def on_rename(self, words, errno, path):
        self.on_renameat(["AT_FDCWD</>", words[0], "AT_FDCWD</>", words[1]], errno, path)

    on_renameat2 = on_renameat

    def on_linkat(self, words, errno, path):
        old, new = at(words[0], words[1]), at(words[2], words[3])
        self.walk(old, of_fd(words[0]))
        self.walk(new, of_fd(words[2]))
        if not errno:
            self.ask(old, "link")
            self.ask(os.path.dirname(new), "write", "add_name", kind="dir")

    def on_readlink(self, words, errno, path):
        name = os.path.normpath(text(words[0]))
        self.walk(name)
        if not errno:
            self.ask(name, "read", kind="lnk_file")

    def on_readlinkat(self, words, errno, path):
        self.walk(at(words[0], words[1]))
        if not errno:
            self.ask(at(words[0], words[1]), "read", kind="lnk_file")

    def set_fd(self, words, errno, path):
        if of_fd(words[0]) and not errno:
            self.ask(of_fd(words[0]), "setattr")

    on_fchmod = on_fchown = set_fd

    def set_at(self, words, errno, path):
        name = at(words[0], words[1]) if text(words[1]) else of_fd(words[0])
        if name and not errno:
            self.ask(name, "setattr")

    on_fchmodat = on_fchownat = on_utimensat = set_at

    def set_path(self, words, errno, path):
        self.ask(os.path.normpath(text(words[0])), "setattr")

    on_chmod = on_chown = set_path

    def by_fd(permission):
        def handler(self, words, errno, path):
            if of_fd(words[0]):
                self.ask(of_fd(words[0]), permission)
        return handler

    on_getdents64 = by_fd("read")
    on_flock = by_fd("lock")
    on_ftruncate = by_fd("write")
    on_ioctl = by_fd("ioctl")

    def on_fcntl(self, words, errno, path):
        if "SETLK" in words[1] and of_fd(words[0]):
            self.ask(of_fd(words[0]), "lock")

    def on_mmap(self, words, errno, path):
        name = of_fd(words[4]) if len(words) > 4 else None
        if name:
            self.ask(name, "map", *(["execute"] if "PROT_EXEC" in words[2] else []))

    def on_mprotect(self, words, errno, path):
        pass

    def on_execve(self, words, errno, path):
        name = os.path.normpath(text(words[0]))
        self.walk(name)
        if not errno:
            self.ask(os.path.realpath(name), "execute", "read", "open", "map")
            self.runs.append(os.path.realpath(name))

    def on_inotify_add_watch(self, words, errno, path):
        name = os.path.normpath(text(words[1]))
        if not errno:
            self.ask(name, "watch")

    def on_prlimit64(self, words, errno, path):
        if words[2] != "NULL":
            self.own.append(("process", "setrlimit"))

    def on_socket(self, words, errno, path):
        family = FAMILIES.get(words[0], {})
        kind = next((family[t] for t in family if words[1].startswith(t)), None)
        if not kind:
            sys.exit("accesses.py: a socket of %s %s" % (words[0], words[1]))
        if not errno:
            self.own.append((kind, "create"))

    def on_bind(self, words, errno, path):
        name = re.search(r'sun_path="(/[^"]*)"', words[1])
        if name:
            sys.exit("accesses.py: bind to %s" % name[1])

    def on_connect(self, words, errno, path):
        name = re.search(r'sun_path="(/[^"]*)"', words[1])
        if name:
            self.walk(name[1])
        if name and not errno:
            self.ask(os.path.realpath(name[1]), "write", kind="sock_file")


# --- SELinux ---------------------------------------------------------------------------------------

# What a file system or a link gives its label, where FILE_CONTEXTS has none.
PROC = [(r"^/var/run$", {"lnk_file": "var_run_t"}), (r"^/proc/sys/kernel/", {"dir": "sysctl_kernel_t", "file": "sysctl_kernel_t"}), (r"^/proc/sys/kernel$", {"dir": "sysctl_kernel_t"}),
        (r"^/proc/sys", {"dir": "sysctl_t"}), (r"^/proc/self(/|$)", {"dir": "self", "file": "self", "lnk_file": "self"}),
        # another process, whichever
        (r"^/proc/\d+(/|$)", {"dir": "sshd_t", "file": "sshd_t", "lnk_file": "sshd_t"}),
        (r"^/proc/", {"file": "proc_t", "lnk_file": "proc_t", "dir": "proc_t"}), (r"^/proc$", {"dir": "proc_t"})]


class Labels:
    def __init__(self, contexts):
        self.contexts, self.known = contexts, {}

    def type(self, path, kind):
        for pattern, types in PROC:
            if re.match(pattern, path):
                return types[kind]
        if (path, kind) not in self.known:
            names = {"sock_file": "socket", "lnk_file": "symlink", "chr_file": "char", "fifo_file": "pipe"}
            out = subprocess.run(["matchpathcon", "-n", "-f", self.contexts, "-m", names.get(kind, kind), path], capture_output=True,
                                 text=True)
            self.known[path, kind] = out.stdout.split(":")[2] if out.returncode == 0 and ":" in out.stdout else "unlabeled_t"
        return self.known[path, kind]


def selinux(contexts, names):
    labels, accesses, seen = Labels(contexts), Accesses(names), {}
    for path, kind, permission in accesses.asked:
        own = re.match(r"/proc/(\d+)(?=/|$)", path)
        if own and own[1] in accesses.processes:
            path = "/proc/self" + path[own.end():]
        seen.setdefault((labels.type(path, kind), kind, permission), path)
    for kind, permission in accesses.own:
        seen.setdefault(("fs_t" if kind == "filesystem" else "self", kind, permission), "-")
    for access in sorted(seen):
        print(*access, seen[access])
    return 0


def allowed(policy, domain):
    """{(type, class): permissions}, without what a boolean that is off allows"""
    import setools
    rules, policy = {}, setools.SELinuxPolicy(policy)
    for rule in setools.TERuleQuery(policy, ruletype=["allow"], source=domain, source_indirect=True).results():
        try:
            if rule.conditional.evaluate() != rule.conditional_block:
                continue
        except setools.exception.RuleNotConditional:
            pass
        for target in rule.target.expand():
            name = "self" if str(target) == domain else str(target)
            rules.setdefault((name, str(rule.tclass)), set()).update(rule.perms)
    return rules


def report(rules, accesses):
    bad = 0
    for line in accesses:
        target, kind, permission, path = line.split(" ", 3)
        if permission not in rules.get((target, kind), ()):
            print(target, kind, permission, path, end="")
            bad = 1
    return bad


def missing(policy, domain):
    return report(allowed(policy, domain), sys.stdin)


def readers(policy, target):
    import setools
    domains, rules = set(), setools.SELinuxPolicy(policy)
    for rule in setools.TERuleQuery(rules, ruletype=["allow"], target=target, target_indirect=True, tclass=["file"], perms=["read"]).results():
        try:
            if rule.conditional.evaluate() != rule.conditional_block:
                continue
        except setools.exception.RuleNotConditional:
            pass
        domains.update(map(str, rule.source.expand()))
    print(*sorted(domains), sep="\n")
    return 0


def words_of(group):
    return re.sub(r"[{}]", " ", group).split()


def in_text(expanded, domains):
    rules, own, off = {}, re.compile(r"rjwt_\w+_t$"), None
    with open(expanded) as module:
        for line in module:
            # what a boolean that is off allows
            off = off and not re.match(r"\s*} # end", line) or re.match(r"\s*if \(", line)
            if off:
                continue
            rule = re.match(r"\s*allow\s+({[^}]*}|\S+)\s+({[^}]*}|\S+?)\s*:\s*({[^}]*}|\S+)\s+([^;]*);", line)
            if rule and set(words_of(rule[1])) & set(domains):
                for target in words_of(rule[2]):
                    for kind in words_of(rule[3]):
                        rules.setdefault((target, kind), set()).update(words_of(rule[4]))
    return report(rules, [line for line in sys.stdin if own.match(line.split()[0])])


def labels(policy, domain, contexts, names):
    import setools
    table, bad, by_name, rules = Labels(contexts), 0, {}, setools.SELinuxPolicy(policy)
    for rule in setools.TERuleQuery(rules, ruletype=["type_transition"], source=domain, source_indirect=True).results():
        try:
            name = rule.filename
        except setools.exception.TERuleNoFilename:
            name = None
        by_name.update({(str(target), str(rule.tclass), name): str(rule.default) for target in rule.target.expand()})
    accesses = Accesses(names)
    for path in dict.fromkeys(accesses.made):
        above, kind = os.path.dirname(path), accesses.kinds[path]
        parent, wanted = table.type(above, "dir"), table.type(path, kind)
        gets = by_name.get((parent, kind, os.path.basename(path)), by_name.get((parent, kind, None), parent))
        if gets != wanted:
            print(path, "gets", gets, "and should have", wanted)
            bad = 1
    return bad


if __name__ == "__main__":
    what, rest = sys.argv[1], sys.argv[2:]
    sys.exit({"selinux": lambda: selinux(rest[0], rest[1:]), "missing": lambda: missing(*rest),
              "readers": lambda: readers(*rest), "text": lambda: in_text(rest[0], rest[1:]), "labels": lambda: labels(*rest[:3], rest[3:])}[what]())
