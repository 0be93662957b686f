-- Will this flight arrive 15 minutes late or more? Only what is known before departure may help; the month, temperature and
-- dew point may not: over January to April they merely tell how far the winter has gone, and a model that saw only those
-- months carries that into the summer.
--
-- A later version becomes champion only if its log loss on August (gold.promotion) is lower. Nothing is held out of the training
-- rows, since August and the months after it are.
CREATE MODEL delay
OPTIONS (
  model_type = 'logistic_reg',
  input_label_cols = ['late'],
  l2_reg = 1.0,
  data_split_method = 'no_split',
  promotion_query = 'SELECT carrier, origin, dest, departure_hour, weekday, plane_age, humid, wind_speed, precip, visib,
      pressure, late FROM gold.promotion'
)
AS SELECT carrier, origin, dest, departure_hour, weekday, plane_age, humid, wind_speed, precip, visib, pressure, late
FROM gold.training;
