#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares every #include in src/ with layers.txt: arrows point down only.

    tools/check_layers.py [--self-test]
"""
import re
import sys

from tracked import expect, report, tracked

NAME = "layers"
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)
MODULE_CALL = re.compile(r"braid_module\(\s*(\w+)([^)]*)\)")
# A third party's headers and the modules that alone may include them.
QUARANTINE = ((re.compile(r"(.*/)?duckdb\.h(pp)?$"), {"engine"}), (re.compile(r"boost/"), {"http", "app"}))


def parse_layers(text):
    """Returns ({module: set of modules it may include}, findings)."""
    allowed, findings = {}, []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        match = re.fullmatch(r"([a-z]+):((?: +[a-z]+)*)", line)
        if not match:
            findings.append(f"layers.txt:{number}: not 'module: module …': {line}")
        elif match[1] in allowed:
            findings.append(f"layers.txt:{number}: second line for module {match[1]}")
        else:
            allowed[match[1]] = set(match[2].split())
    for module, others in allowed.items():
        for other in sorted(others - allowed.keys()):
            findings.append(f"layers.txt: {module} names an unknown module: {other}")
    return allowed, findings + cycles(allowed)


def cycles(allowed):
    """Takes away, again and again, the modules that need nothing that is left."""
    left = {module: others & allowed.keys() for module, others in allowed.items()}
    while free := [module for module, others in left.items() if not others & left.keys()]:
        for module in free:
            del left[module]
    return [f"layers.txt: cycle among: {' '.join(sorted(left))}"] if left else []


def check_include(where, module, allowed, quoted, target):
    for header, owners in QUARANTINE:
        if header.match(target) and module not in owners:
            return f"{where}: only {' and '.join(sorted(owners))} may include {target}"
    if not quoted or "duckdb.h" in target:
        return None
    if "/" not in target:
        return f'{where}: write "module/{target}" rather than "{target}"'
    other, file = target.split("/", 1)
    if other not in allowed:
        return f"{where}: {target}: module {other} is not in layers.txt"
    if other != module and other not in allowed[module]:
        return f"{where}: {module} may not include {target} (layers.txt)"
    if other != module and re.search(r"_internal\.h$", file):
        return f"{where}: {target} is private to {other}"
    return None


def check(layers, files):
    """files: {path below src/: text}."""
    allowed, findings = parse_layers(layers)
    missing = {path.split("/")[0] for path in files if "/" in path} - allowed.keys()
    findings += [f"src/{module}: module is not in layers.txt" for module in sorted(missing)]
    for path, text in sorted(files.items()):
        module = path.split("/")[0]
        if module not in allowed:
            continue
        if path == f"{module}/CMakeLists.txt":
            findings += check_build_file(path, text, allowed)
        elif path.endswith((".h", ".cc", ".def", ".inc")):
            for match in INCLUDE.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                finding = check_include(f"src/{path}:{line}", module, allowed, match[1] == '"', match[2])
                findings += [finding] if finding else []
    return findings


def check_build_file(path, text, allowed):
    findings = []
    for match in MODULE_CALL.finditer(re.sub(r"#.*", "", text)):
        words, deps = match[2].split(), []
        if "DEPS" in words:
            for word in words[words.index("DEPS") + 1:]:
                if word.isupper():
                    break
                deps.append(word)
        for dep in deps:
            if dep not in allowed.get(match[1], set()):
                findings.append(f"src/{path}: {match[1]} may not link {dep} (layers.txt)")
    return findings


def self_test():
    layers = "# comment\nbase:\nengine: base\nhttp: base\napp: base engine http\n"

    def case(name, files, *wanted, text=layers):
        expect(NAME, name, check(text, files), *wanted)

    case("downward", {"app/a.cc": '#include "engine/e.h"\n#include "app/a.h"\n#include <map>\n'})
    case("upward", {"base/b.cc": '\n#include "engine/e.h"\n'}, "src/base/b.cc:2: base may not include engine/e.h")
    case("sibling", {"http/h.cc": '# include "engine/e.h"\n'}, "http may not include")
    case("unknown module", {"loop/l.cc": ""}, "src/loop: module is not in layers.txt")
    case("unknown target", {"app/a.cc": '#include "nope/e.h"\n'}, "module nope is not in layers.txt")
    case("bare name", {"app/a.cc": '#include "a.h"\n'}, 'write "module/a.h"')
    case("private", {"app/a.cc": '#include "engine/e_internal.h"\n'}, "is private to engine")
    case("own private", {"engine/e.cc": '#include "engine/e_internal.h"\n#include <duckdb.h>\n'})
    case("duckdb", {"app/a.cc": "#include <duckdb.h>\n", "http/a.cc": '#include "duckdb.h"\n'},
         "src/app/a.cc:1: only engine", "src/http/a.cc:1: only engine")
    case("boost", {"engine/e.cc": "#include <boost/asio.hpp>\n", "http/h.cc": "#include <boost/asio.hpp>\n"},
         "src/engine/e.cc:1: only app and http")
    case("cycle", {}, "cycle among: base engine", text="base: engine\nengine: base\nhttp:\n")
    case("unknown name", {}, "unknown module: nope", text="base: nope\n")
    case("twice", {}, "second line", text="base:\nbase:\n")
    case("bad line", {}, "not 'module: module", text="base = x\n")
    case("linked", {"http/CMakeLists.txt": "braid_module(http\n  DEPS base engine\n  LIBRARIES fmt::fmt)\n"},
         "http may not link engine")


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    tree = tracked("src", "layers.txt")
    table = tree.pop("layers.txt")
    sys.exit(report(NAME, check(table, {path.removeprefix("src/"): text for path, text in tree.items()})))
