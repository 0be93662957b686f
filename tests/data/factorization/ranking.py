#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes ranking.json: how well scores rank items, by scikit-learn and scipy, and factors of counts.csv by the library implicit.

users: scores of items and what a user took to, with ties and without.
models: the library's alternating least squares, each system solved exactly in double precision, 3000 rounds. It minimises
Σ c·(p − x·y)² + λ·(Σ‖x‖² + Σ‖y‖²) with c and p of 1 and 0 where there is no entry and of the entry and 1 where there is one, so that
Braid's 1 + α·r, L2_REG and WALS_ALPHA are its entry, its regularization and, once they are in the entry, its alpha = 1.
all: trained and judged on counts.csv. split: without the rows that `is_held_out` picks, and judged on those.
scikit-learn 1.9, scipy 1.17, implicit 0.7, NumPy 2.4.
"""
import csv
import json
import pathlib

import numpy as np
import scipy.sparse
from implicit.als import AlternatingLeastSquares
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, ndcg_score

HERE = pathlib.Path(__file__).resolve().parent
FACTORS, L2, ALPHA, ROUNDS = 2, 2.0, 3.0, 3000


def judge(scores, gains):
    taken = gains > 0
    ranks = (rankdata(-scores, method="average") - 1) / max(1, len(scores) - 1)
    return {"average_precision": average_precision_score(taken, scores),
            "ndcg": ndcg_score([gains], [scores]) if len(scores) > 1 else 1.0,
            "rank": float(np.average(ranks, weights=gains)),
            "squared_error": float(np.mean((taken - scores) ** 2))}


def users():
    rng = np.random.default_rng(4)
    for items, taken, levels in [(2, 1, 0), (7, 3, 0), (7, 7, 0), (40, 9, 0), (40, 9, 5), (40, 20, 2), (300, 60, 0), (300, 60, 25), (50, 4, 1)]:
        scores = rng.normal(size=items)
        if levels:
            scores = np.floor(rng.random(items) * levels) / levels
        gains = np.zeros(items)
        gains[rng.permutation(items)[:taken]] = rng.integers(1, 9, taken)
        yield {"scores": scores.tolist(), "gains": gains.tolist(), **judge(scores, gains)}


def is_held_out(user, item):
    return (7 * int(user[1:]) + int(item[1:])) % 5 == 0


def table(rows):
    known_users, known_items = (sorted({row[i] for row in rows}) for i in (0, 1))
    counts = np.zeros((len(known_users), len(known_items)))
    for user, item, count in rows:
        counts[known_users.index(user), known_items.index(item)] += float(count)
    return known_users, known_items, counts


def model(training, judged):
    known_users, known_items, counts = table(training)
    entries = scipy.sparse.csr_matrix(np.where(counts > 0, 1 + ALPHA * counts, 0))
    library = AlternatingLeastSquares(factors=FACTORS, regularization=L2, alpha=1.0, iterations=ROUNDS, use_native=False,
                                      use_cg=False, use_gpu=False, dtype=np.float64, random_state=3)
    library.fit(entries, show_progress=False)
    x, y = library.user_factors, library.item_factors
    scores = x @ y.T
    confidence = 1 + ALPHA * counts
    objective = (confidence * ((counts > 0) - scores) ** 2).sum() + L2 * ((x**2).sum() + (y**2).sum())
    gains = np.zeros_like(counts)
    for user, item, count in judged:
        if user in known_users and item in known_items:
            gains[known_users.index(user), known_items.index(item)] += float(count)
    each = [(judge(scores[u], gains[u]), gains[u].sum()) for u in range(len(known_users)) if gains[u].any()]
    return {"l2_reg": L2, "wals_alpha": ALPHA, "factors": FACTORS, "objective": float(objective), "judged_users": len(each),
            "mean_average_precision": float(np.mean([metrics["average_precision"] for metrics, _ in each])),
            "mean_squared_error": float(np.mean([metrics["squared_error"] for metrics, _ in each])),
            "normalized_discounted_cumulative_gain": float(np.mean([metrics["ndcg"] for metrics, _ in each])),
            "average_rank": float(np.average([metrics["rank"] for metrics, _ in each], weights=[weight for _, weight in each]))}


def main():
    with open(HERE / "counts.csv") as file:
        rows = list(csv.reader(file))[1:]
    held_out = [row for row in rows if is_held_out(row[0], row[1])]
    training = [row for row in rows if not is_held_out(row[0], row[1])]
    reference = {"users": list(users()), "models": {"all": model(rows, rows), "split": model(training, held_out)}}
    with open(HERE / "ranking.json", "w") as file:
        json.dump(reference, file)
        file.write("\n")


if __name__ == "__main__":
    main()
