#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: calibration.py > calibration.json   (from this folder; needs scikit-learn 1.9, statsmodels 0.15, numpy)

Isotonic and Platt calibration, calibration curves and Brier scores by scikit-learn. `rows` has made probabilities
with ties; `births` and `iris` calibrate logistic regressions, rows numbered from 1: number % 3 = 1 train, = 2
calibrate, = 0 are new. Platt's fit takes the log odds; scikit-learn stops early, so statsmodels' GLM with the same
targets gives the digits, and the largest difference between the two is kept too. The isotonic fit takes the
probabilities (CalibratedClassifierCV would take a logistic regression's log odds, and interpolate along them).
"""
import csv
import json
import sys

import numpy
import statsmodels.api as sm
from sklearn.calibration import CalibratedClassifierCV, _SigmoidCalibration, calibration_curve
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

ASKED = [0, 0.004, 0.1, 0.25, 0.3337, 0.5, 0.61, 0.75, 0.9, 0.999, 1]


def log_odds(p):
    p = numpy.clip(p, 1e-15, 1 - 1e-15)
    return numpy.log(p) - numpy.log1p(-p)


def platt(p, y):
    """slope and intercept; statsmodels'"""
    positives = y.sum()
    targets = numpy.where(y > 0, (positives + 1) / (positives + 2), 1 / (len(y) - positives + 2))
    # A row of each label with the target's weight is a binomial model with fractional targets.
    x = numpy.concatenate([log_odds(p), log_odds(p)])
    weights = numpy.concatenate([targets, 1 - targets])
    label = numpy.concatenate([numpy.ones(len(y)), numpy.zeros(len(y))])
    fit = sm.GLM(label, sm.add_constant(x), family=sm.families.Binomial(), freq_weights=weights).fit(tol=1e-15, maxiter=500)
    return fit.params[1], fit.params[0]


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


def summary(p, y, buckets, strategy):
    observed, mean = calibration_curve(y, p, n_bins=buckets, strategy=strategy)
    edges = numpy.linspace(0, 1, buckets + 1) if strategy == "uniform" else numpy.percentile(p, numpy.linspace(0, 1, buckets + 1) * 100)
    ids = numpy.searchsorted(edges[1:-1], p)
    counts = numpy.bincount(ids, minlength=buckets)
    counts = counts[counts > 0]
    share = counts / len(p)
    return {
        "observed": observed.tolist(), "mean": mean.tolist(), "rows": counts.tolist(),
        "expected_calibration_error": float((share * numpy.abs(observed - mean)).sum()),
        "maximum_calibration_error": float(numpy.abs(observed - mean).max()),
        "brier_score": brier_score_loss(y, p),
        "reliability": float((share * (observed - mean) ** 2).sum()),
        "resolution": float((share * (observed - y.mean()) ** 2).sum()),
    }


def parts(name, label, inputs):
    with open(f"../oracles/models/{name}.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = [[r for i, r in enumerate(rows, 1) if i % 3 == part] for part in (1, 2, 0)]
    x = [numpy.array([[float(r[i]) for i in inputs] for r in part]) for part in chosen]
    center, spread = x[0].mean(0), x[0].std(0)
    return [(part - center) / spread for part in x], [numpy.array([r[label] for r in part]) for part in chosen]


def classifier(x, y, l2):
    return LogisticRegression(C=1 / l2, tol=1e-14, max_iter=100000, solver="newton-cholesky").fit(x, y)


def main():
    random = numpy.random.default_rng(3)
    p = (random.beta(1.2, 1.6, size=400) * 200).round() / 200
    y = (random.uniform(size=400) < p**2 * 0.8 + 0.1).astype(float)
    isotonic = IsotonicRegression(out_of_bounds="clip").fit(p, y)
    slope, intercept = platt(p, y)
    learnt = _SigmoidCalibration().fit(log_odds(p), y)
    out = {"rows": {
        "probability": p.tolist(), "positive": y.tolist(), "asked": ASKED,
        "isotonic": isotonic.predict(numpy.array(ASKED)).tolist(),
        "thresholds": [isotonic.X_thresholds_.tolist(), isotonic.y_thresholds_.tolist()],
        "sigmoid": {"slope": slope, "intercept": intercept,
                    "scikit_learn_differs_by": float(max(abs(-learnt.a_ - slope), abs(-learnt.b_ - intercept)))},
        "curves": [[n, s, summary(p, y, n, s)] for n in (1, 5, 10, 13) for s in ("uniform", "quantile")],
    }}

    x, label = parts("logit_birthwt", "low", ["age", "lwt", "smoke", "ptl", "ht", "ui", "ftv"])
    y = [part.astype(float) for part in label]
    model = classifier(x[0], y[0], 3.0)
    p = [model.predict_proba(part)[:, 1] for part in x]
    slope, intercept = platt(p[1], y[1])
    calibrated = {
        "none": p[2],
        "isotonic": IsotonicRegression(out_of_bounds="clip").fit(p[1], y[1]).predict(p[2]),
        "sigmoid": sigmoid(slope * log_odds(p[2]) + intercept),
    }
    learnt = CalibratedClassifierCV(FrozenEstimator(model), method="sigmoid").fit(x[1], y[1]).predict_proba(x[2])[:, 1]
    out["births"] = {"scikit_learn_differs_by": float(numpy.abs(learnt - calibrated["sigmoid"]).max())}
    for method, values in calibrated.items():
        out["births"][method] = {"first": values[:5].tolist(), "sum": values.sum(), "curve": summary(values, y[2], 5, "quantile")}

    x, label = parts("kmeans_iris", "species", ["sepal_length", "sepal_width"])
    model = classifier(x[0], label[0], 1.5)
    p = [model.predict_proba(part) for part in x]
    out["iris"] = {"classes": list(model.classes_)}
    for method in ("isotonic", "sigmoid"):
        columns = []
        for k, name in enumerate(model.classes_):
            positive = (label[1] == name).astype(float)
            if method == "isotonic":
                columns.append(IsotonicRegression(out_of_bounds="clip").fit(p[1][:, k], positive).predict(p[2][:, k]))
            else:
                slope, intercept = platt(p[1][:, k], positive)
                columns.append(sigmoid(slope * log_odds(p[2][:, k]) + intercept))
        together = numpy.column_stack(columns)
        together /= together.sum(1)[:, None]
        out["iris"][method] = {"first": together[:3].tolist(), "sums": together.sum(0).tolist()}
    virginica = p[2][:, 2]
    out["iris"]["curve_virginica"] = summary(virginica, (label[2] == "virginica").astype(float), 4, "uniform")
    json.dump(out, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
