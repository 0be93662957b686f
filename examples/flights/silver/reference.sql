-- The newest delivery counts, so that each key is there once however often a file comes again.
CREATE MATERIALIZED VIEW silver.planes (
  CONSTRAINT has_year EXPECT (built IS NOT NULL),
  CONSTRAINT possible_year EXPECT (built IS NULL OR built BETWEEN 1930 AND 2030) ON VIOLATION DROP ROW
)
COMMENT 'Planes by tail number'
AS SELECT tailnum, CAST(year AS INTEGER) AS built, manufacturer, model, CAST(seats AS INTEGER) AS seats, engine
FROM bronze.planes
QUALIFY row_number() OVER (PARTITION BY tailnum ORDER BY filename DESC) = 1;

CREATE MATERIALIZED VIEW silver.airports
COMMENT 'Airports by code'
AS SELECT faa AS airport, name, lat, lon, tzone
FROM bronze.airports
QUALIFY row_number() OVER (PARTITION BY faa ORDER BY filename DESC) = 1;

CREATE MATERIALIZED VIEW silver.airlines
COMMENT 'Carriers by code'
AS SELECT carrier, name
FROM bronze.airlines
QUALIFY row_number() OVER (PARTITION BY carrier ORDER BY filename DESC) = 1;
