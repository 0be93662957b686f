# SPDX-License-Identifier: Apache-2.0
"""A linear model for each of many groups, against pandas' groupby with numpy's least squares."""
import pathlib
import resource
import statistics
import time

import duckdb
import numpy as np

import measure
import wide_table

GROUPS = 1_000 if measure.SMALL else 100_000
ROWS = GROUPS * 100
FEATURES = [f"c{number}" for number in range(1, 6)]
CREATE = ("CREATE OR REPLACE MODEL many PARTITION BY (g) OPTIONS (model_type = 'linear_reg', "
          "input_label_cols = ['y'], data_split_method = 'no_split') AS SELECT * FROM gold.many")


def project():
    made = measure.Project("many")
    if made.is_new:
        columns = ", ".join(f"{wide_table.uniform(i)} AS {name}" for i, name in enumerate(FEATURES))
        truth = " + ".join(f"({wide_table.uniform(7)} * 0.01 + range % {GROUPS} % {i + 7}) * {wide_table.uniform(i)}"
                           for i in range(len(FEATURES)))
        made.sql(f"CREATE TABLE gold.many AS SELECT range % {GROUPS} AS g, {columns}, "
                 f"{truth} + {wide_table.uniform(63)} AS y FROM range({ROWS})")
    return made


def fit(files, fitted):
    """The way around: Parquet to a data frame, a loop over its groups."""
    with duckdb.connect() as connection:
        frame = connection.execute(f"SELECT * FROM read_parquet('{files}')").df()
    measure.expect("rows that the peer reads", len(frame), ROWS)
    weights = {}
    for group, part in frame.groupby("g"):
        inputs = np.column_stack([part[FEATURES].to_numpy(), np.ones(len(part))])
        weights[group] = np.linalg.lstsq(inputs, part["y"].to_numpy(), rcond=None)[0]
    fitted.append(weights)


def usage(action):
    """Wall and CPU seconds, and the largest memory that a child of this process has taken so far."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    action()
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, after.ru_maxrss / 1024


def artefact(made):
    """The newest version's file."""
    rows, = made.sql("SELECT artefact_sha256 AS name FROM braid.model_version ORDER BY version DESC LIMIT 1")
    return pathlib.Path(made.folder / ".braid/models" / rows[0]["name"] / "model.json")


def main():
    measure.begin(f"many_models: linear_reg PARTITION BY {GROUPS:,} groups, {ROWS:,} rows x {len(FEATURES)} features")
    made = project()
    files = str(made.folder / ".braid/data/gold/many/**/*.parquet")
    scan = "SELECT g, " + ", ".join(f"sum({name})" for name in [*FEATURES, "y"]) + " FROM gold.many GROUP BY g"
    trained, scanned, processes = [], [], []

    def train():
        def run():
            seconds, _ = made.times([f"SELECT count(*) FROM ({scan})", CREATE, f"SELECT count(*) FROM ({scan})"])
            trained.append(seconds[1])
            scanned.append(seconds[2])
        processes.append(usage(run))

    fitted = []
    _, around = measure.alternate(train, lambda: fit(files, fitted))
    rows, = made.sql("SELECT g, processed_input, weight FROM ML.WEIGHTS(MODEL many) WHERE g % 997 = 0")
    for row in rows:
        place = FEATURES.index(row["processed_input"]) if row["processed_input"] in FEATURES else len(FEATURES)
        measure.agree(f"weight of {row}", row["weight"], float(fitted[-1][row["g"]][place]), 1e-8)
    seconds, results = made.times([
        "SELECT round(predicted_y, 3) AS first FROM ML.PREDICT(MODEL many, (SELECT * FROM gold.many LIMIT 1))",
        "SELECT sum(predicted_y) AS total FROM ML.PREDICT(MODEL many, TABLE gold.many)",
        "SELECT count(*) AS trained FROM ML.PARTITION_INFO(MODEL many) WHERE status = 'trained'"])
    measure.expect("groups trained", results[2][0]["trained"], GROUPS)
    walls, cpus, memory = zip(*processes[1:])
    measure.line("braid: CREATE OR REPLACE MODEL", measure.spread(trained[1:]))
    measure.line("  its process, with two scans: CPU", measure.spread(cpus))
    measure.line("  its process: most memory", f"{max(memory):9.0f} MiB")
    measure.line("braid: six sums GROUP BY the group", measure.spread(scanned[1:]))
    measure.line("DuckDB -> pandas groupby -> numpy lstsq", measure.spread(around))
    measure.line("artefact", f"{artefact(made).stat().st_size / 2**20:9.2f} MiB")
    measure.line("braid: first PREDICT, which loads the model", f"{seconds[0]:9.4f} s")
    measure.line("braid: PREDICT of all rows", f"{seconds[1]:9.4f} s  ({ROWS / seconds[1] / 1e6:.2f}M rows/s)")
    measure.line("braid: ML.PARTITION_INFO", f"{seconds[2]:9.4f} s")
    measure.against("training / GROUP BY", statistics.median(trained[1:]) / statistics.median(scanned[1:]), "<=", 4)
    measure.against("pandas / training", statistics.median(around) / statistics.median(trained[1:]), ">=", 10)


if __name__ == "__main__":
    main()
