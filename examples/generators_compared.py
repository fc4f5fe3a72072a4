"""Generators of thermalisation compared
=====================================

Every generator of thermalisation on one problem, with an explicit finite bath as the judge of their paths.

The first table: violation of KMS detailed balance, distance of the fixed point from the Gibbs state, and gap, of the
tilted Ising chain at beta = 1 with X, Y and Z on every site.

The second: a spin coupled by c X x B to a bath of 1200 levels, of density e^{beta E}. B is random with
<B_nm^2> = g^2(E_n - E_m) / (2 pi sqrt(rho_n rho_m)), so that golden-rule rates at any bath energy are
g^2(nu) e^{-beta nu / 2}: the Gaussian rate of `CoarseGrained` for a Gaussian g, and that of the Gaussian `KMSJumps` if
the width is sqrt(2) / beta. No approximation enters the bath's evolution; the trace distance of each master equation's
state from the spin's, largest up to time t, is printed.

The third: a chain of two spins with such a bath on each, independent, of 150 levels (90 000 states), averaged over 24
pairs of baths. The spins' frequencies, 1.03 and .86 before they couple, lie too close for the Davies limit.
Beside the distances stands where the judge lies on the way from "unshifted, lamb" to each other generator: 0
and 1 are the two ends, and the error is the standard error over baths.

Run `python examples/generators_compared.py`; it writes generators_compared.png.
"""

from __future__ import annotations

import sys

import numpy as np
from scipy.linalg import expm

import qthermo as qt
from qthermo.kms import Generator, kms_residual, trace_distance
from qthermo.linalg.krylov import evolve_exponential
from qthermo.plotting import save_figure

SPIN = qt.PauliSum.from_text("0.45 Z0 + 0.25 X0")
CHAIN = qt.PauliSum.from_text("0.45 Z0 + 0.25 X0 + 0.35 Z1 + 0.25 X1 + 0.15 X0 X1")
HALF_BAND = 3.5
BETA = 1.0
SCALED_TIMES = np.array([0.0, 0.125, 0.25, 0.5, 1.0, 2.0])  # c^2 t
FIXED = {
    "Davies, glauber": qt.Davies(rate="glauber"),
    "Davies, metropolis": qt.Davies(rate="metropolis"),
    **{
        f"CoarseGrained, {rate}, {'shifted' if shifted else 'unshifted'}": qt.CoarseGrained(
            energy_width=0.5, rate=rate, shifted=shifted
        )
        for rate in ("gaussian", "glauber", "metropolis")
        for shifted in (True, False)
    },
    **{f"KMSJumps, {name}": qt.KMSJumps(filter=name) for name in ("gaussian", "smooth_metropolis", "imaginary_time")},
}


def tilted_ising(num_sites: int) -> qt.models.SpinModel:
    """Return -sum ZZ - 0.9045 sum X - 0.809 sum Z on an open chain."""
    terms = [(-1.0, {j: "Z", j + 1: "Z"}) for j in range(num_sites - 1)]
    terms += [(weight, {j: letter}) for j in range(num_sites) for weight, letter in ((-0.9045, "X"), (-0.809, "Z"))]
    return qt.models.spin_chain(hamiltonian=qt.PauliSum.from_letters(terms))


def compare_fixed_points(num_sites: int) -> dict[str, tuple[float, float, float]]:
    """Return (KMS residual, trace distance of the fixed point from Gibbs, gap) of each generator."""
    problem = qt.MixingGap(tilted_ising(num_sites), beta=1.0, couplings="XYZ")
    rows = {}
    for name, method in FIXED.items():
        found = qt.solve(problem, method)
        generator = method.build_generator(problem)
        rows[name] = (kms_residual(generator), distance_from_gibbs(generator), float(found["gap"]))
    return rows


def distance_from_gibbs(generator: Generator) -> float:
    """Return the trace distance of the null vector of the dense superoperator, whatever symmetry promises of it."""
    null = np.linalg.svd(generator.map.to_matrix())[2][-1].conj().reshape((generator.basis.dimension,) * 2)
    return trace_distance(null / np.trace(null), np.diag(generator.basis.populations))


