-- What the model learns from. Two flows lead into it, and each row says which: history from before there was a service, and
-- flights that the service was asked about and whose outcome came back. The latter keep the features
-- as they were served, so that nothing learnt later slips into them.
CREATE STREAMING TABLE gold.training (
  label_origin VARCHAR,  -- history or outcome
  flight_id VARCHAR,     -- of history
  inference_id UUID,     -- of an outcome: the row of inference.delay_risk
  feedback_id UUID,
  carrier VARCHAR, origin VARCHAR, dest VARCHAR, departure_hour VARCHAR, weekday VARCHAR,
  plane_age DOUBLE, humid DOUBLE, wind_speed DOUBLE, precip DOUBLE, visib DOUBLE, pressure DOUBLE,
  late BOOLEAN,
  CONSTRAINT has_label EXPECT (late IS NOT NULL) ON VIOLATION DROP ROW
)
COMMENT 'Labelled flights, with the origin of each label';

-- The service went live in May 2013.
CREATE FLOW training_from_history AS INSERT INTO gold.training BY NAME
SELECT 'history' AS label_origin, flight_id,
  carrier, origin, dest, departure_hour, weekday, plane_age, humid, wind_speed, precip, visib, pressure, late
FROM STREAM silver.flights
WHERE scheduled_departure < TIMESTAMP '2013-05-01' AND late IS NOT NULL;

CREATE FLOW training_from_outcomes AS INSERT INTO gold.training BY NAME
SELECT 'outcome' AS label_origin, inference_id, feedback_id, unnest(output.features), outcome.late AS late
FROM STREAM inference.delay_risk_labelled
WHERE status = 'ok' AND origin = 'outcome' AND outcome.late IS NOT NULL;
