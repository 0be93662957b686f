#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: conformal.py > conformal.json   (from this folder; needs MAPIE 1.6, scikit-learn 1.9, numpy)

Split conformal prediction on Fisher's iris, rows numbered from 1: those with number % 3 = 1 train, = 2
calibrate, = 0 are new. The intervals and the LAC sets are MAPIE's; the APS sets (the score of a label is the
probability of all likelier ones), the normalised and the grouped intervals are computed with numpy's quantile.
"""
import csv
import json
import math
import sys

import numpy
from mapie.classification import SplitConformalClassifier
from mapie.regression import SplitConformalRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression


def quantile(scores, confidence):
    rank = math.ceil((len(scores) + 1) * confidence - 1e-9)
    if rank > len(scores):
        return "inf"
    return float(numpy.quantile(scores, max(1, rank) / len(scores), method="inverted_cdf"))


def main():
    with open("../oracles/models/kmeans_iris.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    parts = [[r for i, r in enumerate(rows, 1) if i % 3 == part] for part in (1, 2, 0)]

    def numbers(part, names):
        return numpy.array([[float(r[n]) for n in names] for r in parts[part]])

    out = {"quantiles": []}
    random = numpy.random.default_rng(5)
    for count in (1, 2, 9, 10, 19, 20, 57):
        for confidence in (0.1, 0.5, 0.8, 0.9, 0.95):
            scores = random.exponential(size=count).round(3)
            out["quantiles"].append([scores.tolist(), confidence, quantile(scores, confidence)])

    names = ["sepal_width", "petal_length", "petal_width"]
    truth = [numbers(part, ["sepal_length"])[:, 0] for part in range(3)]
    line = LinearRegression().fit(numbers(0, names), truth[0])
    conformal = SplitConformalRegressor(line, confidence_level=[0.8, 0.9, 0.95], prefit=True)
    conformal.conformalize(numbers(1, names), truth[1])
    predicted, intervals = conformal.predict_interval(numbers(2, names))
    out["regression"] = {
        "predicted": predicted[:5].tolist(),
        "lower": intervals[:5, 0, :].tolist(),
        "upper": intervals[:5, 1, :].tolist(),
        "covered": ((intervals[:, 0, :] <= truth[2][:, None]) & (truth[2][:, None] <= intervals[:, 1, :])).sum(0).tolist(),
    }
    errors = numpy.abs(line.predict(numbers(1, names)) - truth[1])
    scale = numbers(1, ["petal_length"])[:, 0]
    out["scaled_quantile_80"] = quantile(errors / scale, 0.8)
    species = numpy.array([r["species"] for r in parts[1]])
    out["group_quantiles_80"] = {s: quantile(errors[species == s], 0.8) for s in sorted(set(species))}

    names = ["sepal_length", "sepal_width"]
    center, spread = numbers(0, names).mean(0), numbers(0, names).std(0)
    inputs = [(numbers(part, names) - center) / spread for part in range(3)]
    labels = [[r["species"] for r in part] for part in parts]
    classifier = LogisticRegression(C=1 / 1.5, tol=1e-14, max_iter=100000, solver="newton-cholesky").fit(inputs[0], labels[0])
    out["classes"] = list(classifier.classes_)
    out["probabilities"] = classifier.predict_proba(inputs[2])[:3].tolist()
    sets = SplitConformalClassifier(classifier, confidence_level=[0.5, 0.8, 0.9], conformity_score="lac", prefit=True)
    sets.conformalize(inputs[1], labels[1])
    _, chosen = sets.predict_set(inputs[2])

    def summary(chosen):
        position = [out["classes"].index(label) for label in labels[2]]
        covered = chosen[numpy.arange(len(position)), position]
        return {"sizes": numpy.bincount(chosen.sum(1), minlength=4).tolist(), "covered": int(covered.sum()),
                "first": chosen[:8].astype(int).tolist()}

    out["lac"] = {str(level): summary(chosen[:, :, i]) for i, level in enumerate((0.5, 0.8, 0.9))}

    def likelier(probabilities):
        order = numpy.argsort(-probabilities, axis=1, kind="stable")
        ordered = numpy.take_along_axis(probabilities, order, axis=1)
        before = numpy.cumsum(ordered, axis=1) - ordered
        scores = numpy.empty_like(before)
        numpy.put_along_axis(scores, order, before, axis=1)
        return scores

    position = [out["classes"].index(label) for label in labels[1]]
    calibration = likelier(classifier.predict_proba(inputs[1]))[numpy.arange(len(position)), position]
    new = likelier(classifier.predict_proba(inputs[2]))
    out["aps"] = {}
    for level in (0.5, 0.8, 0.9):
        q = quantile(calibration, level)
        out["aps"][str(level)] = {"quantile": q, **summary(new <= q + 1e-12)}
    json.dump(out, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