def sample_bath(
    rng: np.random.Generator, *, beta: float, width: float, num_levels: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return levels on [-3.5, 3.5], of density e^{beta E}, and B."""
    low, high = np.exp(-beta * HALF_BAND), np.exp(beta * HALF_BAND)
    levels = np.log(low + (np.arange(num_levels) + 0.5) / num_levels * (high - low)) / beta
    density = num_levels * beta * np.exp(beta * levels) / (high - low)
    difference = levels[:, None] - levels[None, :]
    squared = np.exp(-(difference**2) / (2 * width**2) - (beta * width) ** 2 / 8)
    noise = rng.standard_normal((num_levels, num_levels))
    noise = (noise + noise.T) / np.sqrt(2)
    return levels, noise * np.sqrt(squared / (2 * np.pi * np.sqrt(np.outer(density, density))))


def evolve_with_baths(
    seed: int,
    times: np.ndarray,
    *,
    beta: float,
    width: float,
    coupling: float,
    num_levels: int,
    system: qt.PauliSum = SPIN,
    bits: str = "1",
    window: tuple[float, float] = (-0.3, 0.3),
) -> np.ndarray:
    """Return the spins' density matrices, shape (T, D, D), from bits and random superpositions of levels in `window`.

    Every spin k couples by c X_k x B_k to a bath of its own. Single precision; cost for n spins: about 10 to 25 real
    products per unit of time of N x N matrices with 2 (2N)^n numbers, N = `num_levels`.
    """
    rng, n = np.random.default_rng(seed), len(bits)
    baths = [sample_bath(rng, beta=beta, width=width, num_levels=num_levels) for _ in range(n)]
    couplings = [(coupling * B).astype(np.float32) for _, B in baths]
    matrix = system.to_dense(n).real.astype(np.float32)
    energies, start = np.zeros((num_levels,) * n, np.float32), np.ones(1)
    for k, (levels, _) in enumerate(baths):
        energies += levels.astype(np.float32).reshape((-1,) + (1,) * (n - 1 - k))
        vector = rng.standard_normal(num_levels) * ((levels > window[0]) & (levels < window[1]))
        start = np.multiply.outer(start, vector / np.linalg.norm(vector))
    state = np.zeros((2**n, num_levels**n), np.complex64)
    state[int(bits, 2)] = start.ravel()

    def apply(flat: np.ndarray) -> np.ndarray:
        psi = flat.reshape(2**n, -1)
        parts = np.stack([psi.real, psi.imag]).reshape((2,) * (n + 1) + (num_levels,) * n)  # the baths are real
        image = parts * energies
        for k, B in enumerate(couplings):
            moved = parts @ B if k == n - 1 else np.moveaxis(np.moveaxis(parts, n + 1 + k, -1) @ B, -1, n + 1 + k)
            image += np.flip(moved, axis=1 + k)
        both = image.reshape(2, 2**n, -1) + matrix @ parts.reshape(2, 2**n, -1)
        return (both[1] - np.complex64(1j) * both[0]).ravel()

    points = evolve_exponential(apply, state.ravel(), times, tolerance=1e-5)
    vectors = [point.vector.reshape(2**n, -1) for point in points]
    return np.array([psi @ psi.conj().T for psi in vectors])


def matching_generators(coupling: float) -> dict[str, qt.CoarseGrained | qt.KMSJumps]:
    """Return the generators whose golden-rule rate is the bath's."""
    width = np.sqrt(2) / BETA

    def grained(energy_width: float, shifted: bool, coherent: str) -> qt.CoarseGrained:
        return qt.CoarseGrained(
            energy_width=energy_width, rate_width=width, shifted=shifted, coherent=coherent, coupling=coupling
        )

    return {
        "unshifted, lamb": grained(0.3, False, "lamb"),
        "unshifted, kms": grained(0.3, False, "kms"),
        "shifted, kms": grained(0.3, True, "kms"),
        "Davies limit, lamb": grained(0.02, False, "lamb"),
        "KMSJumps, gaussian": qt.KMSJumps(filter="gaussian", coupling=coupling),
    }


def predicted_states(
    method: qt.CoarseGrained | qt.KMSJumps, times: np.ndarray, *, system: qt.PauliSum = SPIN, bits: str = "1"
) -> np.ndarray:
    """Return the master equation's density matrices from bits, shape (T, D, D), in the computational basis."""
    model = qt.models.spin_chain(hamiltonian=system)
    problem = qt.Relaxation(model, beta=BETA, times=times, initial_state=bits, couplings="X")
    generator = method.build_generator(problem)
    vectors, matrix = generator.basis.vectors, generator.map.to_matrix()
    start = np.zeros(vectors.shape)
    start[int(bits, 2), int(bits, 2)] = 1.0
    flat = generator.basis.transform(start).ravel()
    return np.array([vectors @ (expm(t * matrix) @ flat).reshape(start.shape) @ vectors.conj().T for t in times])


def error_growth(coupling: float, num_levels: int, num_baths: int) -> dict[str, np.ndarray]:
    """Return the largest trace distance up to each time by generator, and the judge's own uncertainty."""
    times = SCALED_TIMES / coupling**2
    parameters = {"beta": BETA, "width": np.sqrt(2) / BETA, "coupling": coupling, "num_levels": num_levels}
    samples = np.array([evolve_with_baths(seed, times, **parameters) for seed in range(num_baths)])
    judge = samples.mean(axis=0)
    errors = {name: distances(predicted_states(m, times), judge) for name, m in matching_generators(coupling).items()}
    errors["uncertainty of the judge"] = distances(samples[::2].mean(axis=0), samples[1::2].mean(axis=0)) / 2
    return {name: np.maximum.accumulate(values) for name, values in errors.items()}


def judge_chain(
    coupling: float, num_levels: int, num_baths: int
) -> tuple[dict[str, np.ndarray], dict[str, tuple[float, float]]]:
    """Return distances from the two-bath judge at each time, and (position, error) of the judge at c^2 t = .5."""
    times = SCALED_TIMES / coupling**2
    start = {"system": CHAIN, "bits": "10"}
    parameters = {"beta": BETA, "width": np.sqrt(2) / BETA, "coupling": coupling, "num_levels": num_levels}
    samples = np.array(
        [evolve_with_baths(seed, times, **parameters, **start, window=(-0.25, 1.25)) for seed in range(num_baths)]
    )
    judge = samples.mean(axis=0)
    states = {name: predicted_states(m, times, **start) for name, m in matching_generators(coupling).items()}
    errors = {name: distances(found, judge) for name, found in states.items()}
    errors["uncertainty of the judge"] = distances(samples[::2].mean(axis=0), samples[1::2].mean(axis=0)) / 2
    when = int(np.argmin(np.abs(SCALED_TIMES - 0.5)))
    first, *others = states
    places = {name: find_place(samples[:, when], states[first][when], states[name][when]) for name in others}
    return errors, places


def find_place(samples: np.ndarray, first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Return where the samples' mean lies on the line from `first` (0) to `second` (1), and its standard error."""
    line = second - first
    values = np.real([np.vdot(line, sample - first) for sample in samples]) / np.linalg.norm(line) ** 2
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size))


