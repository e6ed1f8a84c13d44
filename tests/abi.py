#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""abi.py HEADER LIBRARY - the binary interface of a build, as tests/abi states it.

Printed are each exported symbol with its version, each function as it is declared, the values of each enumeration, and
the size of each struct with the offset, size and declaration of its members. Names and declarations are read from
HEADER; numbers come from a program that CC (default: cc) compiles against it. Update the statement with

    tests/abi.py lib/rjwt.h librjwt.so >tests/abi

abi.py --built LIBRARY <STATEMENT - does the library that was compiled, with -g, agree? abidw of libabigail reads from it the
functions and how many arguments they take, and size, offsets and values of the types that these use. What differs is printed.
"""
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree


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


def arguments(function):
    """How many a declaration has, of which one may be a function itself."""
    text = re.sub(r"\(\*\w+\)\([^()]*\)", "", function[function.index("(") + 1 : -1])
    return 0 if text == "void" else text.count(",") + 1


def stated(statement_text):
    """{what is stated: the same as built() has it}"""
    found, kind = {}, ""
    for line in statement_text.splitlines():
        size = re.match(r"(struct \w+): (\d+) bytes$", line)
        value = re.match(r"\t(\d+) (RJWT_\w+)$", line)
        member = re.match(r"\t(\d+)\+\d+ (.*)$", line)
        function = re.match(r"\w.*?\b(rjwt_\w+)\(", line)
        if size:
            kind = size.group(1)
            found[kind] = size.group(2) + " bytes"
        elif value:
            found[value.group(2)] = value.group(1)
        elif member:
            name = next(names_of(member.group(2)))[1]
            found[f"{kind}.{name}"] = "at " + member.group(1)
        elif function:
            found[function.group(1) + "()"] = f"{arguments(line)} arguments"
    return found


def built(library):
    """{what was compiled: its size, offset, value or number of arguments}"""
    tree = xml.etree.ElementTree.fromstring(output_of("abidw", "--exported-interfaces-only", library))
    found = {}
    for node in tree.iter():
        name = node.get("name", "")
        if node.tag == "function-decl" and node.get("elf-symbol-id"):
            found[name + "()"] = f"{len(node.findall('parameter'))} arguments"
        elif node.tag == "enumerator":
            found[name] = node.get("value")
        elif node.tag == "class-decl" and node.get("size-in-bits"):
            found["struct " + name] = f"{int(node.get('size-in-bits')) // 8} bytes"
            for member in node.iter("data-member"):
                at = int(member.get("layout-offset-in-bits")) // 8
                found[f"struct {name}.{member.find('var-decl').get('name')}"] = f"at {at}"
    return found


def compare(wanted, found):
    """What is stated and compiled otherwise. Flags are no types of functions: they are not in the library."""
    of_types = [name for name in wanted if name in found or not name.startswith("RJWT_")]
    wrong = [f"{name}: {wanted[name]}, and in the library {found.get(name)}" for name in of_types if found.get(name) != wanted[name]]
    return wrong + [f"{name}: not stated" for name in found if name.endswith("()") and name not in wanted]


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--built":
        wrong = compare(stated(sys.stdin.read()), built(sys.argv[2]))
        sys.exit("\n".join(wrong) if wrong else 0)
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    header, library = sys.argv[1:]
    for name in symbols(library):
        print("symbol", name)
    print(numbers(header, declarations(header)), end="")


main()
