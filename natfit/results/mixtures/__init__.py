"""Results of mixtures and of mixtures of regressions: standard errors, bootstrap, degeneracy, selection, tables."""
