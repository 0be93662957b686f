-- What a mailing costs and earns. These are assumptions of this example, not data. The last one matters most and cannot be read
-- off any order file: which share of those who come back after a mailing would have stayed away without it.
CREATE MATERIALIZED VIEW gold.assumptions
COMMENT 'Assumptions of the mailing, to be replaced by measurements'
AS SELECT 1.00::DOUBLE AS cost_of_a_mail, 0.30::DOUBLE AS margin, moved::DOUBLE AS moved, moved = 0.20 AS used
FROM (VALUES (0.10), (0.20), (0.40)) AS guesses(moved);

-- The profit of mailing all whose probability is at least a threshold, on gold.choosing: a mail earns its share of the margin on what
-- a customer who came back paid on average.
CREATE MATERIALIZED VIEW gold.thresholds
COMMENT 'Profit by threshold on gold.choosing, for each assumption'
AS
WITH value AS (SELECT avg(paid_next) AS paid FROM gold.choosing WHERE came_back),
curve AS (
  FROM ML.ROC_CURVE(MODEL calibrated, (
    SELECT ln(uncalibrated / (1 - uncalibrated)) AS log_odds, came_back FROM gold.judged WHERE used_for = 'choosing'))
)
SELECT a.moved, c.threshold, c.true_positives + c.false_positives AS mails, c.true_positives AS came_back,
  c.true_positives * v.paid * a.margin * a.moved - (c.true_positives + c.false_positives) * a.cost_of_a_mail AS profit,
  a.cost_of_a_mail / (v.paid * a.margin * a.moved) AS break_even
FROM curve AS c, value AS v, gold.assumptions AS a;

-- What the rule of the used assumption earns on each set of rows, with an interval of 95 %: customers come back or not by chance, and the
-- profit of a few thousand mails with it. The interval takes the assumption for true.
CREATE MATERIALIZED VIEW gold.mailing_proof
COMMENT 'Profit of mailing above the break-even on gold.choosing and gold.test, under the used assumption'
AS
WITH value AS (SELECT avg(paid_next) AS paid FROM gold.choosing WHERE came_back),
earned AS (
  SELECT j.used_for, j.came_back,
    CAST(j.came_back AS INTEGER) * v.paid * a.margin * a.moved - a.cost_of_a_mail AS profit
  FROM gold.judged AS j, value AS v, gold.assumptions AS a
  WHERE a.used AND j.probability >= a.cost_of_a_mail / (v.paid * a.margin * a.moved)
)
SELECT used_for, count(*) AS mails, count(*) FILTER (came_back) AS came_back, sum(profit) AS profit,
  1.96 * stddev_samp(profit) * sqrt(count(*)) AS profit_plus_minus
FROM earned GROUP BY used_for;

-- The next mailing. A random tenth of those worth a mail gets none: comparing the two in the quarter to come measures `moved`.
-- The tenth is drawn by a hash of the customer's number, so that it stays the same when this is computed again.
CREATE MATERIALIZED VIEW gold.mailing (
  CONSTRAINT worth_a_mail EXPECT (probability >= break_even) ON VIOLATION FAIL UPDATE
)
COMMENT 'Customers to mail after the newest closed quarter, and the control group that is not mailed'
AS
SELECT c.customer_id, c.as_of, c.segment, c.probability, t.break_even,
  CASE WHEN ('0x' || substr(md5('mailing ' || c.customer_id), 1, 6))::BIGINT % 10 = 0 THEN 'control' ELSE 'mail' END AS assigned
FROM gold.customers AS c
JOIN (SELECT DISTINCT t.break_even FROM gold.thresholds AS t JOIN gold.assumptions AS a ON a.moved = t.moved AND a.used) AS t
  ON c.probability >= t.break_even;
