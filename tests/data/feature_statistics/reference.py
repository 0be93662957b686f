#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Usage, in this folder: reference.py   (needs numpy, pandas, scipy, scikit-learn)

Makes rows.csv, and what others say of them: describe.csv (pandas), distance.csv (numpy's histograms,
brought to common bounds, and scipy's Jensen-Shannon distance to the base 2, squared), tf_idf.csv
(scikit-learn's counts and BigQuery ML's formula), importance.csv (scikit-learn's
permutation_importance with 400 repeats).
"""
import numpy as np
import pandas as pd
from scipy.spatial.distance import jensenshannon
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression

WORDS = ["ash", "birch", "cedar", "oak", "pine", "yew"]


def rows():
    random = np.random.default_rng(20)
    sides = []
    for side, count, shift in (("base", 300, 0.0), ("study", 250, 0.8)):
        x = np.round(random.normal(shift, 1, count), 6)
        z = np.round(random.gamma(2 + shift, 3, count), 6)
        w = np.round(random.uniform(0, 1, count), 6)
        k = random.choice(["north", "south", "east", "west"], count, p=[.4, .3, .2, .1] if side == "base" else [.25, .35, .1, .3])
        words = [" ".join(random.choice(WORDS, 1 + i % 5, p=[.3, .25, .2, .1, .1, .05])) for i in range(count)]
        y = np.round(2 * x - 0.5 * z + 0.2 * w + random.normal(0, 1, count), 6)
        table = pd.DataFrame({"side": side, "x": x, "z": z, "w": w, "k": k, "words": words, "y": y})
        table.loc[table.index % 17 == 3, "k"] = None
        sides.append(table)
    table = pd.concat(sides, ignore_index=True)
    table.insert(0, "id", range(len(table)))
    table["missing"] = table["z"].where(table["id"] % 9 != 4)
    return table


def describe(table):
    out = []
    for name in ("x", "z", "w", "missing"):
        values = table[name]
        out.append({"name": name, "num_nulls": values.isna().sum(), "mean": values.mean(), "stdev": values.std(), "median": values.median(),
                    "q25": np.quantile(values.dropna(), .25, method="inverted_cdf")})
    return pd.DataFrame(out)


def common_shares(base, study, buckets):
    """Equal-width histograms of either side, values spread evenly over a bucket, cut at all bounds."""
    histograms = [np.histogram(side, buckets) for side in (base, study)]
    cuts = np.unique(np.concatenate([bounds for _, bounds in histograms]))
    shares = []
    for counts, bounds in histograms:
        cumulated = np.interp(cuts, bounds, np.concatenate([[0], np.cumsum(counts)]))
        shares.append(np.diff(cumulated) / counts.sum())
    return shares


def distances(table):
    base, study = table[table.side == "base"], table[table.side == "study"]
    out = []
    for name in ("x", "z", "w", "missing"):
        for buckets in (10, 25):
            p, q = common_shares(base[name].dropna(), study[name].dropna(), buckets)
            out.append((name, "JENSEN_SHANNON_DIVERGENCE", buckets, jensenshannon(p, q, base=2) ** 2))
    p, q = (side["k"].value_counts(normalize=True).reindex(["east", "north", "south", "west"], fill_value=0) for side in (base, study))
    out.append(("k", "L_INFTY", 10, (p - q).abs().max()))
    out.append(("k", "JENSEN_SHANNON_DIVERGENCE", 10, jensenshannon(p, q, base=2) ** 2))
    return pd.DataFrame(out, columns=["input", "metric", "buckets", "value"])


def tf_idf(table, top_k=4, threshold=1):
    documents = [text.split(" ") for text in table["words"]]
    counts = CountVectorizer(analyzer=lambda words: words, vocabulary=WORDS).fit_transform(documents).toarray()
    frequency = (counts > 0).sum(0)
    known = sorted(sorted(range(len(WORDS)), key=lambda i: (-frequency[i], WORDS[i]))[:top_k])
    idf = np.log(1 + len(documents) / (1 + frequency[known]))
    out = []
    for i, document in enumerate(documents):
        unknown = len(document) - counts[i, known].sum()
        if unknown:
            out.append((i, 0, unknown / len(document) * idf.mean()))
        out += [(i, j + 1, counts[i, word] / len(document) * idf[j]) for j, word in enumerate(known) if counts[i, word]]
    return pd.DataFrame(out, columns=["id", "index", "value"])


def importance(table):
    base = table[table.side == "base"]
    inputs = base[["x", "z", "w"]]
    out = []
    for label, y, fit, scorings in (("y", base["y"], LinearRegression(), ["r2", "neg_mean_squared_error"]),
                                    ("high", base["y"] > -3, LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000), ["accuracy", "neg_log_loss"])):
        fit.fit(inputs, y)
        for scoring in scorings:
            found = permutation_importance(fit, inputs, y, scoring=scoring, n_repeats=400, random_state=1)
            name = {"r2": "r2_score"}.get(scoring, scoring.removeprefix("neg_"))
            out += [(label, name, feature, mean, deviation) for feature, mean, deviation in
                    zip(inputs.columns, found.importances_mean, found.importances.std(1, ddof=1))]
    return pd.DataFrame(out, columns=["label", "metric", "feature", "importance", "deviation"])


def main():
    table = rows()
    table.to_csv("rows.csv", index=False)
    for name, make in (("describe", describe), ("distance", distances), ("tf_idf", tf_idf), ("importance", importance)):
        make(table).to_csv(f"{name}.csv", index=False)


if __name__ == "__main__":
    main()
