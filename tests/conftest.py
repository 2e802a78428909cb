"""Shared by all tests."""

# statsmodels puts a filter of its own ("always") in front when its warnings are first imported; imported here, before any
# test begins, it comes behind pytest's "error".
import natfit.results.warnings  # noqa: F401
