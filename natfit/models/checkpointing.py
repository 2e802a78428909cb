"""Long fits that can be cut off: which fit a checkpoint belongs to, and how one goes on from it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from natfit.data.streams.stream import checksum
from natfit.models.fitting import Settings
from natfit.optimize.checkpoint import Checkpoint

if TYPE_CHECKING:
    from natfit.models.distributional.model import DistributionalRegression
    from natfit.models.glm import GLM


def with_checkpoint(settings: Settings, path: Any, model: GLM) -> Settings:
    """Return settings of a GLM's fit that writes checkpoints, and begins where the file's last one stands.

    Raises
    ------
    ValueError
        The file belongs to another fit, or this fit's parameters are more than its coefficients.
    """
    if path is None:
        return settings
    if settings.reduction is not None or getattr(model.family, "alpha", None) == "ml":
        raise ValueError(
            "a checkpoint holds the coefficients of a fit by maximum likelihood, and this fit has more to find"
        )
    about: dict[str, Any] = {"names": list(model.data.names), "family": repr(model.family), "link": model.link.name}
    checkpoint = Checkpoint(path, about | _rows(model.data))
    saved = checkpoint.read()
    return replace(settings, checkpoint=checkpoint, start_params=settings.start_params if saved is None else saved)


def with_distributional_checkpoint(settings: Settings, path: Any, model: DistributionalRegression) -> Settings:
    """Return settings of a distributional regression's fit, as `with_checkpoint` does of a GLM's.

    The file holds all coefficients; a fit begins at the free coordinates of these.
    """
    if path is None:
        return settings
    about: dict[str, Any] = {
        "names": list(model.likelihood.layout.names),
        "free coefficients": list(model.exog_names),
        "family": repr(model.family),
        "links": [link.name for link in model.links],
        "fixed values": dict(model.held),
    }
    checkpoint, tie = Checkpoint(path, about | _rows(model.data)), model.constraints.tie
    saved = checkpoint.read()
    start = settings.start_params if saved is None else np.linalg.lstsq(tie.matrix, saved - tie.offset)[0]
    return replace(settings, checkpoint=checkpoint, start_params=start)


def _rows(data: Any) -> dict[str, Any]:
    source = getattr(data, "stream", None)
    return {
        "n_rows": int(data.n_rows),
        "checksum of the response": checksum(data.y, 0) if source is None else source.checksum,
    }
