WITH a AS (SELECT * FROM ML.PREDICT(MODEL gold.m@3, (SELECT * FROM ML.PREDICT(MODEL `n`, TABLE "s"."t"))))
SELECT * FROM a, ML.EVALUATE(MODEL m), ML.WEIGHTS(MODEL m, STRUCT(TRUE AS standardize)), STREAM bronze.x AS y
JOIN STREAM(read_files('d/**', format => 'binaryFile', sizes => [1, 2], f := g(1, (2)))) ON a.i = y.i, s.risk(TABLE t)
WHERE stream > 1 ORDER BY (SELECT stream x FROM stream WHERE a)
