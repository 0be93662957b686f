#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The churn example from an empty folder to a mailing list with its control group, in about one screen. Every number is computed.
# Usage: examples/churn/demo.sh   (BRAID=path of the binary; the project stays in build/demo_churn)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
braid=${BRAID:-$root/build/release/bin/braid}
demo=$root/build/demo_churn
started=$EPOCHREALTIME
# shellcheck source=examples/story.sh
. "$here/../story.sh"

leave() {
  local status=$?
  if ((status != 0 && status < 128)) && [[ -s client/notes.log ]]; then tail -n 20 client/notes.log >&2; fi
}
trap leave EXIT

prepare() {
  empty_project
  cp -R "$here"/{braid.yaml,bronze,silver,gold,models,drafts,data} "$demo/"
  cd "$demo"
}

first_run() {
  title "1. Orders of January 1997 to March 1998 have landed. One run builds tables, segments, models and what follows from them."
  data/deliver.py 1997-{01..12} 1998-{01..03}
  cp drafts/comes_back.txt models/comes_back.sql
  run
  run_summary
  typed "braid sql \"FROM gold.by_quarter\"                # 23,570 customers came in one quarter; who is still there?"
  table "SELECT quarter, customers, new_customers, visits, round(revenue) AS revenue FROM gold.by_quarter ORDER BY quarter"
  typed "braid sql \"FROM braid.expectation_result …\""
  table "SELECT node, name AS expectation, action, passed, failed FROM braid.expectation_result
    WHERE failed > 0 AND run_id = (SELECT max(run_id) FROM braid.run) ORDER BY node, failed"
}

groups() {
  title "2. Who are the customers? Two factors behind eight columns, and four groups of those who came twice or more."
  typed "braid sql \"FROM gold.factors; FROM ML.FACTOR_FIT(MODEL habits); …\""
  table "SELECT feature, round(activity, 2) AS activity, round(basket, 2) AS basket, round(communality, 2) AS communality
    FROM gold.factors ORDER BY activity DESC"
  table "SELECT round(kmo, 2) AS kmo, round(rmsea, 2) AS rmsea, round(tli, 2) AS tli, round(srmr, 2) AS srmr
    FROM ML.FACTOR_FIT(MODEL habits)"
  table "SELECT segment, count(*) AS customers, round(avg(activity), 2) AS activity, round(avg(basket), 2) AS basket,
      round(median(visits), 1) AS median_visits, round(median(spent), 2) AS median_spent
    FROM gold.customers GROUP BY segment ORDER BY customers DESC"
}

better_transform() {
  title "3. A first try used recency, frequency and money. A richer TRANSFORM is tried; gold.choosing decides."
  typed "diff drafts/comes_back.txt models/comes_back.sql"
  cp "$here/models/comes_back.sql" models/
  { diff drafts/comes_back.txt models/comes_back.sql || true; } | grep '^[<>]   *[a-zA-Z(]' | head -n 12 | sed 's/^/  /'
  run
  table "SELECT model, version, reason FROM braid.alias_event WHERE model = 'comes_back' ORDER BY version"
}

choose() {
  title "4. Logistic regression, boosted trees, or no model at all? The same 23,570 customers, paired; intervals of 95 %."
  typed "braid sql \"FROM gold.comparison\""
  table "SELECT candidate, round(log_loss, 4) AS log_loss, round(roc_auc, 4) AS roc_auc, round(excess_loss, 4) AS excess_loss,
      CASE WHEN candidate <> 'comes_back' THEN format('{:+.4f} to {:+.4f}', excess_lower, excess_upper) END AS interval_95, verdict
    FROM gold.comparison ORDER BY log_loss"
}

