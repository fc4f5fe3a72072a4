"""The one place where randomness starts: every stream is a `SeedSequence` keyed by realization and purpose."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from qthermo.checks import check_integer

__all__ = ["Stream", "sample_generator", "spawn_seed"]


class Stream(IntEnum):
    """What a stream of random numbers is for; a number is never given to a second purpose."""

    MODEL = 0
    STATES = 1
    CIRCUIT = 2
    SIMULATOR = 3
    SOLVER = 4
    POPULATION = 5
    METHOD = 6
    POINT = 7
    BOOTSTRAP = 8


def _sequence(seed: int, realization: int, stream: Stream) -> np.random.SeedSequence:
    check_integer("seed", seed, minimum=0)
    check_integer("realization", realization, minimum=0)
    return np.random.SeedSequence(entropy=seed, spawn_key=(realization, int(stream)))


def sample_generator(seed: int, stream: Stream, realization: int = 0) -> np.random.Generator:
    """Return the generator of `SeedSequence(entropy=seed, spawn_key=(realization, stream))`.

    Raises:
        InputError: `seed` or `realization` is negative or no whole number.
    """
    return np.random.default_rng(_sequence(seed, realization, stream))


def spawn_seed(seed: int, stream: Stream, realization: int = 0) -> int:
    """Return a 31-bit integer seed for software that takes only integers (consecutive integers are never used)."""
    return int(_sequence(seed, realization, stream).generate_state(1, np.uint32)[0] >> 1)
