# SPDX-License-Identifier: Apache-2.0
"""Least squares the way around: DuckDB reads Parquet, Arrow carries it, NumPy sums the products."""
import duckdb
import numpy as np

import measure


def batches(files, columns):
    """Arrays of rows, one column beside the other, and 1 for the intercept at the end."""
    with duckdb.connect() as connection:
        reader = connection.execute(f"SELECT {', '.join(columns)} FROM read_parquet('{files}')").to_arrow_reader(122_880)
        for batch in reader:
            yield np.column_stack([*(column.to_numpy() for column in batch.columns), np.ones(len(batch))])


def gram(files, columns):
    """X'X of the columns and 1; the last entry is the number of rows."""
    total = np.zeros((len(columns) + 1, len(columns) + 1))
    for rows in batches(files, columns):
        total += rows.T @ rows
    return total


def least_squares(files, features, label, rows):
    """Weights by name, the intercept's under __INTERCEPT__."""
    total = gram(files, [label, *features])
    measure.expect("rows that the peer reads", round(total[-1, -1]), rows)
    solved = np.linalg.solve(total[1:, 1:], total[1:, 0])
    return dict(zip([*features, "__INTERCEPT__"], map(float, solved)))


def covariance(files, columns, rows):
    """With n − 1, as principal components want it."""
    total = gram(files, columns)
    measure.expect("rows that the peer reads", round(total[-1, -1]), rows)
    means = total[:-1, -1] / rows
    return (total[:-1, :-1] - rows * np.outer(means, means)) / (rows - 1)
