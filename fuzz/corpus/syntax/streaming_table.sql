-- each file once
CREATE OR REFRESH STREAMING TABLE bronze.departures (
  carrier VARCHAR NOT NULL, "the day" DATE COMMENT 'it''s', price DECIMAL(10, 2), s STRUCT(a INT, b VARCHAR[]),
  CONSTRAINT on_time EXPECT (delay < 60 AND f(a, ')')) ON VIOLATION DROP ROW,
  CONSTRAINT known EXPECT (carrier IS NOT NULL) ON VIOLATION FAIL UPDATE,
  CONSTRAINT whole EXPECT (n >= 0) ON VIOLATION QUARANTINE, CONSTRAINT kept EXPECT (x))
COMMENT 'as it came'
AS SELECT * FROM STREAM read_files('departures/*.csv.gz', format => 'csv', header => true);
CREATE STREAMING TABLE IF NOT EXISTS bronze.pushed (id BIGINT, body JSON)
