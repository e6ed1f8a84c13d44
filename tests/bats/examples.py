#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""examples.py COMMAND PAGE... - the examples in README.md and in manual pages that show output.

An example is a command after "# " or "$ " in a literal block, and the lines below it. A block without a command
whose lines are log lines of pam_rjwt is an example too.

    list PAGE...          a line for each: the page, "run" or "host", the command or the first line. "host": it
                          needs sshd or syslog, and tests/system/docs.bats runs it
    run PAGE...           run the others in this directory, with the programs that PATH finds; print what differs.
                          RJWT_STATE and RJWT_CONF are the state directory and the configuration that they use. A
                          command on a line of its own (.Dl) must succeed, whatever it prints
    show PAGE N           the output that the page shows for its N-th "host" example, counted from 1
    compare SHOWN SEEN [broken]    compare two files; print what differs. broken: but for blanks and line ends
    messages PAGE SOURCE...    the messages in .It Li of the page that no string of the sources has

Before a block that begins with rjwt-keyd init there is no keyset; before any other there is one. Ids, keys and
tokens differ from run to run, and so do times; what must not differ is how they are related: an id that appears
twice is the same, a token has the same claims and the same length, and the time between two times, as a duration,
is the same within a minute. Exit status: 0, or 1 when something differs.
"""
import base64
import difflib
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from datetime import datetime, timezone

SLACK_S = 61
BROKEN = "broken here to fit the page"    # what a page says of a block whose long lines it breaks
TOKEN = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\b1[0-9]{9}\b")
DURATION = re.compile(r"(?<![\w.-])(?:\d+ ?[dhms])(?: ?\d+ ?[hms])*(?![\w.-])")
KID = re.compile(r"(?<![\w.-])([\w-]{8})\.(?=\d+(?![\w.]))")
JTI = re.compile(r"(?<![\w-])[\w-]{22}(?![\w-])")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
NUMBER = re.compile(r"<(-?\d+) s>")


class Block:
    def __init__(self, page):
        self.page, self.lines, self.broken = page, [], False

    def examples(self):
        """[(command, [line...])...]; the command is None for log lines."""
        found = []
        for line in self.lines:
            command = re.match(r"[#$] (.*?)(?:\s{2,}#.*)?$", line)
            if command:
                found.append((command.group(1), []))
            elif found and line.strip():
                found[-1][1].append(line)
        if not found and any("pam_rjwt(" in line for line in self.lines):
            found = [(None, [line for line in self.lines if line.strip()])]
        return found


def plain(line):
    """What mdoc makes of a line of a literal block."""
    return line.replace(r"\(dq", '"').replace(r"\&", "").replace(r"\e", "\\")


def blocks(page):
    found, block = [], None
    with open(page, encoding="utf-8") as file:
        for line in file.read().splitlines():
            if page.endswith(".md"):
                opens, closes = line == "```" and block is None, line == "```" and block is not None
            else:
                opens, closes = line.startswith(".Bd "), line == ".Ed"
                if line.startswith(".Dl "):
                    found.append(Block(page))
                    found[-1].lines.append(plain(line[4:]).replace("\\", ""))
            if opens:
                block = Block(page)
            elif closes:
                found.append(block)
                block = None
            elif block is not None:
                block.lines.append(line if page.endswith(".md") else plain(line))
            elif BROKEN in line and found:
                found[-1].broken = True
    return found


def is_ours(command):
    return command is not None and command.startswith("rjwt-")


# --- what may differ --------------------------------------------------------------------------------


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()


def spell_token(match):
    header, payload, signature = match.group().split(".")
    return "TOKEN(%d) %s %s %d" % (len(match.group()), decoded(header), decoded(payload), len(signature))


class Names:
    """The same placeholder for the same text, in the order in which they appear."""

    def __init__(self, word):
        self.word, self.seen = word, {}

    def __call__(self, match):
        text = match.group(1) if match.re is KID else match.group()
        name = "%s%d" % (self.word, self.seen.setdefault(text, len(self.seen) + 1))
        return name + "." if match.re is KID else name


class Times:
    """A time becomes the seconds since the first one."""

    def __init__(self):
        self.first = None

    def __call__(self, match):
        text = match.group()
        if text.isdigit():
            seconds = int(text)
        else:
            at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
            seconds = int(at.timestamp())
        self.first = seconds if self.first is None else self.first
        return "<%d s>" % (seconds - self.first)


def spell_duration(match):
    unit = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    return "<%d s>" % sum(int(n) * unit[u] for n, u in re.findall(r"(\d+) ?([dhms])", match.group()))


def spelled(text):
    for pattern, spell in ((TOKEN, spell_token), (DURATION, spell_duration), (TIME, Times()), (KID, Names("BASE")),
                           (JTI, Names("JTI"))):
        text = pattern.sub(spell, text)
    # What keeps the clock of this host, and since when it runs, is not the page's.
    text = re.sub(r"^(now .*?)(, clock (not )?synchronised)?(, in step for .+)?$", r"\1", text, flags=re.M)
    text = re.sub(r"\b([ug]id|groups)=\d+", r"\1=N", text)
    return re.sub(r"\b(sshd|rjwt-\w+)\[\d+\]", r"\1[PID]", text)


def same(shown, seen):
    if NUMBER.sub("<>", shown) != NUMBER.sub("<>", seen):
        return False
    pairs = zip(NUMBER.findall(shown), NUMBER.findall(seen))
    return all(abs(int(a) - int(b)) <= SLACK_S for a, b in pairs)


def compare(name, shown, seen, broken):
    """Whether the lines shown are those seen; says what differs."""
    shown, seen = spelled("\n".join(shown)), spelled("\n".join(seen))
    if broken:
        shown, seen = (re.sub(r"\s+", "", text) for text in (shown, seen))
    if same(shown, seen):
        return True
    print("untrue: " + name)
    print("\n".join(difflib.unified_diff(shown.split("\n"), seen.split("\n"), "shown", "seen", lineterm="")))
    return False


# --- run ----------------------------------------------------------------------------------------------


def on_terminal(command):
    """(output, status) of a command on a terminal, which is where a person would see it."""
    leader, follower = pty.openpty()
    with subprocess.Popen(["bash", "-o", "pipefail", "-c", command], stdin=subprocess.DEVNULL, stdout=follower,
                          stderr=follower) as process:
        os.close(follower)
        output = b""
        while True:
            try:
                more = os.read(leader, 65536)
            except OSError:    # EIO: all have closed it
                break
            if not more:
                break
            output += more
    os.close(leader)
    return COLOUR.sub("", output.decode().replace("\r\n", "\n")), process.returncode


def rename(output):
    """The paths of this test by the names that the pages use."""
    for name, path in (("RJWT_STATE", "/var/lib/rjwt"), ("RJWT_CONF", "/etc/rjwt/rjwt.yaml")):
        output = output.replace(os.environ[name], path)
    return output


def prepare(first):
    state = os.environ["RJWT_STATE"]
    if first.startswith("rjwt-keyd init"):
        shutil.rmtree(state, ignore_errors=True)
    elif not os.path.exists(state):
        on_terminal("rjwt-keyd init")


def run_block(block):
    examples = [e for e in block.examples() if is_ours(e[0])]
    shows = any(lines for _, lines in examples)
    if not shows and (not examples or len(block.lines) > 1):
        return True
    prepare(examples[0][0])
    good = True
    shown_all, seen_all = [], []    # ids of one command come again in the next one's output
    for command, shown in examples:
        output, status = on_terminal(command)
        if not shown and status != 0:
            print("failed: %s: %s\n%s" % (block.page, command, output))
            good = False
        if shows:
            shown_all += ["$ " + command] + shown
            # A page shows a host with a syslog daemon, which this one may not have.
            seen_all += ["$ " + command] + [line for line in rename(output).split("\n")
                                            if line.strip() and not line.startswith("/dev/log: ")]
    return compare("%s: %s" % (block.page, examples[0][0]), shown_all, seen_all, block.broken) and good


def hosts(page):
    return [(command, lines, block.broken) for block in blocks(page)
            for command, lines in block.examples() if lines and not is_ours(command)]


# --- messages --------------------------------------------------------------------------------------------


def strings(source):
    with open(source, encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r'"\s*(?:PRId64)?\s*"', "", text)
    return [found.split() for found in re.findall(r'"((?:[^"\\\n]|\\.)*)"', text)]


def inside(words, string):
    """Whether they are in it, in this order. Not all of them in the place of a %s: a heading would have every message."""
    return any(all(part.rstrip(",:.;") == word.rstrip(",:.;") or "%" in part for part, word in zip(parts, words))
               and not all("%" in part for part in parts)
               for parts in (string[i:i + len(words)] for i in range(len(string) - len(words) + 1)))


def missing(page, sources):
    known = [string for source in sources for string in strings(source) if len(string) > 2]
    with open(page, encoding="utf-8") as file:
        for message in re.findall(r"^\.It Li (.*)$", file.read(), re.M):
            if not any(inside(message.split(), string) for string in known):
                yield message


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        return [line for line in file.read().split("\n") if line.strip()]


def main(command, *args):
    good = True
    if command == "list":
        for page in args:
            for block in blocks(page):
                for name, lines in block.examples():
                    if lines:
                        print(os.path.basename(page), "run" if is_ours(name) else "host", name or lines[0])
    elif command == "run":
        for page in args:
            for block in blocks(page):
                good = run_block(block) and good
    elif command == "show":
        print("\n".join(hosts(args[0])[int(args[1]) - 1][1]))
    elif command == "compare":
        good = compare(args[0], lines_of(args[0]), lines_of(args[1]), len(args) > 2)
    elif command == "messages":
        for message in missing(args[0], args[1:]):
            print("no such message: " + message)
            good = False
    else:
        sys.exit(__doc__)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
