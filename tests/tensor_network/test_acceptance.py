"""Long comparisons with exact diagonalisation at L = 12, other seeds of the reference instance."""

import numpy as np
import pytest
from reference_chain import reference_chain

import qthermo as qt
from qthermo.exact.autocorrelation import thermal_autocorrelation
from qthermo.exact.spectrum import diagonalise_blocks
from qthermo.progress import silent

TIMES = np.linspace(0.5, 10, 20)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
@pytest.mark.parametrize("disorder", [1, 2, 4, 8])
def test_correlators_stay_within_their_bounds(disorder, seed):
    model = reference_chain(12, disorder, seed)
    blocks = diagonalise_blocks(model, silent)

    def error(times, beta, method):
        data = qt.solve(qt.Autocorrelation(model, times=times, beta=beta), method)
        return np.abs(data["correlator"].values - thermal_autocorrelation(blocks, times, beta))

    max_bond_dim, bound = (64, 2e-4) if disorder >= 4 else (256, 3e-4)
    assert error(TIMES, 0.0, qt.HeisenbergTEBD(max_bond_dim=max_bond_dim)).max() < bound
    for beta in (0.5, 2.0):
        assert error(TIMES[:12], beta, qt.PurifiedTEBD(max_bond_dim=64)).max() < 2e-4
    if disorder <= 2:
        for tolerance in (1e-3, 1e-2):
            with pytest.warns(qt.NotConvergedWarning, match="max_bond_dim"):
                found = error(np.linspace(0.5, 20, 40), 0.0, qt.HeisenbergTEBD(max_bond_dim=32, tolerance=tolerance))
            assert np.isnan(found[-1])
            assert np.nanmax(found) < 2 * tolerance
