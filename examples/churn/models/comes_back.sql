-- Will this customer buy again in the next quarter? Counts, money and days go in as logarithms, beside how long a customer has been
-- silent by the measure of his own rhythm.
--
-- A later version becomes champion only if its log loss on gold.choosing is lower.
CREATE MODEL comes_back
TRANSFORM (
  visits = 1 AS one_visit,
  ln(visits) AS log_visits,
  ln(1 + visits_last_quarter) AS log_visits_last_quarter,
  active_months,
  ln(1 + days_since_last) AS log_days_since_last,
  ln(days_since_first) AS log_days_since_first,
  ln(1 + days_since_last / coalesce(days_between, days_since_first)) AS overdue,
  ln(1 + spent) AS log_spent,
  ln(1 + spent_last_quarter) AS log_spent_last_quarter,
  ML.QUANTILE_BUCKETIZE(price_of_a_cd, 4) OVER () AS price_level,
  came_back
)
OPTIONS (
  model_type = 'logistic_reg',
  input_label_cols = ['came_back'],
  l2_reg = 1.0,
  data_split_method = 'no_split',
  promotion_query = 'FROM gold.choosing'
)
AS FROM gold.training;
