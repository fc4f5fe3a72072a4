"""Patch-truncated jumps and parent Hamiltonians: limits, convergence with the radius, published numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from kms_reference import complex_chain, imbrie, tilted_ising
from scipy.sparse.linalg import LinearOperator, eigsh

import qthermo as qt
from qthermo.kms.coarse_graining import CoarseGraining
from qthermo.kms.energy_basis import diagonalise, site_couplings, stack_couplings
from qthermo.kms.generators import filtered_generator
from qthermo.kms.lost_gap import segment_gap, window_gap
from qthermo.kms.parent import parent_map, parent_terms
from qthermo.kms.patches import find_patch, patch_generator, patch_jumps, restrict

NUMBERS = json.loads((Path(__file__).parent / "public_numbers.json").read_text())["numbers"]
PUBLIC = {row["id"]: row["value"] for row in NUMBERS}


def test_patches_grow_along_the_bonds_of_the_hamiltonian():
    chain = tilted_ising(6)
    assert find_patch(chain, (2,), 0) == (2,)
    assert find_patch(chain, (2,), 1) == (1, 2, 3)
    assert find_patch(chain, (0,), 2) == (0, 1, 2)
    far = qt.PauliSum.from_text("1 Z0 Z3 + 1 X1")
    assert find_patch(far, (0,), 5) == (0, 3)
    assert restrict(chain, (1, 2)) == tilted_ising(2)


@pytest.mark.parametrize("name", ["gaussian", "smooth_metropolis"])
def test_a_patch_of_the_whole_chain_is_the_exact_generator(name: str):
    chain, beta = imbrie(4), 0.8
    couplings = site_couplings("XYZ", 4)
    basis = diagonalise(chain, 4, beta)
    exact = filtered_generator(basis, stack_couplings(basis, couplings), filter_name=name)
    patches = patch_jumps(chain, couplings, beta=beta, filter_name=name, radius=3)
    found = patch_generator(basis, patches)
    rho = np.random.default_rng(2).standard_normal((16, 16))
    np.testing.assert_allclose(found.apply(rho), exact.apply(rho), atol=1e-11)


@pytest.mark.parametrize(
    ("beta", "name", "expected"),
    [
        (0.5, "gaussian", (1.6e-2, 3.2e-4)),
        (0.5, "smooth_metropolis", (7.0e-3, 2.8e-4)),
        (1.0, "smooth_metropolis", (2.1e-2, 1.3e-3)),
        (1.0, "imaginary_time", (1.3e-2, 1.5e-4)),
    ],
)
def test_the_fixed_point_converges_with_the_radius(beta: float, name: str, expected: tuple[float, ...]):
    problem = qt.MixingGap(qt.models.spin_chain(hamiltonian=tilted_ising(6)), beta=beta)
    for radius, error in zip((1, 2), expected, strict=True):
        data = qt.solve(problem, qt.KMSJumps(filter=name, patch_radius=radius))
        assert float(data["fixed_point_error"]) == pytest.approx(error, rel=0.05)


def lowest(hamiltonian: qt.PauliSum, num_sites: int, **radii: int) -> np.ndarray:
    terms = parent_terms(
        hamiltonian, site_couplings("XYZ", num_sites), beta=1.0, filter_name="smooth_metropolis", **radii
    )
    minus = parent_map(terms, num_sites)
    dim = 2**num_sites
    operator = LinearOperator(
        (dim**2,) * 2, matvec=lambda flat: minus.apply(flat.reshape(dim, dim)).ravel(), dtype=float
    )
    return np.sort(-eigsh(operator, k=2, which="LA", return_eigenvectors=False))


def test_parent_hamiltonian_of_one_radius_has_the_published_spectrum():
    energies = lowest(tilted_ising(6), 6, radius=1)
    np.testing.assert_allclose(energies, [PUBLIC["R10_E0"], PUBLIC["R10_E1"]], rtol=1e-6)


def test_a_larger_outer_patch_brings_the_certificate_to_zero():
    certificates = [lowest(tilted_ising(5), 5, radius=1, outer_radius=outer)[0] for outer in (1, 2, 3, 4)]
    assert abs(certificates[-1]) < 1e-12
    for wide, narrow in zip(certificates[1:], certificates, strict=False):
        assert abs(wide) < 0.05 * abs(narrow)


def test_parent_hamiltonian_of_the_whole_chain_is_minus_the_discriminant():
    chain = imbrie(3)
    couplings = site_couplings("XYZ", 3)
    basis = diagonalise(chain, 3, 1.0)
    exact = filtered_generator(basis, stack_couplings(basis, couplings), filter_name="smooth_metropolis").discriminant()
    terms = parent_terms(chain, couplings, beta=1.0, filter_name="smooth_metropolis", radius=2)
    X = np.random.default_rng(3).standard_normal((8, 8))
    rotated = basis.transform(parent_map(terms, 3).apply(basis.vectors @ X @ basis.vectors.T))
    np.testing.assert_allclose(rotated, exact.apply(X), atol=1e-11)


def test_the_gap_of_the_first_sites_is_that_of_the_chain_they_make():
    """Against the published gaps of four sites: 6.1e-5 at beta = 2 and 1.424381 for the other filter."""
    for name, gap in (("gaussian", 6.1e-5), ("smooth_metropolis", 1.424381)):
        found = segment_gap(tilted_ising(9), 9, beta=2.0, letters="XYZ", filter_name=name)
        assert found == pytest.approx(gap, rel=1e-2 if name == "gaussian" else 1e-6)


@pytest.mark.parametrize("rate", ["gaussian", "glauber"])
@pytest.mark.parametrize("chain", [tilted_ising, complex_chain])
def test_the_gap_of_a_window_is_that_of_its_jumps(chain, rate: str):
    """Kernel summed here, jumps found there: two ways to one generator."""
    method = qt.CoarseGrained(energy_width=0.7, rate=rate)
    model = qt.models.spin_chain(hamiltonian=chain(3))
    expected = qt.solve(qt.MixingGap(model, beta=0.8, couplings="XZ"), method)["gap"].item()
    grain = CoarseGraining(energy_width=0.7, rate=rate)
    assert window_gap(chain(3), 3, beta=0.8, letters="XZ", grain=grain) == pytest.approx(expected, rel=1e-8)
