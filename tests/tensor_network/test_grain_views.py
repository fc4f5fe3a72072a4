"""A grain beyond exact diagonalisation: as one large site of an MPO, and its last localised spin as a thermometer."""

from __future__ import annotations

import numpy as np
import pytest

import qthermo as qt
from qthermo.tensor_network.mpo import build_mpo

sample = qt.models.sample_ergodic_grain


@pytest.mark.parametrize("kind", ["goe", "gue"])
@pytest.mark.parametrize("layout", ["lioms", "spins"])
def test_grain_is_one_large_site_of_an_mpo(kind: str, layout: str):
    model = sample(kind=kind, num_grain_spins=4, num_lioms=4, seed=1, layout=layout)
    mpo = build_mpo(model.localised, block_sizes=[4, 1, 1, 1, 1], dense_terms={0: model.grain_matrix})
    assert mpo.dimensions == (16, 2, 2, 2, 2)
    assert max(mpo.bond_dimensions) <= 3
    np.testing.assert_allclose(mpo.operator.to_dense(), model.to_matrix(), atol=1e-10)
    assert mpo.relative_error < 1e-10


@pytest.mark.parametrize("layout", ["lioms", "spins"])
def test_thermometer_at_the_end_of_a_grain(layout: str):
    model = sample(kind="local", num_grain_spins=4, num_lioms=3, seed=1, last_coupling=0.5, layout=layout)
    problem = qt.Autocorrelation(model.to_spin_model(), times=[0.0, 1.0, 2.0])
    exact = qt.solve(problem, qt.Dense())["correlator"].values
    for method in (qt.HeisenbergTEBD(), qt.TrotterCircuit(time_step=0.05)):
        np.testing.assert_allclose(qt.solve(problem, method)["correlator"], exact, atol=3e-3)
    theory = qt.solve(problem, qt.CavityDiffuson())["correlator"].values
    np.testing.assert_allclose(theory, exact, atol=0.1)


def test_other_localised_spins_hardly_change_what_the_thermometer_sees():
    """30 localised spins by TEBD against the same grain with two of them by diagonalisation (36 and 7 spins)."""
    large = sample(kind="local", num_grain_spins=4, num_lioms=32, seed=1, last_coupling=0.5)
    small = large.attach(
        fields=[*large.fields[:2], large.fields[-1]], couplings=[*large.couplings[:2], large.couplings[-1]]
    )
    times = [0.0, 0.5, 1.0, 1.5]
    network = qt.HeisenbergTEBD(max_bond_dim=24, tolerance=0.02, trotter_order=2, time_step=0.125)
    far = qt.solve(qt.Autocorrelation(large.to_spin_model(), times=times), network)["correlator"].values
    near = qt.solve(qt.Autocorrelation(small.to_spin_model(), times=times), qt.Dense())["correlator"].values
    np.testing.assert_allclose(far, near, atol=0.03)
    assert far[-1] < 0.8
