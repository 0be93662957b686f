# SPDX-License-Identifier: Apache-2.0
"""The lake table of ten DOUBLE features and a label that the benchmarks of models read."""
import measure

FEATURES = [f"c{number}" for number in range(1, 11)]
TRUTH = [0.5 * number - 3 for number in range(1, 11)]
ROWS = measure.size(10_000_000, 1_000_000, 100_000)


def uniform(number):
    """SQL over `range`: a value in [0, 1), the same on each machine, independent of those of other numbers.

    Not hash(range, number): columns of that differ by a mask, so they would be almost collinear."""
    return f"(hash(range * 64 + {number}) / 18446744073709551616.0)"


def project():
    made = measure.Project("wide")
    if made.is_new:
        columns = ", ".join(f"{uniform(i)} AS {name}" for i, name in enumerate(FEATURES))
        truth = " + ".join(f"{weight} * {name}" for weight, name in zip(TRUTH, FEATURES))
        made.sql(f"CREATE TABLE gold.wide AS SELECT {columns}, {truth} + {uniform(63)} AS y FROM range({ROWS})")
    return made


def train(model):
    return (f"CREATE OR REPLACE MODEL {model} OPTIONS (model_type = 'linear_reg', input_label_cols = ['y'], "
            "data_split_method = 'no_split') AS SELECT * FROM gold.wide")


def weights(made, model):
    rows, = made.sql(f"SELECT processed_input, weight FROM ML.WEIGHTS(MODEL {model})")
    return {row["processed_input"]: row["weight"] for row in rows}
