"""`BundleOptions`: how the circuits of a hardware bundle of C(t) are made; free of qiskit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qthermo.checks import check_choice, check_integer, check_real
from qthermo.circuits.layouts import LAYOUTS

__all__ = ["BundleOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleOptions:
    """What `export_bundle` lets one choose about its circuits.

    Args:
        num_steps: Trotter steps of each circuit; by default the longest time in steps of `time_step`.
        time_step: used if `num_steps` is not given, 1/energy.
        trotter_order: 1, 2 or 4.
        layout: see `build_trotter_circuit`.
        light_cone: leave out gates on which C(t) does not depend, see `build_measured_circuit`.
        num_shots: shots per time that the manifest asks for.
        seed: of the transpiler.

    Raises:
        InputError: a field is out of range.
    """

    num_steps: int | None = None
    time_step: float = 0.1
    trotter_order: int = 2
    layout: str = "line"
    light_cone: bool = False
    num_shots: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice("layout", self.layout, LAYOUTS)
        check_integer("num_shots", self.num_shots, minimum=2)
        check_real("time_step", self.time_step, minimum=0, exclusive=True)
        if self.num_steps is not None:
            check_integer("num_steps", self.num_steps, minimum=1)

    def count_steps(self, times: NDArray[np.float64]) -> int:
        """Return the Trotter steps of each circuit for ascending times."""
        return int(np.ceil(times[-1] / self.time_step - 1e-9)) if self.num_steps is None else self.num_steps
