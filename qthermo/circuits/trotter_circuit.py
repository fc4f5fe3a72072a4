"""`TrotterCircuit`: C(t) from a Trotter circuit, exactly, by random states, or by shots."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from qthermo.answers import Answer
from qthermo.checks import check_choice, check_integer, check_real
from qthermo.circuits.layouts import LAYOUTS
from qthermo.errors import InputError, UnsupportedError
from qthermo.memory import available_memory, check_memory
from qthermo.models import SpinModel
from qthermo.problems import Autocorrelation, Problem
from qthermo.progress import Progress

__all__ = ["TrotterCircuit"]

_PROTOCOLS = ("exact", "haar", "shots", "product_states")
_SIMULATORS = ("automatic", "statevector", "density_matrix", "mps")
_THERMAL_SHOT_SITES = 6
_MPS = "take simulator='mps' with protocol='exact' (matrix product states)"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrotterCircuit:
    """C(t) as a Trotter circuit gives it, simulated by Aer or run by a V2 primitive of the user's.

    For each t the circuit has ceil(t / time_step) equal steps. Protocols: "exact" evaluates the full trace (no shot
    noise); "haar" averages <Z_0(t)> over Haar-random bath states; "shots" measures all qubits of a random basis state,
    evolves it, and measures the thermometer, as a device would; "product_states" does so from prepared random basis
    states, one shot each, without mid-circuit measurement. beta > 0 works by purification for small baths ("exact", and
    "shots" up to 6 sites, three circuits per time).

    Args:
        time_step: largest Trotter step, 1/energy. A step that divides the spacing of the times lets one circuit serve
            all of them.
        trotter_order: 1, 2 or 4.
        protocol: "exact", "haar", "shots" or "product_states".
        num_shots: shots per time ("shots", "product_states").
        num_states: random states, at least 2 ("haar", and "product_states" with an estimator).
        layout: order of the pair gates, see `qthermo.circuits.build_trotter_circuit`.
        simulator: "automatic" takes the exact one: state vectors, or density matrices for "exact" on a noisy device.
            "mps" evaluates the full trace by matrix product states, for chains beyond state vectors.
        max_bond_dim: bond dimension of "mps", at least 8; half of it gives the estimate of the error.
        multi_product: numbers of steps k_j, for example (4, 8): each time is run with each, and combined so that the
            leading Trotter errors cancel; replaces `time_step`. The diagnostics hold the factor in shots.
        noise_factors: odd numbers, for example (1, 3): all Trotter steps are folded, and the results extrapolated to
            zero noise.
        device: a BackendV2, a Target or a fake device's name: circuits are compiled for it and, without a primitive of
            the user's, run with its noise.
        sampler: a V2 sampler to run on ("shots", "product_states"); Aer's by default.
        estimator: a V2 estimator to run on ("product_states").
        seed: seed of states, shots and transpiler.

    Raises:
        InputError: a field is out of range, or two fields do not go together.

    Errors: `trotter_error`, from steps of 1/2 and 1/4 without shot noise, `NotConvergedWarning` where they leave the
    power law; `stderr`, over the states or sqrt((1 - C^2) / num_shots); `truncation_error` of "mps".
    Cost: per gate 4^num_sites / 2 ("exact"), 2^num_sites num_states ("haar"), the lesser of 4^num_sites and
    2^num_sites num_shots ("shots"), 4^num_sites ("exact" on a device), chi^3 ("mps");
    "exact", "haar" and "mps" seven times that with `trotter_error`.
    """

    answers: ClassVar[tuple[type, ...]] = (Autocorrelation,)

    time_step: float = 0.1
    trotter_order: int = 2
    protocol: str = "exact"
    num_shots: int = 10_000
    num_states: int = 8
    layout: str = "line"
    simulator: str = "automatic"
    max_bond_dim: int = 64
    multi_product: tuple[int, ...] = ()
    noise_factors: tuple[int, ...] = ()
    device: Any = field(default=None)
    sampler: Any = field(default=None)
    estimator: Any = field(default=None)
    seed: int = 0

    def __post_init__(self) -> None:
        check_real("time_step", self.time_step, minimum=0, exclusive=True)
        check_choice("trotter_order", self.trotter_order, (1, 2, 4))
        check_choice("protocol", self.protocol, _PROTOCOLS)
        check_integer("num_shots", self.num_shots, minimum=2)
        check_integer("num_states", self.num_states, minimum=2)
        check_choice("layout", self.layout, LAYOUTS)
        check_choice("simulator", self.simulator, _SIMULATORS)
        check_integer("max_bond_dim", self.max_bond_dim, minimum=8)
        check_integer("seed", self.seed, minimum=0)
        object.__setattr__(self, "multi_product", _check_counts("multi_product", self.multi_product, odd=False))
        object.__setattr__(self, "noise_factors", _check_counts("noise_factors", self.noise_factors, odd=True))
        self._check_together()

    def _check_together(self) -> None:
        """Raise unless the fields go together."""
        if self.sampler is not None and self.protocol not in ("shots", "product_states"):
            raise InputError(f"A `sampler` needs protocol 'shots' or 'product_states', but it is {self.protocol!r}.")
        if self.estimator is not None and (self.protocol != "product_states" or self.sampler is not None):
            raise InputError("An `estimator` needs protocol 'product_states' and no `sampler`; change the protocol.")
        if self.device is not None and self.protocol == "haar":
            raise InputError("Protocol 'haar' prepares states no device can; take 'shots' or 'product_states'.")
        if self.simulator == "mps" and (self.protocol != "exact" or self.device is not None):
            raise InputError("Simulator 'mps' works with protocol 'exact' and without `device`; change one of them.")
        if self.simulator == "density_matrix" and (self.protocol != "exact" or self.device is None):
            raise InputError("Simulator 'density_matrix' is for protocol 'exact' on a `device`; change one of them.")

    def check(self, problem: Problem) -> None:
        """Accept spin models that fit the protocol.

        Raises:
            UnsupportedError: no spin model, or beta > 0 where the protocol cannot prepare it.
            MemoryRefusedError: state vector or density matrix would not fit; the message names what would.
        """
        if not isinstance(problem.model, SpinModel):
            raise UnsupportedError("TrotterCircuit must have a spin model, but this model is a matrix.")
        n = problem.model.num_sites
        if isinstance(problem, Autocorrelation) and problem.beta != 0:
            small = self.protocol == "exact" or (self.protocol == "shots" and n <= _THERMAL_SHOT_SITES)
            if not small or self.simulator == "mps" or self.device is not None:
                raise UnsupportedError(
                    f"TrotterCircuit works at beta > 0 by state vectors, with protocol 'exact' or with 'shots' up to "
                    f"{_THERMAL_SHOT_SITES} sites, but beta is {problem.beta:g}, the protocol {self.protocol!r} and "
                    f"there are {n} sites."
                )
        check_memory(
            self.estimate_memory(problem), what=f"TrotterCircuit of {n} sites by {self.choose_simulator()[0]}",
            remedy=f"{_MPS}, or protocol='haar' where 2^n amplitudes fit.",
        )  # fmt: skip

    def estimate_memory(self, problem: Problem) -> float:
        """Return the bytes needed at the peak."""
        n = problem.model.dimension.bit_length() - 1
        simulator, _ = self.choose_simulator()
        if self.sampler is not None or self.estimator is not None:
            return 0.0
        if simulator == "mps":
            return 64.0 * n * 2 * self.max_bond_dim**2
        if simulator == "density_matrix":
            return 48.0 * 4.0**n
        if isinstance(problem, Autocorrelation) and problem.beta != 0:
            return 96.0 * 4.0**n
        if self.protocol == "haar":
            return 64.0 * 2.0**n
        if self.protocol == "exact":
            return 16.0 * 2.0 ** (2 * n - 1)
        return 16.0 * 4.0**n if self.is_deferred(n) else 32.0 * 2.0**n  # trajectories may run side by side

    def run(self, problem: Problem, progress: Progress) -> Answer:
        """Build the circuits, run them, and estimate the errors."""
        if not isinstance(problem, Autocorrelation):
            raise UnsupportedError("TrotterCircuit answers Autocorrelation only.")
        from qthermo.circuits.protocols import answer_autocorrelation

        return answer_autocorrelation(self, problem, progress)

    def choose_simulator(self) -> tuple[str, str]:
        """Return Aer's method, or "primitive", and the reason for it."""
        if self.sampler is not None or self.estimator is not None:
            return "primitive", "a V2 primitive was handed in"
        if self.simulator != "automatic":
            return self.simulator, "asked for"
        if self.device is not None and self.protocol == "exact":
            return "density_matrix", "noise without shot noise needs density matrices"
        if self.device is not None:
            return "statevector", "noise is sampled by one trajectory per shot"
        return "statevector", "ideal circuits, exact to rounding"

    def is_deferred(self, num_sites: int) -> bool:
        """Return whether "shots" keeps the initial bits in reference qubits rather than measure them mid-circuit."""
        ideal = self.protocol == "shots" and self.device is None and self.sampler is None and not self.noise_factors
        fits = 16.0 * 4.0**num_sites <= 0.5 * available_memory()
        return ideal and fits and 2**num_sites <= self.num_shots


def _check_counts(name: str, values: object, *, odd: bool) -> tuple[int, ...]:
    """Return distinct positive whole numbers, ascending; odd ones if asked."""
    try:
        counts = tuple(sorted(check_integer(name, value, minimum=1) for value in values))  # type: ignore[attr-defined]
    except TypeError:
        raise InputError(f"Argument `{name}` must be a tuple of whole numbers, but is {values!r}.") from None
    if len(counts) == 1 or len(set(counts)) < len(counts) or (odd and any(count % 2 == 0 for count in counts)):
        kind = "odd numbers" if odd else "numbers"
        raise InputError(f"Argument `{name}` must hold at least two distinct {kind}, or none, but is {values!r}.")
    return counts
