"""What statsmodels' results can be asked beyond estimates and tests, by its own generic tools where they take natfit's."""
