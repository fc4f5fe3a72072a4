"""Particles on lattices: the matrices, their symmetry and statistics, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

import qthermo as qt
from qthermo.models import anderson_lattice, band_matrix, sample_anderson_lattice, sample_band_matrix


def test_laplacian_has_the_dispersion_of_plane_waves():
    model = sample_anderson_lattice(shape=(5, 6), disorder=0.0, seed=1)
    k, q = 2 * np.pi * np.arange(5) / 5, 2 * np.pi * np.arange(6) / 6
    waves = np.sort(-2 * np.add.outer(np.cos(k), np.cos(q)).ravel())
    assert_allclose(np.linalg.eigvalsh(model.to_dense()), waves, atol=1e-13)


@pytest.mark.parametrize(
    ("distribution", "law"),
    [("box", stats.uniform(-1.5, 3)), ("normal", stats.norm(0, 3)), ("lorentzian", stats.cauchy(0, 3))],
)
def test_potentials_follow_their_distribution(distribution, law):
    model = sample_anderson_lattice(shape=(40, 40), disorder=3.0, seed=2, distribution=distribution)
    assert stats.kstest(model.potential.ravel(), law.cdf).pvalue > 1e-3


@pytest.mark.parametrize("hermitian", [True, False])
@pytest.mark.parametrize("profile", ["box", "triangle", "gaussian"])
def test_band_matrices_are_hermitian_with_unit_rows(profile, hermitian):
    model = sample_band_matrix(size=600, half_width=12, seed=3, hermitian=hermitian, profile=profile)
    matrix = model.to_dense()
    assert np.array_equal(matrix, matrix.conj().T)
    assert model.is_real is not hermitian
    far = np.abs((np.subtract.outer(np.arange(600), np.arange(600)) + 300) % 600 - 300) > 12
    assert np.all(matrix[far] == 0)
    assert model.variances.sum() == pytest.approx(1)
    assert_allclose((np.abs(model.rows) ** 2).mean(axis=0), model.variances, rtol=0.5)
    assert (np.abs(matrix) ** 2).sum(axis=1).mean() == pytest.approx(1, abs=0.05)
    assert np.abs(np.linalg.eigvalsh(matrix)).max() == pytest.approx(2, abs=0.25)


def test_explicit_lattices_and_matrices_are_those_given():
    assert np.array_equal(np.diag(anderson_lattice(potential=[1.0, 2.0, 4.0]).to_dense()), [1, 2, 4])
    given = sample_band_matrix(size=9, half_width=2, seed=1)
    assert np.array_equal(band_matrix(rows=given.rows).to_dense(), given.to_dense())
    with pytest.raises(qt.InputError, match="Hermitian"):
        band_matrix(rows=given.rows + 1j)
    with pytest.raises(qt.InputError, match="odd width"):
        band_matrix(rows=np.zeros((5, 4)))
    with pytest.raises(qt.InputError, match="at least 3"):
        sample_anderson_lattice(shape=(2, 5), disorder=1.0, seed=1)
    with pytest.raises(qt.InputError, match="1 to 3 axes"):
        anderson_lattice(potential=np.zeros((3, 3, 3, 3)))
    with pytest.raises(qt.InputError, match="`size` must be at least 9"):
        sample_band_matrix(size=8, half_width=4, seed=1)
