"""Generators against brute-force sums over Bohr frequencies, detailed balance, and the laws of its violation."""

from __future__ import annotations

import numpy as np
import pytest
from kms_reference import CHAINS, add_decay, imbrie, kernel_superoperator, tilted_ising

import qthermo as qt
from qthermo.kms.balance import gibbs_defect, kms_residual
from qthermo.kms.coarse_graining import CoarseGraining
from qthermo.kms.coherent import coherent_term
from qthermo.kms.davies import davies_generator
from qthermo.kms.energy_basis import diagonalise, site_couplings, stack_couplings
from qthermo.kms.filters import even_filter
from qthermo.kms.generators import Generator, coarse_grained_generator, filtered_generator
from qthermo.linalg.superoperators import JumpMap
from qthermo.master_equation.gap import find_gap


def setting(hamiltonian: qt.PauliSum, num_sites: int, beta: float):
    basis = diagonalise(hamiltonian, num_sites, beta)
    return basis, stack_couplings(basis, site_couplings("XYZ", num_sites))


def exact_generators(basis, couplings):
    yield from (davies_generator(basis, couplings, rate=rate) for rate in ("glauber", "metropolis"))
    for rate in ("gaussian", "glauber", "metropolis"):
        for width in (0.5, 1.0):
            yield coarse_grained_generator(basis, couplings, CoarseGraining(energy_width=width, rate=rate))
    for name in ("gaussian", "smooth_metropolis", "imaginary_time"):
        yield filtered_generator(basis, couplings, filter_name=name)


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 2.0, 5.0])
def test_exact_constructions_obey_detailed_balance_to_rounding(chain: str, beta: float):
    num_sites = 4 if chain != "complex" else 3
    for generator in exact_generators(*setting(CHAINS[chain](num_sites), num_sites, beta)):
        assert generator.is_balanced
        assert kms_residual(generator) <= 1e-14
        assert gibbs_defect(generator) <= 1e-13
        assert generator.map.is_real == (chain != "complex")


def test_real_chains_need_no_complex_numbers_and_degenerate_spectra_no_luck():
    free = qt.PauliSum.from_text("0.7 Z0 + 0.7 Z1 + 0.7 Z2")
    for generator in exact_generators(*setting(free, 3, 1.0)):
        assert kms_residual(generator) <= 1e-14
        assert gibbs_defect(generator) <= 1e-13


@pytest.mark.parametrize("rate", ["gaussian", "glauber", "metropolis"])
@pytest.mark.parametrize("shifted", [True, False])
@pytest.mark.parametrize("chain", ["tilted_ising", "complex"])
def test_coarse_graining_equals_the_double_sum_over_bohr_frequencies(rate: str, shifted: bool, chain: str):
    grain = CoarseGraining(energy_width=0.8, rate=rate, rate_width=1.4, shifted=shifted)
    basis, couplings = setting(CHAINS[chain](3), 3, 1.2)
    transitions, decay = kernel_superoperator(
        basis.energies, couplings, lambda first, second: grain.kernel(first, second, 1.2)
    )
    nu = basis.bohr_frequencies
    expected = add_decay(transitions, decay, 0.5j * np.tanh(1.2 * nu / 4) * decay)
    found = coarse_grained_generator(basis, couplings, grain).map.to_matrix()
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("name", ["gaussian", "smooth_metropolis", "imaginary_time"])
def test_filtered_jumps_equal_the_double_sum(name: str):
    basis, couplings = setting(imbrie(3), 3, 0.9)

    def kernel(first, second):
        weight = np.exp(-0.9 * (first + second) / 4)
        return even_filter(name, first, 0.9) * even_filter(name, second, 0.9) * weight

    transitions, decay = kernel_superoperator(basis.energies, couplings, kernel)
    expected = add_decay(transitions, decay, coherent_term(decay, basis))
    found = filtered_generator(basis, couplings, filter_name=name).map.to_matrix()
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("hamiltonian", [imbrie(3), qt.PauliSum.from_text("0.7 Z0 + 0.7 Z1 + 0.7 Z2")], ids=str)
def test_davies_equals_the_double_sum_over_equal_frequencies(hamiltonian: qt.PauliSum):
    basis, couplings = setting(hamiltonian, 3, 1.1)

    def kernel(first, second):
        return (np.abs(first - second) < 1e-9) / (1 + np.exp(1.1 * first))

    transitions, decay = kernel_superoperator(basis.energies, couplings, kernel)
    expected = add_decay(transitions, decay, 0 * decay)
    found = davies_generator(basis, couplings, rate="glauber").map.to_matrix()
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("chain", ["tilted_ising", "complex"])
def test_maps_preserve_trace_and_have_the_right_adjoint(chain: str):
    rng = np.random.default_rng(1)
    for generator in exact_generators(*setting(CHAINS[chain](3), 3, 1.0)):
        X, Y = (rng.standard_normal((8, 8)) + 1j * rng.standard_normal((8, 8)) for _ in range(2))
        np.testing.assert_allclose(generator.map.apply_adjoint(np.eye(8)), 0, atol=1e-12)
        left = np.vdot(X, generator.map.apply(Y))
        assert left == pytest.approx(np.vdot(generator.map.apply_adjoint(X), Y), rel=1e-10)
        flat = (generator.map.to_matrix() @ Y.ravel()).reshape(8, 8)
        np.testing.assert_allclose(flat, generator.map.apply(Y), atol=1e-12)


