# SPDX-License-Identifier: Apache-2.0
"""ML.PREDICT over a lake table against the same formula written out in SQL."""
import measure
import wide_table


def main():
    measure.begin(f"predict: sum of ML.PREDICT over {wide_table.ROWS:,} rows x {len(wide_table.FEATURES)} features")
    project = wide_table.project()
    project.sql(wide_table.train("line"))
    weights = wide_table.weights(project, "line")
    formula = " + ".join(f"CAST('{weights[name]!r}' AS DOUBLE) * {name}" for name in wide_table.FEATURES)
    by_model = "SELECT sum(predicted_y) AS total FROM ML.PREDICT(MODEL line, TABLE gold.wide)"
    by_formula = f"SELECT sum({formula} + CAST('{weights['__INTERCEPT__']!r}' AS DOUBLE)) AS total FROM gold.wide"
    costs, results = project.costs([by_model, by_formula] * (measure.REPETITIONS + 1))
    for ours, theirs in zip(results[::2], results[1::2]):
        measure.agree("sum of predictions", ours[0]["total"], theirs[0]["total"])
    model, plain = costs[2::2], costs[3::2]
    measure.report("braid: ML.PREDICT", model)
    measure.report("braid: formula in SQL", plain)
    measure.against("speed of ML.PREDICT / formula", measure.median(plain) / measure.median(model), ">=", 0.9)


if __name__ == "__main__":
    main()
