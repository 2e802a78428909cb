"""The file of a saved fit: a JSON header and raw arrays under one checksum.

    8 bytes   magic
    4 bytes   format version, an unsigned little-endian integer
    8 bytes   length of the header, the same
    ...       header: JSON, UTF-8; ``arrays`` lists dtype and shape of each array
    ...       the arrays, one after the other: C order, little-endian
    32 bytes  SHA-256 of all before it

Every length is checked against the file's size before anything of that length is read; the checksum before anything is
parsed.
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import struct
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

MAGIC = b"\x89natfit\n"
"""Not text, and changed by whatever converts line ends."""
VERSION = 1
"""Of the format. It rises when an older natfit could no longer read what is written."""
PREFIX = struct.Struct("<8sIQ")
DTYPES = ("<f8", "<f4", "<i8", "|b1")


class StorageError(ValueError):
    """A file that is not a whole, sound saved fit, or a fit that can't be saved; the message says why."""


def write(path: str | os.PathLike[str], header: dict[str, Any], arrays: Sequence[Array]) -> None:
    """Write a file at once or not at all: whatever goes wrong, an older file of that name stays as it was.

    Parameters
    ----------
    path : path-like
    header : dict
        Of what JSON can say.
    arrays : sequence of ndarray
        Of floats, 64-bit integers or booleans.
    """
    path = Path(path)
    stored = [_little_endian(array) for array in arrays]
    listed = [{"dtype": each.dtype.str, "shape": list(each.shape)} for each in stored]
    text = json.dumps({**header, "arrays": listed}, allow_nan=False, ensure_ascii=True).encode("ascii")
    digest = hashlib.sha256()
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder to save the fit in", str(path.parent))
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for piece in (PREFIX.pack(MAGIC, VERSION, len(text)), text, *(each.tobytes() for each in stored)):
                digest.update(piece)
                file.write(piece)
            file.write(digest.digest())
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _little_endian(array: Array) -> Array:
    wanted = np.dtype({"f": f"<f{array.dtype.itemsize}", "i": "<i8", "u": "<i8", "b": "|b1"}[array.dtype.kind])
    return np.asarray(array, dtype=wanted, order="C")


def read(path: str | os.PathLike[str]) -> tuple[dict[str, Any], list[Array]]:
    """Read a file that `write` wrote.

    Returns
    -------
    header : dict
    arrays : list of ndarray

    Raises
    ------
    StorageError
        The file is of another kind, newer, cut short or damaged.
    """
    content = Path(path).read_bytes()
    name = repr(str(path))
    if content[: len(MAGIC)] != MAGIC:
        raise StorageError(f"{name} is no saved fit of natfit (it begins otherwise); give a file that fit.save wrote")
    if len(content) < PREFIX.size + 32:
        raise StorageError(f"{name} is cut short after {len(content)} bytes; copy it again, or save the fit again")
    _, version, length = PREFIX.unpack_from(content)
    if version > VERSION:
        raise StorageError(
            f"{name} has format version {version}, and this natfit reads up to {VERSION}; read it with a newer natfit"
        )
    if version < 1:
        raise StorageError(f"{name} has format version {version}, which never was; save the fit again")
    body, digest = content[:-32], content[-32:]
    if length > len(body) - PREFIX.size or hashlib.sha256(body).digest() != digest:
        raise StorageError(
            f"{name} is damaged or cut short: its checksum does not hold; copy it again, or save the fit again"
        )
    end = PREFIX.size + length
    try:
        header = json.loads(body[PREFIX.size : end])
        arrays = _arrays(header, body, end)
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise StorageError(f"{name} does not hold what a saved fit holds: {type(error).__name__}: {error}") from None
    return header, arrays


def _arrays(header: Any, body: bytes, start: int) -> list[Array]:
    """Cut the arrays out of a file's body; their sizes must add up to it."""
    arrays = []
    for each in header["arrays"]:
        dtype, shape = each["dtype"], each["shape"]
        if dtype not in DTYPES:
            raise ValueError(f"an array of type {dtype!r}")
        if len(shape) > 8 or not all(type(size) is int and size >= 0 for size in shape):
            raise ValueError(f"an array of shape {shape!r}"[:200])
        count = math.prod(shape)
        stop = start + count * np.dtype(dtype).itemsize
        if stop > len(body):
            raise ValueError("arrays larger than the file")
        arrays.append(np.frombuffer(body, dtype, count, start).reshape(shape).astype(np.dtype(dtype).newbyteorder("=")))
        start = stop
    if start != len(body):
        raise ValueError(f"{len(body) - start} bytes that belong to no array")
    return arrays
