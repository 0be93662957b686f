-- What a shop manager reads: who buys, by quarter.
CREATE MATERIALIZED VIEW gold.by_quarter
COMMENT 'Customers, visits and revenue by quarter'
AS
WITH visits AS (
  SELECT customer_id, ordered_on, sum(paid) AS paid, min(ordered_on) OVER (PARTITION BY customer_id) AS first_on
  FROM silver.orders GROUP BY customer_id, ordered_on
)
SELECT CAST(date_trunc('quarter', ordered_on) AS DATE) AS quarter,
  count(DISTINCT customer_id) AS customers,
  count(DISTINCT customer_id) FILTER (ordered_on = first_on) AS new_customers,
  count(*) AS visits,
  CAST(sum(paid) AS DOUBLE) AS revenue
FROM visits GROUP BY quarter;
