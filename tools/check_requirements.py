#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks docs/requirements.md: ids without gaps, and every test or command it names exists.

    tools/check_requirements.py [--self-test]

A row is `| id | what | shown by | state |`. In "shown by", backticks hold a path of the repository
(globs allowed), a GTest case `Suite.Name` or `Suite.*`, a ctest name, or `make target`. The state is
`done` (then something must show it), `partly: what is missing`, or `open`: nothing of it is there.
"""
import fnmatch
import pathlib
import re
import subprocess
import sys

from tracked import ROOT, expect, report, tracked

NAME = "requirements"
TEST_CASE = re.compile(r"^\s*(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.MULTILINE)
TOP_FOLDERS = ("tests/", "src/", "tools/", "examples/", "benchmarks/", "docs/", "fuzz/", "cmake/", ".ci/")


class Evidence:
    """What exists: paths, GTest and ctest names, make targets."""

    def __init__(self, paths, tests, targets):
        self.paths, self.tests, self.targets = paths, tests, targets

    def problem(self, name):
        """Says why a name in backticks shows nothing; None when it exists."""
        if name.startswith("make"):
            targets = name.split()[1:] or ["all"]
            missing = [target for target in targets if target not in self.targets]
            return f"no such make target: {missing[0]}" if missing else None
        path = name.split()[0]
        if path.startswith(TOP_FOLDERS) or path in self.paths:
            # A folder is there when a file in it is.
            found = path in self.paths or any(
                fnmatch.fnmatchcase(known, path) or known.startswith(path.rstrip("/") + "/") for known in self.paths)
            return None if found else f"no such path: {path}"
        if any(fnmatch.fnmatchcase(known, name) for known in self.tests):
            return None
        return f"no such test: {name}"


def check(text, evidence):
    findings = []
    header = re.search(r"^Last ids?: (.+?)\.?$", text, re.MULTILINE)
    if not header:
        return ["no line 'Last ids: PREFIX-number, …'"]
    last = {}
    for part in re.split(r",\s*", header[1]):
        match = re.fullmatch(r"([A-Z]+)-(\d+)", part)
        if match:
            last[match[1]] = int(match[2])
        else:
            findings.append(f"not an id in the line of last ids: {part}")
    seen = {}
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\|\s*[A-Z]+-\d+\s*\|", line):
            findings += check_row(number, line, seen, evidence)
    for prefix in sorted(last.keys() | seen.keys()):
        wanted = list(range(1, last.get(prefix, 0) + 1))
        if seen.get(prefix, []) != wanted:
            findings.append(f"{prefix}: the rows are not {prefix}-1 to {prefix}-{last.get(prefix, '?')} in order, "
                            f"each once: {seen.get(prefix, [])}")
    return findings


def check_row(number, line, seen, evidence):
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]
    prefix, index = cells[0].split("-")
    seen.setdefault(prefix, []).append(int(index))
    where = f"line {number}, {cells[0]}"
    if len(cells) != 4:
        return [f"{where}: {len(cells)} cells rather than 4"]
    _, what, shown, state = cells
    findings = [] if what else [f"{where}: says nothing"]
    names = re.findall(r"`([^`]+)`", shown)
    for name in names:
        problem = evidence.problem(name)
        findings += [f"{where}: {problem}"] if problem else []
    if state not in ("done", "open") and not re.fullmatch(r"partly: \S.*", state):
        findings.append(f"{where}: the state is neither 'done', 'partly: …' nor 'open': {state}")
    if state == "done" and not names:
        findings.append(f"{where}: done, but nothing shows it")
    return findings


def gather():
    files = tracked()
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], check=True, stdout=subprocess.PIPE)
    paths = {path for path in listed.stdout.decode().split("\0") if path and (ROOT / path).exists()}
    tests = {f"{suite}.{name}" for path, text in files.items() if path.endswith(".cc")
             for suite, name in TEST_CASE.findall(text)}
    tests |= {pathlib.PurePosixPath(path).stem for path in paths if re.fullmatch(r"tests/.*\.test(_slow)?", path)}
    targets = set(re.findall(r"^([\w.-]+(?: [\w.-]+)*):(?!=)", files.get("Makefile", ""), re.MULTILINE))
    targets = {target for group in targets for target in group.split()}
    return Evidence(paths, tests | ctest_names(), targets)


def ctest_names():
    """Returns the names that ctest knows in build/release, as far as that is configured and built."""
    folder = ROOT / "build" / "release"
    if not (folder / "CTestTestfile.cmake").exists():
        return set()
    # Never builds or runs tests; where a test executable is missing, ctest lists <target>_NOT_BUILT.
    try:
        listed = subprocess.run(["ctest", "-N"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                timeout=120, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return set()
    return set(re.findall(r"^ *Test +#\d+: (\S.*?)\s*$", listed.stdout.decode(), re.MULTILINE))


def self_test():
    evidence = Evidence({"tests/sql/a.test", "src/base/b_test.cc"}, {"Cursor.Reads", "sql/a"}, {"all", "test"})
    head = "Last ids: LOOP-2, WEB-1.\n\n| id | what | shown by | state |\n| --- | --- | --- | --- |\n"
    one, two, web = "| LOOP-1 | a | `make test` | done |\n", "| LOOP-2 | b | `Cursor.*` | partly: c |\n", \
        "| WEB-1 | d | `tests/sql/*.test`, `sql/a`, `src/base` | done |\n"

    def case(name, text, *wanted):
        expect(NAME, name, check(text, evidence), *wanted)

    case("good", head + one + two + web)
    case("no header", one, "no line 'Last ids")
    case("bad header", head.replace("WEB-1", "WEB1") + one + two, "not an id in the line")
    case("gap", head + two + web, "LOOP: the rows are not")
    case("twice", head + one + one + two + web, "LOOP: the rows are not")
    case("beyond", head + one + two + "| LOOP-3 | a | `make` | done |\n" + web, "LOOP: the rows are not")
    case("unknown prefix", head + one + two + web + "| X-1 | a | `make` | done |\n", "X: the rows are not")
    case("cells", head + one.replace(" done |", " | done |") + two + web, "5 cells rather than 4")
    case("state", head + one.replace("done", "mostly") + two + web, "neither 'done', 'partly")
    case("open", head + one + two.replace("partly: c", "open").replace("`Cursor.*`", "–") + web)
    case("unshown", head + one.replace("`", "") + two + web, "nothing shows it")
    case("target", head + one.replace("test", "nope") + two + web, "no such make target: nope")
    case("path", head + one.replace("make test", "tests/sql/b.test") + two + web, "no such path: tests/sql/b.test")
    case("test", head + one.replace("make test", "Cursor.Writes") + two + web, "no such test: Cursor.Writes")


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    page = ROOT / "docs" / "requirements.md"
    if not page.exists():
        sys.exit(f"{NAME}: docs/requirements.md is missing")
    sys.exit(report(NAME, check(page.read_text(), gather())))
