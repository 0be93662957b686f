#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the model files of this folder and reference.json, what their makers' own libraries answer:
scikit-learn 1.9.1 by skl2onnx 1.20.0, and XGBoost 3.2.0, on data sets that scikit-learn brings.
Run it in its folder."""
import json

import numpy as np
import onnx
import xgboost
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

iris = load_iris()
diabetes = load_diabetes()
flowers = iris.data.astype(np.float32)
patients = diabetes.data.astype(np.float32)
reference = {}


def rows(values, count=12):
    step = len(values) // count
    return values[:step * count:step]


def keep(name, values, answers, missing=False):
    values = [[None if isinstance(v, float) and np.isnan(v) else v for v in row] for row in np.asarray(values).tolist()]
    reference[name] = {"rows": values, "answers": np.asarray(answers, float).tolist()}


def save(name, graph):
    with open(name, "wb") as file:
        file.write(graph.SerializeToString())


# One input of four floats; labels and a tensor of probabilities.
forest = RandomForestClassifier(5, max_depth=3, random_state=0).fit(flowers, iris.target)
shape = [("flower", FloatTensorType([None, 4]))]
save("iris_forest.onnx", to_onnx(forest, initial_types=shape, options={"zipmap": False}))
save("iris_zipmap.onnx", to_onnx(forest, initial_types=shape, options={"zipmap": True}))
keep("iris_forest.onnx", rows(flowers), forest.predict_proba(rows(flowers)))

# The same with a batch of exactly one row.
one = to_onnx(forest, initial_types=[("flower", FloatTensorType([1, 4]))], options={"zipmap": False})
save("iris_one_row.onnx", one)

# Doubles of unknown width; one number.
ridge = make_pipeline(StandardScaler(), Ridge(1.0)).fit(diabetes.data, diabetes.target)
save("diabetes_ridge.onnx", to_onnx(ridge, initial_types=[("x", DoubleTensorType([None, None]))]))
keep("diabetes_ridge.onnx", rows(diabetes.data), ridge.predict(rows(diabetes.data))[:, None])

# Columns of their own, one of them text; labels are texts.
colours = np.array(["red", "green", "blue"])[(np.arange(150) * 7) % 3]
names = np.array(["setosa", "versicolor", "virginica"])[iris.target]
table = [("length", FloatTensorType([None, 1])), ("colour", StringTensorType([None, 1]))]
mixed = make_pipeline(ColumnTransformer([("n", StandardScaler(), [0]), ("c", OneHotEncoder(handle_unknown="ignore"), [1])]),
                      LogisticRegression())
cells = np.array([[float(length), colour] for length, colour in zip(flowers[:, 2], colours)], dtype=object)
mixed.fit(cells, names)
save("mixed_logistic.onnx", to_onnx(mixed, initial_types=table, options={"zipmap": False}))
keep("mixed_logistic.onnx", rows(cells), mixed.predict_proba(rows(cells)))


# XGBoost, as JSON and UBJSON.
def boost(name, values, labels, parameters, rounds=4, names=None):
    matrix = xgboost.DMatrix(values, labels, feature_names=names)
    booster = xgboost.train({"max_depth": 3, "seed": 0, "nthread": 1, **parameters}, matrix, rounds)
    booster.save_model(name)
    holes = rows(values).copy()
    holes[::4, 1] = np.nan
    answers = booster.predict(xgboost.DMatrix(holes, feature_names=names), iteration_range=(0, 0))
    keep(name, holes, answers if answers.ndim == 2 else answers[:, None])


columns = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
boost("binary.json", flowers, iris.target == 2, {"objective": "binary:logistic"}, names=columns)
boost("classes.ubj", flowers, iris.target, {"objective": "multi:softprob", "num_class": 3}, names=columns)
boost("two_classes.json", flowers, iris.target == 2, {"objective": "multi:softprob", "num_class": 2}, names=columns)
boost("forest.ubj", patients, diabetes.target, {"objective": "reg:squarederror", "num_parallel_tree": 3, "subsample": 0.7})
boost("dart.json", patients, diabetes.target, {"booster": "dart", "rate_drop": 0.5, "objective": "reg:squarederror"})
boost("poisson.json", patients, diabetes.target, {"objective": "count:poisson"}, rounds=1)

with open("reference.json", "w") as file:
    json.dump(reference, file, indent=1)
