"""Parent Hamiltonians as MPOs against dense ones, and their gaps by DMRG against exact diagonalisation."""

from __future__ import annotations

import json

import numpy as np
import pytest
from kms_reference import CHAINS, tilted_ising
from scipy.sparse.linalg import LinearOperator, eigsh

import qthermo as qt
from qthermo.kms import parent_map, parent_terms, site_couplings
from qthermo.tensor_network.parent_mpo import (
    add_mpos,
    build_parent_mpo,
    compress_mpo,
    projector_mpo,
    split_operator,
)


def to_matrix(mpo: list[np.ndarray]) -> np.ndarray:
    """Contract an MPO to a matrix, the first site leftmost."""
    total = np.ones((1, 1, 1))
    for tensor in mpo:
        total = np.einsum("aij,abkl->bikjl", total, tensor)
        total = total.reshape(total.shape[0], total.shape[1] * total.shape[2], -1)
    return total[0]


def separate(matrix: np.ndarray, num_sites: int) -> np.ndarray:
    """From sites of (ket, bra) pairs to all kets, then all bras: the order of row-major vec."""
    order = [2 * k for k in range(num_sites)] + [2 * k + 1 for k in range(num_sites)]
    tensor = matrix.reshape((2,) * (4 * num_sites))
    return tensor.transpose(order + [2 * num_sites + k for k in order]).reshape(matrix.shape)


def exact_energies(hamiltonian: qt.PauliSum, num_sites: int, beta: float, **options) -> np.ndarray:
    minus = parent_map(parent_terms(hamiltonian, site_couplings("XYZ", num_sites), beta=beta, **options), num_sites)
    dim = 2**num_sites
    operator = LinearOperator(
        (dim**2,) * 2, matvec=lambda flat: minus.apply(flat.reshape(dim, dim)).ravel(), dtype=minus.jumps.dtype
    )
    return np.sort(-eigsh(operator, k=2, which="LA", return_eigenvectors=False))


def gap_of(hamiltonian: qt.PauliSum, beta: float, method: qt.DMRG):
    return qt.solve(qt.MixingGap(qt.models.spin_chain(hamiltonian=hamiltonian), beta=beta), method)


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("radii", [(0, 1), (1, 1), (1, 2)])
def test_the_mpo_is_the_parent_hamiltonian(chain: str, radii: tuple[int, int]):
    hamiltonian = CHAINS[chain](4)
    terms = parent_terms(
        hamiltonian,
        site_couplings("XYZ", 4),
        beta=0.9,
        filter_name="smooth_metropolis",
        radius=radii[0],
        outer_radius=radii[1],
    )
    mpo = build_parent_mpo(terms, 4)
    np.testing.assert_allclose(separate(to_matrix(mpo), 4), -parent_map(terms, 4).to_matrix(), atol=1e-9)
    assert all(np.isrealobj(tensor) for tensor in mpo) == (chain != "complex")


def test_operators_split_add_compress_and_project_exactly():
    rng = np.random.default_rng(1)
    first, second = rng.standard_normal((8, 8)), rng.standard_normal((8, 8))
    total = add_mpos(split_operator(first, 3), split_operator(second, 3))
    np.testing.assert_allclose(to_matrix(total), first + second, atol=1e-13)
    compressed = compress_mpo(total)
    np.testing.assert_allclose(to_matrix(compressed), first + second, atol=1e-12)
    assert [t.shape[1] for t in compressed] == [4, 4, 1]
    state = [rng.standard_normal(shape) for shape in ((1, 4, 3), (3, 4, 1))]
    vector = np.tensordot(*state, (2, 0)).ravel()
    np.testing.assert_allclose(to_matrix(projector_mpo(state, 2.5)), 2.5 * np.outer(vector, vector), atol=1e-12)


@pytest.mark.parametrize("radii", [(1, 1), (1, 2)])
def test_gap_and_certificate_equal_exact_diagonalisation(radii: tuple[int, int]):
    method = qt.DMRG(max_bond_dim=24, tolerance=1e-4, patch_radius=radii[0], outer_radius=radii[1], num_starts=1)
    data = gap_of(tilted_ising(5), 1.0, method)
    ground, excited = exact_energies(
        tilted_ising(5), 5, 1.0, filter_name="smooth_metropolis", radius=radii[0], outer_radius=radii[1]
    )
    assert float(data["certificate"]) == pytest.approx(ground, abs=1e-7)
    assert float(data["gap"]) == pytest.approx(excited - ground, abs=3e-6)
    assert json.loads(data.attrs["diagnostics"])["variance"] < 1e-5


@pytest.mark.parametrize(("chain", "beta", "name"), [("imbrie", 2.0, "imaginary_time"), ("complex", 1.0, "gaussian")])
def test_other_filters_complex_chains_and_wide_gaps(chain: str, beta: float, name: str):
    """At beta = 2 the gap of the imaginary-time filter exceeds the first lift of the ground state."""
    hamiltonian = CHAINS[chain](4)
    ground, excited = exact_energies(hamiltonian, 4, beta, filter_name=name, radius=1, outer_radius=2)
    data = gap_of(hamiltonian, beta, qt.DMRG(filter=name, max_bond_dim=64, tolerance=1e-4, num_starts=2))
    assert float(data["gap"]) == pytest.approx(excited - ground, abs=1e-5)
    assert float(data["certificate"]) == pytest.approx(ground, abs=1e-6)


def test_a_narrow_bond_is_not_passed_off_as_converged():
    with pytest.raises(qt.NotConvergedError, match="max_bond_dim above 4"):
        gap_of(tilted_ising(6), 1.0, qt.DMRG(max_bond_dim=4, outer_radius=1, num_starts=1))


def test_refusals():
    ring = tilted_ising(6) + qt.PauliSum.from_text("0.3 Z0 Z5")
    with pytest.raises(qt.UnsupportedError, match="runs of sites"):
        gap_of(ring, 1.0, qt.DMRG())
    with pytest.raises(qt.InputError, match="outer_radius"):
        qt.DMRG(patch_radius=2, outer_radius=1)


@pytest.mark.slow
def test_eight_spins_against_exact_diagonalisation():
    data = gap_of(tilted_ising(8), 1.0, qt.DMRG(max_bond_dim=32, tolerance=1e-5))
    ground, excited = exact_energies(tilted_ising(8), 8, 1.0, filter_name="smooth_metropolis", radius=1, outer_radius=2)
    assert float(data["gap"]) == pytest.approx(excited - ground, abs=1e-5)


@pytest.mark.slow
def test_twenty_spins():
    """1.181652 with E0 = 2.7e-5 n from an independent DMRG of bond 16, which lies above the value of bond 32."""
    data = gap_of(tilted_ising(20), 1.0, qt.DMRG(max_bond_dim=32, tolerance=1e-5, num_starts=1))
    assert float(data["gap"]) == pytest.approx(1.181652, abs=5e-5)
    assert 0 < float(data["certificate"]) < 1e-3
