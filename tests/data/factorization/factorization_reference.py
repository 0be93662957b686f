#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes ratings.csv, counts.csv and factorization_reference.json, with NumPy 2 and SciPy 1.

The objectives are minimised by L-BFGS over all coordinates at once, from many starts: nothing is shared
with alternating least squares but the objective.
"""
import json
import pathlib

import numpy as np
from scipy.optimize import minimize

HERE = pathlib.Path(__file__).resolve().parent
USERS, ITEMS, FACTORS = 30, 20, 2
EXPLICIT_L2, IMPLICIT_L2, ALPHA = 0.5, 2.0, 3.0
STARTS = 20


def make_tables():
    rng = np.random.default_rng(20)
    taste, kind = rng.normal(size=(USERS, FACTORS)), rng.normal(size=(ITEMS, FACTORS))
    score = 3 + rng.normal(0, 0.5, (USERS, 1)) + rng.normal(0, 0.5, ITEMS) + taste @ kind.T
    seen = rng.random((USERS, ITEMS)) < 0.55
    stars = np.clip(np.round(2 * (score + rng.normal(0, 0.3, score.shape))) / 2, 0.5, 5)
    counts = rng.poisson(np.exp(0.8 * (score - 4)))
    with open(HERE / "ratings.csv", "w") as file:
        file.write("user,item,rating\n")
        file.writelines(f"u{u:02},i{i:02},{stars[u, i]}\n" for u, i in np.argwhere(seen))
    with open(HERE / "counts.csv", "w") as file:
        file.write("user,item,rating\n")
        file.writelines(f"u{u:02},i{i:02},{counts[u, i]}\n" for u, i in np.argwhere(counts > 0))
    return np.where(seen, stars, np.nan), counts.astype(float)


def minimum(objective, size):
    rng = np.random.default_rng(1)
    found = [minimize(objective, rng.normal(0, 0.5, size), jac=True, method="L-BFGS-B",
                      options={"maxiter": 100000, "maxfun": 1000000, "ftol": 1e-16, "gtol": 1e-10, "maxcor": 50})
             for _ in range(STARTS)]
    return min(found, key=lambda result: result.fun)


def split(z, users, items, biases):
    sizes = np.cumsum([users * FACTORS, items * FACTORS, users * biases, items * biases])
    x, y, b, c = np.split(z, sizes[:-1])
    return x.reshape(users, FACTORS), y.reshape(items, FACTORS), b, c


def explicit(ratings):
    known = ~np.isnan(ratings)
    mean = ratings[known].mean()

    def objective(z):
        x, y, b, c = split(z, *ratings.shape, True)
        error = np.where(known, ratings - mean - b[:, None] - c - x @ y.T, 0)
        gradient = np.concatenate([(error @ y).ravel(), (error.T @ x).ravel(), error.sum(1), error.sum(0)])
        return (error**2).sum() + EXPLICIT_L2 * (z @ z), 2 * (EXPLICIT_L2 * z - gradient)

    best = minimum(objective, sum(ratings.shape) * (FACTORS + 1))
    x, y, b, c = split(best.x, *ratings.shape, True)
    return {"l2_reg": EXPLICIT_L2, "factors": FACTORS, "mean": mean, "objective": best.fun,
            "predictions": (mean + b[:, None] + c + x @ y.T).tolist()}


def implicit(counts):
    counts = counts[counts.any(1)][:, counts.any(0)]
    weight, wanted = 1 + ALPHA * counts, (counts > 0).astype(float)

    def objective(z):
        x, y, _, _ = split(z, *counts.shape, False)
        error = wanted - x @ y.T
        gradient = np.concatenate([((weight * error) @ y).ravel(), ((weight * error).T @ x).ravel()])
        return (weight * error**2).sum() + IMPLICIT_L2 * (z @ z), 2 * (IMPLICIT_L2 * z - gradient)

    best = minimum(objective, sum(counts.shape) * FACTORS)
    x, y, _, _ = split(best.x, *counts.shape, False)
    return {"l2_reg": IMPLICIT_L2, "wals_alpha": ALPHA, "factors": FACTORS, "objective": best.fun,
            "predictions": (x @ y.T).tolist()}


def main():
    ratings, counts = make_tables()
    reference = {"explicit": explicit(ratings), "implicit": implicit(counts)}
    with open(HERE / "factorization_reference.json", "w") as file:
        json.dump(reference, file)
        file.write("\n")


if __name__ == "__main__":
    main()
