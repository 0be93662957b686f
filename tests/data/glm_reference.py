#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: glm_reference.py > glm_reference.json   (from this folder; needs scikit-learn 1.9, numpy)

Penalised generalised linear models by scikit-learn on the oracles' tables, for the tests of `ml`. Numbers
are standardised by the population's deviation, categories are 0/1 indicators without a reference.
The objective is Σ loss + l2/2·‖β‖² + l1·‖β‖₁ with the intercept free.
"""
import csv
import json
import sys

import numpy
from sklearn.linear_model import LogisticRegression, Ridge


def load(name, label, categories=()):
    with open(f"oracles/models/{name}.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    columns, names = [], []
    for name in rows[0]:
        if name == label:
            continue
        texts = [row[name] for row in rows]
        if name in categories:
            for level in sorted(set(texts)):
                columns.append([float(t == level) for t in texts])
                names.append(f"{name}={level}")
        else:
            values = numpy.array([float(t) for t in texts])
            columns.append((values - values.mean()) / values.std())
            names.append(name)
    return numpy.column_stack(columns), [row[label] for row in rows], names


def logistic(x, y, names, l2, weights=None, class_weight=None):
    model = LogisticRegression(C=1 / l2, tol=1e-14, max_iter=100000, solver="newton-cholesky", class_weight=class_weight)
    model.fit(x, y, sample_weight=weights)
    return {
        "classes": list(model.classes_),
        "scores": [{"intercept": b, **dict(zip(names, w))} for w, b in zip(model.coef_, model.intercept_)],
        "probabilities_first5": model.predict_proba(x)[:5].tolist(),
    }


def main():
    out = {}
    x, y, names = load("ols_mtcars", "mpg", ["cyl"])
    ridge = Ridge(alpha=2.5, tol=1e-14).fit(x, [float(v) for v in y])
    out["ridge_mtcars"] = {"l2": 2.5, "scores": [{"intercept": ridge.intercept_, **dict(zip(names, ridge.coef_))}]}
    x, y, names = load("logit_birthwt", "low", ["race"])
    out["l2_birthwt"] = {"l2": 3.0, **logistic(x, y, names, 3.0)}
    out["balanced_birthwt"] = {"l2": 0.5, **logistic(x, y, names, 0.5, class_weight="balanced")}
    lasso = LogisticRegression(C=0.25, l1_ratio=1, solver="saga", tol=1e-13, max_iter=1000000).fit(x, y)
    out["l1_birthwt"] = {"l1": 4.0, "scores": [{"intercept": lasso.intercept_[0], **dict(zip(names, lasso.coef_[0]))}]}
    x, y, names = load("multinomial_penguins", "island")
    out["l2_islands"] = {"l2": 1.5, **logistic(x, y, names, 1.5)}
    json.dump(out, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
