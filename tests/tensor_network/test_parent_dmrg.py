"""Parent Hamiltonians as MPOs against dense ones, and their gaps by DMRG against exact diagonalisation."""

from __future__ import annotations

import json

import numpy as np
import pytest
from kms_reference import CHAINS, tilted_ising
from scipy.sparse.linalg import LinearOperator, eigsh

import qthermo as qt
from qthermo.kms import parent_map, parent_terms, site_couplings
from qthermo.tensor_network.canonical_chain import CanonicalChain
from qthermo.tensor_network.environments import sandwich
from qthermo.tensor_network.ground_state_sweeps import DmrgSweeps, energy_variance, two_site_variance
from qthermo.tensor_network.lift import Lift
from qthermo.tensor_network.parent_mpo import build_parent_mpo, compress_mpo, split_operator
from qthermo.tensor_network.sweep_environments import SweepEnvironments


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


def test_operators_split_and_compress_exactly():
    rng = np.random.default_rng(1)
    matrix = rng.standard_normal((8, 8))
    first, middle, last = split_operator(matrix, 3)
    np.testing.assert_allclose(to_matrix([first, middle, last]), matrix, atol=1e-13)
    wide = np.zeros((8, 8, 2, 2))
    wide[:4, :4], wide[4:, 4:] = middle, 2 * middle
    doubled = [np.concatenate([first, first], axis=1), wide, np.concatenate([last, last], axis=0)]
    compressed = compress_mpo(doubled)
    np.testing.assert_allclose(to_matrix(compressed), 3 * matrix, atol=1e-12)
    assert [t.shape[1] for t in compressed] == [4, 4, 1]


