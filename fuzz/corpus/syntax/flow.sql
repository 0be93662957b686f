CREATE FLOW labels AS INSERT INTO silver.training BY NAME SELECT a, b FROM STREAM(feedback.damage_labelled), t;
CREATE FLOW f AS INSERT INTO t SELECT 1
