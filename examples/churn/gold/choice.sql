-- What a merchandiser would do without a model: the share that came back, by number of visits and quarters of silence.
CREATE MATERIALIZED VIEW gold.rule_of_thumb
COMMENT 'Share of gold.training that came back, by visits and silence'
AS SELECT
  least(visits, 4) AS visits_up_to_4,
  CASE WHEN days_since_last < 92 THEN 'this quarter' WHEN days_since_last < 183 THEN 'last quarter' ELSE 'earlier' END AS last_visit,
  count(*) AS customers,
  avg(CAST(came_back AS INTEGER)) AS share_back
FROM gold.training
GROUP BY ALL;

-- The three candidates on the same rows.
CREATE MATERIALIZED VIEW gold.candidates (
  CONSTRAINT is_probability EXPECT (p > 0 AND p < 1) ON VIOLATION FAIL UPDATE
)
COMMENT 'Probabilities of the candidates for gold.choosing'
AS
SELECT 'comes_back' AS candidate, customer_id, came_back, list_filter(predicted_came_back_probs, lambda c: c.label)[1].prob AS p
FROM ML.PREDICT(MODEL comes_back, TABLE gold.choosing)
UNION ALL
SELECT 'comes_back_trees', customer_id, came_back, list_filter(predicted_came_back_probs, lambda c: c.label)[1].prob
FROM ML.PREDICT(MODEL comes_back_trees, TABLE gold.choosing)
UNION ALL
SELECT 'rule of thumb', c.customer_id, c.came_back, r.share_back
FROM gold.choosing AS c
JOIN gold.rule_of_thumb AS r ON r.visits_up_to_4 = least(c.visits, 4) AND r.last_visit =
  CASE WHEN days_since_last < 92 THEN 'this quarter' WHEN days_since_last < 183 THEN 'last quarter' ELSE 'earlier' END;

-- Log loss and area under the ROC curve, and by how much each candidate's log loss differs from that of comes_back: a paired
-- comparison, each customer one draw, with an interval of 95 %.
CREATE MATERIALIZED VIEW gold.comparison
COMMENT 'The candidates compared on gold.choosing'
AS
WITH ranked AS (
  SELECT candidate, customer_id, came_back, p, -ln(CASE WHEN came_back THEN p ELSE 1 - p END) AS loss,
    rank() OVER (PARTITION BY candidate ORDER BY p) + (count(*) OVER (PARTITION BY candidate, p) - 1) / 2 AS midrank
  FROM gold.candidates
), paired AS (
  SELECT r.*, r.loss - base.loss AS excess
  FROM ranked AS r
  JOIN ranked AS base ON base.customer_id = r.customer_id AND base.candidate = 'comes_back'
)
SELECT candidate, count(*) AS customers, avg(loss) AS log_loss,
  (sum(midrank) FILTER (came_back) - count(*) FILTER (came_back) * (count(*) FILTER (came_back) + 1) / 2)
    / (count(*) FILTER (came_back) * count(*) FILTER (NOT came_back)) AS roc_auc,
  avg(excess) AS excess_loss,
  avg(excess) - 1.96 * stddev_samp(excess) / sqrt(count(*)) AS excess_lower,
  avg(excess) + 1.96 * stddev_samp(excess) / sqrt(count(*)) AS excess_upper,
  CASE WHEN excess_lower > 0 THEN 'worse' WHEN excess_upper < 0 THEN 'better' WHEN candidate = 'comes_back' THEN 'the measure'
       ELSE 'cannot tell' END AS verdict
FROM paired GROUP BY candidate;
