-- Two clocks: scheduled_departure is what the timetable says, New York's time without a zone; time_hour is the instant at
-- which that hour began (TIMESTAMP WITH TIME ZONE). Weather is joined by the instant. A month is New York's month.
--
-- late is the outcome: 15 minutes or more after the scheduled arrival; NULL when a flight was cancelled, diverted or
-- its arrival not recorded. Such flights stay, counted by the expectations: an operations manager asks for them.
CREATE STREAMING TABLE silver.flights (
  CONSTRAINT has_route EXPECT (carrier IS NOT NULL AND origin IS NOT NULL AND dest IS NOT NULL) ON VIOLATION QUARANTINE,
  CONSTRAINT clocks_agree EXPECT (time_hour = date_trunc('hour', scheduled_departure) AT TIME ZONE 'America/New_York')
    ON VIOLATION QUARANTINE,
  -- Newark and LaGuardia lie 17 miles apart; nobody flies that.
  CONSTRAINT goes_somewhere EXPECT (distance >= 50) ON VIOLATION QUARANTINE,
  CONSTRAINT not_cancelled EXPECT (NOT cancelled),
  CONSTRAINT has_outcome EXPECT (late IS NOT NULL),
  CONSTRAINT has_weather EXPECT (visib IS NOT NULL),
  CONSTRAINT has_plane_age EXPECT (plane_age IS NOT NULL)
)
COMMENT 'Flights with weather and plane, one row each'
AS SELECT
  -- Unique: one flight number leaves an airport once a day.
  format('{:04d}-{:02d}-{:02d} {}{} {}', d.year, d.month, d.day, d.carrier, d.flight, d.origin) AS flight_id,
  make_timestamp(d.year, d.month, d.day, d.hour, d.minute, 0) AS scheduled_departure,
  d.time_hour,
  d.carrier, CAST(d.flight AS INTEGER) AS flight, d.tailnum, d.origin, d.dest, CAST(d.distance AS INTEGER) AS distance,
  -- What is known before departure, as the model takes it; services/delay_risk.sql says it the same way.
  CAST(d.hour AS VARCHAR) AS departure_hour,
  dayname(make_date(d.year, d.month, d.day)) AS weekday,
  CAST(d.year - p.built AS DOUBLE) AS plane_age,
  w.humid, w.wind_speed, w.precip, w.visib, w.pressure,
  -- What is known only later.
  d.dep_time IS NULL AS cancelled,
  CAST(d.dep_delay AS INTEGER) AS dep_delay,
  CAST(d.arr_delay AS INTEGER) AS arr_delay,
  CAST(d.air_time AS INTEGER) AS air_time,
  d.arr_delay >= 15 AS late
FROM STREAM bronze.departures AS d
LEFT JOIN silver.weather AS w ON w.origin = d.origin AND w.time_hour = d.time_hour
LEFT JOIN silver.planes AS p ON p.tailnum = d.tailnum;
