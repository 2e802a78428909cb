"""Mixture and MixtureRegression: what is set up, starts, EM ended by the observed data's metric, the choice of a fit."""
