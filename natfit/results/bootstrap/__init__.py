"""Refits of resampled data: which rows are drawn, the replicates, and the limits that they give."""
