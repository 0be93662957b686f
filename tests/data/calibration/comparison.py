#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: comparison.py > comparison.json   (from this folder; needs scipy 1.17, statsmodels 0.15, scikit-learn 1.9)

Paired tests of two models on the same rows. t and Wilcoxon are scipy's, McNemar statsmodels', the areas
scikit-learn's; DeLong's variance is computed from its definition, all pairs of a positive and a negative row.
Differences are second - first.
"""
import csv
import json
import sys

import numpy
import scipy.stats
import statsmodels.stats.contingency_tables
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import roc_auc_score
from statsmodels.stats.multitest import multipletests


def losses(first, second):
    d = second - first
    t = scipy.stats.ttest_rel(second, first)
    interval = t.confidence_interval(0.9)
    nonzero = d[d != 0]
    ties = len(numpy.unique(numpy.abs(nonzero))) < len(nonzero) or len(nonzero) < len(d)
    if len(nonzero) > 50 or ties:
        signed = scipy.stats.wilcoxon(d, method="asymptotic", correction=False)
    else:
        signed = scipy.stats.wilcoxon(d, method="exact")
    return {
        "first": first.mean(), "second": second.mean(), "difference": d.mean(), "standard_error": d.std(ddof=1) / numpy.sqrt(len(d)),
        "lower": interval.low, "upper": interval.high, "statistic": t.statistic, "p_value": t.pvalue,
        "wilcoxon": {"statistic": float(signed.statistic), "p_value": float(signed.pvalue), "exact": bool(len(nonzero) <= 50 and not ties)},
    }


def delong(first, second, positive):
    z = scipy.stats.norm.ppf(0.95)
    areas, by_positive, by_negative = [], [], []
    for scores in (first, second):
        pairs = scores[positive][:, None] - scores[~positive][None, :]
        kernel = (pairs > 0) + 0.5 * (pairs == 0)
        areas.append(kernel.mean())
        by_positive.append(kernel.mean(1))
        by_negative.append(kernel.mean(0))
        assert abs(areas[-1] - roc_auc_score(positive, scores)) < 1e-12
    s = numpy.cov(by_positive) / positive.sum() + numpy.cov(by_negative) / (~positive).sum()
    error = numpy.sqrt(s[0, 0] + s[1, 1] - 2 * s[0, 1])
    d = areas[1] - areas[0]
    return {"first": areas[0], "second": areas[1], "difference": d, "standard_error": error, "lower": d - z * error, "upper": d + z * error,
            "statistic": d / error, "p_value": 2 * scipy.stats.norm.sf(abs(d / error))}


def mcnemar(first, second):
    table = [[int((first & second).sum()), int((first & ~second).sum())], [int((~first & second).sum()), int((~first & ~second).sum())]]
    test = statsmodels.stats.contingency_tables.mcnemar(table, exact=True)
    b, c, n = table[0][1], table[1][0], len(first)
    error = numpy.sqrt(b + c - (c - b) ** 2 / n) / n
    z = scipy.stats.norm.ppf(0.95)
    d = (c - b) / n
    return {"first": first.mean(), "second": second.mean(), "difference": d, "standard_error": error, "lower": d - z * error,
            "upper": d + z * error, "statistic": float(test.statistic), "p_value": float(test.pvalue), "table": table}


def rows(name):
    with open(f"../oracles/models/{name}.csv", newline="") as file:
        return list(csv.DictReader(file))


def parts(data, label, inputs):
    chosen = [[r for i, r in enumerate(data, 1) if (i % 3 == 0) == new] for new in (False, True)]
    x = [numpy.array([[float(r[i]) for i in inputs] for r in part]) for part in chosen]
    center, spread = x[0].mean(0), x[0].std(0)
    return [(part - center) / spread for part in x], [numpy.array([r[label] for r in part]) for part in chosen]


def main():
    random = numpy.random.default_rng(8)
    out = {"wilcoxon": [], "mcnemar": [], "delong": []}
    for count, digits in ((5, 3), (20, 3), (50, 6), (51, 6), (200, 6), (80, 1), (300, 1)):
        d = (random.normal(size=count) + 0.3).round(digits)
        nonzero = d[d != 0]
        if count > 50:
            test = scipy.stats.wilcoxon(d, method="asymptotic", correction=False)
        else:
            assert len(numpy.unique(numpy.abs(nonzero))) == count
            test = scipy.stats.wilcoxon(d, method="exact")
        out["wilcoxon"].append([d.tolist(), float(test.statistic), float(test.pvalue)])
    # With ties and zeros: all 2^n signs.
    d = numpy.array([1, 1, -1, 2, 2, 2, -3, 0, 4, 0, 5.0])
    test = scipy.stats.wilcoxon(d[d != 0], method=scipy.stats.PermutationMethod(n_resamples=100000))
    out["wilcoxon"].append([d.tolist(), float(test.statistic), float(test.pvalue)])
    for b, c in ((0, 0), (0, 5), (3, 9), (10, 10), (25, 60), (4000, 4200)):
        test = statsmodels.stats.contingency_tables.mcnemar([[100, b], [c, 100]], exact=True)
        out["mcnemar"].append([b, c, float(test.statistic), float(test.pvalue)])
    for count, digits in ((12, 2), (60, 1), (200, 8)):
        positive = random.uniform(size=count) < 0.4
        base = random.normal(size=count) + positive
        first, second = (base + random.normal(size=count)).round(digits), (base + 0.5 * random.normal(size=count)).round(digits)
        out["delong"].append({"first": first.tolist(), "second": second.tolist(), "positive": positive.astype(int).tolist(),
                              "result": delong(first, second, positive)})

    iris = rows("kmeans_iris")
    inputs = [["sepal_width"], ["sepal_width", "petal_length"], ["sepal_width", "petal_length", "petal_width"]]
    errors = []
    for names in inputs:
        x, y = parts(iris, "sepal_length", names)
        y = [part.astype(float) for part in y]
        errors.append(LinearRegression().fit(x[0], y[0]).predict(x[1]) - y[1])
    pairs = [(0, 1), (0, 2), (1, 2)]
    squared = [losses(errors[a] ** 2, errors[b] ** 2) for a, b in pairs]
    out["iris"] = {"mean_squared_error": squared, "mean_absolute_error": [losses(abs(errors[a]), abs(errors[b])) for a, b in pairs],
                   "holm": multipletests([s["p_value"] for s in squared], method="holm")[1].tolist()}

    births = rows("logit_birthwt")
    probabilities = []
    for names in (["age", "lwt", "smoke", "ptl", "ht", "ui", "ftv"], ["lwt", "ptl"]):
        x, y = parts(births, "low", names)
        y = [part.astype(int) for part in y]
        probabilities.append(LogisticRegression(C=1 / 3.0, tol=1e-14, max_iter=100000, solver="newton-cholesky").fit(x[0], y[0]).predict_proba(x[1])[:, 1])
    positive = y[1] == 1
    loss = [-numpy.log(numpy.where(positive, p, 1 - p)) for p in probabilities]
    right = [(p >= 0.5) == positive for p in probabilities]
    out["births"] = {"log_loss": losses(*loss), "accuracy": mcnemar(*right), "roc_auc": delong(*probabilities, positive), "rows": len(positive)}
    json.dump(out, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
