"""Fits beside one another: analysis of deviance, terms dropped and added, stepwise choice, tables of models."""
