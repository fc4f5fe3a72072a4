"""Band chains: H against Kronecker products on the full space, sectors, ensembles, and what is refused."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from numpy.testing import assert_allclose

import qthermo as qt
from qthermo.models import Band, band_chain, sample_band_chain


def full_matrix(model) -> np.ndarray:
    """H on all levels of all subunits by Kronecker products, level order band after band."""
    d, n = model.local_dimension, model.num_subunits
    total = np.zeros((d**n, d**n), complex)
    for site in range(n):
        parts = [np.eye(d)] * n
        parts[site] = np.diag(model.local_levels)
        total += functools.reduce(np.kron, parts)
    for bond in range(n - 1):
        total += np.kron(np.kron(np.eye(d**bond), model.bond_hamiltonian(bond)), np.eye(d ** (n - bond - 2)))
    return total


@pytest.mark.parametrize("num_levels", [3, [2, 2]])
def test_full_space_is_the_kronecker_product_up_to_order(num_levels):
    model = sample_band_chain(
        num_subunits=3, num_levels=num_levels, band_width=0.1, coupling=0.02, seed=3, all_energies=True
    )
    space, whole = model.space, full_matrix(model)
    assert space.dimension == model.dimension == len(whole)
    starts = np.cumsum([0, *(band.num_levels for band in model.bands)])
    order = []
    for configuration in space.configurations:
        indices = np.zeros(1, int)
        for band in configuration:
            indices = np.add.outer(indices * model.local_dimension, np.arange(starts[band], starts[band + 1])).ravel()
        order.extend(indices)
    assert_allclose(space.to_dense(), whole[np.ix_(order, order)], atol=1e-15)


@pytest.mark.parametrize("energy", [0.0, 1.0, 2.0, 3.0])
def test_sectors_are_the_blocks_of_the_full_space(energy):
    arguments = {"num_subunits": 3, "num_levels": [2, 3], "band_width": 0.05, "coupling": 0.01, "seed": 5}
    part = sample_band_chain(**arguments, total_energy=energy).space
    whole = sample_band_chain(**arguments, all_energies=True).space
    rows = np.concatenate(
        [np.arange(*whole.slices[whole.configurations.index(c)].indices(whole.dimension)) for c in part.configurations]
    )
    matrix = whole.to_dense()
    assert_allclose(part.to_dense(), matrix[np.ix_(rows, rows)], atol=1e-15)
    others = np.setdiff1d(np.arange(whole.dimension), rows)
    assert np.abs(matrix[np.ix_(rows, others)]).max(initial=0.0) == 0


@pytest.mark.parametrize("energy", [1.0, 2.0, None])
def test_matrix_free_product_is_that_of_the_matrix(energy):
    model = sample_band_chain(
        num_subunits=4, num_levels=[2, 2], band_width=0.05, coupling=0.3, seed=1, total_energy=energy or 1.0,
        all_energies=energy is None,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((model.dimension, 2)) + 1j * rng.standard_normal((model.dimension, 2))
    matrix = model.space.to_dense()
    assert_allclose(matrix, matrix.conj().T, atol=0)
    assert_allclose(model.space.apply(vectors), matrix @ vectors, atol=1e-12)
    assert_allclose(model.space.apply(vectors[:, 0]), matrix @ vectors[:, 0], atol=1e-12)


def test_one_excitation_has_the_blocks_of_the_paper():
    n, width, coupling = 5, 0.05, 0.01
    model = sample_band_chain(num_subunits=3, num_levels=n, band_width=width, coupling=coupling, seed=2)
    matrix = model.space.to_dense()
    levels = 1 + ((np.arange(n) + 0.5) / n - 0.5) * width
    assert_allclose(np.diag(matrix), np.tile(levels, 3))
    assert np.all(matrix[:n, 2 * n :] == 0)
    first = matrix[n : 2 * n, :n]
    assert_allclose(first, coupling * model.blocks[0][(0, 1), (1, 0)])
    assert model.excited_first == (1, 0, 0)
    assert [c.index(1) for c in model.space.configurations] == [0, 1, 2]


@pytest.mark.parametrize("ensemble", ["ginibre", "hermitian", "real", "phases"])
def test_elements_have_mean_square_one(ensemble):
    model = sample_band_chain(num_subunits=2, num_levels=200, band_width=0.05, coupling=1.0, seed=4, ensemble=ensemble)
    block = model.blocks[0][(0, 1), (1, 0)]
    assert (np.abs(block) ** 2).mean() == pytest.approx(1, abs=5 * 2**0.5 / 200)
    assert np.isrealobj(block) == (ensemble == "real")
    assert np.allclose(block, block.conj().T) == (ensemble == "hermitian")
    if ensemble == "phases":
        assert_allclose(np.abs(block), 1)


def test_dimension_of_long_chains_needs_no_list():
    model = sample_band_chain(num_subunits=40, num_levels=3, band_width=0.1, coupling=0.1, seed=1, all_energies=True)
    assert model.dimension == 4**40
    assert model.num_configurations == 2**40
    two = sample_band_chain(num_subunits=40, num_levels=3, band_width=0.1, coupling=0.1, seed=1, total_energy=2.0)
    assert two.dimension == 9 * 40 * 39 // 2
    assert two.num_configurations == len(two.space.configurations) == 40 * 39 // 2


def test_thermal_weights_are_products_of_boltzmann_factors():
    model = sample_band_chain(
        num_subunits=2, num_levels=[3, 2], band_width=0.1, coupling=0.1, seed=1, all_energies=True
    )
    betas, sizes = np.array([0.7, 1.3]), np.array([1, 3, 2])
    local = sizes * np.exp(-np.outer(betas, [0, 1, 2]))
    local /= local.sum(axis=1, keepdims=True)
    expected = [local[0, i] * local[1, j] for i, j in model.space.configurations]
    assert_allclose(model.thermal_weights(betas), expected, rtol=1e-13)


def test_bad_chains_are_refused():
    good = {"num_subunits": 2, "num_levels": 3, "band_width": 0.1, "coupling": 0.1, "seed": 1}
    for change, words in (
        ({"num_subunits": 1}, "at least 2"),
        ({"ensemble": "circular"}, "must be one of"),
        ({"band_energies": [1.0, 2.0]}, "one energy for each"),
        ({"total_energy": 0.5}, "sum of band energies"),
        ({"num_levels": [2, 2], "band_energies": [2.0, 1.0]}, "must ascend"),
    ):
        with pytest.raises(qt.InputError, match=words):
            sample_band_chain(**{**good, **change})
    bands = [Band(energy=0.0, num_levels=1), Band(energy=1.0, num_levels=2)]
    for key, shape, words in (
        (((0, 1), (1, 1)), (2, 4), "conserve"),
        (((0, 1), (1, 0)), (2, 3), "shape"),
        (((1, 0), (0, 1)), (2, 2), "ascending"),
    ):
        with pytest.raises(qt.InputError, match=words):
            band_chain(bands=bands, blocks=[{key: np.ones(shape)}], coupling=0.1)
