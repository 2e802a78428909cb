"""Rows that stream by: Parquet, CSV, Dask and tables one after another, made into blocks, the same in every pass."""
