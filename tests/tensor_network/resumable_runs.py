"""One run of every method that is made of parts, for tests that stop it and let it go on."""

from __future__ import annotations

import numpy as np
from reference_chain import reference_chain

import qthermo as qt

SQUARE = qt.models.spin_chain(
    hamiltonian=qt.PauliSum.from_text("0.5 Z0 + X0 X1 + 0.9 Z1 Z3 + 1.1 Z2 Z3 + 0.8 X0 X2 + 0.7 X1 + 0.7 X2 + 0.6 X3")
)
OBSERVABLES = {"Z0": qt.PauliSum.pauli("Z", 0), "sum": qt.PauliSum.from_text("0.5 + Z0 + 0.3 X1 Z3 + 0.2 Y2 + Z1 Z2")}
SMALL_CHAIN = qt.models.spin_chain(
    hamiltonian=qt.PauliSum.from_text("0.9 Z0 - 0.4 Z1 + 0.4 X0 + 0.4 X1 + 0.8 Z0 Z1 + 0.5 Z1 Z2 + 0.6 Z2")
)


def runs(path=None):
    """Return (problem, method, variables) by name; the method keeps its checkpoint at `path`."""
    return {
        "DMRG": (
            qt.GroundState(reference_chain(14, 1.0)),
            qt.DMRG(max_bond_dim=24, sweep_tolerance=1e-10, seed=3, checkpoint=path),
            ("energy", "variance", "truncation_error"),
        ),
        "DMRG for a gap": (
            qt.MixingGap(SMALL_CHAIN, beta=0.6, couplings="XYZ"),
            qt.DMRG(max_bond_dim=16, num_starts=2, tolerance=1e-4, outer_radius=1, checkpoint=path),
            ("gap", "certificate"),
        ),
        "DMRGX": (
            qt.ExcitedState(reference_chain(8, 8.0), initial_state="01" * 4),
            qt.DMRGX(tolerance=1e-11, max_sweeps=30, checkpoint=path),
            ("energy", "variance"),
        ),
        "InfluenceFunctional": (
            qt.Autocorrelation(reference_chain(8, 2.0), times=np.linspace(0.25, 1.5, 6)),
            qt.InfluenceFunctional(time_step=0.05, tolerance=1.0, max_bond_dim=12, checkpoint=path),
            ("correlator", "truncation_error", "trotter_error"),
        ),
        "LightConeContraction": (
            qt.Evolution(SQUARE, times=[0.2, 0.4, 0.6], initial_state="01+-", observables=OBSERVABLES),
            qt.LightConeContraction(time_step=0.2, optimizer="auto", checkpoint=path),
            ("expectation",),
        ),
    }
