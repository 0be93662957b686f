# SPDX-License-Identifier: Apache-2.0
"""Linear regression in place against a scan of its inputs, against sums by NumPy, and against pandas and scikit-learn."""
import duckdb
from sklearn.linear_model import LinearRegression

import gram_peer
import measure
import wide_table


def fit(files, fitted):
    """The way around: Parquet to a data frame to a model."""
    with duckdb.connect() as connection:
        frame = connection.execute(f"SELECT * FROM read_parquet('{files}')").df()
    measure.expect("rows that the peer reads", len(frame), wide_table.ROWS)
    fitted.append(LinearRegression().fit(frame[wide_table.FEATURES], frame["y"]))


def train_and_scan(project):
    """One process that scans to warm up, trains, and scans."""
    scan = "SELECT " + ", ".join(f"sum({name}) AS {name}" for name in wide_table.FEATURES) + " FROM gold.wide"
    costs, _ = project.costs([scan, wide_table.train("line"), scan])
    return costs[1], costs[2]


def main():
    measure.begin(f"linear: linear_reg, {wide_table.ROWS:,} rows x {len(wide_table.FEATURES)} DOUBLE features")
    project = wide_table.project()
    files = project.parquet("gold.wide")
    fitted, solved = [], []
    ours, gram, around = measure.rounds(
        lambda: train_and_scan(project),
        lambda: measure.cost(lambda: solved.append(gram_peer.least_squares(files, wide_table.FEATURES, "y", wide_table.ROWS))),
        lambda: measure.cost(lambda: fit(files, fitted)))
    trained, scanned = zip(*ours)
    weights = wide_table.weights(project, "line")
    for name, coefficient in zip(wide_table.FEATURES, fitted[-1].coef_):
        measure.agree(f"weight of {name}", weights[name], float(coefficient), 1e-8)
        measure.agree(f"weight of {name}", weights[name], solved[-1][name], 1e-8)
    measure.agree("intercept", weights["__INTERCEPT__"], float(fitted[-1].intercept_), 1e-8)
    measure.report("braid: CREATE OR REPLACE MODEL", trained)
    measure.report("braid: SELECT sum of the ten features", scanned)
    measure.report("DuckDB -> Arrow -> NumPy: X'X, solved", gram)
    measure.report("DuckDB -> pandas -> scikit-learn", around)
    measure.against("training / scan", measure.median(trained) / measure.median(scanned), "<=", 1.5)
    measure.against("NumPy / training", measure.median(gram) / measure.median(trained), ">=", 1)
    measure.against("scikit-learn / training", measure.median(around) / measure.median(trained), ">=", 10)


if __name__ == "__main__":
    main()
