-- A carrier's record on a route. The service shows it beside each answer; no model learns from it, since it holds the
-- outcomes of the flights that a model is trained on.
CREATE MATERIALIZED VIEW gold.route_stats
COMMENT 'Record by carrier and route'
AS SELECT
  carrier, origin, dest,
  count(late) AS flights,
  round(avg(CAST(late AS INTEGER)), 3) AS late_share,
  median(arr_delay) AS median_arrival_delay
FROM silver.flights
GROUP BY carrier, origin, dest;
