# SPDX-License-Identifier: Apache-2.0
"""Linear regression on more rows than its memory holds: the engine is given 500 MB, the whole process should stay below 1 GiB."""
import gram_peer
import measure
import wide_table

ROWS = measure.size(100_000_000, 10_000_000, 200_000)
GOAL = 2**30


def table():
    """As wide_table's, of features with 1024 values each, so that the files stay small on disk."""
    made = measure.Project("memory", "{memory_limit: 500MB}")
    columns = ", ".join(f"floor(1024 * {wide_table.uniform(i)}) / 1024 AS {name}" for i, name in enumerate(wide_table.FEATURES))
    truth = " + ".join(f"{weight} * {name}" for weight, name in zip(wide_table.TRUTH, wide_table.FEATURES))
    made.sql(f"CREATE TABLE gold.wide AS SELECT *, {truth} + floor(1024 * noise) / 1024 AS y "
             f"FROM (SELECT {columns}, {wide_table.uniform(63)} AS noise FROM range({ROWS}))")
    return made


def main():
    measure.begin(f"linear_memory: linear_reg, {ROWS:,} rows x {len(wide_table.FEATURES)} DOUBLE features in 1 GiB")
    project = table()
    columns = ", ".join([*wide_table.FEATURES, "y"])
    costs, peaks = [], []
    for _ in range(measure.size(2, 2, 1)):
        taken, _ = project.costs([f"CREATE OR REPLACE MODEL line OPTIONS (model_type = 'linear_reg', input_label_cols = ['y'], "
                                  f"data_split_method = 'no_split') AS SELECT {columns} FROM gold.wide"])
        costs.append(taken[0])
        peaks.append(project.last.peak_bytes)
    solved = gram_peer.least_squares(project.parquet("gold.wide"), wide_table.FEATURES, "y", ROWS)
    weights = wide_table.weights(project, "line")
    for name, weight in solved.items():
        measure.agree(f"weight of {name}", weights[name], weight, 1e-8)
    measure.report("braid: CREATE OR REPLACE MODEL", costs)
    measure.memory("braid: most memory of the process", peaks)
    measure.against("memory / 1 GiB", max(peaks) / GOAL, "<=", 1)


if __name__ == "__main__":
    main()
