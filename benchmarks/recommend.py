# SPDX-License-Identifier: Apache-2.0
"""Matrix factorization of counts (implicit feedback) against the library implicit: as many rounds of the same least squares.

Both minimise Σ (1 + α r)·([r > 0] − x·y)² + λ·(Σ ‖x‖² + Σ ‖y‖²); the objective of what each found is computed here by NumPy."""
import duckdb
import numpy as np
import scipy.sparse
import threadpoolctl
from implicit.als import AlternatingLeastSquares

import measure
from wide_table import uniform

ROWS = measure.size(5_000_000, 500_000, 20_000)
USERS = measure.size(100_000, 20_000, 1_000)
ITEMS = measure.size(20_000, 5_000, 300)
FACTORS = measure.size(32, 32, 8)
ROUNDS = 10
ALPHA, L2 = 2.0, 1.0
TRAIN = ("CREATE OR REPLACE MODEL tastes OPTIONS (model_type = 'matrix_factorization', feedback_type = 'IMPLICIT', "
         f"user_col = 'person', item_col = 'thing', rating_col = 'times', num_factors = {FACTORS}, l2_reg = {L2}, wals_alpha = {ALPHA}, "
         f"max_iterations = {ROUNDS}, early_stop = FALSE) AS SELECT person, thing, times FROM gold.counts")


def table():
    """A few people and things are in most of the rows; people of a kind like things of a kind."""
    made = measure.Project("counts")
    made.sql(f"""CREATE TABLE gold.counts AS
      SELECT person, thing, count(*) AS times FROM (
        SELECT CAST(floor({USERS} * {uniform(1)} ** 2) AS INTEGER) AS person,
          CAST(floor({ITEMS} / 10 * {uniform(2)} ** 2) AS INTEGER) AS place,
          CASE WHEN {uniform(3)} < 0.7 THEN person % 10 ELSE CAST(floor(10 * {uniform(4)}) AS INTEGER) END AS kind,
          10 * place + kind AS thing
        FROM range({ROWS})) GROUP BY person, thing""")
    return made


def read(files):
    """Confidence by person and thing, and how the library wants it: it takes 0 from no entry, 1 from all others."""
    with duckdb.connect() as connection:
        columns = connection.execute(f"SELECT * FROM read_parquet('{files}')").fetchnumpy()
    confidence = (1 + ALPHA * columns["times"]).astype(np.float32)
    return scipy.sparse.csr_matrix((confidence, (columns["person"], columns["thing"])), shape=(USERS, ITEMS))


def fit(files, fitted, exactly):
    """exactly: solves each system by Cholesky, as Braid does; else three steps of conjugate gradients, the library's default."""
    confidence = read(files)
    with threadpoolctl.threadpool_limits(1, "blas"):  # it has threads of its own
        model = AlternatingLeastSquares(factors=FACTORS, regularization=L2, alpha=1.0, iterations=ROUNDS, use_cg=not exactly,
                                        use_gpu=False, dtype=np.float32, random_state=1)
        model.fit(confidence, show_progress=False)
    fitted[:] = [model]


def objective(confidence, people, things):
    entries = confidence.tocoo()
    total = np.sum((people.T @ people) * (things.T @ things))  # as if all were 0, with confidence 1
    for part in np.array_split(np.arange(entries.nnz), max(1, entries.nnz // 500_000)):
        seen = np.einsum("ij,ij->i", people[entries.row[part]], things[entries.col[part]])
        total += np.sum(entries.data[part].astype(float) * (1 - seen) ** 2 - seen**2)
    return float(total + L2 * (np.sum(people**2) + np.sum(things**2)))


def factors(project, kind, size):
    rows, = project.sql("SELECT feature, list_transform(list_sort(list_transform(factor_weights, lambda w: {f: w.factor, w: w.weight})), "
                        f"lambda w: w.w) AS weights FROM ML.WEIGHTS(MODEL tastes) WHERE processed_input = '{kind}'")
    table = np.zeros((size, FACTORS))
    for row in rows:
        if row["feature"] is not None:
            table[int(row["feature"])] = row["weights"]
    return table


def main():
    project = table()
    rows, = project.sql("SELECT count(*) AS n FROM gold.counts")
    measure.begin(f"recommend: implicit feedback, {rows[0]['n']:,} counts of {USERS:,} people and {ITEMS:,} things, "
                  f"{FACTORS} factors, {ROUNDS} rounds")
    files = project.parquet("gold.counts")
    by_cholesky, by_gradients = [], []
    trained, exact, default = measure.rounds(
        lambda: project.costs(["SELECT 1", TRAIN])[0][1],
        lambda: measure.cost(lambda: fit(files, by_cholesky, True)),
        lambda: measure.cost(lambda: fit(files, by_gradients, False)))
    confidence = read(files)
    ours = objective(confidence, factors(project, "person", USERS), factors(project, "thing", ITEMS))
    exactly, nearly = (objective(confidence, model.user_factors.astype(float), model.item_factors.astype(float))
                       for model in (*by_cholesky, *by_gradients))
    measure.agree("objective of Braid and of implicit, each system solved", ours, exactly, 0.01)
    measure.report("braid: CREATE OR REPLACE MODEL", trained)
    measure.report("implicit, each system solved", exact)
    measure.report("implicit, three steps of gradients each", default)
    measure.line("objective", f"braid {ours:.6g}, implicit {exactly:.6g} and {nearly:.6g}")
    measure.against("implicit's faster / training", min(measure.median(exact), measure.median(default)) / measure.median(trained), ">=", 2)


if __name__ == "__main__":
    main()
