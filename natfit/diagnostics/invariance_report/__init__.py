"""The invariance report: paths in several parametrizations, their spread, its order, figure and words."""
