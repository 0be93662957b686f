-- What the flights refer to, as it came.
CREATE STREAMING TABLE bronze.weather
COMMENT 'Hourly weather at the three airports'
AS SELECT * FROM STREAM read_files('landing/weather*.csv.gz', format => 'csv', nullstr => 'NA');

CREATE STREAMING TABLE bronze.planes
COMMENT 'The register of planes; year is that of manufacture'
AS SELECT * REPLACE (parse_filename(filename) AS filename)
FROM STREAM read_files('landing/planes*.csv', format => 'csv', nullstr => 'NA', filename => true);

CREATE STREAMING TABLE bronze.airports
COMMENT 'Airports'
AS SELECT * REPLACE (parse_filename(filename) AS filename)
FROM STREAM read_files('landing/airports*.csv', format => 'csv', nullstr => 'NA', filename => true);

CREATE STREAMING TABLE bronze.airlines
COMMENT 'Names of the carriers'
AS SELECT * REPLACE (parse_filename(filename) AS filename)
FROM STREAM read_files('landing/airlines*.csv', format => 'csv', nullstr => 'NA', filename => true);
