"""Grains: matrices against Kronecker products, ensembles against their laws, and the views of one model."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import qthermo as qt
from qthermo.operators import PauliSum

X, Z = np.array([[0.0, 1.0], [1.0, 0.0]]), np.diag([1.0, -1.0])
sample = qt.models.sample_ergodic_grain


def kron_at(matrix: np.ndarray, site: int, num_sites: int) -> np.ndarray:
    return np.kron(np.kron(np.eye(2**site), matrix), np.eye(2 ** (num_sites - site - 1)))


@pytest.mark.parametrize("kind", ["goe", "gue"])
@pytest.mark.parametrize("layout", ["lioms", "spins"])
def test_matrix_is_the_sum_of_its_terms(kind: str, layout: str):
    model = sample(kind=kind, num_grain_spins=3, num_lioms=3, seed=1, layout=layout, coupling=0.3, decay=0.5)
    expected = np.kron(model.grain_matrix, np.eye(8)).astype(complex)
    for i in range(3):
        expected += model.fields[i] * kron_at(Z, 3 + i, 6)
        partner = 2 if layout == "lioms" else 2 + i
        expected += 0.3 * 0.5**i * kron_at(X, partner, 6) @ kron_at(X, 3 + i, 6)
    assert_allclose(model.to_matrix(), expected, atol=1e-14)


CASES = {
    "goe": {"kind": "goe", "num_grain_spins": 4, "num_lioms": 4},
    "gue": {"kind": "gue", "num_grain_spins": 3, "num_lioms": 3},
    "gue spins": {"kind": "gue", "num_grain_spins": 3, "num_lioms": 3, "layout": "spins"},
    "local, longer than the core": {"kind": "local", "num_grain_spins": 7, "num_lioms": 1},
    "local spins": {"kind": "local", "num_grain_spins": 7, "num_lioms": 2, "layout": "spins"},
    "single spin": {"kind": "single_spin", "num_lioms": 7},
    "alone": {"kind": "goe", "num_grain_spins": 5, "num_lioms": 0},
}


@pytest.mark.parametrize("case", CASES)
def test_split_operator_is_the_same_hamiltonian_in_another_order(case: str):
    model = sample(**CASES[case], seed=2)
    operator, letters = model.to_split_operator()
    start = np.random.default_rng(0).standard_normal(operator.shape).astype(operator.dtype)
    values, vectors = np.linalg.eigh(operator.to_matrix())
    assert_allclose(values, np.linalg.eigvalsh(model.to_matrix()), atol=1e-12)
    steps = operator.compile_steps()
    inside = steps.enter(start)
    out = np.empty_like(inside)
    steps.multiply(inside, out)
    assert_allclose(steps.leave(inside), start, atol=1e-13)
    assert_allclose(steps.leave(out).ravel(), operator.to_matrix() @ start.ravel(), atol=1e-12)
    exact = np.linalg.eigh(model.to_matrix())
    assert sorted(letters) == list(range(model.num_sites))
    for site, flip in letters.items():
        image = np.array([flip.act(v.reshape(operator.shape)).ravel() for v in vectors.T]).T
        here = np.abs(vectors.conj().T @ image) ** 2
        there = np.abs(exact[1].conj().T @ kron_at(X, site, model.num_sites) @ exact[1]) ** 2
        assert_allclose(here, there, atol=1e-8)


@pytest.mark.parametrize("kind", ["goe", "gue"])
def test_spectrum_is_the_semicircle_of_its_convention(kind: str):
    for convention, radius in (("mid", 2 * 4.2 / np.pi), ("full", 2.1)):
        values = []
        for realization in range(20):
            model = sample(kind=kind, num_lioms=0, seed=1, realization=realization, bandwidth_convention=convention)
            values.append(np.linalg.eigvalsh(model.grain_matrix))
        flat = np.concatenate(values)
        assert_allclose(np.mean(flat**2), radius**2 / 4, rtol=0.05)
        inside = np.mean(np.abs(flat) < radius / 2)
        assert_allclose(inside, 1 / 3 + np.sqrt(3) / (2 * np.pi), atol=0.02)


def test_mid_convention_has_the_spacing_it_names():
    gaps = []
    for realization in range(40):
        values = np.linalg.eigvalsh(sample(kind="goe", num_lioms=0, seed=5, realization=realization).grain_matrix)
        gaps.append(np.diff(values[np.abs(values) < 0.5]).mean())
    assert_allclose(np.mean(gaps), 4.2 / 64, rtol=0.05)


def test_level_statistics_follow_the_ensemble():
    """<r> = 0.5307 for GOE and 0.5996 for GUE (Atas et al., Phys. Rev. Lett. 110, 084101 (2013))."""
    for kind, expected in (("goe", 0.5307), ("gue", 0.5996)):
        ratios = []
        for realization in range(60):
            gaps = np.diff(np.linalg.eigvalsh(sample(kind=kind, num_lioms=0, seed=1, realization=realization).grain))
            ratios.append(np.minimum(gaps[1:], gaps[:-1]) / np.maximum(gaps[1:], gaps[:-1]))
        assert_allclose(np.mean(np.concatenate(ratios)), expected, atol=0.02)


def test_single_spin_has_its_mean_splitting():
    splittings = [
        np.ptp(np.linalg.eigvalsh(sample(kind="single_spin", num_lioms=0, seed=1, realization=k).to_matrix()))
        for k in range(2000)
    ]
    assert_allclose(np.mean(splittings), 2.25, rtol=4 * 0.5227 / np.sqrt(2000))  # Rayleigh: sd = 0.5227 mean


def test_local_grain_is_equation_24():
    model = sample(kind="local", num_lioms=1, seed=4)
    letters = {str(string): c.real for string, c in model.grain.items()}
    assert len(letters) == 26
    assert all(letters[f"X{i}"] == 0.5 for i in range(9))
    assert all(letters[f"X{i} X{i + 1}"] == 1.0 for i in range(8))
    assert all(abs(letters[f"Z{i}"] - 1) <= 0.3 for i in range(9))


def test_couplings_decay_by_their_law():
    arguments = {"kind": "goe", "num_grain_spins": 2, "num_lioms": 4, "seed": 1}
    assert_allclose(sample(**arguments).couplings, 0.2 * 0.75 ** np.arange(4))
    power = sample(**arguments, decay=2.0, decay_law="power", last_coupling=0.7)
    assert_allclose(power.couplings, [0.2, 0.2 / 4, 0.2 / 9, 0.7])
    assert np.all(np.abs(sample(**arguments).fields - 1) <= 0.5)


def test_more_localised_spins_leave_the_grain_and_the_first_fields():
    small, large = (sample(kind="gue", num_grain_spins=3, num_lioms=n, seed=8, realization=2) for n in (2, 5))
    assert_allclose(small.grain_matrix, large.grain_matrix)
    assert_allclose(small.fields, large.fields[:2])
    assert np.array_equal(large.bare.to_matrix(), large.grain_matrix)


@pytest.mark.parametrize("layout", ["lioms", "spins"])
def test_spin_model_is_the_mirror_image(layout: str):
    model = sample(kind="local", num_grain_spins=3, num_lioms=3, seed=2, layout=layout)
    spins = model.to_spin_model()
    n = spins.num_sites
    dense = spins.hamiltonian.to_dense(n).reshape((2,) * (2 * n))
    mirrored = dense.transpose([*range(n - 1, -1, -1), *range(2 * n - 1, n - 1, -1)]).reshape(2**n, 2**n)
    assert_allclose(mirrored, model.to_matrix(), atol=1e-14)
    assert str(spins.thermometer) == str(float(model.fields[-1]) * PauliSum.pauli("Z", 0))
    if layout == "spins":
        assert all(string.sites[-1] - string.sites[0] <= 1 for string in spins.hamiltonian)


def test_own_grains_are_taken():
    pauli = PauliSum.from_text("0.7 Z0 Z1 + 0.3 X0 - 0.2 Y0 Y1 + 0.4 Z1")
    for grain in (pauli, pauli.to_dense(2)):
        model = qt.models.ergodic_grain(grain=grain, num_grain_spins=2, fields=[1.0, 0.8], couplings=[0.2, 0.1])
        operator, _ = model.to_split_operator()
        assert_allclose(np.linalg.eigvalsh(operator.to_matrix()), np.linalg.eigvalsh(model.to_matrix()), atol=1e-13)


BAD = {
    "kind": ({"kind": "levy"}, "kind"),
    "convention": ({"bandwidth_convention": "half"}, "bandwidth_convention"),
    "local bandwidth": ({"kind": "local", "bandwidth": 3.0}, "left out"),
    "two single spins": ({"kind": "single_spin", "num_grain_spins": 2}, "must be 1"),
    "no lioms, last coupling": ({"num_lioms": 0, "last_coupling": 1.0}, "at least one localised"),
    "law": ({"decay_law": "gauss"}, "decay_law"),
    "too large": ({"num_grain_spins": 14}, "num_grain_spins"),
    "negative bandwidth": ({"bandwidth": -1.0}, "bandwidth"),
}


@pytest.mark.parametrize(("change", "words"), BAD.values(), ids=BAD)
def test_bad_input_is_named(change: dict, words: str):
    with pytest.raises(qt.InputError, match=words):
        sample(**({"kind": "goe", "num_lioms": 2, "seed": 1} | change))


def test_bad_grains_are_named():
    arguments = {"num_grain_spins": 1, "fields": [1.0], "couplings": [0.1]}
    for grain, words in (
        (np.array([[0, 1], [2, 0.0]]), "Hermitian"),
        (np.eye(4), "2 square"),
        (PauliSum.pauli("X", 1), "sites below 1"),
    ):
        with pytest.raises(qt.InputError, match=words):
            qt.models.ergodic_grain(grain=grain, **arguments)
    model = qt.models.ergodic_grain(grain=np.eye(2), **arguments)
    with pytest.raises(qt.InputError, match="as many values"):
        model.attach(fields=[1.0], couplings=[])
    with pytest.raises(qt.InputError, match="kind='local'"):
        model.to_spin_model()
    with pytest.raises(qt.InputError, match="thermometer"):
        sample(kind="local", num_lioms=0, seed=1).to_spin_model()
    for name in ("liom:2", "liom:0", "liom", "grain:x", "spin"):
        with pytest.raises(qt.InputError, match="liom:1"):
            model.find_site(name)
