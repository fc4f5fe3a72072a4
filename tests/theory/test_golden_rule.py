import numpy as np
import pytest

import qthermo as qt


def flat_problem(coupling=0.3, **kwargs):
    thermometer = qt.Thermometer(splitting=1.0, coupling=coupling)
    model = qt.models.sample_all_to_all_ising(num_bath_sites=9, seed=1, thermometer=thermometer)
    return qt.Propagator(model, energies=[0.0], laplace=[2.0, 1.0, 0.5, 0.2], **kwargs)


def test_flat_spectrum_gives_one_rate():
    """v constant over a wide band: Gamma = pi v on both levels, so that c = s / (s + 4 Gamma)."""
    v, s = 0.02, np.array([0.3, 1.0])
    spectrum = qt.BathSpectrum(frequencies=np.linspace(0, 200, 400), values=np.full(400, v))
    model = flat_problem().model
    data = qt.solve(qt.Propagator(model, energies=[0.0], laplace=s), qt.GoldenRule(spectrum=spectrum))
    np.testing.assert_allclose(data["autocorrelation"].values[0], s / (s + 4 * np.pi * v), rtol=0.01)
    markov = qt.solve(qt.Propagator(model, energies=[0.0], laplace=s), qt.GoldenRule(kind="markov", spectrum=spectrum))
    np.testing.assert_allclose(markov["autocorrelation"].values[0], s / (s + 4 * np.pi * v), rtol=1e-12)


def test_wards_identity_of_the_integral_equations():
    """int -Im G = pi for a flat density of states, hence sum_b P_ab = 2 pi / s."""
    problem = flat_problem()
    data = qt.solve(problem, qt.GoldenRule())
    np.testing.assert_allclose(
        data["propagator"].values[0].sum(axis=-1), np.outer(2 * np.pi / problem.laplace, [1, 1]), rtol=1e-4
    )


def test_small_coupling_follows_exact_diagonalisation():
    problem = flat_problem()
    exact = qt.solve(problem, qt.Dense())["autocorrelation"]
    predicted = qt.solve(problem, qt.GoldenRule())["autocorrelation"]
    assert np.abs(predicted - exact).max() < 0.02


def test_spectrum_from_the_baths_own_autocorrelation():
    """Three ways to one v: pairs of eigenstates, samples of <B(t) B>, the problem StructureFactor; and the sum rule."""
    model = flat_problem().model
    basis = model.to_bath_eigenbasis()
    block = basis.blocks[0, 1]
    width = 0.3
    pairs = qt.BathSpectrum.from_eigenbasis(basis, smoothing=width, window=1e3)
    times = np.arange(0, 15, 0.05)
    phases = np.exp(1j * np.outer(basis.bath_energies, times))
    samples = np.einsum("it,ij,jt->t", phases, np.abs(block) ** 2, phases.conj()).real / len(block)
    sampled = qt.BathSpectrum.from_autocorrelation(times, samples, smoothing=width)
    omega = np.linspace(0.5, 6, 12)
    peak = pairs.values.max()
    np.testing.assert_allclose(sampled(omega), pairs(omega), atol=0.03 * peak)
    total = 2 * np.trapezoid(pairs.values, pairs.frequencies)
    assert total == pytest.approx(np.sum(block**2) / len(block), rel=0.01)
    frequencies = np.linspace(0, 30, 301)
    data = qt.solve(qt.StructureFactor(model, frequencies=frequencies, resolution=width), qt.Dense())
    np.testing.assert_allclose(qt.BathSpectrum.from_dataset(data)(omega), pairs(omega), atol=0.02 * peak)


def test_strong_coupling_warns():
    with pytest.warns(qt.ValidityWarning, match="crossing"):
        qt.solve(flat_problem(coupling=3.0), qt.GoldenRule(kind="markov"))


def test_bad_spectra_are_refused():
    with pytest.raises(qt.InputError, match="negative"):
        qt.BathSpectrum(frequencies=np.array([0.0, 1.0]), values=np.array([0.1, -0.1]))
    with pytest.raises(qt.InputError, match="shape"):
        qt.BathSpectrum(frequencies=np.array([0.0, 1.0]), values=np.array([0.1]))
    with pytest.raises(qt.InputError, match="smoothing"):
        qt.BathSpectrum.from_autocorrelation(np.arange(5.0), np.ones(5), smoothing=0.01)
    with pytest.raises(qt.InputError, match="BathSpectrum"):
        qt.GoldenRule(spectrum=np.ones(3))


@pytest.mark.slow
@pytest.mark.parametrize("num_bath_sites", [10, 12])
def test_large_baths_at_small_coupling_and_where_it_fails(num_bath_sites: int):
    thermometer = qt.Thermometer(splitting=1.0, coupling=0.3)
    worst = {}
    for disorder in (1.0, 3.0):
        model = qt.models.sample_imbrie_chain(
            num_bath_sites=num_bath_sites, disorder=disorder, seed=1, thermometer=thermometer
        )
        problem = qt.Propagator(model, energies=[0.0], laplace=[2.0, 1.0, 0.5, 0.2])
        exact = qt.solve(problem, qt.Krylov(num_vectors=12, seed=1))
        rule = qt.solve(problem, qt.GoldenRule())
        beyond = abs(rule["autocorrelation"] - exact["autocorrelation"]) - 3 * exact["autocorrelation_stderr"]
        worst[disorder] = float(beyond.max())
    assert worst[1.0] < 0.02
    assert worst[3.0] > 0.03
