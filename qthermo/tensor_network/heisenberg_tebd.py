"""`HeisenbergTEBD`: the thermometer's operator evolved as a real matrix-product operator inside its light cone."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from qthermo.answers import Answer, autocorrelation_answer
from qthermo.checks import check_choice, check_integer, check_real
from qthermo.errors import InputError, NotConvergedWarning, UnsupportedError
from qthermo.models import Model, SpinModel
from qthermo.operators import group_bonds
from qthermo.problems import Autocorrelation, Problem
from qthermo.progress import Progress

if TYPE_CHECKING:
    from quimb.tensor import MatrixProductOperator

    from qthermo.tensor_network.heisenberg_evolution import OperatorEvolution

__all__ = ["HeisenbergTEBD"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeisenbergTEBD:
    """Z_0(t) as a matrix-product operator in the Pauli basis, by real gates on the bonds of a chain.

    Z_0(t) = sum_P z_P(t) P has real coefficients, which a gate of any bond turns by a real orthogonal 16 x 16 matrix;
    C(t) = Tr[Z_0(t) Z_0] / 2^L is one of them. If H is a real matrix, Z_0(-t) = Z_0(t)*, so that
    C(2t) = Tr[Z_0(t)* Z_0(t)] / 2^L and half the evolution suffices; this is used only where H is real.

    Args:
        max_bond_dim: chi, the largest bond dimension.
        time_step: longest step, 1/energy; steps are shortened to meet every requested time.
        trotter_order: Suzuki order, 2 or 4.
        truncation_error: weight that one truncation may discard, relative to the norm, where chi does not bind.
        tolerance: the largest estimated error of C accepted.
        estimate_errors: also evolve with chi/2, and with chi/2 and half the step; the changes are the answer's
            `truncation_error` and `trotter_error` (the latter times 2^order / (2^order - 1)).
        stop_at_tolerance: end the evolution where the estimate first exceeds `tolerance`; later values are NaN.
        time_doubling: use C(2t) where H is real.

    Errors: bond dimension and time step, both estimated; `NotConvergedWarning` names the one to turn.
    Cost: about 100 chi^3 multiplications per bond and layer, on the bonds inside the light cone only, so that it
    stops growing with the length of the chain; memory 4 chi^2 numbers per site.
    Reference: M. B. Hastings, arXiv:0903.3253; J. Unfried, J. Hauschild, F. Pollmann, arXiv:2212.09782.
    """

    answers: ClassVar[tuple[type, ...]] = (Autocorrelation,)

    max_bond_dim: int = 64
    time_step: float = 0.25
    trotter_order: int = 4
    truncation_error: float = 1e-10
    tolerance: float = 1e-3
    estimate_errors: bool = True
    stop_at_tolerance: bool = True
    time_doubling: bool = True

    def __post_init__(self) -> None:
        check_integer("max_bond_dim", self.max_bond_dim, minimum=2)
        check_real("time_step", self.time_step, minimum=0, exclusive=True)
        check_choice("trotter_order", self.trotter_order, (2, 4))
        check_real("truncation_error", self.truncation_error, minimum=0)
        check_real("tolerance", self.tolerance, minimum=0, exclusive=True)

    def check(self, problem: Problem) -> None:
        """Accept chains of spins with nearest-neighbour terms at infinite temperature."""
        _check_chain(problem.model)
        if isinstance(problem, Autocorrelation) and problem.beta > 0:
            raise UnsupportedError(
                f"HeisenbergTEBD works at beta = 0, where Z_0 spreads from site 0, but beta is {problem.beta:g}."
            )

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        sites = problem.model.num_sites if isinstance(problem.model, SpinModel) else 0
        per_site = 5.0 * self.max_bond_dim**2
        return 8.0 * ((1.5 if self.estimate_errors else 1.0) * sites * per_site + 200.0 * self.max_bond_dim**2)

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Evolve from one requested time to the next, with its checks beside it."""
        from threadpoolctl import threadpool_limits

        if not isinstance(problem, Autocorrelation):
            raise UnsupportedError(f"HeisenbergTEBD answers Autocorrelation, not {type(problem).__name__}.")
        with threadpool_limits(1):
            return _autocorrelation(problem, self, progress)

    def evolve_operator(self, model: SpinModel, *, time: float) -> MatrixProductOperator:
        """Return Z_0(time) of a chain as a quimb MatrixProductOperator on all its sites.

        Raises:
            InputError: the model is no nearest-neighbour chain of spins, or `time` is not a finite number >= 0.
        """
        from qthermo.tensor_network.quimb_door import to_quimb_operator

        _check_chain(model)
        evolution = _start(model, self, self.max_bond_dim, 1)
        evolution.advance(check_real("time", time, minimum=0))
        return to_quimb_operator(evolution.chain.tensors, model.num_sites)


