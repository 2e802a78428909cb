"""DistributionalRegression: formulas, constraints, starts, the joint fit, rows."""
