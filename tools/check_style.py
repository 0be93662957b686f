#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""House rules that no compiler checks, over all tracked text files.

    tools/check_style.py [--self-test]
"""
import collections
import re
import sys

from tracked import expect, report, tracked

NAME = "style"
MAX_LINES = 600
CODE = (".h", ".cc", ".def", ".py", ".sh", ".cmake", ".rs", ".js", ".ts", ".css")
NO_TABS = CODE + (".md", ".sql", ".yaml", ".yml", ".json", ".txt", ".toml")
# As data and generated files came; sentences and line counts in them are not ours.
NOT_OURS = re.compile(r"(^|/)data/.*\.(csv|json|txt|tsv)$|(^|/)(Cargo\.lock|LICENSE)$|^docs/errors\.md$"
                      r"|^fuzz/corpus/|^fuzz/crashes/")
THIS_FILE = "tools/check_style.py"

VAGUE_TYPE = re.compile(r"\b(?:class|struct|namespace|using|enum(?:\s+class)?)\s+"
                        r"((?:\w+::)*\w*(?:Utils?|Helpers?|Managers?|Common))\b")
VAGUE_NAMESPACE = re.compile(r"\bnamespace\s+((?:\w+::)*(?:\w+_)?(?:utils?|helpers?|managers?|common))\b")
VAGUE_FILE = re.compile(r"(^|_)(utils?|helpers?|managers?|common)\.(h|cc|py)$")
# Each rule on lines: what is wrong, the pattern.
EVERYWHERE = (
    ("unfinished work belongs in docs/status.md, not in a comment", re.compile(r"\b(?:TODO|FIXME)\b")),
    ("path of somebody's machine", re.compile(r"(?<![\w.}$*~-])/(?:root|home|work)/")),
    ("speaks of how the work is organised", re.compile(
        r"\b(?:issue|ticket)s?\s+(?:#|no\.?|number)?\s*\d|\b(?:this|the|an?|another|by)\s+(?:issue|ticket)\b"
        r"|\b(?:work(?:ing)?|coding|last|earlier|later|next)\s+sessions?\b", re.IGNORECASE)),
)
NOT_IN_PRODUCT = (
    ("std::cout outside app: return text or write to a sink", re.compile(r"\bstd::cout\b")),
    ("sleep outside app: wait on a condition", re.compile(r"\bsleep_(?:for|until)\b")),
)


def needs_spdx(path, text):
    if re.fullmatch(r"src/\w+/CMakeLists\.txt", path):
        return False  # one call
    name = path.rsplit("/", 1)[-1]
    return path.endswith(CODE) or name in ("CMakeLists.txt", "Makefile") or text.startswith("#!")


def check_file(path, text):
    findings = []
    name = path.rsplit("/", 1)[-1]
    if text and not text.endswith("\n"):
        findings.append(f"{path}: no newline at the end")
    if needs_spdx(path, text) and not any("SPDX-License-Identifier: Apache-2.0" in line
                                          for line in text.splitlines()[:3]):
        findings.append(f"{path}:1: no SPDX line")
    lines = text.split("\n")
    if path.endswith(CODE + (".md", ".sql")) and len(lines) - 1 > MAX_LINES:
        findings.append(f"{path}: {len(lines) - 1} lines; split it by concept (at most {MAX_LINES})")
    if VAGUE_FILE.search(name):
        findings.append(f"{path}: the file's name says nothing; name the concept")
    for number, line in enumerate(lines, 1):
        findings += [f"{path}:{number}: {what}" for what in check_line(path, line)]
    return findings


def check_line(path, line):
    found = []
    if "\t" in line and path.endswith(NO_TABS):
        found.append("tab")
    if path.endswith((".h", ".cc")):
        for match in list(VAGUE_TYPE.finditer(line)) + list(VAGUE_NAMESPACE.finditer(line)):
            if not match[1].startswith("std::"):
                found.append(f"{match[1]} says nothing; name the concept")
    if path != THIS_FILE:
        found += [what for what, pattern in EVERYWHERE if pattern.search(line)]
    in_product = path.startswith("src/") and not path.startswith("src/app/") and not re.search(r"_(test|bench)\.cc$", path)
    if in_product and path.endswith((".h", ".cc")):
        found += [what for what, pattern in NOT_IN_PRODUCT if pattern.search(line)]
    return found


def check_duplicates(paths):
    by_name = collections.defaultdict(list)
    for path in paths:
        if path.startswith("src/") and path.endswith(".cc"):
            by_name[path.rsplit("/", 1)[-1]].append(path)
    return [f"{name}: several files of this name: {', '.join(sorted(same))}"
            for name, same in sorted(by_name.items()) if len(same) > 1]


def check(files):
    findings = check_duplicates(files)
    for path, text in sorted(files.items()):
        if not NOT_OURS.search(path):
            findings += check_file(path, text)
    return findings


def self_test():
    spdx = "// SPDX-License-Identifier: Apache-2.0\n"

    def case(name, path, text, *wanted):
        expect(NAME, name, check({path: text}), *wanted)

    case("good", "src/base/a.cc", spdx + "int a;\n")
    case("no licence", "src/base/a.cc", "int a;\n", "no SPDX line")
    case("script without licence", "tools/x", "#!/bin/sh\n", "no SPDX line")
    case("one call", "src/base/CMakeLists.txt", "braid_module(base)\n")
    case("long", "src/base/a.cc", spdx + "\n" * MAX_LINES, "601 lines")
    case("longest", "src/base/a.cc", spdx + "\n" * (MAX_LINES - 1))
    case("long data", "tests/data/a.csv", "1\n" * 1000)
    case("cout", "src/base/a.cc", spdx + "std::cout << 1;\n", "a.cc:2: std::cout")
    case("cout in app", "src/app/a.cc", spdx + "std::cout << 1;\n")
    case("sleep", "src/base/a.h", spdx + "std::this_thread::sleep_for(1s);\n", "sleep outside app")
    case("sleep in a test", "src/base/a_test.cc", spdx + "std::this_thread::sleep_for(1s);\n")
    case("vague class", "src/base/a.h", spdx + "class FileUtils {\n", "FileUtils says nothing")
    case("vague namespace", "src/base/a.h", spdx + "namespace braid::helpers {\n", "braid::helpers says nothing")
    case("used, not named", "src/base/a.h", spdx + "using T = std::common_type_t<A, B>;\n")
    case("vague file", "src/base/string_utils.h", spdx, "file's name says nothing")
    case("unfinished", "docs/a.md", "x TO" + "DO: later\n", "docs/a.md:1: unfinished")
    case("machine path", "docs/a.md", "see /ho" + "me/me/x\n", "path of somebody")
    case("other path", "docs/a.md", "see build/wo" + "rk/x and $tmp/ho" + "me/x\n")
    case("organised work", "docs/a.md", "As iss" + "ue #12 says\n", "how the work is organised")
    case("a Session", "src/base/a.h", spdx + "// Passes the session's transaction; a session ends with it.\n")
    case("tab", "src/base/a.cc", spdx + "\tint a;\n", "a.cc:2: tab")
    case("tab in a golden file", "tests/sql/a.test", "1\t2\n")
    case("no end", "docs/a.md", "x", "no newline at the end")
    twins = {"src/base/a.cc": spdx, "src/app/a.cc": spdx, "src/base/README.md": "x\n", "src/app/README.md": "x\n"}
    expect(NAME, "twins", check(twins), "a.cc: several files")


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    sys.exit(report(NAME, check(tracked())))
