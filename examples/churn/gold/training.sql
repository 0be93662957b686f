-- The outcome: did the customer buy again in the quarter that followed? It is known when that quarter has closed, and then joins what
-- was known before it. Rows are told apart by the quarter of the outcome, and each table has one use:
--
--   outcome in             table             use
--   Q3 and Q4 of 1997      gold.training     models learn from them
--   Q1 of 1998             gold.choosing     versions, models and the threshold are chosen on it
--   Q2 of 1998             gold.test         looked at once, when all is chosen
CREATE STREAMING TABLE gold.labelled
COMMENT 'Customers at the end of a quarter, and whether they bought in the next one'
AS SELECT
  before.*,
  q.begins_on AS outcome_begins,
  coalesce(bought.visits, 0) > 0 AS came_back,
  coalesce(bought.paid, 0) AS paid_next
FROM STREAM silver.quarters AS q
JOIN gold.customer_quarter AS before ON before.as_of = q.begins_on - 1
LEFT JOIN (
  SELECT customer_id, last_day(CAST(date_trunc('quarter', ordered_on) AS DATE) + INTERVAL 2 MONTH) AS ends_on,
    count(DISTINCT ordered_on) AS visits, CAST(sum(paid) AS DOUBLE) AS paid
  FROM silver.orders GROUP BY ALL
) AS bought ON bought.customer_id = before.customer_id AND bought.ends_on = q.ends_on
-- Until March 1997 customers were still arriving: what they did next is no example of a settled customer.
WHERE before.as_of >= DATE '1997-06-30';

CREATE STREAMING TABLE gold.training
COMMENT 'Labelled customers that models learn from'
AS SELECT * EXCLUDE (outcome_begins) FROM STREAM gold.labelled WHERE outcome_begins < DATE '1998-01-01';

CREATE STREAMING TABLE gold.choosing
COMMENT 'Labelled customers on which versions, models and thresholds are chosen'
AS SELECT * EXCLUDE (outcome_begins) FROM STREAM gold.labelled WHERE outcome_begins = DATE '1998-01-01';

CREATE STREAMING TABLE gold.test
COMMENT 'Labelled customers that nothing was trained, chosen or tuned on'
AS SELECT * EXCLUDE (outcome_begins) FROM STREAM gold.labelled WHERE outcome_begins = DATE '1998-04-01';
