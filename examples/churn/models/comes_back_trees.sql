-- The same question to boosted trees, on the same rows. Trees cannot go on with a trend: a customer's days since the last visit grow
-- from quarter to quarter beyond all that training saw. So they are given shares and rates, which mean the same in any quarter. ORDER BY: the
-- bins that XGBoost puts numbers into depend a little on the order of the rows.
CREATE MODEL comes_back_trees
TRANSFORM (
  visits, visits_last_quarter, active_months, spent, spent_last_quarter, largest_order, price_of_a_cd, cds_an_order,
  91.0 * visits / days_since_first AS visits_a_quarter,
  days_since_last / days_since_first AS silent_share,
  days_since_last / coalesce(days_between, days_since_first) AS overdue,
  came_back
)
OPTIONS (
  model_type = 'boosted_tree_classifier',
  input_label_cols = ['came_back'],
  max_iterations = 60, learn_rate = 0.1, max_tree_depth = 4, min_tree_child_weight = 10, early_stop = FALSE,
  data_split_method = 'no_split',
  promotion_query = 'FROM gold.choosing'
)
AS FROM gold.training ORDER BY as_of, customer_id;
