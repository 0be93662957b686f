# SPDX-License-Identifier: Apache-2.0
"""A run of 300 nodes that finds nothing new."""
import re
import statistics
import subprocess

import measure

CHAINS, LENGTH = 10, 10
NODES = 30 if measure.SMALL else 300


def view(name, query):
    return f"CREATE MATERIALIZED VIEW {name} AS {query};\n"


def declarations():
    """A streamed file, ten chains of views over it, and fans: each other view reads the ends of two chains."""
    yield "CREATE STREAMING TABLE bronze.sales AS SELECT * FROM STREAM read_files('data/*.csv', format => 'csv');\n"
    chains = 2 if measure.SMALL else CHAINS
    for chain in range(chains):
        for step in range(LENGTH):
            source = f"silver.chain_{chain}_{step - 1}" if step else "bronze.sales"
            yield view(f"silver.chain_{chain}_{step}", f"SELECT shop, amount + 1 AS amount FROM {source}")
    for fan in range(NODES - 1 - chains * LENGTH):
        ends = [f"silver.chain_{(fan + offset) % chains}_{LENGTH - 1}" for offset in (0, 1)]
        yield view(f"gold.fan_{fan}", f"SELECT a.shop, max(a.amount + b.amount) AS most FROM {ends[0]} AS a "
                                      f"JOIN {ends[1]} AS b USING (shop) GROUP BY a.shop")


def make_project():
    project = measure.Project("noop")
    (project.folder / "data").mkdir()
    (project.folder / "data/sales.csv").write_text("shop,amount\n" + "".join(f"{n % 7},{n}\n" for n in range(100)))
    (project.folder / "nodes.sql").write_text("".join(declarations()))
    return project


def skip_all(project):
    done = subprocess.run(project.command("run"), check=True, capture_output=True, text=True)
    seen = re.search(r"(\d+) nodes, (\d+) changed, (\d+) skipped", done.stderr)
    measure.expect("nodes, changed, skipped", seen and seen.groups(), (str(NODES), "0", str(NODES)))


def main():
    measure.begin(f"noop: braid run of {NODES} nodes that skips all of them, whole process")
    project = make_project()
    first = measure.seconds(lambda: project.run("run"))
    noop, select = measure.alternate(lambda: skip_all(project), lambda: project.run("sql", "SELECT 1"))
    measure.line("the first run", f"{first:9.4f} s")
    measure.line("a run that skips everything", measure.spread(noop))
    measure.line('of it start-up: braid sql "SELECT 1" there', measure.spread(select))
    measure.within("the run that skips everything", statistics.median(noop), 0.5)


if __name__ == "__main__":
    main()
