-- Asked with what a timetable knows. scheduled_departure is New York's local time, without a zone: of the hour that comes
-- twice when summer time ends, the later one is meant. tailnum may be null.
--
-- Honesty: the weather is looked up for the scheduled hour in the weather that was observed there. In the demo all of it has
-- landed beforehand, so it stands in for a forecast, and a perfect one at that; a live service would join a table of forecasts.
--
-- Unknown carriers, routes, planes and hours without weather are answered too: lookups give NULL, the model
-- takes the mean (numbers) or no effect (categories).
CREATE SERVICE delay_risk (
  carrier VARCHAR, origin VARCHAR, dest VARCHAR, tailnum VARCHAR, scheduled_departure TIMESTAMP
)
OPTIONS (outcome = 'late BOOLEAN, arr_delay DOUBLE')
AS SELECT
  list_filter(predicted_late_probs, lambda p: p.label)[1].prob AS probability,
  predicted_late AS late,
  CASE WHEN probability >= 0.5 THEN 'expect a late arrival: rebook tight connections'
       WHEN probability >= 0.3 THEN 'may be late: leave an hour to connect'
       ELSE 'no action' END AS advice,
  route_flights,
  route_late_share,
  -- As served: gold.training takes these, not what one would look up later.
  {carrier: carrier, origin: origin, dest: dest, departure_hour: departure_hour, weekday: weekday, plane_age: plane_age,
   humid: humid, wind_speed: wind_speed, precip: precip, visib: visib, pressure: pressure} AS features
FROM ML.PREDICT(MODEL delay, (
  SELECT
    r.carrier, r.origin, r.dest,
    CAST(hour(r.scheduled_departure) AS VARCHAR) AS departure_hour,
    dayname(r.scheduled_departure) AS weekday,
    CAST(year(r.scheduled_departure) - p.built AS DOUBLE) AS plane_age,
    w.humid, w.wind_speed, w.precip, w.visib, w.pressure,
    coalesce(s.flights, 0) AS route_flights,
    s.late_share AS route_late_share
  FROM request AS r
  LEFT JOIN silver.weather AS w
    ON w.origin = r.origin
    AND w.time_hour = date_trunc('hour', r.scheduled_departure) AT TIME ZONE 'America/New_York'
  LEFT JOIN silver.planes AS p ON p.tailnum = r.tailnum
  LEFT JOIN gold.route_stats AS s ON s.carrier = r.carrier AND s.origin = r.origin AND s.dest = r.dest
));
