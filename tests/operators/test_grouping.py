from itertools import combinations

import numpy as np
import pytest

import qthermo as qt
from qthermo.operators import group_commuting

HEISENBERG = qt.PauliSum.from_text("X0 X1 + Y0 Y1 + Z0 Z1 + 0.3 X1 + X1 X2 + Y1 Y2 + Z1 Z2 + 2")
IMBRIE = qt.models.sample_imbrie_chain(num_bath_sites=6, disorder=2.0, seed=3)
PARITY = qt.models.sample_imbrie_chain(num_bath_sites=6, disorder=2.0, seed=3, parity_symmetric=True)
ALL_TO_ALL = qt.models.sample_all_to_all_ising(num_bath_sites=6, seed=3)


@pytest.mark.parametrize(
    ("hamiltonian", "count"),
    [(IMBRIE.hamiltonian, 2), (PARITY.hamiltonian, 2), (ALL_TO_ALL.hamiltonian, 2), (HEISENBERG, None)],
)
def test_groups_commute_and_add_up(hamiltonian, count):
    groups = group_commuting(hamiltonian)
    for group in groups:
        assert all(a.commutes_with(b) for a, b in combinations(group, 2))
    identity = qt.PauliString()
    total = sum(groups, qt.PauliSum()) + hamiltonian.get(identity, 0)
    assert total == hamiltonian
    assert count is None or len(groups) == count


def test_terms_that_all_commute_make_one_group():
    (group,) = group_commuting(qt.PauliSum.from_text("Z0 + X1 + 0.5 Z0 X1"))
    assert len(group) == 3


def test_all_to_all_groups_hold_every_pair_in_one_group():
    two_body = [g for g in group_commuting(ALL_TO_ALL.hamiltonian) if g.locality == 2]
    assert len(two_body) == 1
    n = ALL_TO_ALL.num_sites
    assert len(two_body[0]) == n * (n - 1) // 2


def test_large_all_to_all_is_grouped_quickly():
    rng = np.random.default_rng(1)
    model = qt.models.all_to_all_ising(
        couplings=np.triu(rng.normal(size=(80, 80)), 1), thermometer_couplings=np.ones(80)
    )
    assert len(group_commuting(model.hamiltonian)) == 2
