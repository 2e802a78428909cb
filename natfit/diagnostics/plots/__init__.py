"""Figures of fits; matplotlib is imported where something is drawn."""
