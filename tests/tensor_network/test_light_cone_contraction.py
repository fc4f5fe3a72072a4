import numpy as np
import pytest
import scipy.linalg
from reference_chain import reference_chain

import qthermo as qt
from qthermo.operators import build_schedule, group_commuting, repeat_schedule

# 2 x 3 square lattice, the thermometer in a corner
EDGES = [(0, 1), (1, 2), (3, 4), (4, 5), (0, 3), (1, 4), (2, 5)]
SQUARE = qt.PauliSum.from_letters(
    [(0.8 + 0.1 * k, {i: "Z", j: "Z"}) for k, (i, j) in enumerate(EDGES)] + [(0.7, {k: "X"}) for k in range(6)]
)


def dense_circuit(H, state, time, steps, order, n):
    groups = [group.to_dense(n) for group in group_commuting(H)]
    for stage in repeat_schedule(build_schedule(order, len(groups)), steps):
        state = scipy.linalg.expm(-1j * stage.weight * time / steps * groups[stage.group]) @ state
    return state


def test_a_square_lattice_is_contracted_exactly():
    """By both routes: of few gates the ranks alone are simplified, at the last time the whole network."""
    letters = {"0": [1, 0], "1": [0, 1], "+": [0.5**0.5] * 2, "-": [0.5**0.5, -(0.5**0.5)]}
    initial, state = "01+-00", np.ones(1)
    for letter in initial:
        state = np.kron(state, letters[letter])
    observables = {"Z0": qt.PauliSum.pauli("Z", 0), "mixed": qt.PauliSum.from_text("0.5 + 0.3 X1 Y4 - 0.7 Z5")}
    problem = qt.Evolution(
        qt.models.spin_chain(hamiltonian=SQUARE), times=[0.0, 0.6, 1.2], initial_state=initial, observables=observables
    )
    data = qt.solve(problem, qt.LightConeContraction(time_step=0.2, optimizer="auto"))
    for k, (time, steps) in enumerate([(0.0, 0), (0.6, 3), (1.2, 6)]):
        final = dense_circuit(SQUARE, state, time, steps, 2, 6) if steps else state
        expected = [np.vdot(final, operator.to_dense(6) @ final).real for operator in observables.values()]
        np.testing.assert_allclose(data["expectation"].values[k], expected, atol=1e-12)


def test_a_chain_of_forty_qubits_sees_its_light_cone_only():
    rng = np.random.default_rng(5)
    fields, bonds = rng.uniform(-2, 2, 39), rng.uniform(0.8, 1.2, 38)
    long = qt.models.imbrie_chain(fields=fields, bonds=bonds)
    short = qt.models.imbrie_chain(fields=fields[:7], bonds=bonds[:6])
    method = qt.LightConeContraction(time_step=0.2, optimizer="auto")
    values = [
        qt.solve(qt.Evolution(model, times=[0.6], initial_state="0" * model.num_sites), method)["expectation"].values
        for model in (long, short)
    ]
    np.testing.assert_allclose(values[0], values[1], atol=1e-12)


def test_it_judges_the_truncation_of_tdvp():
    problem = qt.Evolution(qt.models.spin_chain(hamiltonian=SQUARE), times=[0.4], initial_state="0" * 6)
    exact = qt.solve(problem, qt.LightConeContraction(time_step=0.2, trotter_order=4, optimizer="auto"))
    values = qt.solve(problem, qt.TDVP(estimate_errors=False))["expectation"]
    np.testing.assert_allclose(values, exact["expectation"], atol=2e-4)


def test_what_is_too_wide_is_refused_before_it_is_contracted():
    problem = qt.Evolution(reference_chain(8, 1.0), times=[1.0], initial_state="0" * 8)
    with pytest.raises(qt.MemoryRefusedError, match="width"):
        qt.solve(problem, qt.LightConeContraction(max_width=1, optimizer="auto"))
