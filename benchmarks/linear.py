# SPDX-License-Identifier: Apache-2.0
"""Linear regression in place against a scan of its inputs, and against DuckDB, pandas and scikit-learn."""
import statistics

import duckdb
from sklearn.linear_model import LinearRegression

import measure
import wide_table


def fit(files, fitted):
    """The way around: Parquet to a data frame to a model."""
    with duckdb.connect() as connection:
        frame = connection.execute(f"SELECT * FROM read_parquet('{files}')").df()
    measure.expect("rows that the peer reads", len(frame), wide_table.ROWS)
    fitted.append(LinearRegression().fit(frame[wide_table.FEATURES], frame["y"]))


def train_and_scan(project, trained, scanned):
    """One process that scans to warm up, trains, and scans."""
    scan = "SELECT " + ", ".join(f"sum({name}) AS {name}" for name in wide_table.FEATURES) + " FROM gold.wide"
    seconds, _ = project.times([scan, wide_table.train("line"), scan])
    trained.append(seconds[1])
    scanned.append(seconds[2])


def main():
    measure.begin(f"linear: linear_reg, {wide_table.ROWS:,} rows x {len(wide_table.FEATURES)} DOUBLE features")
    project = wide_table.project()
    trained, scanned, fitted = [], [], []
    _, around = measure.alternate(lambda: train_and_scan(project, trained, scanned),
                                  lambda: fit(wide_table.parquet(project), fitted))
    trained, scanned = trained[1:], scanned[1:]
    weights = wide_table.weights(project, "line")
    for name, coefficient in zip(wide_table.FEATURES, fitted[-1].coef_):
        measure.agree(f"weight of {name}", weights[name], float(coefficient), 1e-8)
    measure.agree("intercept", weights["__INTERCEPT__"], float(fitted[-1].intercept_), 1e-8)
    measure.line("braid: CREATE OR REPLACE MODEL", measure.spread(trained))
    measure.line("braid: SELECT sum of the ten features", measure.spread(scanned))
    measure.line("DuckDB -> pandas -> scikit-learn", measure.spread(around))
    measure.against("training / scan", statistics.median(trained) / statistics.median(scanned), "<=", 1.5)
    measure.against("scikit-learn / training", statistics.median(around) / statistics.median(trained), ">=", 10)


if __name__ == "__main__":
    main()
