"""Relaxation by matrix-product density matrices against exact evolution with the same patch jumps."""

from __future__ import annotations

import numpy as np
import pytest
from kms_reference import CHAINS, tilted_ising
from reference_models import kron_matrix

import qthermo as qt
from qthermo.tensor_network.patch_relaxation import pauli_expectations


@pytest.mark.parametrize(("chain", "radius"), [("tilted_ising", 1), ("imbrie", 0), ("complex", 1)])
def test_it_follows_the_exact_generator_of_the_same_patches(chain: str, radius: int):
    model = qt.models.spin_chain(hamiltonian=CHAINS[chain](4))
    problem = qt.Relaxation(model, beta=1.0, times=[0.0, 0.3, 2.0], initial_state="0110")
    exact = qt.solve(problem, qt.KMSJumps(patch_radius=radius))
    found = qt.solve(problem, qt.TDVP(max_bond_dim=32, patch_radius=radius))
    np.testing.assert_allclose(found["polarisation"], exact["polarisation"], atol=1e-5)
    np.testing.assert_allclose(found["energy"], exact["energy"], atol=1e-5)
    assert float(found["truncation_error"].max()) < 1e-3


def test_its_error_falls_with_the_bond_dimension_and_is_no_larger_than_twice_its_estimate():
    problem = qt.Relaxation(qt.models.spin_chain(hamiltonian=tilted_ising(5)), beta=1.0, times=[0.5, 1.0])
    exact = qt.solve(problem, qt.KMSJumps(patch_radius=1))["polarisation"].values
    errors = []
    for bond in (4, 8, 16):
        data = qt.solve(problem, qt.TDVP(max_bond_dim=bond, time_step=0.25, tolerance=1.0))
        errors.append(float(np.abs(data["polarisation"].values - exact).max()))
        assert errors[-1] <= 2 * float(data["truncation_error"].max())
    assert errors[2] < 0.1 * errors[1] < 0.1 * errors[0]


def test_too_narrow_bonds_are_warned_of():
    problem = qt.Relaxation(qt.models.spin_chain(hamiltonian=tilted_ising(6)), beta=1.0, times=[1.0])
    with pytest.warns(qt.NotConvergedWarning, match="max_bond_dim above 4"):
        qt.solve(problem, qt.TDVP(max_bond_dim=4, tolerance=1e-7, time_step=0.25))


def test_expectations_of_pauli_strings():
    rng = np.random.default_rng(9)
    tensors = [
        rng.standard_normal(shape) + 1j * rng.standard_normal(shape) for shape in ((1, 4, 2), (2, 4, 3), (3, 4, 1))
    ]
    full = np.einsum("aib,bjc,ckd->ijk", *tensors).reshape((2,) * 6)
    rho = full.transpose(0, 2, 4, 1, 3, 5).reshape(8, 8)
    rho = rho + rho.conj().T
    conjugated = [t.reshape(t.shape[0], 2, 2, -1).transpose(0, 2, 1, 3).reshape(t.shape).conj() for t in tensors]
    for text in ("1", "0.3 Z1", "0.5 Y0 X2", "0.7 X0 Y1 Z2 - 0.2 Y2"):
        operator = qt.PauliSum.from_text(text)
        total = sum(pauli_expectations(part, [operator])[0] for part in (tensors, conjugated))
        assert total == pytest.approx(np.trace(rho @ kron_matrix(operator, 3)).real)


def test_arrays_and_distant_couplings_are_refused():
    ring = qt.models.spin_chain(hamiltonian=tilted_ising(6) + qt.PauliSum.from_text("0.3 Z0 Z5"))
    with pytest.raises(qt.UnsupportedError, match="runs of sites"):
        qt.solve(qt.Relaxation(ring, beta=1.0, times=[1.0]), qt.TDVP(patch_radius=2))
    state = np.eye(8) / 8
    chain = qt.models.spin_chain(hamiltonian=tilted_ising(3))
    with pytest.raises(qt.UnsupportedError, match="bits"):
        qt.solve(qt.Relaxation(chain, beta=1.0, times=[1.0], initial_state=state), qt.TDVP())


@pytest.mark.slow
def test_twenty_spins_reach_the_bulk_of_shorter_chains():
    """Far from the ends a chain of 20 polarises as the middle of a chain of 7 does at equilibrium."""
    problem = qt.Relaxation(qt.models.spin_chain(hamiltonian=tilted_ising(20)), beta=0.5, times=[6.0])
    data = qt.solve(problem, qt.TDVP(max_bond_dim=16, time_step=0.25, estimate_errors=False))
    middle = data["polarisation"].values[0, 9:11]
    short = qt.Relaxation(qt.models.spin_chain(hamiltonian=tilted_ising(7)), beta=0.5, times=[0.0])
    gibbs = qt.solve(short, qt.Davies())["gibbs_polarisation"].values[3]
    np.testing.assert_allclose(middle, gibbs, atol=3e-3)


NEEL_TIMES = [0.25, 0.5, 1.0, 2.0]


def relax_neel(num_sites: int, beta: float, method) -> np.ndarray:
    """<Z_j>(t) of the tilted Ising chain from 1010..."""
    model = qt.models.spin_chain(hamiltonian=tilted_ising(num_sites))
    bits = ("10" * num_sites)[:num_sites]
    problem = qt.Relaxation(model, beta=beta, times=NEEL_TIMES, initial_state=bits)
    return qt.solve(problem, method)["polarisation"].values


@pytest.mark.parametrize(("beta", "numerical", "of_patches"), [(0.5, 5e-6, 4e-3), (1.0, 8e-5, 1e-2)])
def test_seven_spins_against_the_exact_generator_with_and_without_patches(beta, numerical, of_patches):
    found = relax_neel(7, beta, qt.TDVP(max_bond_dim=16, estimate_errors=False))
    np.testing.assert_allclose(found, relax_neel(7, beta, qt.KMSJumps(patch_radius=1)), atol=numerical)
    np.testing.assert_allclose(found, relax_neel(7, beta, qt.KMSJumps()), atol=of_patches)


@pytest.mark.slow
@pytest.mark.parametrize("beta", [0.5, 1.0])
def test_ends_of_forty_spins_follow_the_exact_path_of_eight(beta: float):
    """Jumps and coherent terms are local: <Z_0> and <Z_1> feel the eighth site only late, as chains of 7 and 8 show."""
    found = relax_neel(40, beta, qt.TDVP(max_bond_dim=16, estimate_errors=False))
    eight, seven = (relax_neel(n, beta, qt.KMSJumps(patch_radius=1)) for n in (8, 7))
    far = np.abs(eight[:, :2] - seven[:, :2]).max()
    assert far < 5e-4
    np.testing.assert_allclose(found[:, :2], eight[:, :2], atol=far)
    np.testing.assert_allclose(found[:3, 0], eight[:3, 0], atol=2e-5)
    assert np.abs(found[:, 0] - found[0, 0]).max() > 0.1
