-- The table for BI: every customer as of the newest closed quarter, with factor scores, segment and the probability of coming back
-- in the next one. Computed anew when a quarter closes or a model gets another champion.
CREATE MATERIALIZED VIEW gold.segments (
  CONSTRAINT names_differ EXPECT (namesakes = 1) ON VIOLATION FAIL UPDATE
)
COMMENT 'Segments of returning customers: centroids of the factor scores, named by their side of the mean'
AS SELECT *, count(*) OVER (PARTITION BY segment) AS namesakes
FROM (
  SELECT centroid_id,
    max(numerical_value) FILTER (feature = 'factor_1') AS activity,
    max(numerical_value) FILTER (feature = 'factor_2') AS basket,
    CASE WHEN activity > 0 THEN 'active' ELSE 'quiet' END || ', ' ||
      CASE WHEN basket > 0 THEN 'large baskets' ELSE 'small baskets' END AS segment
  FROM ML.CENTROIDS(MODEL segments) GROUP BY centroid_id);

CREATE MATERIALIZED VIEW gold.factors (
  -- The names hold while each factor is led by what it is called after.
  CONSTRAINT first_is_activity EXPECT (feature <> 'visits_last_quarter' OR activity > 0.6) ON VIOLATION FAIL UPDATE,
  CONSTRAINT second_is_basket EXPECT (feature <> 'spent_a_visit' OR basket > 0.6) ON VIOLATION FAIL UPDATE
)
COMMENT 'Loadings of the two factors'
AS SELECT l.feature, l.factor_1 AS activity, l.factor_2 AS basket, l.communality, a.msa AS sampling_adequacy
FROM ML.FACTOR_LOADINGS(MODEL habits) AS l JOIN ML.SAMPLING_ADEQUACY(MODEL habits) AS a ON a.feature = l.feature;

CREATE MATERIALIZED VIEW gold.customers (
  CONSTRAINT one_row_each EXPECT (rows_of_customer = 1) ON VIOLATION FAIL UPDATE,
  CONSTRAINT has_probability EXPECT (probability > 0 AND probability < 1) ON VIOLATION FAIL UPDATE
)
COMMENT 'Customers as of the newest closed quarter, scored'
AS
WITH newest AS (
  FROM gold.customer_quarter WHERE as_of = (SELECT max(as_of) FROM gold.customer_quarter)
), scored AS (
  SELECT * EXCLUDE (predicted_came_back, predicted_came_back_probs),
    list_filter(predicted_came_back_probs, lambda c: c.label)[1].prob AS uncalibrated
  FROM ML.PREDICT(MODEL comes_back, TABLE newest)
), level AS (
  SELECT customer_id, list_filter(predicted_came_back_probs, lambda c: c.label)[1].prob AS probability
  FROM ML.PREDICT(MODEL calibrated, (SELECT customer_id, ln(uncalibrated / (1 - uncalibrated)) AS log_odds FROM scored))
), grouped AS (
  SELECT customer_id, factor_1 AS activity, factor_2 AS basket, centroid_id
  FROM ML.PREDICT(MODEL segments, (FROM ML.PREDICT(MODEL habits, (FROM newest WHERE visits >= 2))))
)
SELECT s.customer_id, s.as_of, s.visits, s.spent, s.days_since_last, s.visits_last_quarter, s.spent_last_quarter,
  g.activity, g.basket,
  coalesce(n.segment, 'one visit only') AS segment,
  l.probability,
  ntile(10) OVER (ORDER BY l.probability DESC, s.customer_id) AS decile,
  count(*) OVER (PARTITION BY s.customer_id) AS rows_of_customer
FROM scored AS s
JOIN level AS l ON l.customer_id = s.customer_id
LEFT JOIN grouped AS g ON g.customer_id = s.customer_id
LEFT JOIN gold.segments AS n ON n.centroid_id = g.centroid_id;
