create or refresh materialized view gold.v (a, b COMMENT 'x', constraint c expect (a > 0))
as select a, b from silver.t as t join stream bronze.s as s using (a) where a is not distinct from b;
CREATE MATERIALIZED VIEW IF NOT EXISTS v AS FROM t
