"""The plan of a study: how many realizations, from which seed, to which standard error, and where results go."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from qthermo.checks import check_integer, check_real
from qthermo.errors import InputError

__all__ = ["Ensemble", "Output"]

_GROWTH = 1.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Ensemble:
    """Table `[ensemble]` of a study file.

    Args:
        num_realizations: realizations of the disorder at every grid point, at most if `target_stderr` is given.
        seed: entropy of all random numbers; the `seed` of `[model]` if not given.
        independent_points: draw independent disorder at every grid point; by default realization r is the same at all.
        target_stderr: stop at a grid point as soon as the standard error of every entry of the answer's first variable
            is at most this, for every method.
        min_realizations: realizations before the first look at the standard error; few of them bias the stop.
        survivors: average entries that some realizations have lost (NaN, as where a tensor network stops at its
            tolerance) over those that have them; by default such means are NaN, since what is lost depends on the
            disorder.
        bootstrap: number of bootstrap samples for confidence intervals; 0 for none.
        confidence: probability inside the bootstrap interval.
        judge: label of the method that the others are compared with; by default "Dense" or else the first.

    Raises:
        InputError: a number is out of range.
    """

    num_realizations: int
    seed: int | None = None
    independent_points: bool = False
    target_stderr: float | None = None
    min_realizations: int = 30
    survivors: bool = False
    bootstrap: int = 0
    confidence: float = 0.95
    judge: str | None = None

    def __post_init__(self) -> None:
        check_integer("num_realizations", self.num_realizations, minimum=1)
        if self.seed is not None:
            check_integer("seed", self.seed, minimum=0)
        if self.target_stderr is not None:
            check_real("target_stderr", self.target_stderr, minimum=0, exclusive=True)
        check_integer("min_realizations", self.min_realizations, minimum=2)
        check_integer("bootstrap", self.bootstrap, minimum=0)
        check_real("confidence", self.confidence, minimum=0, exclusive=True)
        if self.confidence >= 1:
            raise InputError(f"Argument `confidence` must be less than 1, but is {self.confidence:g}.")

    def looks(self) -> Iterator[int]:
        """Yield the counts of realizations after which the standard error is looked at, each 5/4 of the one before.

        They depend on nothing but the plan, so that every executor and every history of interruptions stops at the
        same count. The last is `num_realizations`.
        """
        count = self.num_realizations if self.target_stderr is None else self.min_realizations
        while count < self.num_realizations:
            yield count
            count = math.ceil(_GROWTH * count)
        yield self.num_realizations


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Table `[output]` of a study file.

    Args:
        folder: where shards and results go, relative to the study file; by default its name without `.toml`, plus
            `-study`.
        checkpoints: let methods that can (tensor networks) keep the state of a long realization too.
    """

    folder: str | None = None
    checkpoints: bool = False
