#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The golden runner must notice what is wrong: runner_test.py GOLDEN_RUNNER"""
import pathlib
import subprocess
import sys
import tempfile

GOOD = """\
statement ok
CREATE TABLE gold.t AS SELECT 1.5::DOUBLE AS x, '' AS s

query
FROM gold.t
----
1.5\t(empty)

statement error TABLE_NOT_FOUND
FROM gold.u

file a.sql
CREATE MATERIALIZED VIEW gold.v AS SELECT x FROM gold.t;
CREATE SERVICE s (x BIGINT) AS SELECT x + 1 AS y FROM request;
end

run
ok
gold.v\tupdated\t1
s\tdeclared\t-

http POST /v1/services/s
{"x": 1}
----
200
{"rows":[{"y":2}]}

await SELECT count(*) FROM inference.s
----
1
"""
# What is changed, and into what.
WRONG = [("1.5\t(empty)", "1.5\tNULL"), ("1.5\t(empty)\n", ""), ("1.5\t(empty)", "1.5\t(empty)\n2\t(empty)"),
         ("statement ok", "statement error BINDER"), ("error TABLE_NOT_FOUND", "error MODEL_NOT_FOUND"),
         ("statement error TABLE_NOT_FOUND", "statement ok"), ("updated", "skipped"), ("updated\t1", "updated\t2"),
         ("s\tdeclared\t-\n", ""), ("run\nok", "run\nerror CYCLE"), ("\n200\n", "\n404\n"), ('{"y":2}', '{"y":3}')]
MALFORMED = ["statement maybe\nSELECT 1\n", "query\nSELECT 1\n", "nonsense\n", "file a\nno end\n", "foreach x 1\nmove\n"]


def run(runner, path, text, *options):
    path.write_text(text)
    return subprocess.run([runner, *options, path], capture_output=True, text=True)


def main(runner):
    failures = []

    def expect(what, got, wanted):
        if got != wanted:
            failures.append(f"{what}: {got!r} instead of {wanted!r}")

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "a.test"
        done = run(runner, path, GOOD)
        expect("good: " + done.stderr, done.returncode, 0)
        for old, new in WRONG:
            assert old in GOOD, old
            wrong = GOOD.replace(old, new, 1)
            expect(f"{old!r} as {new!r}", run(runner, path, wrong).returncode, 1)
            expect("rewritten", run(runner, path, wrong, "--rewrite").returncode, 0)
            expect("the file after it", path.read_text(), GOOD)
        for text in MALFORMED:
            expect(repr(text), run(runner, path, text).returncode, 2)
        done = run(runner, path, "\n\nquery tol=0.1\nSELECT 1.05\n----\n1\n\nquery\nSELECT 1\n----\n2\n")
        expect("place", done.stderr.startswith(f"{path}:8: "), True)
        expect("diff", "- 2\n+ 1\n" in done.stderr, True)
    print("\n".join(failures), file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
