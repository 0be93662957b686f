-- One file a month, as the vendor delivers it: every flight that was scheduled to leave New York. Nothing is
-- corrected here; a file that is new in landing/departures is read once.
CREATE STREAMING TABLE bronze.departures
COMMENT 'Scheduled departures from EWR, LGA and JFK, as delivered'
AS SELECT * REPLACE (parse_filename(filename) AS filename)
FROM STREAM read_files('landing/departures/*.csv.gz', format => 'csv', nullstr => 'NA', filename => true);
