#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tests/limits/measure.py [SERVICE...] - drive the programs; see tests/limits/run, which starts this in the sandbox.

A driver starts a program, and returns a generator for each way to be asked: what is sent to the generator is given as
the reply at the prompt. measure() sends replies until it knows the longest that arrives whole.
"""
import re
import subprocess
import sys
import time

import pexpect

from programs import DRIVERS, LENGTHS, lengths, service

MOST = 66000


# --- what arrived -------------------------------------------------------------------------------------


def arrived(driver, size):
    """The length that reached PAM of a reply of so many bytes; None: none did."""
    with open(LENGTHS, "w", encoding="ascii"):
        pass
    driver.send("eyJ" + "x" * (size - 3))
    deadline = time.monotonic() + 2
    while not lengths() and time.monotonic() < deadline:
        time.sleep(0.05)
    return lengths()[0] if lengths() else None


def longest(driver, guess):
    """The longest reply that arrives whole: quick where the guess is right, else by halves."""
    if guess and arrived(driver, guess) == guess and arrived(driver, guess + 1) != guess + 1:
        return guess
    low, high = 64, 128
    if arrived(driver, low) != low:
        raise RuntimeError("no reply arrives")
    while high < MOST and arrived(driver, high) == high:
        low, high = high, min(2 * high, MOST)
    while high - low > 1:
        middle = (low + high) // 2
        if arrived(driver, middle) == middle:
            low = middle
        else:
            high = middle
    return low


def measure(driver, guess):
    """(limit, cut): cut is 0 where a longer reply is rejected by the program."""
    limit = longest(driver, guess)
    if limit >= MOST - 1:    # longer than any token
        return 0, 0
    return limit, arrived(driver, limit + 200) or 0


def measure_all(drivers, guess):
    """Where a program can be asked in several ways: the least limit, and where any way cuts."""
    found = []
    for driver in drivers:
        next(driver)
        found.append(measure(driver, guess))
        driver.close()
    return min(limit for limit, _ in found), max(cut for _, cut in found)


# --- the table ----------------------------------------------------------------------------------------


def table():
    with open("lib/token/prompt_limits.c", encoding="ascii") as file:
        rows = re.findall(r'\{ "([a-z0-9-]+)", (\d+), (\d+), (?:true|false) \}', file.read())
    if len(rows) < 20:
        sys.exit("measure.py: the table of lib/token/prompt_limits.c is not as it is expected")
    return {name: (int(limit), int(cut)) for name, limit, cut in rows}


def spelled(limit, cut):
    if limit == 0:
        return "none is known"
    return "%d, %s" % (limit, "cuts to %d" % cut if cut else "rejects more")


def judge(name, known):
    """(what became of it, its line)"""
    try:
        service(name)
        ways = DRIVERS[name](name)
        found = measure_all(ways if isinstance(ways, tuple) else (ways,), known[0])
    except (RuntimeError, OSError, subprocess.SubprocessError, pexpect.ExceptionPexpect) as error:
        return "SKIPPED", str(error).split("\n")[0]
    if found == known:
        return "PASS", spelled(*found)
    return "DIFFERS", "%s (the table: %s)" % (spelled(*found), spelled(*known))


def main(names):
    rows = table()
    for name in names:
        if name not in rows or name not in DRIVERS:
            sys.exit("measure.py: %s: not in the table, or without a driver here" % name)
    worst = 0
    for name in names or [name for name in rows if name != "vsftpd"]:
        result, text = judge(name, rows[name])
        print("%-9s %-13s %s" % (result, name, text), flush=True)
        worst = max(worst, result == "DIFFERS")
    return int(worst)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
