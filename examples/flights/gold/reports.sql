-- What an operations manager reads. Shares are of flights that arrived; cancelled ones are counted beside them.
CREATE MATERIALIZED VIEW gold.delays_by_month
COMMENT 'Delays by month of departure (New York)'
AS SELECT
  CAST(date_trunc('month', scheduled_departure) AS DATE) AS month,
  count(*) AS flights,
  count(*) FILTER (cancelled) AS cancelled,
  round(100 * avg(CAST(late AS INTEGER)), 1) AS late_percent,
  round(avg(arr_delay), 1) AS mean_arrival_delay
FROM silver.flights
GROUP BY ALL;

CREATE MATERIALIZED VIEW gold.delays_by_carrier
COMMENT 'Delays by carrier'
AS SELECT
  f.carrier,
  a.name,
  count(*) AS flights,
  round(100 * avg(CAST(f.cancelled AS INTEGER)), 1) AS cancelled_percent,
  round(100 * avg(CAST(f.late AS INTEGER)), 1) AS late_percent,
  round(avg(f.arr_delay), 1) AS mean_arrival_delay,
  quantile_disc(f.arr_delay, 0.9) AS ninth_decile_delay
FROM silver.flights AS f LEFT JOIN silver.airlines AS a ON a.carrier = f.carrier
GROUP BY f.carrier, a.name;

-- Destinations that the register lacks (SJU, BQN, STT, PSE) keep their code for a name.
CREATE MATERIALIZED VIEW gold.delays_by_destination
COMMENT 'Delays by origin and destination'
AS SELECT
  f.origin,
  f.dest,
  coalesce(a.name, f.dest) AS destination,
  count(*) AS flights,
  round(100 * avg(CAST(f.late AS INTEGER)), 1) AS late_percent,
  round(avg(f.arr_delay), 1) AS mean_arrival_delay
FROM silver.flights AS f LEFT JOIN silver.airports AS a ON a.airport = f.dest
GROUP BY f.origin, f.dest, a.name;

CREATE MATERIALIZED VIEW gold.delays_by_weather
COMMENT 'Delays by the weather of the scheduled hour'
AS SELECT
  origin,
  CASE WHEN visib IS NULL THEN 'not known'
       WHEN visib < 3 THEN 'visibility under 3 miles'
       WHEN precip > 0 THEN 'rain or snow'
       WHEN wind_speed >= 20 THEN 'wind over 20 mph'
       ELSE 'fair' END AS weather,
  count(*) AS flights,
  round(100 * avg(CAST(cancelled AS INTEGER)), 1) AS cancelled_percent,
  round(100 * avg(CAST(late AS INTEGER)), 1) AS late_percent,
  round(avg(arr_delay), 1) AS mean_arrival_delay
FROM silver.flights
GROUP BY ALL;
