#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes encodings.csv and encodings.json: trees over encoded categories by XGBoost 3.2, pandas 3.1 and scikit-learn 1.9.

one_hot: XGBoost over pandas.get_dummies, the indicators in place of their column (what NULL and unseen texts have is 0 in all).
target: scikit-learn's TargetEncoder, the folds given. `fold` of a row deals the rows out as Braid does with seed 1: std::mt19937_64
shuffles them, classes follow one another, every fifth goes to a fold. `encoded`: of the training rows (cross fitting), and of all levels,
NULL and an unseen text (all rows). XGBoost's predictions are of rows encoded by all rows.
Run it in its folder.
"""
import json

import numpy as np
import pandas as pd
import xgboost
from sklearn.preprocessing import TargetEncoder

ROWS, ROUNDS, SEED = 400, 20, 1
CITIES = ["Aachen", "Bonn", "Celle", "Dresden", "Essen", "Fulda", "Gera"]


class Mt64:
    """std::mt19937_64."""

    def __init__(self, seed):
        self.state, self.at = [seed & (2**64 - 1)], 312
        for i in range(1, 312):
            last = self.state[-1]
            self.state.append((6364136223846793005 * (last ^ (last >> 62)) + i) & (2**64 - 1))

    def next(self):
        if self.at == 312:
            for i in range(312):
                x = (self.state[i] & 0xFFFFFFFF80000000) | (self.state[(i + 1) % 312] & 0x7FFFFFFF)
                self.state[i] = self.state[(i + 156) % 312] ^ (x >> 1) ^ (0xB5026F5AA96619E9 if x & 1 else 0)
            self.at = 0
        x = self.state[self.at]
        self.at += 1
        x ^= (x >> 29) & 0x5555555555555555
        x ^= (x << 17) & 0x71D67FFFEDA60000
        x ^= (x << 37) & 0xFFF7EEE000000000
        return (x ^ (x >> 43)) & (2**64 - 1)


def deal(label):
    """label: None for a regression."""
    random, order = Mt64(SEED), list(range(ROWS))
    for i in range(ROWS, 1, -1):
        other = random.next() % i
        order[i - 1], order[other] = order[other], order[i - 1]
    if label is not None:
        order.sort(key=lambda row: label[row])
    fold = np.zeros(ROWS, int)
    fold[order] = np.arange(ROWS) % 5
    return fold


def table():
    rng = np.random.default_rng(9)
    city = rng.choice(len(CITIES), ROWS, p=[0.3, 0.25, 0.2, 0.12, 0.08, 0.04, 0.01])
    size = rng.choice(["l", "m", "s"], ROWS)
    x = rng.normal(size=ROWS).round(3)
    y = 100 + x + np.array([0, 3, -2, 1, 5, -4, 2])[city] + (size == "m") * x + rng.normal(0, 0.5, ROWS)
    names = np.array(CITIES, dtype=object)[city]
    names[rng.random(ROWS) < 0.06] = None
    return pd.DataFrame({"x": x, "city": names, "size": size, "y": y.round(3), "two": np.where(y > 101, "yes", "no"),
                         "three": np.select([y < 99, y < 102], ["a", "b"], "c")})


def train(columns, label, classes, asked):
    parameters = {"tree_method": "hist", "max_depth": 6, "eta": 0.3, "lambda": 1, "nthread": 1, "seed": SEED,
                  "base_score": 0.5 if classes == 2 else 0,
                  "objective": {0: "reg:squarederror", 2: "binary:logistic"}.get(classes, "multi:softprob")}
    if classes > 2:
        parameters["num_class"] = classes
    base = float(np.mean(label)) if classes == 0 else 0.0
    booster = xgboost.train(parameters, xgboost.DMatrix(columns.astype(np.float32), np.asarray(label, float) - base), ROUNDS)
    asked = xgboost.DMatrix(asked.astype(np.float32))
    return {"predictions": (booster.predict(asked).astype(float) + base).tolist(),
            "contributions": booster.predict(asked, pred_contribs=True).astype(float).tolist()}


def one_hot(frame):
    columns = []
    for name in ("x", "city", "size"):
        columns.append(frame[[name]].to_numpy(float) if name == "x" else pd.get_dummies(frame[name]).to_numpy(float))
    return np.hstack(columns)


def target(frame, label, classes):
    fold = deal(None if classes == 0 else label)
    splits = [(np.flatnonzero(fold != f), np.flatnonzero(fold == f)) for f in range(5)]
    kind = {0: "continuous", 2: "binary"}.get(classes, "multiclass")
    categories = frame[["city", "size"]].astype(object).fillna(np.nan)
    centred = np.asarray(label) - np.mean(label) if classes == 0 else np.asarray(label)
    encoder = TargetEncoder(target_type=kind, smooth="auto", cv=splits)
    crossed = encoder.fit_transform(categories, centred)
    whole = TargetEncoder(target_type=kind, smooth="auto").fit(categories, centred)
    asked = pd.DataFrame({"city": CITIES + [np.nan, "Zittau"], "size": ["l", "m", "s"] * 3}, dtype=object)
    crossed_rows = np.hstack([frame[["x"]].to_numpy(), crossed])
    whole_rows = np.hstack([frame[["x"]].to_numpy(), whole.transform(categories)])
    return {"fold": fold.tolist(), "encoded": crossed.tolist(), "levels": whole.transform(asked).tolist(),
            **train(crossed_rows, label, classes, whole_rows)}


def main():
    frame = table()
    frame.to_csv("encodings.csv", index=False)
    reference = {"rounds": ROUNDS, "seed": SEED, "cases": []}
    for name in ("y", "two", "three"):
        classes = 0 if name == "y" else frame[name].nunique()
        label = frame[name].to_numpy() if classes == 0 else frame[name].astype("category").cat.codes.to_numpy().astype(int)
        rows = one_hot(frame)
        reference["cases"].append({"label": name, "classes": classes, "one_hot": train(rows, label, classes, rows),
                                   "target": target(frame, label, classes)})
    with open("encodings.json", "w") as file:
        json.dump(reference, file)
        file.write("\n")


if __name__ == "__main__":
    main()