explain() {
  title "5. Why? What moves the probabilities, and the case of one customer (log odds; the parts add up)."
  typed "braid sql \"FROM ML.GLOBAL_EXPLAIN(MODEL comes_back, TABLE gold.choosing); FROM ML.EXPLAIN_PREDICT(…)\""
  table "SELECT feature, round(attribution, 3) AS mean_magnitude FROM ML.GLOBAL_EXPLAIN(MODEL comes_back, TABLE gold.choosing)
    ORDER BY attribution DESC LIMIT 5"
  table "SELECT customer_id, visits, days_since_last, predicted_came_back AS predicted, round(probability, 2) AS probability,
      round(baseline_prediction_value, 2) AS baseline, round(prediction_value, 2) AS log_odds,
      list_aggregate(list_transform(top_feature_attributions, lambda a: format('{} {:+.2f}', a.feature, a.attribution)),
        'string_agg', ', ') AS attributions
    FROM ML.EXPLAIN_PREDICT(MODEL comes_back, (FROM gold.choosing WHERE customer_id IN ('00003', '00018')),
      STRUCT(3 AS top_k_features)) ORDER BY customer_id"
}

threshold() {
  title "6. Whom to mail? It depends on what a mail moves, which no order file knows: three assumptions, three answers."
  typed "braid sql \"FROM gold.thresholds …\""
  table "SELECT round(100 * moved) AS moved_percent, round(any_value(break_even), 3) AS break_even,
      arg_max(mails, profit) AS mails, round(max(profit)) AS profit,
      round(arg_min(profit, threshold)) AS profit_of_mailing_all
    FROM gold.thresholds GROUP BY moved ORDER BY moved"
}

test_once() {
  title "7. April to June 1998 arrive. Nothing was trained, chosen or tuned on them: the test, looked at once."
  data/deliver.py 1998-{04..06}
  run
  run_summary
  typed "braid sql \"FROM gold.verdict; FROM gold.calibration …; FROM gold.mailing_proof\""
  table "SELECT used_for, came_back, round(expected_uncalibrated) AS expected_uncalibrated, round(expected) AS expected,
      round(log_loss_uncalibrated, 4) AS log_loss_uncalibrated, round(log_loss, 4) AS log_loss,
      format('{:.3f} ± {:.3f}', roc_auc, roc_auc_plus_minus) AS roc_auc
    FROM gold.verdict ORDER BY used_for"
  table "SELECT decile, round(100 * expected, 1) AS expected_percent, round(100 * seen, 1) AS seen_percent,
      format('{:.1f} to {:.1f}', 100 * seen_lower, 100 * seen_upper) AS interval_95
    FROM gold.calibration WHERE used_for = 'test' AND decile IN (1, 2, 3, 5, 10) ORDER BY decile"
  table "SELECT used_for, mails, came_back, format('{:.0f} ± {:.0f}', profit, profit_plus_minus) AS profit
    FROM gold.mailing_proof ORDER BY used_for"
}

act() {
  title "8. The list for July 1998, with a random tenth that gets no mail: they will tell what a mail moves."
  typed "braid sql \"ALTER MODEL comes_back@2 SET ALIAS mailing_1998_q3 REASON 'the list of July 1998'\""
  "$braid" sql "ALTER MODEL comes_back@2 SET ALIAS mailing_1998_q3 REASON 'the list of July 1998'" 2>&1 | sed 's/^/  /'
  table "SELECT assigned, count(*) AS customers, round(sum(probability)) AS expected_to_come_back FROM gold.mailing
    GROUP BY assigned ORDER BY assigned DESC"
  table "SELECT format('± {:.2f}', 1.96 * sqrt(share * (1 - share) * (1 / mailed + 1 / kept)) / share) AS moved_will_be_known_to
    FROM (SELECT avg(probability) AS share, count(*) FILTER (assigned = 'mail') AS mailed,
      count(*) FILTER (assigned = 'control') AS kept FROM gold.mailing)"
  typed "braid sql \"COPY (FROM gold.mailing) TO 'client/mailing.csv'\"      # or read the table where it is"
  "$braid" sql "COPY (FROM gold.mailing ORDER BY probability DESC) TO 'client/mailing.csv'" 2>&1 | sed 's/^/  /'
}

farewell() {
  title "Done in $(since "$started") s. What the data cannot tell stands in examples/churn/README.md. Go on by hand:"
  cat <<TEXT
  cd $(printf '%q' "$demo") && PATH=$(printf '%q' "$(dirname "$braid")"):\$PATH
  braid sql          # FROM gold.customers; SHOW MODELS; FROM ML.WEIGHTS(MODEL comes_back@1);
TEXT
}

prepare
first_run
groups
better_transform
choose
explain
threshold
test_once
act
farewell
