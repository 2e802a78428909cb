"""Between Python's objects and a tree of what JSON can say, with arrays beside it.

Numbers keep every bit: floats are written so that they are read back the same, arrays go raw into the file. Of classes
only those that are listed are written, field by field, and read back through their own constructors: nothing that a file
says is ever imported, looked up or run.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from natfit.results.storage.container import StorageError

Array = np.ndarray[Any, np.dtype[Any]]

Plain = Any
"""None, bool, int, float, str, lists of these and dicts from str to these."""

TAG = "$"
"""The key that marks a dict as standing for something else."""


class Kind(NamedTuple):
    """A class that may be stored: the constructor, and the names of its fields."""

    make: Any
    fields: tuple[str, ...]


def fields_of(cls: type) -> tuple[str, ...]:
    """Return the fields of a dataclass or named tuple."""
    return (
        tuple(field.name for field in dataclasses.fields(cls)) if dataclasses.is_dataclass(cls) else tuple(cls._fields)  # type: ignore[attr-defined]
    )


def kinds(classes: Mapping[str, type]) -> dict[str, Kind]:
    """Return what an encoder and a decoder need to know of dataclasses and named tuples, under the names given."""
    return {name: Kind(cls, fields_of(cls)) for name, cls in classes.items()}


class Encoder:
    """Turns objects into plain trees, and collects their arrays.

    Parameters
    ----------
    classes : mapping of str to Kind

    Examples
    --------
    >>> encoder = Encoder({})
    >>> encoder({"a": (1, float("inf")), 2: np.array([0.5])})
    {'$': 'dict', 'items': [['a', {'$': 'tuple', 'items': [1, {'$': 'float', 'value': 'inf'}]}], \
[2, {'$': 'array', 'place': 0}]]}
    >>> encoder.arrays
    [array([0.5])]
    """

    def __init__(self, classes: Mapping[str, Kind]):
        self.arrays: list[Array] = []
        self._names: dict[Any, tuple[str, Kind]] = {kind.make: (name, kind) for name, kind in classes.items()}

    def __call__(self, value: Any) -> Plain:
        """Return a value's plain form.

        Raises
        ------
        StorageError
            For an object that has none.
        """
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {TAG: "float", "value": repr(value)}
        if type(value) in self._names:
            name, kind = self._names[type(value)]
            return {TAG: name, "fields": {field: self(getattr(value, field)) for field in kind.fields}}
        if isinstance(value, list):
            return [self(each) for each in value]
        if isinstance(value, tuple):
            return {TAG: "tuple", "items": [self(each) for each in value]}
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, np.ndarray):
            return self._array(value)
        return self._scalar(value)

    def _mapping(self, value: Mapping[Any, Any]) -> Plain:
        if all(type(key) is str for key in value) and TAG not in value:
            return {key: self(each) for key, each in value.items()}
        return {TAG: "dict", "items": [[self(key), self(each)] for key, each in value.items()]}

    def _array(self, value: Array) -> Plain:
        if value.dtype.kind in "fiub" and value.dtype.itemsize <= 8:
            self.arrays.append(value)
            return {TAG: "array", "place": len(self.arrays) - 1}
        return {TAG: "objects", "shape": list(value.shape), "items": [self(each) for each in value.ravel().tolist()]}

    def _scalar(self, value: Any) -> Plain:
        if isinstance(value, np.generic) and value.dtype.kind in "fiub":
            item = value.item()
            return {TAG: "number", "dtype": value.dtype.str.lstrip("<>|="), "value": self(item)}
        if isinstance(value, str):
            return str(value)
        if isinstance(value, slice):
            return {TAG: "slice", "items": [self(each) for each in (value.start, value.stop, value.step)]}
        import pandas as pd

        if isinstance(value, pd.Interval):
            return {TAG: "interval", "ends": [self(value.left), self(value.right)], "closed": value.closed}
        if isinstance(value, pd.Timestamp):
            return {TAG: "timestamp", "value": value.isoformat()}
        if isinstance(value, pd.Timedelta):
            return {TAG: "timedelta", "value": value.isoformat()}
        if isinstance(value, datetime.date):
            return {TAG: "date", "value": value.isoformat()}
        raise StorageError(
            f"a fit that holds {type(value).__name__} {value!r:.60} can't be saved: a file has no form for it"
        )


class Decoder:
    """Turns plain trees back into objects.

    Parameters
    ----------
    arrays : list of ndarray
    classes : mapping of str to Kind
        Those that may come back, and no others.
    """

    def __init__(self, arrays: list[Array], classes: Mapping[str, Kind]):
        self._arrays, self._classes = arrays, classes

    def __call__(self, tree: Plain) -> Any:
        """Return what a plain tree stands for.

        Raises
        ------
        StorageError
            For a form that is not known; KeyError, TypeError and the like where one is not whole.
        """
        if tree is None or isinstance(tree, bool | int | float | str):
            return tree
        if isinstance(tree, list):
            return [self(each) for each in tree]
        if not isinstance(tree, dict):
            raise StorageError(f"a file can't hold {type(tree).__name__}")
        if TAG not in tree:
            return {key: self(each) for key, each in tree.items()}
        tag = tree[TAG]
        if tag in self._classes:
            kind = self._classes[tag]
            given = {name: self(each) for name, each in tree["fields"].items()}
            if set(given) != set(kind.fields):
                raise StorageError(f"{tag} has other fields than {', '.join(kind.fields)}")
            return kind.make(**given)
        reader = _READERS.get(tag) if isinstance(tag, str) else None
        if reader is None:
            raise StorageError(f"the form {tag!r:.60} is not known; the file may be of a newer natfit")
        return reader(self, tree)

    def _array(self, tree: Plain) -> Array:
        place = tree["place"]
        if type(place) is not int or not 0 <= place < len(self._arrays):
            raise StorageError(f"there is no array {place!r:.60}")
        return self._arrays[place]

    def _objects(self, tree: Plain) -> Array:
        items = [self(each) for each in tree["items"]]
        made = np.empty(len(items), dtype=object)
        made[:] = items
        plain = made.reshape([int(size) for size in tree["shape"]])
        return plain.astype(str) if items and all(isinstance(each, str) for each in items) else plain

    def _date(self, tree: Plain) -> Any:
        import pandas as pd

        read = {"timestamp": pd.Timestamp, "timedelta": pd.Timedelta, "date": datetime.date.fromisoformat}[tree[TAG]]
        if not isinstance(tree["value"], str):
            raise StorageError(f"no {tree[TAG]}: {tree['value']!r:.60}")
        return read(tree["value"])

    def _interval(self, tree: Plain) -> Any:
        import pandas as pd

        left, right = (self(each) for each in tree["ends"])
        return pd.Interval(left, right, closed=tree["closed"])

    def _number(self, tree: Plain) -> Any:
        dtype = tree["dtype"]
        if dtype not in ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "b1"):
            raise StorageError(f"no type of number: {dtype!r:.60}")
        return np.dtype(dtype).type(self(tree["value"]))


_READERS: dict[str, Any] = {
    "float": lambda decoder, tree: {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[tree["value"]],
    "tuple": lambda decoder, tree: tuple(decoder(each) for each in tree["items"]),
    "dict": lambda decoder, tree: {decoder(key): decoder(each) for key, each in tree["items"]},
    "slice": lambda decoder, tree: slice(*(decoder(each) for each in tree["items"])),
    "array": Decoder._array,
    "objects": Decoder._objects,
    "number": Decoder._number,
    "interval": Decoder._interval,
    "timestamp": Decoder._date,
    "timedelta": Decoder._date,
    "date": Decoder._date,
}
