"""Coordinates of K covariances under a model: log volumes, log shapes and plane rotations from a reference."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment

from natfit.families.gaussian_covariances.models import CovarianceModel
from natfit.families.gaussian_covariances.steps import common_axes
from natfit.parametrizations.base import Array, Parametrization, refuse_off_image
from natfit.parametrizations.packing import lower_indices, pack, unpack_lower, unpack_symmetric

SAME = 1e-6
"""Share by which covariances may miss a model that they were made by: iterated maxima meet it to rounding only."""

ANY_UNITS = ("EEE", "VEE", "EVV", "VVV")
"""Models that stay themselves when columns change units: their coordinates count in the reference's own, since axes of
columns of unlike size can't be told to rounding."""


class CovarianceCoordinates(Parametrization):
    """The covariances Sigma_k = volume_k D_k A_k D_k' of a model, in as many coordinates as it has free parameters.

    Coordinates are log volume, the logarithms of all but the last axis of A (the last is minus their sum), and for the
    orientation a skew matrix S with D = R (I - S/2)^-1 (I + S/2), R being a reference; all of D but half turns from R are
    reached. Each stands once where it is equal, K times where it varies. Home parameters are the packed covariances, one
    component after another.

    Parameters
    ----------
    model : CovarianceModel
    n_components : int
    reference : (K, d, d) ndarray
        Covariances whose eigenvectors are the reference.

    Examples
    --------
    >>> from natfit.families.gaussian_covariances import MODELS
    >>> near = np.array([[[2.0, 0.5], [0.5, 1.0]], [[3.0, -1.0], [-1.0, 1.5]]])
    >>> chart = CovarianceCoordinates(MODELS["VVV"], 2, near)
    >>> bool(np.allclose(chart.to_home(chart.from_home([2.0, 0.5, 1.0, 3.0, -1.0, 1.5])), [2.0, 0.5, 1.0, 3.0, -1.0, 1.5]))
    True
    """

    def __init__(self, model: CovarianceModel, n_components: int, reference: Array):
        self.model = model
        self.n_components = n_components
        self.dim = d = reference.shape[-1]
        self._rows, self._columns = np.tril_indices(d, -1)
        self._sizes = tuple(
            {"E": 1, "V": n_components, "I": 0}[letter] * each
            for letter, each in zip(model.name, (1, d - 1, self._rows.size), strict=True)
        )
        units = reference.diagonal(axis1=-2, axis2=-1).mean(axis=0) if model.name in ANY_UNITS else np.ones(d)
        self._units = np.sqrt(units[:, None] * units)
        self._reference = self._axes(reference / self._units)
        super().__init__(self._made_names(), n_components * d * (d + 1) // 2)

    def _made_names(self) -> list[str]:
        own = [
            ["log_volume"],
            [f"log_shape[{j}]" for j in range(self.dim - 1)],
            [f"turn[{i},{j}]" for i, j in zip(self._rows, self._columns, strict=True)],
        ]
        names: list[str] = []
        for letter, each in zip(self.model.name, own, strict=True):
            if letter == "E":
                names += each
            elif letter == "V":
                names += [f"{name}[{k}]" for k in range(self.n_components) for name in each]
        return names

    def _axes(self, covariance: Array) -> Array:
        """Return orthogonal matrices (K, d, d) that carry the covariances to diagonal form."""
        if self.model.orientation == "I":
            return np.broadcast_to(np.eye(self.dim), covariance.shape)
        if self.model.orientation == "E":
            return np.broadcast_to(common_axes(covariance), covariance.shape)
        return np.linalg.eigh(covariance)[1]

    def _parts(self, xi: Array) -> tuple[Array, Array, Array]:
        """Return log volumes (..., K), log shapes (..., K, d) and skew matrices (..., K, d, d)."""
        lead, K, d = xi.shape[:-1], self.n_components, self.dim
        ends = np.cumsum(self._sizes)
        volume = np.broadcast_to(xi[..., : ends[0]], (*lead, K))
        shape = np.zeros((*lead, K, d))
        if self._sizes[1]:
            free = xi[..., ends[0] : ends[1]].reshape(*lead, -1, d - 1)
            shape[..., :-1] = free
            shape[..., -1] = -free.sum(axis=-1)
        skew = np.zeros((*lead, K, d, d))
        if self._sizes[2]:
            free = xi[..., ends[1] :].reshape(*lead, -1, self._rows.size)
            skew[..., self._rows, self._columns] = free
            skew[..., self._columns, self._rows] = -free
        return volume, shape, skew

    def _turn(self, skew: Array) -> Array:
        eye = np.eye(self.dim)
        return np.linalg.solve(eye - 0.5 * skew, eye + 0.5 * skew)

    def to_home(self, xi: ArrayLike) -> Array:
        volume, shape, skew = self._parts(self._coordinates(xi))
        axes = self._reference @ self._turn(skew)
        made = (axes * np.exp(volume[..., None] + shape)[..., None, :]) @ np.swapaxes(axes, -1, -2)
        packed = pack(made * self._units)
        return packed.reshape(*packed.shape[:-2], self.home_size)

    def from_home(self, theta: ArrayLike) -> Array:
        theta = self._home(theta)
        lead, K, d = theta.shape[:-1], self.n_components, self.dim
        covariance = unpack_symmetric(theta.reshape(*lead, K, -1)) / self._units
        inside = np.linalg.eigvalsh(covariance)[..., 0].min(axis=-1) > 0.0
        refuse_off_image(repr(self.model), theta, inside, "positive definite covariances")
        local = np.swapaxes(self._reference, -1, -2) @ covariance @ self._reference
        turn = np.broadcast_to(np.eye(d), local.shape).copy()
        if self._sizes[2]:
            for at in np.ndindex(*lead):
                turn[at] = self._nearest_turn(local[at])
        values = np.einsum("...ji,...jl,...li->...i", turn, local, turn)
        logs = np.log(values)
        volume = logs.mean(axis=-1)
        shape = (logs - volume[..., None])[..., : d - 1]
        skew = 2.0 * np.linalg.solve(np.swapaxes(turn + np.eye(d), -1, -2), np.swapaxes(turn - np.eye(d), -1, -2))
        flat = np.swapaxes(skew, -1, -2)[..., self._rows, self._columns]
        parts = zip((volume[..., None], shape, flat), self.model.name, strict=True)
        xi = np.concatenate([self._shared(part, letter, lead) for part, letter in parts], axis=-1)
        size = np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1))
        miss = np.abs(unpack_symmetric(self.to_home(xi).reshape(*lead, K, -1)) / self._units - covariance)
        miss = (miss / (size[..., :, None] * size[..., None, :])).reshape(*lead, -1).max(axis=-1)
        refuse_off_image(repr(self.model), theta, miss < SAME, f"covariances of the model {self.model.name}")
        return xi

    def _shared(self, part: Array, letter: str, lead: tuple[int, ...]) -> Array:
        if letter == "I":
            return np.empty((*lead, 0))
        return part.mean(axis=-2) if letter == "E" else part.reshape(*lead, -1)

    def _nearest_turn(self, local: Array) -> Array:
        """Return the eigenvectors (K, d, d) of covariances near diagonal form, in the order and sign nearest to it."""
        vectors = np.broadcast_to(common_axes(local), local.shape) if self.model.orientation == "E" else None
        if vectors is None:
            vectors = np.linalg.eigh(local)[1]
        found = np.empty_like(local)
        for k, each in enumerate(vectors):
            order = linear_sum_assignment(-np.abs(each))[1]
            placed = each[:, order]
            placed = placed * np.where(placed.diagonal() < 0.0, -1.0, 1.0)
            if np.linalg.det(placed) < 0.0:  # a reflection: the axis that is nearest to a half turn flips
                placed[:, np.argmin(placed.diagonal())] *= -1.0
            found[k] = placed
        return found

    def jacobian(self, xi: ArrayLike) -> Array:
        volume, shape, skew = self._parts(self._coordinates(xi))
        lead, K, d = volume.shape[:-1], self.n_components, self.dim
        turn = self._turn(skew)
        axes = self._reference @ turn
        values = np.exp(volume[..., None] + shape)
        own = np.einsum("...ia,...a,...ja->...aij", axes, values, axes)  # each axis' share of the covariance
        total = own.sum(axis=-3)
        parts = [
            total[..., None, :, :],
            own[..., :-1, :, :] - own[..., -1:, :, :],
            self._turns(turn, skew, axes, values),
        ]
        i, j = lower_indices(d)
        columns: list[Array] = []
        for letter, part in zip(self.model.name, parts, strict=True):
            packed = part[..., i, j] * self._units[i, j]  # (..., K, m, s)
            if letter == "E":
                columns.append(np.swapaxes(np.moveaxis(packed, -3, -2).reshape(*lead, packed.shape[-2], -1), -1, -2))
            elif letter == "V":
                m, s = packed.shape[-2:]
                block = np.zeros((*lead, K, s, K, m))
                for k in range(K):
                    block[..., k, :, k, :] = np.swapaxes(packed[..., k, :, :], -1, -2)
                columns.append(block.reshape(*lead, K * s, K * m))
        return np.concatenate(columns, axis=-1)

    def pull_score(self, xi: ArrayLike, score: ArrayLike) -> Array:
        """Carry a score (..., p) to coordinates without their Jacobian, which is many times as large: traces of products."""
        volume, shape, skew = self._parts(self._coordinates(xi))
        K, d = self.n_components, self.dim
        turn, packed = self._turn(skew), np.asarray(score, dtype=float)
        axes, values = self._reference @ turn, np.exp(volume[..., None] + shape)
        lower = unpack_lower(packed.reshape(*packed.shape[:-1], K, -1)) * self._units
        form = 0.5 * (lower + np.swapaxes(lower, -1, -2))
        turned = np.swapaxes(axes, -1, -2) @ form
        each = values * np.einsum("...aj,...ja->...a", turned, axes)  # along each axis' logarithm
        left = self._reference @ np.linalg.inv(np.eye(d) - 0.5 * skew)
        flow = (np.eye(d) + turn) @ (values[..., None] * turned) @ left
        around = flow[..., self._columns, self._rows] - flow[..., self._rows, self._columns]
        parts = (each.sum(axis=-1)[..., None], each[..., :-1] - each[..., -1:], around)
        made = []
        for letter, part in zip(self.model.name, parts, strict=True):
            if letter == "E":
                made.append(np.broadcast_to(part.sum(axis=-2), (*part.shape[:-2], part.shape[-1])))
            elif letter == "V":
                made.append(part.reshape(*part.shape[:-2], -1))
        return np.concatenate(made, axis=-1)

    def _turns(self, turn: Array, skew: Array, axes: Array, values: Array) -> Array:
        """Return the derivatives of the covariances in the skew matrices' entries, (..., K, m, d, d)."""
        d = self.dim
        eye = np.eye(d)
        left = self._reference @ np.linalg.inv(eye - 0.5 * skew)
        right = 0.5 * (eye + turn)
        made = []
        for i, j in zip(self._rows, self._columns, strict=True):
            moved = left[..., :, i, None] * right[..., None, j, :] - left[..., :, j, None] * right[..., None, i, :]
            half = (moved * values[..., None, :]) @ np.swapaxes(axes, -1, -2)
            made.append(half + np.swapaxes(half, -1, -2))
        return np.stack(made, axis=-3) if made else np.empty((*turn.shape[:-2], 0, d, d))
