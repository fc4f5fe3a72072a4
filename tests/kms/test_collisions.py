"""The collision scheme: published numbers, its second order, its sampling, and its limits."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
from kms_reference import gibbs_matrix, imbrie, tilted_ising
from scipy.stats import kstest

import qthermo as qt
from qthermo.kms import (
    CoarseGraining,
    CollisionScheme,
    averaged_channel,
    check_aliasing,
    coarse_grained_generator,
    diagonalise,
    local_bohr_bound,
    site_couplings,
    stack_couplings,
    step_unitary,
    trace_distance,
)
from qthermo.kms.rates import balanced_rate

NUMBERS = json.loads((Path(__file__).parent / "public_numbers.json").read_text())["numbers"]
PUBLIC = {row["id"]: row["value"] for row in NUMBERS}
CHAIN, COUPLINGS = tilted_ising(3), site_couplings("XYZ", 3)


def channel_of(scheme: CollisionScheme, hamiltonian: qt.PauliSum = CHAIN, **options):
    return averaged_channel(scheme, step_unitary(hamiltonian, 3, scheme.spacing), COUPLINGS, **options)


def spectrum(channel) -> tuple[float, np.ndarray]:
    """Return 1 - |lambda_2| and the fixed point."""
    values, vectors = np.linalg.eig(channel.to_matrix())
    order = np.argsort(-np.abs(values))
    state = vectors[:, order[0]].reshape(8, 8)
    return 1 - abs(values[order[1]]), state / np.trace(state)


def test_published_fixed_point_gap_and_number_of_collisions():
    scheme = CollisionScheme(beta=1.0, coupling=0.4, energy_width=0.5, cutoff=6.0, time_step=0.2)
    assert scheme.num_kicks == 50
    channel = channel_of(scheme)
    gap, fixed = spectrum(channel)
    sigma = gibbs_matrix(CHAIN.to_dense(3), 1.0)
    assert trace_distance(fixed, sigma) == pytest.approx(PUBLIC["R11_td"], rel=1e-6)
    assert gap == pytest.approx(PUBLIC["R11_l2"], rel=1e-8)
    half = step_unitary(CHAIN, 3, scheme.spacing / 2)  # the published scheme sandwiches every kick by half steps
    state = half @ np.diag([0.0] * 7 + [1.0]) @ half.conj().T
    count = 0
    while trace_distance(state, sigma) >= 0.03:
        state, count = channel.apply(state), count + 1
    assert count == PUBLIC["R11_steps"]


def test_the_error_falls_as_the_square_of_the_coupling_and_the_gap_is_that_of_the_generator():
    sigma = gibbs_matrix(CHAIN.to_dense(3), 1.0)
    found = {c: spectrum(channel_of(CollisionScheme(beta=1.0, coupling=c))) for c in (0.2, 0.1)}
    errors = {c: trace_distance(state, sigma) for c, (_, state) in found.items()}
    assert errors[0.2] == pytest.approx(1.7e-4, rel=0.02)
    assert errors[0.2] / errors[0.1] == pytest.approx(4.0, rel=0.05)
    problem = qt.MixingGap(qt.models.spin_chain(hamiltonian=CHAIN), beta=1.0)
    predicted = float(qt.solve(problem, qt.CoarseGrained(energy_width=0.5, rate="glauber"))["gap"])
    scheme = CollisionScheme(beta=1.0, coupling=0.1)
    assert found[0.1][0] / scheme.time_per_collision(9) == pytest.approx(predicted, rel=0.05)


@pytest.mark.parametrize("with_shift", [True, False])
def test_second_order_is_the_coarse_grained_generator_with_its_lamb_shift(with_shift: bool):
    """In the interaction picture a collision is 1 + tau (L - i [H_LS, .]) + O(lambda^4); H_LS is not negligible."""
    scheme = CollisionScheme(
        beta=1.0, coupling=0.05, energy_width=1.0, rate="gaussian", rate_width=1.5, window=4.0, time_step=0.1
    )
    hamiltonian = imbrie(3)
    basis = diagonalise(hamiltonian, 3, 1.0)
    grain = CoarseGraining(energy_width=1.0, rate="gaussian", rate_width=1.5)
    couplings = stack_couplings(basis, COUPLINGS)
    coherent = "lamb" if with_shift else "none"
    expected = coarse_grained_generator(basis, couplings, grain, coherent=coherent).map.to_matrix()
    V, total = basis.vectors, scheme.num_kicks * scheme.spacing
    rotate = np.kron(V.T, V.T)
    matrix = rotate @ channel_of(scheme, hamiltonian, num_nodes=60).to_matrix() @ rotate.T
    nu = np.subtract.outer(basis.energies, basis.energies).ravel()
    after = np.exp(0.5j * nu * (total - scheme.spacing))
    before = np.exp(0.5j * nu * (total + scheme.spacing))
    interaction = after[:, None] * matrix * before[None, :]
    found = (interaction - np.eye(64)) / scheme.time_per_collision(9)
    error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
    assert error < 0.01 if with_shift else error > 0.1


@pytest.mark.parametrize("rate", ["glauber", "metropolis", "gaussian"])
@pytest.mark.parametrize("beta", [0.0, 1.3])
def test_sampled_frequencies_follow_their_density(rate: str, beta: float):
    scheme = CollisionScheme(beta=beta, rate=rate, cutoff=4.0, rate_width=1.2)
    sample = scheme.sample(np.random.default_rng(1), 20_000, 9)
    grid = np.linspace(-scheme.reach, scheme.reach, 20_001)
    density = balanced_rate(rate, -grid, beta, 1.2)
    steps = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)]) * (grid[1] - grid[0])
    assert steps[-1] == pytest.approx(scheme.norm, rel=1e-4)
    result = kstest(sample.frequencies - scheme.shift, lambda x: np.interp(x, grid, steps / steps[-1]))
    assert result.pvalue > 1e-3
    assert np.bincount(sample.couplings, minlength=9).min() > 2000
    frequencies, weights = scheme.quadrature(60)
    mean = (grid * density).sum() / density.sum()
    assert frequencies @ weights - scheme.shift == pytest.approx(mean, abs=1e-3)


def test_the_channel_preserves_trace_and_positivity():
    channel = channel_of(CollisionScheme(beta=1.0, coupling=0.8), num_nodes=8)
    np.testing.assert_allclose(channel.apply_adjoint(np.eye(8)), np.eye(8), atol=1e-12)
    state = channel.apply(np.diag([1.0] + [0.0] * 7))
    assert np.linalg.eigvalsh(state)[0] > -1e-14


def test_trotter_steps_are_the_product_of_their_groups_and_converge():
    groups = (qt.PauliSum.from_text("0.4 X0 + 0.4 X1"), qt.PauliSum.from_text("0.9 Z0 Z1 - 0.3 Z0"))
    exact = step_unitary(groups[0] + groups[1], 2, 0.3)
    np.testing.assert_allclose(exact, scipy.linalg.expm(-0.3j * (groups[0] + groups[1]).to_dense(2)), atol=1e-12)
    for order in (1, 2, 4):
        errors = []
        for count in (2, 4):
            step = step_unitary(groups[0] + groups[1], 2, 0.3 / count, groups=groups, order=order)
            errors.append(np.linalg.norm(np.linalg.matrix_power(step, count) - exact))
        assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.15)


def test_aliasing_is_refused_with_the_spacing_that_will_do():
    bound = local_bohr_bound(CHAIN, COUPLINGS)
    assert bound == pytest.approx(2 * (2 + 0.9045 + 0.8090))
    check_aliasing(CollisionScheme(beta=1.0, time_step=0.4), bound)
    with pytest.raises(qt.InputError, match=r"lower `time_step` or `cutoff`"):
        check_aliasing(CollisionScheme(beta=1.0, time_step=0.6), bound)
