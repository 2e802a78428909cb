"""Fewer coordinates than home parameters: some held fixed, some tied to one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from natfit.parametrizations.affine import Affine


class Fixed(Affine):
    """Hold some home parameters at known values; the others are the coordinates.

    Parameters
    ----------
    home_names : sequence of str
        Names of the p home parameters.
    values : mapping of str to float
        Name of each parameter that is held, and the value it is held at.

    Examples
    --------
    >>> Fixed(["mean", "variance"], {"variance": 4.0}).to_home([1.5])
    array([1.5, 4. ])
    """

    def __init__(self, home_names: Sequence[str], values: Mapping[str, float]) -> None:
        names = list(home_names)
        _require_known(names, values)
        free = [i for i, name in enumerate(names) if name not in values]
        offset = np.array([float(values.get(name, 0.0)) for name in names])
        super().__init__(np.eye(len(names))[:, free], offset, [names[i] for i in free])


class Tied(Affine):
    """Let groups of home parameters share one value each; parameters in no group stay free.

    Parameters
    ----------
    home_names : sequence of str
        Names of the p home parameters.
    groups : mapping of str to sequence of str
        Name of each shared coordinate, and the home parameters that are equal to it.

    Examples
    --------
    >>> Tied(["mean_1", "mean_2", "sd"], {"mean": ["mean_1", "mean_2"]}).to_home([5.0, 1.0])
    array([5., 5., 1.])
    """

    def __init__(self, home_names: Sequence[str], groups: Mapping[str, Sequence[str]]) -> None:
        names = list(home_names)
        owner: dict[str, str] = {}
        for group, members in groups.items():
            _require_known(names, members)
            for member in members:
                if member in owner:
                    raise ValueError(f"{member!r} is in two groups, {owner[member]!r} and {group!r}; a tie needs one.")
                owner[member] = group
        columns = list(dict.fromkeys(owner.get(name, name) for name in names))
        matrix = np.zeros((len(names), len(columns)))
        for i, name in enumerate(names):
            matrix[i, columns.index(owner.get(name, name))] = 1.0
        super().__init__(matrix, names=columns)


def _require_known(names: Sequence[str], wanted: Sequence[str] | Mapping[str, float]) -> None:
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise ValueError(f"There is no home parameter called {unknown[0]!r}; there are {', '.join(names)}.")
