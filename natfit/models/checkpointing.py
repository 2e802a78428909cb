"""Long fits that can be cut off: which fit a checkpoint belongs to, and how one goes on from it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from natfit.data.stream import checksum
from natfit.models.fitting import Settings
from natfit.optimize.checkpoint import Checkpoint

if TYPE_CHECKING:
    from natfit.models.glm import GLM


def with_checkpoint(settings: Settings, path: Any, model: GLM) -> Settings:
    """Return settings of a fit that writes checkpoints, and begins where the file's last one stands.

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
    data: Any = model.data
    source = getattr(data, "stream", None)
    about = {
        "names": list(data.names),
        "family": repr(model.family),
        "link": model.link.name,
        "n_rows": int(data.n_rows),
        "checksum of the response": checksum(data.y, 0) if source is None else source.checksum,
    }
    checkpoint = Checkpoint(path, about)
    saved = checkpoint.read()
    return replace(settings, checkpoint=checkpoint, start_params=settings.start_params if saved is None else saved)
