CREATE OR REPLACE MODEL gold.late TRANSFORM (a + 1 AS a1, ML.STANDARD_SCALER(b) OVER () AS b, label)
OPTIONS (model_type = 'logistic_reg', L2_REG = -0.5e-3, n = +12, input_label_cols = ['label'], class_weights =
  [STRUCT('a' AS label, .5 AS weight), STRUCT(NULL AS label, 2 AS weight)], early_stop = FALSE, warm_start = TRUE,
  optimize_strategy = NORMAL_EQUATION, empty = [], nothing = NULL)
AS (SELECT * FROM gold.flights WHERE label IS NOT NULL)
