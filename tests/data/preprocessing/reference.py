#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: reference.py > reference.csv   (needs scikit-learn 1.9, numpy)

What scikit-learn makes of 101 rows. With 4k + 1 rows its interpolated quartiles are values that occur, as
those of ML.ROBUST_SCALER and ML.QUANTILE_BUCKETIZE are. Its StandardScaler divides by the population's
deviation, ML.STANDARD_SCALER by the sample's: the column `standard` is scaled accordingly.
"""
import csv
import math
import sys

import numpy
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import (KBinsDiscretizer, LabelEncoder, MaxAbsScaler, MinMaxScaler, MultiLabelBinarizer,
                                   Normalizer, OneHotEncoder, PolynomialFeatures, RobustScaler, StandardScaler)

N = 101
WORDS = ["ash", "birch", "cedar", "oak", "pine"]


def main():
    index = numpy.arange(N)
    x = ((index * 37) % N) * 1.7 - 40 + (index % 5) ** 2 / 8
    y = numpy.sqrt(index + 1.0) - (index * 11) % 13
    z = numpy.where(index % 6 == 0, numpy.nan, numpy.floor(((index * 53) % N) / 7))
    s = numpy.array([WORDS[(i * i) % 5] for i in index])
    lists = [[WORDS[(i * k) % 5] for k in range(1, 1 + i % 4)] for i in index]
    column = x.reshape(-1, 1)
    hole = z.reshape(-1, 1)

    def bins(count):
        return KBinsDiscretizer(count, encode="ordinal", strategy="quantile", quantile_method="linear",
                                subsample=None).fit_transform(column).ravel() + 1

    table = {
        "id": index, "x": x, "y": y, "z": z, "s": s, "words": [" ".join(words) for words in lists],
        "standard": StandardScaler().fit_transform(column).ravel() * math.sqrt((N - 1) / N),
        "min_max": MinMaxScaler().fit_transform(column).ravel(),
        "max_abs": MaxAbsScaler().fit_transform(column).ravel(),
        "robust": RobustScaler().fit_transform(column).ravel(),
        "robust_10_90": RobustScaler(quantile_range=(10, 90)).fit_transform(column).ravel(),
        "robust_uncentred": RobustScaler(with_centering=False).fit_transform(column).ravel(),
        "imputed_mean": SimpleImputer(strategy="mean").fit_transform(hole).ravel(),
        "imputed_median": SimpleImputer(strategy="median").fit_transform(hole).ravel(),
        "imputed_mode": SimpleImputer(strategy="most_frequent").fit_transform(hole).ravel(),
        "bin_4": bins(4).astype(int), "bin_10": bins(10).astype(int),
        "bucket": numpy.digitize(x, [-20, 0, 7.5, 90]) + 1,
        "label": LabelEncoder().fit_transform(s) + 1,
    }
    imputed = SimpleImputer(strategy="mean").fit_transform(hole)
    table["standard_imputed"] = StandardScaler().fit_transform(imputed).ravel() * math.sqrt((N - 1) / N)
    one_hot = OneHotEncoder(sparse_output=False)
    hot = one_hot.fit_transform(s.reshape(-1, 1))
    for i, name in enumerate(one_hot.categories_[0]):
        table[f"s_{name}"] = hot[:, i].astype(int)
    several = MultiLabelBinarizer(classes=sorted(WORDS)).fit_transform(lists)
    counts = CountVectorizer(analyzer=lambda words: words, vocabulary=sorted(WORDS)).fit_transform(lists).toarray()
    for i, name in enumerate(sorted(WORDS)):
        table[f"has_{name}"] = several[:, i]
        table[f"count_{name}"] = counts[:, i]
    powers = PolynomialFeatures(degree=3, include_bias=False)
    expanded = powers.fit_transform(numpy.column_stack([x, y]))
    for i, row in enumerate(powers.powers_):
        table["_".join(["x"] * row[0] + ["y"] * row[1])] = expanded[:, i]
    del table["x"], table["y"]
    table["x"], table["y"] = x, y
    both = numpy.column_stack([x, y])
    for norm in ("l1", "l2", "max"):
        scaled = Normalizer(norm=norm).fit_transform(both)
        table[f"{norm}_x"], table[f"{norm}_y"] = scaled[:, 0], scaled[:, 1]

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(table)
    for row in zip(*table.values()):
        writer.writerow(["" if isinstance(v, float) and math.isnan(v) else v.item() if hasattr(v, "item") else v
                         for v in row])


if __name__ == "__main__":
    main()
