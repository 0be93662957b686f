# SPDX-License-Identifier: Apache-2.0
"""Boosted trees: what Braid adds to XGBoost's own training time, its memory against pandas and XGBoost, and scoring against XGBoost's."""
import json
import os
import pathlib
import statistics
import subprocess
import sys

import measure
from wide_table import uniform

ROWS = measure.size(1_000_000, 200_000, 20_000)
FEATURES = [f"c{number}" for number in range(1, 21)]
ROUNDS = 100
PARAMETERS = {"objective": "binary:logistic", "eta": 0.1, "max_depth": 6, "lambda": 1, "min_child_weight": 1,
              "tree_method": "hist", "base_score": 0.5}
TRAIN = ("CREATE OR REPLACE MODEL trees OPTIONS (model_type = 'boosted_tree_classifier', input_label_cols = ['y'], "
         f"max_iterations = {ROUNDS}, early_stop = FALSE, learn_rate = 0.1, max_tree_depth = 6, l2_reg = 1, "
         "data_split_method = 'no_split') AS SELECT * FROM gold.rows")
PEER = str(pathlib.Path(__file__).with_name("tree_peer.py"))


def table():
    made = measure.Project("trees")
    columns = ", ".join(f"{uniform(i)} AS {name}" for i, name in enumerate(FEATURES))
    odds = "6 * (c1 - 0.5) * (c2 - 0.5) + 3 * CAST(c3 > 0.7 AS INTEGER) - 2 * abs(c4 - c5) + sin(8 * c6) + c7 * c8 - c9"
    made.sql(f"CREATE TABLE gold.rows AS SELECT * EXCLUDE (luck), luck < 1 / (1 + exp(-({odds}))) AS y "
             f"FROM (SELECT {columns}, {uniform(63)} AS luck FROM range({ROWS}))")
    return made


def peer(files):
    done = subprocess.run([sys.executable, PEER, files, "y", json.dumps(PARAMETERS), str(ROUNDS), str(measure.REPETITIONS)],
                          env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},  # threads that wait must not spin on a busy machine
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"the peer exited with {done.returncode}\n{done.stderr[-2000:]}")
    return json.loads(done.stdout)


def train(project):
    costs, _ = project.costs(["SELECT 1", TRAIN])
    return costs[1], project.last.peak_bytes


def library(answers):
    """What XGBoost takes once the rows are in memory: its matrix and the training."""
    return [measure.Cost(*(answer["preparing"][key] + answer["training"][key] for key in ("seconds", "cpu_seconds")))
            for answer in answers]


def main():
    measure.begin(f"trees: boosted_tree_classifier, {ROWS:,} rows x {len(FEATURES)} features, {ROUNDS} trees of depth 6")
    project = table()
    files = project.parquet("gold.rows")
    ours, theirs = measure.rounds(lambda: train(project), lambda: peer(files))
    trained, peaks = zip(*ours)
    score = "SELECT sum(list_filter(predicted_y_probs, lambda p: p.label)[1].prob) AS total FROM ML.PREDICT(MODEL trees, TABLE gold.rows)"
    costs, results = project.costs([score] * (measure.REPETITIONS + 1))
    judged, = project.sql("SELECT log_loss FROM ML.EVALUATE(MODEL trees, TABLE gold.rows)")
    measure.agree("mean log loss on the training rows", judged[0]["log_loss"], theirs[-1]["log_loss"], 1e-3)
    measure.agree("sum of the probabilities", results[-1][0]["total"], theirs[-1]["total"], 1e-3)

    measure.report("braid: CREATE OR REPLACE MODEL", trained)
    measure.report("XGBoost: its matrix and training, in memory", library(theirs))
    measure.memory("braid: most memory of the process", peaks)
    measure.memory("pandas -> XGBoost: most memory", [answer["peak_bytes"] for answer in theirs])
    scored = costs[1:]
    fastest = [measure.Cost(**cost) for answer in theirs for cost in answer["scoring"]]
    measure.report("braid: sum over ML.PREDICT", scored)
    measure.report("XGBoost: its faster way, rows in memory", fastest)
    measure.against("training / XGBoost's own", measure.median(trained) / measure.median(library(theirs)), "<=", 1.1)
    measure.against("memory / pandas -> XGBoost",
                    statistics.median(peaks) / statistics.median(answer["peak_bytes"] for answer in theirs), "<=", 0.6)
    measure.against("scoring / XGBoost's own", measure.median(scored) / measure.median(fastest), "<=", 0.8)


if __name__ == "__main__":
    main()
