-- Every labelled customer of the quarters after training with the probability that the champion gives, as it is and calibrated.
CREATE MATERIALIZED VIEW gold.judged
COMMENT 'Probabilities and outcomes of gold.choosing and gold.test'
AS
WITH rows_to_judge AS (
  SELECT 'choosing' AS used_for, * FROM gold.choosing UNION ALL SELECT 'test', * FROM gold.test
), scored AS (
  SELECT used_for, customer_id, came_back, paid_next, list_filter(predicted_came_back_probs, lambda c: c.label)[1].prob AS uncalibrated
  FROM ML.PREDICT(MODEL comes_back, TABLE rows_to_judge)
)
SELECT used_for, customer_id, came_back, paid_next, uncalibrated,
  list_filter(predicted_came_back_probs, lambda c: c.label)[1].prob AS probability
FROM ML.PREDICT(MODEL calibrated, (SELECT *, ln(uncalibrated / (1 - uncalibrated)) AS log_odds FROM scored))
  AS p;

-- How good the probabilities are: expected against seen, the log loss, and the area under the ROC curve with its interval of 95 %
-- (DeLong's variance from each customer's placement).
CREATE MATERIALIZED VIEW gold.verdict
COMMENT 'The champion on gold.choosing and gold.test'
AS
WITH ranked AS (
  SELECT *,
    rank() OVER (PARTITION BY used_for ORDER BY probability) + (count(*) OVER (PARTITION BY used_for, probability) - 1) / 2
      AS rank_of_all,
    rank() OVER (PARTITION BY used_for, came_back ORDER BY probability)
      + (count(*) OVER (PARTITION BY used_for, came_back, probability) - 1) / 2 AS rank_in_class,
    count(*) OVER (PARTITION BY used_for) - count(*) OVER (PARTITION BY used_for, came_back) AS others
  FROM gold.judged
), placed AS (
  SELECT *, CASE WHEN came_back THEN (rank_of_all - rank_in_class) / others
                 ELSE 1 - (rank_of_all - rank_in_class) / others END AS placement
  FROM ranked
)
SELECT used_for, count(*) AS customers, count(*) FILTER (came_back) AS came_back,
  sum(uncalibrated) AS expected_uncalibrated, sum(probability) AS expected,
  avg(-ln(CASE WHEN came_back THEN uncalibrated ELSE 1 - uncalibrated END)) AS log_loss_uncalibrated,
  avg(-ln(CASE WHEN came_back THEN probability ELSE 1 - probability END)) AS log_loss,
  avg(placement) FILTER (came_back) AS roc_auc,
  1.96 * sqrt(var_samp(placement) FILTER (came_back) / count(*) FILTER (came_back)
    + var_samp(placement) FILTER (NOT came_back) / count(*) FILTER (NOT came_back)) AS roc_auc_plus_minus
FROM placed GROUP BY used_for;

-- The same by tenths of the customers, the likeliest first; Wilson's interval of 95 % for the share that came back.
CREATE MATERIALIZED VIEW gold.calibration
COMMENT 'Expected and seen shares by tenths'
AS
WITH tenths AS (
  SELECT *, ntile(10) OVER (PARTITION BY used_for ORDER BY probability DESC, customer_id) AS decile FROM gold.judged
), counted AS (
  SELECT used_for, decile, count(*) AS customers, avg(uncalibrated) AS expected_uncalibrated, avg(probability) AS expected,
    avg(CAST(came_back AS INTEGER)) AS seen
  FROM tenths GROUP BY used_for, decile
)
SELECT *,
  (seen + 1.9208 / customers - 1.96 * sqrt(seen * (1 - seen) / customers + 0.9604 / customers ** 2)) / (1 + 3.8416 / customers)
    AS seen_lower,
  (seen + 1.9208 / customers + 1.96 * sqrt(seen * (1 - seen) / customers + 0.9604 / customers ** 2)) / (1 + 3.8416 / customers)
    AS seen_upper
FROM counted;
