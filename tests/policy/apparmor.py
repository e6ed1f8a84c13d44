#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# What a profile of AppArmor does not allow of what a program did: a line "PATH MODES", or "capability NAME", for each.
#
#   apparmor.py PROFILE TRACE...    PROFILE is what apparmor_parser -p prints; TRACE of strace -f -y -s 4096
#
# Programs that the program starts are part of it: the profiles have ix for them. Capabilities are not derived, but for setuid
# and the like. Exits with 1 if it printed anything.
import re
import sys

from accesses import Accesses

MODES = {"read": "r", "write": "w", "append": "w", "create": "w", "unlink": "w", "rmdir": "w", "rename": "rw", "setattr": "w",
         "lock": "k", "execute": "m", "link": "l"}
NETWORKS = {"udp_socket": ("inet", "dgram"), "tcp_socket": ("inet", "stream"), "netlink_route_socket": ("netlink", "raw")}
RULE = re.compile(r"\s*(?:(audit|deny|owner)\s+)*((?:/|@{)\S*)\s+([rwaklmxiuUpPcC]+)\s*,")


def expression(glob, variables):
    """a regular expression of a path in a profile"""
    while "@{" in glob:
        glob = re.sub(r"@\{(\w+)\}", lambda name: "{" + ",".join(variables[name[1]]) + "}", glob)
    out, depth, n = "", 0, 0
    while n < len(glob):
        c = glob[n]
        if glob.startswith("**", n):
            # at least one character, after a /
            out, n = out + ("[^/].*" if out.endswith("/") else ".*"), n + 2
            continue
        if c == "*":
            out += "[^/]+" if out.endswith("/") and n + 1 == len(glob) else "[^/]*"
        elif c == "?":
            out += "[^/]"
        elif c == "{":
            out, depth = out + "(?:", depth + 1
        elif c == "}":
            out, depth = out + ")", depth - 1
        elif c == "," and depth:
            out += "|"
        elif c == "[":
            end = glob.index("]", n)
            out, n = out + glob[n:end + 1], end
        else:
            out += re.escape(c)
        n += 1
    return re.compile(re.sub("/+", "/", out) + r"\Z")


class Profile:
    def __init__(self, name):
        self.rules, self.networks, variables = [], set(), {}
        with open(name) as profile:
            lines = [re.sub(r"^\s*#.*", "", line) for line in profile]
        for line in lines:
            found = re.match(r"\s*@\{(\w+)\}\s*\+?=\s*(.*)", line)
            if found:
                variables.setdefault(found[1], []).extend(word.strip('"').rstrip("/") for word in found[2].split())
            found = re.match(r"\s*network\s+(\w+)(?:\s+(\w+))?\s*,", line)
            if found:
                self.networks.add((found[1], found[2]))
        for line in lines:
            rule = RULE.match(line)
            if rule:
                self.rules.append((rule[1] == "deny", expression(rule[2], variables), rule[3]))

    def modes(self, path):
        granted, denied = set(), set()
        for deny, pattern, modes in self.rules:
            if pattern.match(path):
                (denied if deny else granted).update(modes)
        return granted - denied


def main(profile, names):
    profile, accesses, needed, bad = Profile(profile), Accesses(names, whole=True), {}, 0
    for path, kind, permission in accesses.asked:
        # how AppArmor sees it: names in a directory are the files' own affair
        if kind in ("lnk_file", "sock_file") or permission not in MODES or kind == "dir" and permission in ("write", "rename", "execute"):
            continue
        if not path.startswith("/proc/self"):
            needed.setdefault(path.rstrip("/") + "/" if kind == "dir" else path, set()).update(MODES[permission])
    for path in accesses.runs:
        needed.setdefault(path, set()).add("x")
    for path in sorted(needed):
        lacks = needed[path] - profile.modes(path)
        if lacks:
            print(path, "".join(sorted(lacks)))
            bad = 1
    for kind, _ in sorted(set(accesses.own)):
        wanted = NETWORKS.get(kind)
        if wanted and wanted not in profile.networks and (wanted[0], None) not in profile.networks:
            print("network", *wanted)
            bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
