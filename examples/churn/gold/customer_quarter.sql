-- What was known of each customer when a quarter closed: one row a customer and quarter, computed once. No row looks past its
-- quarter's end, so what a model learns from it is what it will have when it is asked.
--
-- Orders of one day count as one visit. days_between is NULL for a customer with one visit.
CREATE STREAMING TABLE gold.customer_quarter (
  CONSTRAINT one_visit_at_least EXPECT (visits >= 1) ON VIOLATION FAIL UPDATE,
  CONSTRAINT nothing_from_later EXPECT (days_since_last >= 0 AND days_since_first >= days_since_last) ON VIOLATION FAIL UPDATE
)
COMMENT 'Customers as they stood at the end of a quarter'
AS SELECT
  q.ends_on AS as_of,
  o.customer_id,
  count(DISTINCT o.ordered_on) AS visits,
  count(DISTINCT date_trunc('month', o.ordered_on)) AS active_months,
  count(DISTINCT o.ordered_on) FILTER (o.ordered_on >= q.begins_on) AS visits_last_quarter,
  CAST(sum(o.cds) AS BIGINT) AS cds,
  CAST(sum(o.paid) AS DOUBLE) AS spent,
  CAST(coalesce(sum(o.paid) FILTER (o.ordered_on >= q.begins_on), 0) AS DOUBLE) AS spent_last_quarter,
  CAST(max(o.paid) AS DOUBLE) AS largest_order,
  CAST(sum(o.paid) / sum(o.cds) AS DOUBLE) AS price_of_a_cd,
  CAST(avg(o.cds) AS DOUBLE) AS cds_an_order,
  date_diff('day', max(o.ordered_on), q.ends_on) AS days_since_last,
  date_diff('day', min(o.ordered_on), q.ends_on) AS days_since_first,
  date_diff('day', min(o.ordered_on), max(o.ordered_on)) / nullif(count(DISTINCT o.ordered_on) - 1, 0) AS days_between
FROM STREAM silver.quarters AS q
JOIN silver.orders AS o ON o.ordered_on <= q.ends_on
GROUP BY q.ends_on, q.begins_on, o.customer_id;
