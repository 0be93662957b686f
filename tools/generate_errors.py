#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/errors.md from src/base/error_codes.def, the one table of error codes. With --check
the page must be up to date, and every code must be expected by some test.

    tools/generate_errors.py [--check | --self-test]
"""
import re
import sys

from tracked import ROOT, expect, report, tracked

NAME = "errors"
STRING = r'("(?:[^"\\]|\\.)*"(?:\s*"(?:[^"\\]|\\.)*")*)'
ENTRY = re.compile(rf"ERROR_CODE\(\s*(k\w+)\s*,\s*{STRING}\s*,\s*{STRING}\s*,\s*(\d+)\s*,\s*{STRING}\s*\)")
HEADER = """# Error codes

Generated from `src/base/error_codes.def` by `tools/generate_errors.py`; change the table, not this page.

An error has a code, a message and, where one is known, a hint. The code is what programs may rely on; messages may
change. SQLSTATE is what PostgreSQL's clients see, HTTP what HTTP clients see.

| code | SQLSTATE | HTTP | meaning |
| --- | --- | --- | --- |
"""


def parse(text):
    """Returns ([(code, sqlstate, http, meaning)], findings)."""
    def value(literal):
        return re.sub(r"\\(.)", r"\1", "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literal)))

    text = re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)
    entries = [(m[1], value(m[2]), value(m[3]), int(m[4]), value(m[5])) for m in ENTRY.finditer(text)]
    findings = []
    rest = ENTRY.sub("", text).strip()
    if rest:
        findings.append(f"not an ERROR_CODE entry: {rest.splitlines()[0]}")
    seen = set()
    for name, code, sqlstate, http, meaning in entries:
        expected = "k" + "".join(word.capitalize() for word in code.split("_"))
        if name != expected:
            findings.append(f"{code}: its name is {name} rather than {expected}")
        if code in seen:
            findings.append(f"{code}: twice")
        seen.add(code)
        if not re.fullmatch(r"[0-9A-Z]{5}", sqlstate):
            findings.append(f"{code}: SQLSTATE is not five of 0-9A-Z: {sqlstate}")
        if not 400 <= http <= 599:
            findings.append(f"{code}: HTTP status is not an error's: {http}")
        if not meaning.endswith("."):
            findings.append(f"{code}: its meaning is not a sentence")
    return [entry[1:] for entry in entries], findings


def render(entries):
    def cell(text):
        return text.replace("|", "\\|")

    return HEADER + "".join(f"| `{code}` | {sqlstate} | {http} | {cell(meaning)} |\n"
                            for code, sqlstate, http, meaning in sorted(entries))


def untested(entries, tests):
    """Returns the codes that no test names, neither as text nor as the enumerator."""
    def names(code):
        return re.compile(rf"\b{code}\b|\bk{''.join(word.capitalize() for word in code.split('_'))}\b")

    return [code for code, *_ in entries if not any(names(code).search(text) for text in tests)]


def self_test():
    good = '// comment\nERROR_CODE(kNotFound, "NOT_FOUND", "42704", 404, "a | \\"b\\" "\n  "c.")\n'
    entries, findings = parse(good)
    expect(NAME, "good", findings)
    if "| `NOT_FOUND` | 42704 | 404 | a \\| \"b\" c. |\n" not in render(entries):
        sys.exit(f"{NAME}: self-test failed: rendered {render(entries)}")
    expect(NAME, "name", parse(good.replace("kNotFound", "kFound"))[1], "rather than kNotFound")
    expect(NAME, "twice", parse(good + good)[1], "NOT_FOUND: twice")
    expect(NAME, "sqlstate", parse(good.replace("42704", "4270"))[1], "SQLSTATE")
    expect(NAME, "status", parse(good.replace("404", "200"))[1], "HTTP status")
    expect(NAME, "junk", parse(good + "ERROR_CODE(kX)\n")[1], "not an ERROR_CODE entry: ERROR_CODE(kX)")
    if untested(entries, ["statement error NOT_FOUND"]) or untested(entries, ["ErrorCode::kNotFound)"]):
        sys.exit(f"{NAME}: self-test failed: a tested code")
    if untested(entries, ["NOT_FOUND_HERE kNotFoundHere"]) != ["NOT_FOUND"]:
        sys.exit(f"{NAME}: self-test failed: an untested code")


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    if arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    page = ROOT / "docs" / "errors.md"
    entries, findings = parse((ROOT / "src/base/error_codes.def").read_text())
    text = render(entries)
    if arguments == ["--check"]:
        if not page.exists() or page.read_text() != text:
            findings.append("docs/errors.md is out of date: run tools/generate_errors.py")
        tests = tracked("tests/*", "src/*_test.cc").values()
        findings += [f"{code}: no test expects it" for code in untested(entries, tests)]
    elif not findings:
        page.write_text(text)
    return report(NAME, findings)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