def random_chain(shapes: list[tuple[int, int, int]], seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    tensors = [rng.standard_normal(shape) + 1j * rng.standard_normal(shape) for shape in shapes]
    chain = CanonicalChain.from_tensors(tensors, 64, 0.0)
    chain.tensors[0] = chain.tensors[0] / np.linalg.norm(chain.tensors[0])
    return chain.tensors


@pytest.mark.parametrize("site", [0, 1, 2])
def test_a_lift_is_the_projector_on_the_known_state_in_the_bases_of_the_pair(site: int):
    """Against the dense state: P = sum over the other sites of their basis, here with the centre at site 0 moved up."""
    bases = random_chain([(1, 4, 3), (3, 4, 5), (5, 4, 2), (2, 4, 1)], 1)
    known = random_chain([(1, 4, 2), (2, 4, 2), (2, 4, 3), (3, 4, 1)], 2)
    vector = np.einsum("aib,bjc,ckd,dle->ijkl", *known)
    left = np.ones((1, 1))
    for tensor in bases[:site]:
        left = np.einsum("xa,aib->xib", left, tensor).reshape(-1, tensor.shape[2])
    right = np.ones((1, 1))
    for tensor in reversed(bases[site + 2 :]):
        right = np.einsum("aib,bx->aix", tensor, right).reshape(tensor.shape[0], -1)
    seen = np.einsum("xa,xpy,by->apb", left.conj(), vector.reshape(left.shape[0], 16, -1), right.conj()).ravel()
    pair = np.random.default_rng(3).standard_normal(seen.size)
    found = Lift(known, 2.5).add_to(lambda flat: 3 * flat, bases, site)(pair)
    np.testing.assert_allclose(found, 3 * pair + 2.5 * seen * (seen.conj() @ pair), atol=1e-12)


@pytest.mark.parametrize(("num_sites", "bond", "share"), [(2, 1, 1.0), (6, 2, 0.7), (6, 4, 0.7), (6, 8, 0.7)])
def test_the_two_site_variance_is_all_of_it_on_two_sites_and_most_of_it_on_a_chain(
    num_sites: int, bond: int, share: float
):
    hamiltonian, couplings = tilted_ising(num_sites), site_couplings("XYZ", num_sites)
    mpo = build_parent_mpo(
        parent_terms(hamiltonian, couplings, beta=1.0, filter_name="smooth_metropolis", radius=1, outer_radius=2),
        num_sites,
    )
    start = [tensor.real / np.linalg.norm(tensor.real) for tensor in random_chain([(1, 4, 1)] * num_sites, 4)]
    sweeps = DmrgSweeps(SweepEnvironments(start, mpo), 1e-12)
    sweeps.sweep(bond, 0.0)
    sweeps.sweep(bond, 0.0)
    tensors = sweeps.environments.tensors
    norm = float(np.linalg.norm(tensors[0])) ** 2
    mean = float(sandwich(tensors, mpo, tensors)) / norm
    variance = energy_variance(tensors, mpo) / norm - mean**2
    found = two_site_variance(sweeps.environments, mean)
    assert share * variance * (1 - 1e-6) <= found <= variance * (1 + 1e-6)


@pytest.mark.parametrize("radii", [(1, 1), (1, 2)])
def test_gap_and_certificate_equal_exact_diagonalisation(radii: tuple[int, int]):
    method = qt.DMRG(max_bond_dim=24, tolerance=1e-4, patch_radius=radii[0], outer_radius=radii[1], num_starts=1)
    data = gap_of(tilted_ising(5), 1.0, method)
    ground, excited = exact_energies(
        tilted_ising(5), 5, 1.0, filter_name="smooth_metropolis", radius=radii[0], outer_radius=radii[1]
    )
    assert float(data["certificate"]) == pytest.approx(ground, abs=1e-7)
    assert float(data["gap"]) == pytest.approx(excited - ground, abs=3e-6)
    assert json.loads(data.attrs["diagnostics"])["two_site_variance"] < 1e-5


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


def test_a_gap_lost_by_a_gaussian_filter_is_warned_of_with_the_better_one():
    with pytest.warns(qt.ValidityWarning, match=r"6e-05 of its value at beta = 0.5.*smooth_metropolis"):
        gap_of(tilted_ising(4), 2.0, qt.DMRG(filter="gaussian", tolerance=1e-3, num_starts=1))
    chain = qt.models.spin_chain(hamiltonian=tilted_ising(5))
    with pytest.warns(qt.ValidityWarning, match=r"6e-05 of its value at beta = 0.5.*smooth_metropolis"):
        qt.solve(qt.Relaxation(chain, beta=2.0, times=[0.2]), qt.TDVP(filter="gaussian", max_bond_dim=8, tolerance=1.0))


def test_refusals():
    ring = tilted_ising(6) + qt.PauliSum.from_text("0.3 Z0 Z5")
    with pytest.raises(qt.UnsupportedError, match="runs of sites"):
        gap_of(ring, 1.0, qt.DMRG())
    with pytest.raises(qt.InputError, match="outer_radius"):
        qt.DMRG(patch_radius=2, outer_radius=1)


def test_eight_spins_by_default_options():
    """1.158361 by exact diagonalisation of the same generator, as computed with an independent program."""
    assert float(gap_of(tilted_ising(8), 1.0, qt.DMRG())["gap"]) == pytest.approx(1.158361, abs=2e-6)


@pytest.mark.slow
def test_eight_spins_against_exact_diagonalisation():
    data = gap_of(tilted_ising(8), 1.0, qt.DMRG())
    ground, excited = exact_energies(tilted_ising(8), 8, 1.0, filter_name="smooth_metropolis", radius=1, outer_radius=2)
    assert float(data["gap"]) == pytest.approx(excited - ground, abs=2e-6)
    assert float(data["certificate"]) == pytest.approx(ground, abs=1e-6)


@pytest.mark.slow
def test_twenty_spins():
    """1.181652 with E0 = 2.7e-5 n from an independent DMRG of bond 16, which lies above the value of bond 64."""
    data = gap_of(tilted_ising(20), 1.0, qt.DMRG())
    assert float(data["gap"]) == pytest.approx(1.181652, abs=5e-5)
    assert float(data["gap"]) < 1.181652
    assert 0 < float(data["certificate"]) < 1e-3
    assert json.loads(data.attrs["diagnostics"])["two_site_variance"] < 1e-7
