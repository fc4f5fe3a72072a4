"""The application of local operators against Kronecker products."""

from __future__ import annotations

import numpy as np
import pytest
from reference_models import kron_matrix

import qthermo as qt
from qthermo.linalg.local_operators import apply_local


@pytest.mark.parametrize("sites", [(1,), (0, 2), (1, 2, 3)])
def test_local_operators_act_on_their_sites(sites: tuple[int, ...]):
    letters = dict(zip(sites, "XYZ", strict=False))
    small = kron_matrix(qt.PauliSum.pauli("".join(letters.values()), *range(len(sites))), len(sites))
    large = kron_matrix(qt.PauliSum.pauli("".join(letters.values()), *sites), 4)
    array = np.random.default_rng(6).standard_normal((16, 3))
    np.testing.assert_allclose(apply_local(small, sites, array), large @ array, atol=1e-14)