def _check_chain(model: Model) -> None:
    if not isinstance(model, SpinModel):
        raise UnsupportedError(f"HeisenbergTEBD needs a model of spins, but `{model.family}` is given by matrices.")
    try:
        group_bonds(model.hamiltonian, model.num_sites)
    except InputError as problem:
        raise UnsupportedError(f"HeisenbergTEBD needs a chain. {problem}") from None


def _start(model: SpinModel, method: HeisenbergTEBD, max_bond_dim: int, refinement: int) -> OperatorEvolution:
    from qthermo.tensor_network.heisenberg_evolution import OperatorEvolution
    from qthermo.tensor_network.pauli_transfer import bond_generators, exponentiate
    from qthermo.tensor_network.trotter_steps import GateCache

    return OperatorEvolution.from_letter(
        "Z",
        GateCache(bond_generators(model.hamiltonian, model.num_sites), exponentiate),
        order=method.trotter_order,
        time_step=method.time_step,
        refinement=refinement,
        max_bond_dim=max_bond_dim,
        cutoff=method.truncation_error,
    )


def _autocorrelation(problem: Autocorrelation, method: HeisenbergTEBD, progress: Progress) -> Answer:
    model = problem.model
    if not isinstance(model, SpinModel):
        raise UnsupportedError("HeisenbergTEBD needs a model of spins.")
    doubling = method.time_doubling and model.hamiltonian.is_real
    runs = [_start(model, method, method.max_bond_dim, 1)]
    if method.estimate_errors:
        smaller = max(method.max_bond_dim // 2, 1)
        runs += [_start(model, method, smaller, 1), _start(model, method, smaller, 2)]
    values = np.full((len(runs), problem.times.size), np.nan)
    for k, time in enumerate(problem.times):
        progress(float(time / problem.times[-1]) if time > 0 else 0.0, f"time {time:g}")
        for row, run in enumerate(runs):
            run.advance(time / 2 if doubling else time)
            values[row, k] = run.doubled() if doubling else run.component("Z")
        if method.stop_at_tolerance and _worst(_errors(values[:, k : k + 1], method)) > method.tolerance:
            values[:, k + 1 :] = np.nan
            break
    errors = _errors(values, method)
    _warn(problem.times, errors, method)
    diagnostics = {
        "max_bond_dim_reached": max(runs[0].chain.bond_dimensions, default=1),
        "discarded_weight": runs[0].chain.discarded_weight,
        "time_doubling": doubling,
        "num_steps": runs[0].num_steps,
        "num_gates": runs[0].chain.num_gates,
        "light_cone": runs[0].chain.num_sites,
        "bond_dimensions": runs[0].chain.bond_dimensions,
    }
    return autocorrelation_answer(problem, values[0], errors=errors, diagnostics=diagnostics)


def _errors(values: NDArray[np.float64], method: HeisenbergTEBD) -> dict[str, NDArray[np.float64]]:
    if len(values) < 3:
        return {}
    richardson = 2.0**method.trotter_order / (2.0**method.trotter_order - 1)
    return {
        "truncation_error": np.abs(values[0] - values[1]),
        "trotter_error": richardson * np.abs(values[1] - values[2]),
    }


def _worst(errors: dict[str, NDArray[np.float64]]) -> float:
    return max((float(np.nanmax(error)) for error in errors.values()), default=0.0)


def _warn(times: NDArray[np.float64], errors: dict[str, NDArray[np.float64]], method: HeisenbergTEBD) -> None:
    knobs = {
        "truncation_error": f"raise max_bond_dim above {method.max_bond_dim}",
        "trotter_error": f"shorten time_step below {method.time_step:g}",
    }
    for name, error in errors.items():
        lost = np.flatnonzero(error > method.tolerance)
        if lost.size:
            fate = "; later values are NaN" if method.stop_at_tolerance else ""
            warnings.warn(
                f"The {name} of the correlator must stay below tolerance = {method.tolerance:g}, but is "
                f"{error[lost[0]]:.2g} at time {times[lost[0]]:g}{fate}: {knobs[name]}.",
                NotConvergedWarning,
                stacklevel=2,
            )
