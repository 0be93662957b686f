-- Four groups of returning customers by their factor scores, which have mean 0 and like spread: nothing is standardised. k-means ends
-- in a local minimum, at a mean squared distance of 0.579 from six of the seeds 0 to 9, at 0.619 and more from the others; so it starts
-- several times. ORDER BY makes the starts, and so the groups, the same in each training.
CREATE MODEL segments
OPTIONS (model_type = 'kmeans', num_clusters = 4, standardize_features = FALSE, seed = 1)
AS SELECT factor_1, factor_2
FROM ML.PREDICT(MODEL habits, (
  FROM gold.training WHERE visits >= 2 AND as_of = (SELECT max(as_of) FROM gold.training)))
ORDER BY customer_id;
