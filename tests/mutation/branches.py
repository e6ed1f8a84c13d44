#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""
branches.py REPORT FILE...
Is there a branch of these files that no test comes to?

REPORT: what gcovr --json wrote. Prints each line of the FILEs with a branch that was never taken, as
    file: function: text of the line: N of M
unless untested.txt lists it, with the reason why no test can come to it. Exit 1 when one is not listed, or when what
is listed is tested or is not there.
"""
import collections
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from mutate import read_equivalent  # noqa: E402
from points import Source  # noqa: E402


def functions(name, text):
	"""number of each line inside a function -> name of the function"""
	source, names = Source(name, text, 0), {}
	for begin, end, function, _ in source.bodies():
		first, last = (text.count("\n", 0, source.tokens[i][2]) + 1 for i in (begin - 1, end))
		names.update(dict.fromkeys(range(first, last + 1), function))
	return names


def untested(report, top, files):
	"""the keys, and how many branches there are"""
	keys, total, turns = [], 0, collections.Counter()
	found = {f["file"]: f["lines"] for f in report["files"]}
	for name in files:
		with open(os.path.join(top, name), encoding="utf-8") as file:
			text = file.read()
		names, lines = functions(name, text), text.splitlines()
		for line in found.get(name, []):
			missed = sum(b["count"] == 0 for b in line["branches"])
			total += len(line["branches"])
			if missed == 0:
				continue
			number = line["line_number"]
			key = "%s: %s: %s: %d of %d" % (name, names.get(number, "?"), lines[number - 1].strip(), missed,
				len(line["branches"]))
			turns[key] += 1
			keys.append(key if turns[key] == 1 else "%s (%d)" % (key, turns[key]))
		if name not in found:
			keys.append("%s: not built, or not compiled with --coverage" % name)
	return keys, total


def main():
	here = os.path.dirname(os.path.abspath(__file__))
	listed = read_equivalent(os.path.join(here, "untested.txt"))
	with open(sys.argv[1], encoding="utf-8") as file:
		keys, total = untested(json.load(file), os.path.dirname(os.path.dirname(here)), sys.argv[2:])
	bad = [k for k in keys if k not in listed]
	stale = [k for k in listed if k not in keys and k.split(":")[0] in sys.argv[2:]]
	print("".join("untested: %s\n" % k for k in bad) + "".join("listed, and tested or not there: %s\n" % k for k in stale) +
		"%d branches; lines with untested ones: %d listed, %d not" % (total, len(keys) - len(bad), len(bad)))
	return 1 if bad or stale else 0


if __name__ == "__main__":
	sys.exit(main())
