# SPDX-License-Identifier: Apache-2.0
"""k-means in place against scikit-learn, from Parquet to the centroids: as many iterations at most, losses compared."""
import duckdb
import numpy as np
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

import measure
from wide_table import uniform

ROWS = measure.size(5_000_000, 500_000, 20_000)
FEATURES = [f"c{number}" for number in range(1, 11)]
CLUSTERS = 20
ITERATIONS = 20
TRAIN = ("CREATE OR REPLACE MODEL groups OPTIONS (model_type = 'kmeans', "
         f"num_clusters = {CLUSTERS}, max_iterations = {ITERATIONS}, early_stop = FALSE) AS SELECT * FROM gold.clouds")


def table():
    """Twenty clouds that overlap, so that nobody is done early: a centre drawn for each, and the sum of three draws about it."""
    made = measure.Project("clouds")
    columns = ", ".join(
        f"1.5 * (hash(range % {CLUSTERS} * 64 + {i}) / 18446744073709551616.0) + {uniform(3 * i)} + {uniform(3 * i + 1)} "
        f"+ {uniform(3 * i + 2)} AS {name}" for i, name in enumerate(FEATURES))
    made.sql(f"CREATE TABLE gold.clouds AS SELECT {columns} FROM range({ROWS})")
    return made


def read(files):
    with duckdb.connect() as connection:
        columns = connection.execute(f"SELECT * FROM read_parquet('{files}')").fetchnumpy()
    rows = np.column_stack([columns[name] for name in FEATURES])
    measure.expect("rows that the peer reads", len(rows), ROWS)
    return StandardScaler().fit_transform(rows)


def fit(files, fitted, alone):
    rows = read(files)
    model = KMeans(CLUSTERS, n_init=1, max_iter=ITERATIONS, tol=0, algorithm="lloyd", random_state=len(fitted))
    alone.append(measure.cost(lambda: fitted.append(model.fit(rows))))


def check(project, files, fitted):
    """Braid's loss is that of its centroids as NumPy sees it, and as low as its peer's, which may end in another minimum."""
    losses, centroids = project.sql("SELECT mean_squared_distance AS loss FROM ML.EVALUATE(MODEL groups)",
                                    "SELECT * FROM ML.CENTROIDS(MODEL groups)")
    with duckdb.connect() as connection:
        moments = connection.execute(f"SELECT {', '.join(f'avg({c}), stddev_pop({c})' for c in FEATURES)} "
                                     f"FROM read_parquet('{files}')").fetchone()
    mean = dict(zip(FEATURES, moments[::2]))
    deviation = dict(zip(FEATURES, moments[1::2]))
    by_id = {}
    for row in centroids:
        name = row["feature"]
        by_id.setdefault(row["centroid_id"], {})[name] = (row["numerical_value"] - mean[name]) / deviation[name]
    centres = np.array([[centre[name] for name in FEATURES] for centre in by_id.values()])
    rows, total = read(files), 0.0
    for part in np.array_split(rows, max(1, len(rows) // 100_000)):
        distances = (part**2).sum(1)[:, None] - 2 * part @ centres.T + (centres**2).sum(1)
        total += distances.min(1).sum()
    measure.agree("mean squared distance to the centroids", losses[0]["loss"], float(total / ROWS), 1e-6)
    theirs = min(model.inertia_ / ROWS for model in fitted)
    if losses[0]["loss"] > 1.05 * theirs:
        raise SystemExit(f"wrong: a loss of {losses[0]['loss']}, its peer reaches {theirs}")
    return losses[0]["loss"], sorted(model.inertia_ / ROWS for model in fitted)


def main():
    measure.begin(f"kmeans: {ROWS:,} rows x {len(FEATURES)}, {CLUSTERS} clusters, at most {ITERATIONS} iterations")
    project = table()
    files = project.parquet("gold.clouds")
    fitted, alone = [], []
    trained, around = measure.rounds(lambda: project.costs(["SELECT 1", TRAIN])[0][1],
                                     lambda: measure.cost(lambda: fit(files, fitted, alone)))
    loss, losses = check(project, files, fitted)
    measure.report("braid: CREATE OR REPLACE MODEL", trained)
    measure.report("DuckDB -> NumPy -> scikit-learn", around)
    measure.report("scikit-learn: KMeans.fit alone", alone[1:])
    iterations, = project.sql("SELECT count(*) AS n FROM ML.TRAINING_INFO(MODEL groups)")
    measure.line("iterations", f"braid {iterations[0]['n']}, scikit-learn {sorted(m.n_iter_ for m in fitted)}")
    measure.line("loss", f"braid {loss:.6f}, scikit-learn {losses[0]:.6f} to {losses[-1]:.6f}")
    measure.against("scikit-learn / training", measure.median(around) / measure.median(trained), ">=", 5)


if __name__ == "__main__":
    main()
