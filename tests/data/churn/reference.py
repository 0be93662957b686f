#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Usage: reference.py CDNOW_master.txt > reference.json

Computes what the project examples/churn should give, from the same file, by pandas, scikit-learn 1.9,
statsmodels 0.15, XGBoost 1.7.6 and factor_analyzer 0.5: features, labels, models and judgements, none of it by Braid.
"""
import json
import sys

import numpy as np
import pandas as pd
import xgboost
import factor_analyzer.factor_analyzer as fa
from factor_analyzer import FactorAnalyzer, calculate_kmo
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from statsmodels.stats.proportion import proportion_confint

# factor_analyzer 0.5 names an argument that scikit-learn has renamed since.
check_array = fa.check_array
fa.check_array = lambda x, force_all_finite=True, **other: check_array(x, ensure_all_finite=force_all_finite, **other)

ENDS = pd.to_datetime(["1997-06-30", "1997-09-30", "1997-12-31", "1998-03-31", "1998-06-30"])


def read_orders(path):
    names = ["customer_id", "day", "cds", "paid"]
    orders = pd.read_csv(path, sep=r"\s+", skiprows=1, names=names, dtype={"customer_id": str})
    orders["paid"] = (orders.paid * 100).round().astype(int)  # cents, so that sums are exact
    orders["day"] = pd.to_datetime(orders.day.astype(str))
    return orders


def customers_at(orders, end):
    """One row a customer, from orders up to a quarter's end."""
    begin = end - pd.offsets.QuarterEnd() + pd.Timedelta(days=1)
    known = orders[orders.day <= end]
    recent = known[known.day >= begin]
    by = known.groupby("customer_id")
    first, last = by.day.min(), by.day.max()
    table = pd.DataFrame({
        "visits": by.day.nunique(),
        "active_months": by.day.agg(lambda days: days.dt.to_period("M").nunique()),
        "visits_last_quarter": recent.groupby("customer_id").day.nunique(),
        "cds": by.cds.sum(), "spent": by.paid.sum(),
        "spent_last_quarter": recent.groupby("customer_id").paid.sum(),
        "largest_order": by.paid.max(), "cds_an_order": by.cds.mean(),
        "days_since_last": (end - last).dt.days, "days_since_first": (end - first).dt.days})
    money = ["spent", "spent_last_quarter", "largest_order"]
    table[money] = table[money].fillna(0) / 100
    table["price_of_a_cd"] = table.spent / table.cds
    table["visits_last_quarter"] = table.visits_last_quarter.fillna(0)
    gaps = (table.visits - 1).where(table.visits > 1)
    table["days_between"] = (last - first).dt.days / gaps
    return table.sort_index()


def with_outcome(orders, tables, end):
    following = end + pd.offsets.QuarterEnd()
    paid = orders[(orders.day > end) & (orders.day <= following)].groupby("customer_id").paid.sum()
    table = tables[end].copy()
    table["came_back"] = table.index.isin(paid.index)
    table["paid_next"] = paid.reindex(table.index).fillna(0) / 100
    return table


def logistic_inputs(rows, training):
    rhythm = rows.days_between.fillna(rows.days_since_first)
    numbers = pd.DataFrame({
        "log_visits": np.log(rows.visits), "log_visits_last_quarter": np.log1p(rows.visits_last_quarter),
        "active_months": rows.active_months, "log_days_since_last": np.log1p(rows.days_since_last),
        "log_days_since_first": np.log(rows.days_since_first), "overdue": np.log1p(rows.days_since_last / rhythm),
        "log_spent": np.log1p(rows.spent), "log_spent_last_quarter": np.log1p(rows.spent_last_quarter)})
    prices = np.quantile(training.price_of_a_cd, [0.25, 0.5, 0.75], method="inverted_cdf")
    levels = np.searchsorted(prices, rows.price_of_a_cd, side="right")
    for level in range(4):
        numbers[f"price_level_{level}"] = (levels == level) * 1.0
    for value in (False, True):
        numbers[f"one_visit_{value}"] = ((rows.visits == 1) == value) * 1.0
    return numbers


def fit_logistic(x, y, l2):
    """Σ log loss + l2/2 ‖β‖², the intercept free."""
    c = 1 / l2 if l2 else np.inf
    return LogisticRegression(C=c, tol=1e-12, max_iter=10000, solver="newton-cholesky").fit(x, y)


def comes_back(training):
    raw = logistic_inputs(training, training)
    numeric = [name for name in raw if not name.startswith(("price_level_", "one_visit_"))]
    mean, deviation = raw[numeric].mean(), raw[numeric].std(ddof=0)

    def inputs(rows):
        x = logistic_inputs(rows, training)
        x[numeric] = (x[numeric] - mean) / deviation
        return x.to_numpy(float)

    model = fit_logistic(inputs(training), training.came_back, 1.0)
    return lambda rows: model.predict_proba(inputs(rows))[:, 1]


def tree_inputs(rows):
    rhythm = rows.days_between.fillna(rows.days_since_first)
    same = ["visits", "visits_last_quarter", "active_months", "spent", "spent_last_quarter", "largest_order",
            "price_of_a_cd", "cds_an_order"]
    x = rows[same].astype(float).copy()
    x["visits_a_quarter"] = 91.0 * rows.visits / rows.days_since_first
    x["silent_share"] = rows.days_since_last / rows.days_since_first
    x["overdue"] = rows.days_since_last / rhythm
    return x.astype(np.float32)


