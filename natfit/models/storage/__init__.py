"""Saved fits: one file for each kind of result, and what they share."""
