"""Races of optimizers: tracks, figures and the interactive page."""
