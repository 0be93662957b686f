# SPDX-License-Identifier: Apache-2.0
"""Boosted trees the way around, in a process of its own, so that its memory can be told: Parquet to a data frame to XGBoost.

    tree_peer.py FILES LABEL PARAMETERS ROUNDS REPETITIONS

Prints JSON: seconds and CPU seconds of each step, the most memory before scoring, the mean log loss, the sum of the probabilities.
"""
import json
import resource
import sys
import time

import duckdb
import numpy as np
import xgboost


def clocked(action):
    begin, used = time.perf_counter(), time.process_time()
    result = action()
    return result, {"seconds": time.perf_counter() - begin, "cpu_seconds": time.process_time() - used}


def read(files):
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT * FROM read_parquet('{files}')").df()


def main(files, label, parameters, rounds, repetitions):
    frame, loading = clocked(lambda: read(files))
    inputs = frame.drop(columns=[label])
    labels = frame[label].to_numpy()
    names = list(inputs.columns)
    matrix, preparing = clocked(lambda: xgboost.DMatrix(inputs.to_numpy(), labels, feature_names=names))
    model, training = clocked(lambda: xgboost.train(json.loads(parameters), matrix, int(rounds)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    raw = inputs.to_numpy()
    model.set_param({"predictor": "cpu_predictor"})
    scoring = []
    for _ in range(int(repetitions) + 1):
        probabilities, in_place = clocked(lambda: model.inplace_predict(raw))
        fresh, by_matrix = clocked(lambda: model.predict(xgboost.DMatrix(raw, feature_names=names)))
        scoring.append(min(in_place, by_matrix, key=lambda cost: cost["seconds"]))
        if not np.allclose(probabilities, fresh, atol=1e-6):
            sys.exit("wrong: XGBoost's two ways to predict differ")
    p = probabilities.astype(float)
    print(json.dumps({"loading": loading, "preparing": preparing, "training": training, "peak_bytes": peak,
                      "scoring": scoring[1:], "total": p.sum(), "log_loss": -np.log(np.where(labels, p, 1 - p)).mean()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
