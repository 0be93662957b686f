# SPDX-License-Identifier: Apache-2.0
"""What the checkers share: the repository's root, its tracked files, and how findings are told."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def tracked(*patterns):
    """Returns {path from the root: text} of the tracked files that exist and are text."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z", "--", *patterns], check=True,
                            stdout=subprocess.PIPE).stdout.decode().split("\0")
    texts = {}
    for name in filter(None, listed):
        path = ROOT / name
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        if b"\0" in content[:8000]:
            continue
        try:
            texts[name] = content.decode("utf-8")
        except UnicodeDecodeError:
            continue  # latin-1 and the like: input of tests
    return texts


def report(checker, findings):
    """Prints the findings; returns the exit status."""
    for finding in findings:
        print(f"{checker}: {finding}", file=sys.stderr)
    return 1 if findings else 0


def expect(checker, name, findings, *wanted):
    """For self-tests: there are as many findings as wanted, each of which contains its text."""
    fits = len(findings) == len(wanted) and all(
        any(text in finding for finding in findings) for text in wanted)
    if not fits:
        sys.exit(f"{checker}: self-test failed: {name}: wanted {list(wanted)}, found {findings}")
