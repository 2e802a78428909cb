"""Results of regressions with a predictor for every parameter: prediction, quantiles, diagnosis, tables."""
