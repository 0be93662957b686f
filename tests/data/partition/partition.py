# SPDX-License-Identifier: Apache-2.0
"""Makes sales.csv and reference.json: a LinearRegression a group, its r2 and errors, and cross-validation of one
model of all rows on given folds, with and without each feature (scikit-learn)."""
import json
import pathlib

import numpy as np
import pandas as pd
import sklearn
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_squared_error, r2_score
from sklearn.model_selection import PredefinedSplit, cross_val_score

HERE = pathlib.Path(__file__).parent
FEATURES = ["price", "discount", "day"]


def rows():
    random = np.random.default_rng(7)
    parts = []
    for number, (region, product) in enumerate([(r, p) for r in ["north", "south", None] for p in [9, 10, 101]]):
        count = 25 + 5 * number
        frame = pd.DataFrame({
            "region": [region] * count,
            "product": product,
            "price": np.round(1e4 + 50 * random.standard_normal(count), 3),
            "discount": np.round(random.uniform(0, 0.4, count), 4),
            "day": random.integers(1, 366, count),
        })
        weights = random.normal(size=3)
        frame["sold"] = np.round(30 + weights[0] * (frame.price - 1e4) + 100 * weights[1] * frame.discount
                                 + 0.1 * weights[2] * frame.day + 5 * random.standard_normal(count), 4)
        parts.append(frame)
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.sample(frac=1, random_state=3).reset_index(drop=True)
    frame["fold"] = np.arange(len(frame)) % 4
    return frame


def groups(frame):
    for (region, product), part in frame.groupby(["region", "product"], dropna=False):
        model = LinearRegression().fit(part[FEATURES], part.sold)
        predicted = model.predict(part[FEATURES])
        yield {"region": None if pd.isna(region) else region, "product": int(product), "rows": len(part),
               "intercept": model.intercept_, **dict(zip(FEATURES, model.coef_)),
               "mean_squared_error": mean_squared_error(part.sold, predicted),
               "r2_score": r2_score(part.sold, predicted)}


def validated(frame, features):
    split = PredefinedSplit(frame.fold)
    errors = -cross_val_score(LinearRegression(), frame[features], frame.sold, cv=split,
                              scoring="neg_mean_squared_error")
    return {"mean_squared_error": errors.tolist(),
            "r2_score": cross_val_score(LinearRegression(), frame[features], frame.sold, cv=split,
                                        scoring="r2").tolist(),
            "explained_variance": cross_val_score(LinearRegression(), frame[features], frame.sold, cv=split,
                                                  scoring="explained_variance").tolist(),
            # Over all rows: the folds' errors weighted by their rows.
            "pooled": float(np.average(errors, weights=frame.groupby("fold").size()))}


def main():
    frame = rows()
    frame.to_csv(HERE / "sales.csv", index=False)
    frame = pd.read_csv(HERE / "sales.csv")
    reference = {
        "scikit-learn": sklearn.__version__,
        "groups": list(groups(frame)),
        "cross_validation": validated(frame, FEATURES),
        "without": {name: validated(frame, [other for other in FEATURES if other != name]) for name in FEATURES},
    }
    (HERE / "reference.json").write_text(json.dumps(reference, indent=1) + "\n")


if __name__ == "__main__":
    main()
