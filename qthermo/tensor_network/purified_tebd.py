"""`PurifiedTEBD`: thermal states of chains, and the thermometer's correlator in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer
from qthermo.checks import check_ascending, check_choice, check_integer, check_real
from qthermo.errors import InputError, UnsupportedError
from qthermo.models import SpinModel
from qthermo.operators import group_bonds
from qthermo.problems import Autocorrelation, Problem, ThermalState
from qthermo.progress import Progress

__all__ = ["PurifiedTEBD"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PurifiedTEBD:
    """C(t) at finite temperature from A(t) = e^{-iHt} Z_0 sqrt(rho) e^{iHt} as a matrix-product operator.

    sqrt(rho) is cooled from the identity by e^{-tau H} . e^{-tau H}, which is real in the Pauli basis. A is one ket of
    a purification whose ancillas evolve backwards, so that it stays close to its start outside the light cone; its
    gates are the real orthogonal 16 x 16 matrices of the Heisenberg picture, only its coefficients are complex. With
    <<A|B>> = Tr[A^dag B], C(t) = <<A(0)|A(t)>>; for a real H, C(2t) = Tr[A(t)^T A(t)], used where H is real.

    `ThermalState` is answered by one cooling run through all betas, with energies and free energies on the way.

    Args:
        max_bond_dim: chi, the largest bond dimension.
        time_step: longest step in time, 1/energy; steps are shortened to meet every requested time.
        thermal_step: longest step in beta, 1/energy; always of Suzuki order 4.
        trotter_order: Suzuki order in time, 2 or 4.
        truncation_error: weight that one truncation in time may discard, relative to the norm.
        thermal_truncation_error: the same while cooling.
        tolerance: the largest estimated error of C, or of the energy per site, accepted.
        estimate_errors: also evolve with chi/2 at three cutoffs and steps, from which `truncation_error` and
            `trotter_error` follow as in `HeisenbergTEBD`.
        stop_at_tolerance: end the evolution where an estimate first exceeds `tolerance`; values from there on are NaN.
        time_doubling: use C(2t) where H is real.
        record_entropy: for `Autocorrelation`, also answer `entropy` (nats) and `bond_dimension` (time, bond) of A(t);
            where C(2t) is used, time t shows A(t/2).
        checkpoint: file that keeps the state after every time; a run that finds its own file goes on from there.

    Errors: bond dimension and both steps, all estimated; `NotConvergedWarning` names the one to turn.
    Cost: as `HeisenbergTEBD` in complex arithmetic, on every bond of the chain; memory 8 chi^2 numbers per site.
    Reference: C. Karrasch, J. H. Bardarson, J. E. Moore, arXiv:1111.4508; T. Barthel, arXiv:1301.2246.
    """

    answers: ClassVar[tuple[type, ...]] = (Autocorrelation, ThermalState)

    max_bond_dim: int = 64
    time_step: float = 0.125
    thermal_step: float = 0.2
    trotter_order: int = 4
    truncation_error: float = 1e-10
    thermal_truncation_error: float = 1e-14
    tolerance: float = 1e-3
    estimate_errors: bool = True
    stop_at_tolerance: bool = True
    time_doubling: bool = True
    record_entropy: bool = False
    checkpoint: str | None = None

    def __post_init__(self) -> None:
        check_integer("max_bond_dim", self.max_bond_dim, minimum=2)
        check_real("time_step", self.time_step, minimum=0, exclusive=True)
        check_real("thermal_step", self.thermal_step, minimum=0, exclusive=True)
        check_choice("trotter_order", self.trotter_order, (2, 4))
        check_real("truncation_error", self.truncation_error, minimum=0)
        check_real("thermal_truncation_error", self.thermal_truncation_error, minimum=0)
        check_real("tolerance", self.tolerance, minimum=0, exclusive=True)

    def check(self, problem: Problem) -> None:
        """Accept chains of spins with nearest-neighbour terms."""
        model = problem.model
        if not isinstance(model, SpinModel):
            raise UnsupportedError(f"PurifiedTEBD needs a model of spins, but `{model.family}` is given by matrices.")
        try:
            group_bonds(model.hamiltonian, model.num_sites)
        except InputError as reason:
            raise UnsupportedError(f"PurifiedTEBD needs a chain. {reason}") from None

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        sites = problem.model.num_sites if isinstance(problem.model, SpinModel) else 0
        return 16.0 * ((1.5 if self.estimate_errors else 1.0) * sites * 5.0 + 200.0) * self.max_bond_dim**2

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Cool, then evolve from one requested time to the next."""
        from threadpoolctl import threadpool_limits

        from qthermo.tensor_network.purified_runs import run_autocorrelation, run_thermal_state

        with threadpool_limits(1):
            if isinstance(problem, Autocorrelation):
                return run_autocorrelation(problem, self, progress)
            if isinstance(problem, ThermalState):
                return run_thermal_state(problem, self, progress)
        raise UnsupportedError(f"PurifiedTEBD does not answer {type(problem).__name__}.")

    def scan_betas(
        self, model: SpinModel, *, times: NDArray[np.float64], betas: NDArray[np.float64]
    ) -> NDArray[np.complex128]:
        """Return C(t) at many temperatures, shape (beta, time), from one evolution and one cooling.

        C(t) = Tr[Z_0 rho Z_0(t)] is the overlap of Z_0(t), evolved once at infinite temperature, with Z_0 rho. The
        truncation is the best at infinite temperature only, so this reaches shorter times than a run at each beta; it
        is compared with half the bond dimension, and warns where the change exceeds `tolerance`.

        Raises:
            InputError: the model is no nearest-neighbour chain, or times or betas do not ascend from 0 upwards.
        """
        from threadpoolctl import threadpool_limits

        from qthermo.tensor_network.beta_scan import scan_betas

        problem = Autocorrelation(model, times=times)
        self.check(problem)
        with threadpool_limits(1):
            return scan_betas(problem, check_ascending("betas", betas), self)
