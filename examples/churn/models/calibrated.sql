-- Customers of early 1997 come back less with every quarter, so probabilities learnt in 1997 are too high in 1998. Platt's remedy:
-- a logistic regression of the newest known outcomes on the log odds that comes_back gives. It keeps the order of the customers
-- and corrects the level. Two weights, learnt from gold.choosing; gold.test says what it was worth.
CREATE MODEL calibrated
OPTIONS (model_type = 'logistic_reg', input_label_cols = ['came_back'], data_split_method = 'no_split')
AS SELECT ln(p / (1 - p)) AS log_odds, came_back
FROM (
  SELECT list_filter(predicted_came_back_probs, lambda c: c.label)[1].prob AS p, came_back
  FROM ML.PREDICT(MODEL comes_back, TABLE gold.choosing));