def distances(states: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the trace distance at each time."""
    return np.array([trace_distance(a, b) for a, b in zip(states, others, strict=True)])


def main(quick: bool = False) -> dict[str, dict]:
    """Print the tables, draw the second, and return all."""
    fixed = compare_fixed_points(3 if quick else 4)
    print(f"{'generator':34} {'KMS residual':>12} {'fixed point':>12} {'gap':>10}")
    for name, (residual, error, gap) in fixed.items():
        print(f"{name:34} {residual:12.1e} {error:12.1e} {gap:10.5f}")
    growth = {}
    for coupling in (0.6,) if quick else (0.6, 0.4, 0.2):
        growth[coupling] = error_growth(coupling, num_levels=600 if quick else 1200, num_baths=2 if quick else 6)
        print(f"\nc = {coupling:g}; c^2 t =" + "".join(f"{t:9.3f}" for t in SCALED_TIMES[1:]))
        for name, errors in growth[coupling].items():
            print(f"{name:24}" + "".join(f"{error:9.4f}" for error in errors[1:]), flush=True)
    chain = {}
    for coupling in (0.6,) if quick else (0.6, 0.4, 0.3):
        chain[coupling] = judge_chain(coupling, num_levels=40 if quick else 150, num_baths=4 if quick else 24)
        print_chain(coupling, *chain[coupling])
    draw(growth)
    return {"fixed points": fixed, "error growth": growth, "two baths": chain}


def print_chain(coupling: float, errors: dict[str, np.ndarray], places: dict[str, tuple[float, float]]) -> None:
    """Print one block of the third table."""
    print(
        f"\ntwo baths, c = {coupling:g}; c^2 t =" + "".join(f"{t:9.3f}" for t in SCALED_TIMES[1:]) + "  judge's place"
    )
    for name, row in errors.items():
        place = "{:9.2f} +- {:.2f}".format(*places[name]) if name in places else ""
        print(f"{name:32}" + "".join(f"{error:9.4f}" for error in row[1:]) + place, flush=True)


def draw(growth: dict[float, dict[str, np.ndarray]]) -> None:
    """Write generators_compared.png."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, len(growth), figsize=(1 + 4 * len(growth), 3.6), sharey=True, layout="constrained", squeeze=False
    )
    for ax, (coupling, rows) in zip(axes[0], growth.items(), strict=True):
        for name, errors in rows.items():
            style = "k:" if name.startswith("uncertainty") else "o-"
            ax.loglog(SCALED_TIMES[1:], errors[1:], style, ms=3, label=name)
        ax.set(title=f"c = {coupling:g}", xlabel=r"$c^2 t$")
        ax.set_xticks(SCALED_TIMES[1:], [f"{t:g}" for t in SCALED_TIMES[1:]])
        ax.set_yticks((0.003, 0.01, 0.03, 0.1), ("0.003", "0.01", "0.03", "0.1"))
        ax.minorticks_off()
    axes[0, 0].set_ylabel("largest trace distance up to t")
    axes[0, 0].legend(fontsize=7)
    path = save_figure(figure, "generators_compared.png")
    print(f"wrote {path}")


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