def test_the_sign_of_the_coherent_term_is_the_right_one():
    """With nu the energy gained, G = +(i/2) tanh(beta nu/4) N; the other sign doubles the violation."""
    basis, couplings = setting(tilted_ising(4), 4, 1.0)
    right = filtered_generator(basis, couplings, filter_name="smooth_metropolis")
    without = filtered_generator(basis, couplings, filter_name="smooth_metropolis", coherent=False)
    shift = right.map.decay - without.map.decay
    wrong = Generator(basis=basis, map=JumpMap(right.map.jumps, without.map.decay - shift), is_balanced=False)
    assert kms_residual(right) < 1e-14
    assert kms_residual(wrong) == pytest.approx(2 * kms_residual(without), rel=0.02)
    assert kms_residual(without) > 0.05


def test_the_probed_residual_estimates_the_exact_one():
    basis, couplings = setting(tilted_ising(5), 5, 1.0)
    generator = filtered_generator(basis, couplings, filter_name="smooth_metropolis", coherent=False)
    matrix = generator.discriminant().to_matrix()
    exact = np.linalg.norm(matrix - matrix.T) / np.linalg.norm(matrix)
    assert kms_residual(generator, num_probes=20) == pytest.approx(exact, rel=0.1)


def test_unshifted_coarse_graining_misses_gibbs_as_the_inverse_square_of_its_time():
    basis, couplings = setting(tilted_ising(4), 4, 1.0)
    errors = []
    for time in (4.0, 8.0, 16.0):
        grain = CoarseGraining(energy_width=1 / time, rate="glauber", shifted=False)
        errors.append(find_gap(coarse_grained_generator(basis, couplings, grain)).fixed_point_error * time**2)
    np.testing.assert_allclose(errors, 0.032, rtol=0.02)


def test_an_unshifted_gaussian_bath_has_a_lower_exact_temperature():
    """beta_eff = beta / (1 + s^2 / D^2)."""
    s, width, beta = 0.8, 1.5, 1.0
    grain = CoarseGraining(energy_width=s, rate="gaussian", rate_width=width, shifted=False)
    effective = beta / (1 + s**2 / width**2)
    first, second = np.meshgrid(np.linspace(-3, 3, 7), np.linspace(-2, 2, 5))
    mirrored = grain.kernel(-second, -first, beta) * np.exp(-effective * (first + second) / 2)
    np.testing.assert_allclose(grain.kernel(first, second, beta), mirrored, rtol=1e-12)


def test_long_coarse_graining_tends_to_davies():
    basis, couplings = setting(tilted_ising(3), 3, 1.0)
    goal = find_gap(davies_generator(basis, couplings, rate="glauber")).gap
    errors = [
        abs(
            find_gap(coarse_grained_generator(basis, couplings, CoarseGraining(energy_width=w, rate="glauber"))).gap
            - goal
        )
        for w in (0.1, 0.05)
    ]
    assert errors[1] < 0.3 * errors[0] < 1e-3


def test_physical_master_equation_misses_gibbs_by_the_square_of_the_coupling_only():
    """-i[H, .] + coupling^2 (L - i[H_LS, .]), window 1, rate width 1.5: 1.3e-4 at .01, 1.3e-5 at .001."""
    model = qt.models.spin_chain(hamiltonian=tilted_ising(4))
    problem = qt.MixingGap(model, beta=1.0)
    errors = [
        float(qt.solve(problem, qt.CoarseGrained(rate_width=1.5, coherent="lamb", coupling=c)).fixed_point_error)
        for c in (0.1, np.sqrt(0.001))
    ]
    np.testing.assert_allclose(errors, [1.3e-4, 1.3e-5], rtol=0.05)
