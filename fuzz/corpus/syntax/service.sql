CREATE OR REPLACE SERVICE quote (photo BLOB, carrier VARCHAR, d TIMESTAMP, xs STRUCT(x INT, y INT)[])
OPTIONS (outcome = 'late BOOLEAN, delay DOUBLE', capture = durable)
AS SELECT p.* FROM ML.PREDICT(MODEL damage@champion, (SELECT * FROM request r LEFT JOIN plane USING (id)),
  STRUCT(0.6 AS threshold, TRUE AS keep_original_columns)) p JOIN risk(TABLE (SELECT 1)) ON true
