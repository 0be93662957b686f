# SPDX-License-Identifier: Apache-2.0
"""The wall time of the shortest command in a project."""
import statistics
import subprocess
import sys

import measure


def main():
    measure.begin('startup: braid sql "SELECT 1" in a project, whole process')
    project = measure.Project("startup")
    project.sql("CREATE TABLE gold.t AS SELECT 1 AS x")
    select = project.command("--format", "csv", "sql", "SELECT 1 AS x")
    python = [sys.executable, "-c", "import duckdb; print(duckdb.sql('SELECT 1').fetchone()[0])"]

    def braid():
        measure.expect("answer", subprocess.run(select, check=True, capture_output=True).stdout, b"x\n1\n")

    def duckdb():
        measure.expect("answer", subprocess.run(python, check=True, capture_output=True).stdout, b"1\n")

    ours, theirs = zip(*(measure.alternate(braid, duckdb) for _ in range(1 if measure.SMALL else 4)))
    ours, theirs = sum(ours, []), sum(theirs, [])
    measure.line('braid sql "SELECT 1"', measure.spread(ours))
    measure.line("for orientation: python, import duckdb, SELECT 1", measure.spread(theirs))
    measure.within("start-up", statistics.median(ours), 0.15)


if __name__ == "__main__":
    main()
