"""Suzuki formulas by their convergence rate, groupings by the matrices they must add up to."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_models import kron_matrix, reference_chain
from scipy.linalg import expm

from qthermo import InputError, PauliSum
from qthermo.operators import build_schedule, group_bonds, group_commuting, repeat_schedule

HAMILTONIAN = PauliSum.from_text("0.7 Z0 - 0.3 Z1 + 0.9 X0 X1 + 0.8 X1 + 0.5 Y1 Y2 + 1.1 Z1 Z2 + 0.4 X2 Z0")


def trotter_error(order: int, num_steps: int, time: float = 1.0) -> float:
    groups = [kron_matrix(group, 3) for group in group_commuting(HAMILTONIAN)]
    step = time / num_steps
    evolved = np.eye(8)
    for stage in repeat_schedule(build_schedule(order, len(groups)), num_steps):
        evolved = expm(-1j * stage.weight * step * groups[stage.group]) @ evolved
    return float(np.linalg.norm(evolved - expm(-1j * time * kron_matrix(HAMILTONIAN, 3)), 2))


@pytest.mark.parametrize(("order", "num_steps"), [(1, 64), (2, 32), (4, 8)])
def test_error_falls_with_the_power_of_the_order(order: int, num_steps: int):
    rate = np.log2(trotter_error(order, num_steps) / trotter_error(order, 2 * num_steps))
    assert rate == pytest.approx(order, abs=0.1)


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("num_groups", [1, 2, 3, 5])
def test_weights_of_each_group_add_up_to_one_and_neighbours_differ(order: int, num_groups: int):
    schedule = build_schedule(order, num_groups)
    for group in range(num_groups):
        assert sum(stage.weight for stage in schedule if stage.group == group) == pytest.approx(1)
    for formula in (schedule, repeat_schedule(schedule, 3)):
        assert all(a.group != b.group for a, b in pairwise(formula)) or num_groups == 1


def test_even_orders_are_palindromes():
    for order in (2, 4):
        weights = [(stage.group, round(stage.weight, 12)) for stage in build_schedule(order, 3)]
        assert weights == weights[::-1]


def test_merging_steps_saves_the_doubled_half_steps():
    assert len(repeat_schedule(build_schedule(2, 2), 10)) == 21


@pytest.mark.parametrize("order", [0, 3, 5, "2"])
def test_unknown_orders_are_refused(order):
    with pytest.raises(InputError, match="1, 2 or 4"):
        build_schedule(order, 2)


def test_chain_splits_into_two_commuting_groups():
    model = reference_chain(2.0, num_sites=6)
    groups = group_commuting(model.hamiltonian)
    assert [set("".join("".join(s.letters.values()) for s in group)) for group in groups] == [{"Z"}, {"X"}]


letters = st.dictionaries(st.integers(0, 3), st.sampled_from("XYZ"), min_size=1, max_size=4)


@given(st.lists(st.tuples(st.floats(0.1, 2), letters), min_size=1, max_size=12).map(PauliSum.from_letters))
def test_groups_commute_and_add_up(hamiltonian: PauliSum):
    groups = group_commuting(hamiltonian)
    assert sum(groups, PauliSum()) == hamiltonian
    for group in groups:
        assert all(a.commutes_with(b) for a in group for b in group)


def test_bonds_add_up_to_the_chain():
    model = reference_chain(2.0, num_sites=6)
    bonds = group_bonds(model.hamiltonian, 6)
    total = sum((kron_matrix(bond, 6) for bond in bonds), np.zeros((64, 64)))
    assert_allclose(total, kron_matrix(model.hamiltonian, 6), atol=1e-12)
    assert all(set(bond.sites) <= {k, k + 1} for k, bond in enumerate(bonds))


def test_long_range_terms_have_no_bond():
    with pytest.raises(InputError, match="neighbouring sites"):
        group_bonds(PauliSum.pauli("ZZ", 0, 2), 3)
