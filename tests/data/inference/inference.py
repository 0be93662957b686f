#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: inference.py > inference.json   (from this folder; needs statsmodels 0.15, scipy, pandas)

Standard errors, variance inflation and intervals by statsmodels, and quantiles by scipy, for the tests of
`ml` on the tables in ../oracles/models.
"""
import json
import sys

import numpy
import pandas
import scipy.stats
import statsmodels
import statsmodels.api as sm
from statsmodels.stats.outliers_influence import variance_inflation_factor

cars = pandas.read_csv("../oracles/models/ols_mtcars.csv")
# The most frequent cylinder count is the reference.
x = pandas.DataFrame(
    {"const": 1.0, "wt": cars.wt, "hp": cars.hp, "c4": (cars.cyl == "c4") * 1.0, "c6": (cars.cyl == "c6") * 1.0}
)
fit = sm.OLS(cars.mpg, x).fit()
numeric = sm.OLS(cars.mpg, x[["const", "wt", "hp"]]).fit()
intervals = fit.get_prediction(x).summary_frame(alpha=0.1)
correlation = numpy.corrcoef(x[["wt", "hp", "c4", "c6"]].values.T)
out = {
    "made_with": {"statsmodels": statsmodels.__version__, "scipy": scipy.__version__},
    "mtcars": {
        "errors": {"CLASSICAL": dict(fit.bse)}
        | {kind: dict(zip(x.columns, fit.get_robustcov_results(kind).bse.tolist())) for kind in ("HC0", "HC1", "HC2", "HC3")},
        "p_values_t": dict(fit.pvalues),
        "intervals_90_first5": intervals.head(5)[["mean", "mean_ci_lower", "mean_ci_upper", "obs_ci_lower", "obs_ci_upper"]].values.tolist(),
        "gvif": {
            "wt": numpy.linalg.det(correlation[:1, :1]) * numpy.linalg.det(correlation[1:, 1:]) / numpy.linalg.det(correlation),
            "cyl": numpy.linalg.det(correlation[2:, 2:]) * numpy.linalg.det(correlation[:2, :2]) / numpy.linalg.det(correlation),
        },
    },
    "mtcars_numeric": {
        "errors": dict(numeric.bse),
        "vif": {"wt": variance_inflation_factor(x[["const", "wt", "hp"]].values, 1)},
    },
}

penguins = pandas.read_csv("../oracles/models/multinomial_penguins.csv")
label = json.load(open("../oracles/models/multinomial_penguins.json"))["spec"]["label"]
inputs = [c for c in penguins.columns if c != label and pandas.api.types.is_numeric_dtype(penguins[c])][:2]
design = sm.add_constant(penguins[inputs] - 0.0)
codes = pandas.Categorical(penguins[label])
multinomial = sm.MNLogit(codes.codes, design).fit(disp=0, maxiter=500, method="newton", tol=1e-10)
covariance = numpy.asarray(multinomial.cov_params())
k, p = len(codes.categories), design.shape[1]
# Weights that sum to zero over the classes instead of a first class of zeros.
contrast = numpy.eye(k)[:, 1:] - 1.0 / k
transform = numpy.kron(contrast, numpy.eye(p))
errors = numpy.sqrt(numpy.diag(transform @ covariance @ transform.T)).reshape(k, p)
weights = (contrast @ numpy.asarray(multinomial.params).T)
out["multinomial"] = {
    "label": label,
    "inputs": inputs,
    "classes": list(codes.categories),
    "weights": weights.tolist(),
    "errors": errors.tolist(),
    "columns": ["__INTERCEPT__"] + inputs,
}
out["quantiles"] = {
    "normal": [[q, scipy.stats.norm.ppf(q)] for q in (1e-10, 0.025, 0.3, 0.975, 0.9999)],
    "student": [[q, d, scipy.stats.t.ppf(q, d)] for q in (0.001, 0.05, 0.6, 0.975, 0.9999) for d in (1, 2, 7.5, 30, 1000)],
    "fisher": [[f, a, b, scipy.stats.f.sf(f, a, b)] for f in (0.1, 1.0, 4.5, 80.0) for a, b in ((1, 5), (3, 27), (10, 200))],
}
json.dump(out, sys.stdout, indent=1)
print()
