#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""abi.py HEADER LIBRARY - the binary interface of a build, as tests/abi states it.

Printed are each exported symbol with its version, each function as it is declared, the values of each enumeration, and
the size of each struct with the offset, size and declaration of its members. Names and declarations are read from
HEADER; numbers come from a program that CC (default: cc) compiles against it. Update the statement with

    tests/abi.py lib/rjwt.h librjwt.so >tests/abi
"""
import os
import re
import subprocess
import sys
import tempfile


def output_of(*command, text=None):
    return subprocess.run(command, input=text, stdout=subprocess.PIPE, check=True, encoding="utf-8").stdout


def compiler():
    return os.environ.get("CC", "cc").split()


def declarations(header):
    """The text of the header and of its parts beside it, macros expanded, without comments, a declaration each."""
    text = output_of(*compiler(), "-std=c11", "-E", header)
    lines, own = [], False
    for line in text.splitlines():
        marker = re.match(r'# \d+ "(.*?)"', line)
        if marker:
            own = os.path.dirname(marker.group(1)) == os.path.dirname(header)
        elif own and not line.startswith("#"):
            lines.append(line)
    found, depth, start = [], 0, 0
    text = " ".join(" ".join(lines).split())
    for i, c in enumerate(text):
        depth += {"{": 1, "}": -1}.get(c, 0)
        if c == ";" and depth == 0:
            found.append(text[start:i].strip())
            start = i + 1
    if text[start:].strip():
        sys.exit(f"{header}: not understood: {text[start:]}")
    return found


def names_of(members):
    """(declaration, name) of each member of a struct."""
    for member in members.split(";"):
        if not member.strip():
            continue
        pointer = re.match(r"^(.*\(\*)(\w+)(\).*)$", member.strip())
        if pointer:
            yield member.strip(), pointer.group(2)
            continue
        first, *others = member.strip().split(",")
        base = re.match(r"^(.*?)(\**\w+(?:\[.*?\])*)$", first.strip())
        for declarator in [base.group(2), *others]:
            declarator = declarator.strip()
            yield base.group(1) + declarator, re.match(r"\**(\w+)", declarator).group(1)


def statement(text):
    """C statements that print what a declaration means for a program that was compiled earlier."""
    enum = re.match(r"enum (\w+) \{(.*)\}$", text)
    struct = re.match(r"struct (\w+) \{(.*)\}$", text)
    if enum:
        yield f'puts("enum {enum.group(1)}");'
        for name in re.findall(r"(\w+)(?: = [^,]*)?(?:,|$)", enum.group(2).strip()):
            yield f'printf("\\t%d {name}\\n", (int){name});'
    elif struct:
        kind = f"struct {struct.group(1)}"
        yield f'printf("{kind}: %zu bytes\\n", sizeof({kind}));'
        for declaration, name in names_of(struct.group(2)):
            of = f"offsetof({kind}, {name}), sizeof((({kind} *)0)->{name})"
            yield f'printf("\\t%zu+%zu {declaration}\\n", {of});'
    elif "(" in text:
        yield f'puts("{text}");'
    elif not re.match(r"struct \w+$", text):
        sys.exit(f"not understood: {text}")


def numbers(header, found):
    body = "\n".join(line for text in found for line in statement(text))
    program = f'#include "{os.path.abspath(header)}"\n#include <stdio.h>\nint main(void)\n{{\n{body}\nreturn 0;\n}}\n'
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "abi")
        output_of(*compiler(), "-std=c11", "-x", "c", "-o", path, "-", text=program)
        return output_of(path)


def symbols(library):
    lines = (line.split() for line in output_of("nm", "-D", "--defined-only", library).splitlines())
    return sorted(words[2] for words in lines if words[1] != "A")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    header, library = sys.argv[1:]
    for name in symbols(library):
        print("symbol", name)
    print(numbers(header, declarations(header)), end="")


main()
