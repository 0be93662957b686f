# SPDX-License-Identifier: Apache-2.0
"""Principal components and factor analysis, in place, against scans of their inputs; NumPy gets the same eigenvalues."""
import numpy as np

import gram_peer
import measure
from wide_table import uniform

ROWS = measure.size(10_000_000, 1_000_000, 50_000)
COLUMNS = [f"c{number}" for number in range(1, 51)]
ANALYSED = COLUMNS[:30]
FACTORS = 5


def table():
    """Columns that share five hidden causes, each with luck of its own."""
    made = measure.Project("causes")
    causes = ", ".join(f"{uniform(100 + i)} AS h{i}" for i in range(FACTORS))
    columns = ", ".join(f"h{i % FACTORS} + 0.3 * h{(i // FACTORS) % FACTORS} + {0.5 + 0.02 * i} * {uniform(i)} AS {name}"
                        for i, name in enumerate(COLUMNS))
    made.sql(f"CREATE TABLE gold.causes AS SELECT {columns} FROM (SELECT range, {causes} FROM range({ROWS}))")
    return made


def scan(columns):
    return "SELECT " + ", ".join(f"sum({name}) AS {name}" for name in columns) + " FROM gold.causes"


def measured(project, train, columns):
    """Costs of training and of the scan, from processes that scan to warm up."""
    costs, = measure.rounds(lambda: project.costs([scan(columns), train, scan(columns)])[0][1:])
    return zip(*costs)


def correlation(covariance):
    deviations = np.sqrt(np.diag(covariance))
    return covariance / np.outer(deviations, deviations)


def check_eigenvalues(rows, column, matrix):
    """Of rows in falling order, and a matrix that NumPy decomposes."""
    wanted = np.linalg.eigvalsh(matrix)[::-1]
    for position, (row, value) in enumerate(zip(rows, wanted), 1):
        measure.agree(f"eigenvalue {position}", row[column], float(value), 1e-8)


def check_factors(project, matrix):
    """The correlations that the loadings leave over are as large as Braid says, and no larger than by the principal axes."""
    loadings, correlations, fit = project.sql("SELECT * FROM ML.FACTOR_LOADINGS(MODEL factors)", "SELECT * FROM ML.FACTOR_CORRELATIONS(MODEL factors)",
                                              "SELECT srmr FROM ML.FACTOR_FIT(MODEL factors)")
    names = [f"factor_{i}" for i in range(1, FACTORS + 1)]
    by_feature = {row["feature"]: [row[name] for name in names] for row in loadings}
    pattern = np.array([by_feature[name] for name in ANALYSED])
    phi = np.array([[row[name] for name in names] for row in correlations])
    left = matrix - pattern @ phi @ pattern.T
    below = np.tril_indices(len(ANALYSED), -1)
    measure.agree("srmr", fit[0]["srmr"], float(np.sqrt((left[below] ** 2).mean())), 1e-8)
    values, vectors = np.linalg.eigh(matrix)
    crude = matrix - (vectors[:, -FACTORS:] * values[-FACTORS:]) @ vectors[:, -FACTORS:].T
    if (left[below] ** 2).sum() > (crude[below] ** 2).sum():
        raise SystemExit("wrong: the factors leave more over than principal components do")


def main():
    measure.begin(f"components: pca of {ROWS:,} rows x {len(COLUMNS)}, factor_analysis of {ROWS:,} x {len(ANALYSED)}")
    project = table()
    pca = "CREATE OR REPLACE MODEL parts OPTIONS (model_type = 'pca') AS SELECT * FROM gold.causes"
    factors = (f"CREATE OR REPLACE MODEL factors OPTIONS (model_type = 'factor_analysis', num_factors = {FACTORS}) "
               f"AS SELECT {', '.join(ANALYSED)} FROM gold.causes")
    trained, scanned = measured(project, pca, COLUMNS)
    analysed, scanned_fewer = measured(project, factors, ANALYSED)
    matrix = correlation(gram_peer.covariance(project.parquet("gold.causes"), COLUMNS, ROWS))
    parts, info = project.sql("SELECT * FROM ML.PRINCIPAL_COMPONENT_INFO(MODEL parts) ORDER BY principal_component_id",
                              "SELECT * FROM ML.FACTOR_INFO(MODEL factors) ORDER BY factor_id")
    check_eigenvalues(parts, "eigenvalue", matrix)
    fewer = matrix[:len(ANALYSED), :len(ANALYSED)]
    check_eigenvalues(info, "eigenvalue", fewer)
    check_factors(project, fewer)
    measure.report("braid: pca", trained)
    measure.report(f"braid: SELECT sum of {len(COLUMNS)} columns", scanned)
    measure.report("braid: factor_analysis", analysed)
    measure.report(f"braid: SELECT sum of {len(ANALYSED)} columns", scanned_fewer)
    measure.against("pca / scan", measure.median(trained) / measure.median(scanned), "<=", 2)
    measure.against("factor_analysis / scan", measure.median(analysed) / measure.median(scanned_fewer), "<=", 2)


if __name__ == "__main__":
    main()
