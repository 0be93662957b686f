-- August decides which version of the model is champion. A table of its own, so that training and decision cannot mix, and later
-- months leave it as it is.
CREATE STREAMING TABLE gold.promotion
COMMENT 'The flights of August with their outcome'
AS SELECT flight_id, carrier, origin, dest, departure_hour, weekday, plane_age, humid, wind_speed, precip, visib, pressure, late
FROM STREAM silver.flights
WHERE late IS NOT NULL
  AND scheduled_departure >= TIMESTAMP '2013-08-01' AND scheduled_departure < TIMESTAMP '2013-09-01';
