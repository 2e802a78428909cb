"""Row mathematics of mixtures: components, weights, the observed and the complete data's information."""
