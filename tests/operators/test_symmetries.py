"""Symmetry search and sectors against dense commutators and spectra."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_models import kron_matrix

from qthermo import PauliSum
from qthermo.operators import find_symmetries, sector_isometries

SITES = 4
terms = st.tuples(
    st.floats(0.2, 2), st.dictionaries(st.integers(0, SITES - 1), st.sampled_from("XYZ"), min_size=1, max_size=3)
)


@given(st.lists(terms, min_size=1, max_size=5).map(PauliSum.from_letters))
def test_sectors_block_diagonalise_any_hamiltonian(hamiltonian: PauliSum):
    strings = find_symmetries([hamiltonian], SITES)
    H = kron_matrix(hamiltonian, SITES)
    for string in strings:
        assert string.num_y % 2 == 0
        assert all(string.commutes_with(other) for other in [*hamiltonian, *strings])
    sectors = [sector.toarray() for sector in sector_isometries(strings, SITES)]
    basis = np.concatenate(sectors, axis=1)
    assert_allclose(basis.T @ basis, np.eye(2**SITES), atol=1e-12)
    blocks = [sector.T @ H @ sector for sector in sectors]
    levels = np.sort(np.concatenate([np.linalg.eigvalsh(block) for block in blocks]))
    assert_allclose(levels, np.linalg.eigvalsh(H), atol=1e-10)
    assert len(sectors) == 2 ** len(strings)


@pytest.mark.parametrize(
    ("text", "num_strings"),
    [
        ("Z0 Z1 + Z1 Z2 + 0.3 X0 + 0.5 X1 + 0.7 X2", 1),  # spin flip
        ("X0 X1 + Y0 Y1 + Z0 Z1 + X1 X2 + Y1 Y2 + Z1 Z2 + X2 X3 + Y2 Y3 + Z2 Z3", 2),  # Heisenberg
        ("Z0 Z1 + 0.3 X0 + 0.5 X1 + 0.1 Z0", 0),
        ("Z0 + Z1 Z2", 3),
    ],
)
def test_known_symmetry_groups(text: str, num_strings: int):
    hamiltonian = PauliSum.from_text(text)
    assert len(find_symmetries([hamiltonian], hamiltonian.num_sites)) == num_strings


def test_kept_operators_restrict_the_symmetries():
    spin_flip = PauliSum.from_text("Z0 Z1 + X0 + X1")
    assert find_symmetries([spin_flip, PauliSum.pauli("Z", 0)], 2) == ()
