"""Saved fits: one file of a JSON header and raw arrays, and nothing in it that is ever run."""

from natfit.results.storage.container import VERSION, StorageError, read, write
from natfit.results.storage.plain import Decoder, Encoder, Plain

__all__ = ["VERSION", "Decoder", "Encoder", "Plain", "StorageError", "read", "write"]
