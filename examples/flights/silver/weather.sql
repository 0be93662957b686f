-- time_hour is an instant (TIMESTAMP WITH TIME ZONE), as in the flights. Local hours would not do as a key: on
-- 3 November 2013 New York's clocks show 1 o'clock twice.
CREATE STREAMING TABLE silver.weather (
  CONSTRAINT has_key EXPECT (origin IS NOT NULL AND time_hour IS NOT NULL) ON VIOLATION QUARANTINE,
  -- No wind on Earth's surface blew faster than 253 mph.
  CONSTRAINT possible_wind EXPECT (wind_speed IS NULL OR wind_speed <= 253) ON VIOLATION QUARANTINE,
  CONSTRAINT possible_humidity EXPECT (humid IS NULL OR humid BETWEEN 0 AND 100) ON VIOLATION QUARANTINE,
  CONSTRAINT has_pressure EXPECT (pressure IS NOT NULL)
)
COMMENT 'Weather by airport and hour; °F, mph, inches, hPa, miles'
AS SELECT origin, time_hour, temp, dewp, humid, wind_dir, wind_speed, wind_gust, precip, pressure, visib
FROM STREAM bronze.weather;
