import numpy as np
import pytest
from reference_chain import reference_chain

import qthermo as qt
from qthermo.tensor_network import build_mpo
from qthermo.tensor_network.block_mpo import build_block_tensors
from qthermo.tensor_network.ground_state_sweeps import DmrgSweeps
from qthermo.tensor_network.sweep_environments import SweepEnvironments

MANY_BODY = qt.PauliSum.from_text("0.3 + 0.5 X0 Y2 Z4 + 1.1 Y1 Y5 - 0.2 Z0 Z1 Z2 Z3 Z4 + (0.1+0.4j) X4 + 2 Y2 Y4 X1")
REAL = reference_chain(6, 2.0).hamiltonian + qt.PauliSum.from_text("0.4 Y0 X2 Y5 + 0.3 Y1 Y2 Y3 Y4")


def grain_hamiltonian(rng, *, size=8, complex_entries=False):
    matrix = rng.standard_normal((size, size))
    matrix = matrix + 1j * rng.standard_normal((size, size)) if complex_entries else matrix
    return (matrix + matrix.conj().T) / 4


@pytest.mark.parametrize("operator", [MANY_BODY, REAL], ids=["complex", "real"])
@pytest.mark.parametrize("block_sizes", [None, [1, 3, 1, 1], [6], [2, 4]])
def test_a_quimb_mpo_of_any_pauli_sum(operator, block_sizes):
    from quimb.tensor import MatrixProductOperator

    mpo = build_mpo(operator, block_sizes=block_sizes)
    assert isinstance(mpo.operator, MatrixProductOperator)
    assert mpo.dimensions == tuple(2**size for size in block_sizes or [1] * 6)
    assert list(mpo.bond_dimensions) == (mpo.operator.bond_sizes() if len(mpo.dimensions) > 1 else [])
    np.testing.assert_allclose(mpo.operator.to_dense(), operator.to_dense(6), atol=1e-12)
    assert mpo.relative_error < 1e-12
    assert all(np.isrealobj(tensor.data) for tensor in mpo.operator) == operator.is_real


@pytest.mark.parametrize("complex_entries", [False, True])
def test_a_grain_among_spins_is_one_site(complex_entries):
    grain = grain_hamiltonian(np.random.default_rng(3), complex_entries=complex_entries)
    # thermometer - grain of three spins - two distant spins with decaying couplings
    spins = qt.PauliSum.from_text("0.5 Z0 + 0.4 X0 X1 + 0.7 Z4 - 0.3 Z5 + 0.2 X3 X4 + 0.05 X2 X5 + 0.1 Z2 Z4")
    mpo = build_mpo(spins, block_sizes=[1, 3, 1, 1], dense_terms={1: grain})
    exact = spins.to_dense(6) + np.kron(np.kron(np.eye(2), grain), np.eye(4))
    np.testing.assert_allclose(mpo.operator.to_dense(), exact, atol=1e-12)
    assert mpo.dimensions == (2, 8, 2, 2)
    assert all(np.isrealobj(tensor.data) for tensor in mpo.operator) != complex_entries


def test_sweeps_take_a_grain_as_one_site():
    rng = np.random.default_rng(4)
    grain, spins = grain_hamiltonian(rng), qt.PauliSum.from_text("0.5 Z0 + 0.4 X0 X1 + 0.7 Z4 + 0.2 X3 X4 + 0.1 X2 Z5")
    tensors, _ = build_block_tensors(spins, [1, 3, 1, 1], dense_terms={1: grain})
    state = [rng.standard_normal(W.shape[2]).reshape(1, -1, 1) for W in tensors]
    state = [tensor / np.linalg.norm(tensor) for tensor in state]
    sweeps = DmrgSweeps(SweepEnvironments(state, tensors), 1e-14)
    for noise in (1e-2, 1e-3, 1e-4):
        sweeps.sweep(16, noise)
    assert sweeps.converge(16, 1e-12, 60, lambda: None)
    exact = np.linalg.eigvalsh(spins.to_dense(6) + np.kron(np.kron(np.eye(2), grain), np.eye(4)))[0]
    assert sweeps.energy == pytest.approx(exact, abs=1e-9)


@pytest.mark.parametrize("truncation_error", [1e-4, 1e-8])
def test_the_error_of_a_coarse_compression_is_reported(truncation_error):
    couplings = [(0.5**k, {0: "X", k: "XYZ"[k % 3], k - 1: "ZXY"[k % 3]}) for k in range(2, 8)]
    operator = qt.PauliSum.from_letters([(1.0, {0: "Z"}), *couplings, (0.02, {3: "Y", 7: "Y"})])
    exact = operator.to_dense(8)
    mpo = build_mpo(operator, truncation_error=truncation_error)
    found = np.linalg.norm(mpo.operator.to_dense() - exact) / np.linalg.norm(exact)
    assert found == pytest.approx(mpo.relative_error, rel=1e-2, abs=2e-8)
    assert sum(mpo.bond_dimensions) < sum(build_mpo(operator).bond_dimensions) or found < 1e-12


def test_spins_beyond_the_operator_carry_the_identity():
    mpo = build_mpo(qt.PauliSum.pauli("Z", 0), num_sites=3)
    np.testing.assert_allclose(mpo.operator.to_dense(), np.kron(np.diag([1.0, -1.0]), np.eye(4)), atol=1e-14)
    assert mpo.bond_dimensions == (1, 1)


def test_what_does_not_fit_is_named():
    for arguments, word in [
        ({"num_sites": 5}, "num_sites"),
        ({"num_sites": 7, "block_sizes": [3, 3]}, "add up"),
        ({"block_sizes": [3, 2]}, "cover"),
        ({"block_sizes": []}, "cover"),
        ({"block_sizes": [3, 3], "dense_terms": {0: np.eye(4)}}, r"dense_terms\[0\]"),
        ({"truncation_error": -1.0}, "truncation_error"),
    ]:
        with pytest.raises(qt.InputError, match=word):
            build_mpo(MANY_BODY, **arguments)
    with pytest.raises(qt.InputError, match="PauliSum"):
        build_mpo(np.eye(4))
