-- Orders, typed. A line that cannot be read, or that says what cannot be, goes to silver.orders__quarantine; what is merely odd
-- stays and is counted.
CREATE STREAMING TABLE silver.orders (
  CONSTRAINT readable EXPECT (customer_id IS NOT NULL AND ordered_on IS NOT NULL AND cds IS NOT NULL AND paid IS NOT NULL)
    ON VIOLATION QUARANTINE,
  CONSTRAINT some_cds EXPECT (cds > 0) ON VIOLATION QUARANTINE,
  CONSTRAINT not_negative EXPECT (paid >= 0) ON VIOLATION QUARANTINE,
  CONSTRAINT was_paid EXPECT (paid > 0),
  CONSTRAINT usual_price EXPECT (paid / cds BETWEEN 3 AND 60)
)
COMMENT 'Orders, one row a line of the export'
AS SELECT
  nullif(regexp_extract(line, '^ *(\d{5}) ', 1), '') AS customer_id,
  CAST(try_strptime(regexp_extract(line, '^ *\d{5} +(\d{8}) ', 1), '%Y%m%d') AS DATE) AS ordered_on,
  TRY_CAST(regexp_extract(line, '^ *\d{5} +\d{8} +(\d+) ', 1) AS INTEGER) AS cds,
  TRY_CAST(regexp_extract(line, '^ *\d{5} +\d{8} +\d+ +([0-9.]+)\s*$', 1) AS DECIMAL(9, 2)) AS paid,
  line
FROM STREAM bronze.order_lines;

-- A quarter is closed when its last month has landed. Each closes once, and what is computed at its end (gold.customer_quarter) is
-- computed once: later orders cannot slip into what was known then. Should an earlier month be missing by then, the run fails and
-- keeps nothing; deliver it and run again.
CREATE STREAMING TABLE silver.quarters (
  CONSTRAINT three_months EXPECT (months = 3) ON VIOLATION FAIL UPDATE
)
COMMENT 'Quarters whose orders are complete'
AS SELECT q.begins_on, q.ends_on, count(DISTINCT month(o.ordered_on)) AS months
FROM (
  SELECT DISTINCT CAST(date_trunc('quarter', ordered_on) AS DATE) AS begins_on, last_day(ordered_on) AS ends_on
  FROM STREAM silver.orders
  WHERE month(ordered_on) % 3 = 0
) AS q
JOIN silver.orders AS o ON o.ordered_on BETWEEN q.begins_on AND q.ends_on
GROUP BY q.begins_on, q.ends_on;
