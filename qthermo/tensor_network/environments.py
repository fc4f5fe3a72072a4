"""Contractions of bra, MPO and ket from the left and from the right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["extend_left", "extend_right", "sandwich"]


def extend_left(environment: NDArray[Any], bra: NDArray[Any], W: NDArray[Any], ket: NDArray[Any]) -> NDArray[Any]:
    """Take in one site: E'[a', w', b'] = sum conj(bra[a, o, a']) W[w, w', o, i] ket[b, i, b'] E[a, w, b].

    Cost: 2 chi^3 d w + chi^2 d^2 w^2.
    """
    half = np.tensordot(environment, ket, (2, 0))
    half = np.tensordot(half, W, ((1, 2), (0, 3)))
    whole: NDArray[Any] = np.tensordot(bra.conj(), half, ((0, 1), (0, 3)))
    return whole.transpose(0, 2, 1)


def extend_right(environment: NDArray[Any], bra: NDArray[Any], W: NDArray[Any], ket: NDArray[Any]) -> NDArray[Any]:
    """Take in one site: E'[a, w, b] = sum conj(bra[a, o, a']) W[w, w', o, i] ket[b, i, b'] E[a', w', b']."""
    half = np.tensordot(ket, environment, (2, 2))
    half = np.tensordot(half, W, ((1, 3), (3, 1)))
    whole: NDArray[Any] = np.tensordot(bra.conj(), half, ((1, 2), (3, 1)))
    return whole.transpose(0, 2, 1)


def sandwich(bra: Sequence[NDArray[Any]], mpo: Sequence[NDArray[Any]], ket: Sequence[NDArray[Any]]) -> Any:
    """Return <bra| mpo |ket>."""
    environment: NDArray[Any] = np.ones((1, 1, 1))
    for left, W, right in zip(bra, mpo, ket, strict=True):
        environment = extend_left(environment, left, W, right)
    return environment[0, 0, 0]