def comes_back_trees(training):
    matrix = xgboost.DMatrix(tree_inputs(training).to_numpy(), training.came_back.to_numpy())
    model = xgboost.train({"objective": "binary:logistic", "eta": 0.1, "max_depth": 4, "min_child_weight": 10,
                           "tree_method": "hist", "base_score": 0.5, "nthread": 1}, matrix, 60)
    return lambda rows: model.predict(xgboost.DMatrix(tree_inputs(rows).to_numpy()))


def rule_of_thumb(training):
    def cells(rows):
        silence = np.where(rows.days_since_last < 92, 0, np.where(rows.days_since_last < 183, 1, 2))
        return pd.MultiIndex.from_arrays([rows.visits.clip(upper=4), silence])

    shares = training.came_back.groupby(cells(training)).mean()
    return lambda rows: shares.loc[cells(rows)].to_numpy()


def habit_inputs(rows):
    return pd.DataFrame({
        "visits": np.log(rows.visits), "active_months": np.log(rows.active_months),
        "days_since_last": np.log1p(rows.days_since_last), "visits_last_quarter": np.log1p(rows.visits_last_quarter),
        "spent_last_quarter": np.log1p(rows.spent_last_quarter), "spent_a_visit": np.log1p(rows.spent / rows.visits),
        "largest_order": np.log1p(rows.largest_order), "cds_an_order": np.log(rows.cds_an_order)})


def habits_and_segments(newest):
    x = habit_inputs(newest[newest.visits >= 2])
    factors = FactorAnalyzer(n_factors=2, method="minres", rotation="oblimin", rotation_kwargs={"max_iter": 5000, "tol": 1e-10})
    factors.fit(x)
    loadings = pd.DataFrame(factors.loadings_, index=x.columns)
    activity = loadings.loc["visits_last_quarter"].abs().idxmax()
    signs = np.sign(loadings.sum())
    z = (x - x.mean()) / x.std(ddof=0)
    structure = loadings.to_numpy() @ factors.phi_
    scores = z.to_numpy() @ np.linalg.solve(np.corrcoef(x.T), structure) * signs.to_numpy()
    fits = [KMeans(4, n_init=30, random_state=seed, tol=0, max_iter=1000).fit(scores) for seed in range(2)]
    named = {"activity": loadings[activity] * signs[activity], "basket": loadings[1 - activity] * signs[1 - activity]}
    return {"kmo": calculate_kmo(x)[1], "loadings": {name: dict(column) for name, column in named.items()},
            "mean_squared_distance": min(fit.inertia_ for fit in fits) / len(x)}


def judged(rows, probability):
    y = rows.came_back.to_numpy()
    return {"expected": probability.sum(), "log_loss": log_loss(y, probability), "roc_auc": roc_auc_score(y, probability)}


def delong_plus_minus(rows, probability):
    """1.96 standard errors of the area under the ROC curve, by DeLong's placements."""
    back, away = np.sort(probability[rows.came_back]), np.sort(probability[~rows.came_back])

    def placements(values, others):
        below, upto = np.searchsorted(others, values, side="left"), np.searchsorted(others, values, side="right")
        return (below + upto) / 2 / len(others)

    return 1.96 * np.sqrt(placements(back, away).var(ddof=1) / len(back) + placements(away, back).var(ddof=1) / len(away))


def tenths(rows, probability):
    """Share that came back in each tenth of the customers, the likeliest first, with Wilson's interval."""
    order = np.lexsort([rows.index, -probability])
    counts = [int(part.sum()) for part in np.array_split(rows.came_back.to_numpy()[order], 10)]
    sizes = [len(part) for part in np.array_split(order, 10)]
    bounds = [proportion_confint(count, size, method="wilson") for count, size in zip(counts, sizes)]
    return [{"came_back": count, "lower": lower, "upper": upper} for count, (lower, upper) in zip(counts, bounds)]


def main(path):
    orders = read_orders(path)
    tables = {end: customers_at(orders, end) for end in ENDS}
    labelled = {end: with_outcome(orders, tables, end) for end in ENDS[:4]}
    training, choosing, test = pd.concat([labelled[ENDS[0]], labelled[ENDS[1]]]), labelled[ENDS[2]], labelled[ENDS[3]]
    logistic = comes_back(training)
    probabilities = {"comes_back": logistic, "comes_back_trees": comes_back_trees(training), "rule of thumb": rule_of_thumb(training)}

    def log_odds(rows):
        p = logistic(rows)
        return np.log(p / (1 - p)).reshape(-1, 1)

    level = fit_logistic(log_odds(choosing), choosing.came_back, 0)
    calibrated = {name: level.predict_proba(log_odds(rows))[:, 1] for name, rows in (("choosing", choosing), ("test", test))}
    break_even = 1.00 / (choosing.paid_next[choosing.came_back].mean() * 0.30 * 0.20)
    json.dump({
        "sums": {str(end.date()): {"customers": len(table), **table.sum().to_dict()} for end, table in tables.items()},
        "came_back": {str(end.date()): int(table.came_back.sum()) for end, table in labelled.items()},
        "candidates": {name: judged(choosing, np.asarray(p(choosing), float)) for name, p in probabilities.items()},
        "uncalibrated_test": judged(test, logistic(test)),
        "calibrated": {"choosing": judged(choosing, calibrated["choosing"]), "test": judged(test, calibrated["test"])},
        "delong_test": delong_plus_minus(test, calibrated["test"]),
        "tenths_test": tenths(test, calibrated["test"]),
        "mails": {name: {"mails": int((p >= break_even).sum()),
                         "came_back": int(rows.came_back[p >= break_even].sum())}
                  for (name, p), rows in zip(calibrated.items(), (choosing, test))},
        "break_even": break_even,
        **habits_and_segments(labelled[ENDS[1]]),
    }, sys.stdout, indent=1)


if __name__ == "__main__":
    main(sys.argv[1])
