#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes reference.json: grid searches by scikit-learn 1.9.1 over tables in oracles/models, each on the split that
tests/sql/ml/tuning.test makes of them. Run it in its folder."""
import csv
import json

import numpy as np
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import (explained_variance_score, log_loss, mean_absolute_error, mean_squared_error, r2_score,
                             roc_auc_score)


def rows_of(name):
    with open(f"../oracles/models/{name}.csv", newline="") as file:
        return list(csv.DictReader(file))


def design(rows, label, category, part):
    """Numbers standardised by the training rows, a category as an indicator of each value that they have."""
    train = [row for row in rows if part(row) == "TRAIN"]
    columns = []
    for name in rows[0]:
        if name == category:
            for level in sorted({row[name] for row in train}):
                columns.append([float(row[name] == level) for row in rows])
        elif name != label:
            values = np.array([float(row[name]) for row in rows])
            known = np.array([float(row[name]) for row in train])
            columns.append((values - known.mean()) / known.std())
    parts = np.array([part(row) for row in rows])
    return np.column_stack(columns), np.array([float(row[label]) for row in rows]), parts


def ridge(l2, x, y, parts):
    fit = Ridge(alpha=l2, tol=1e-14).fit(x[parts == "TRAIN"], y[parts == "TRAIN"])

    def judged(part):
        truth, guess = y[parts == part], fit.predict(x[parts == part])
        return {"r2_score": r2_score(truth, guess), "mean_squared_error": mean_squared_error(truth, guess),
                "mean_absolute_error": mean_absolute_error(truth, guess),
                "explained_variance": explained_variance_score(truth, guess)}
    return {"l2_reg": l2, "eval": judged("EVAL"), "test": judged("TEST")}


def logistic(l2, x, y, parts):
    fit = LogisticRegression(C=1 / l2, tol=1e-14, max_iter=100000, solver="newton-cholesky")
    fit.fit(x[parts == "TRAIN"], y[parts == "TRAIN"])

    def judged(part):
        truth, guess = y[parts == part], fit.predict_proba(x[parts == part])[:, 1]
        return {"log_loss": log_loss(truth, guess), "roc_auc": roc_auc_score(truth, guess)}
    return {"l2_reg": l2, "eval": judged("EVAL"), "test": judged("TEST")}


def part_of(number):
    return "TRAIN" if number % 5 < 3 else "EVAL" if number % 5 == 3 else "TEST"


def main():
    cars = design(rows_of("ols_mtcars"), "mpg", "cyl", lambda row: part_of(int(row["hp"])))
    births = design(rows_of("logit_birthwt"), "low", "race", lambda row: part_of(3 * int(row["lwt"]) + int(row["age"])))
    grid = [0.01, 0.3, 3, 10, 30, 100]
    out = {"ridge_mtcars": [ridge(l2, *cars) for l2 in grid],
           "logistic_birthwt": [logistic(l2, *births) for l2 in grid],
           "rows": {"mtcars": [int((cars[2] == p).sum()) for p in ("TRAIN", "EVAL", "TEST")],
                    "birthwt": [int((births[2] == p).sum()) for p in ("TRAIN", "EVAL", "TEST")]}}
    with open("reference.json", "w") as file:
        json.dump(out, file, indent=1)
        file.write("\n")


main()
