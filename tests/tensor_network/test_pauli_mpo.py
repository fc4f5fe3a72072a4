import numpy as np
import pytest
from reference_chain import reference_chain

import qthermo as qt
from qthermo.tensor_network.pauli_mpo import LEFT_MULTIPLICATION, build_mpo_tensors, pauli_vector


def contract(arrays):
    total = arrays[0]
    for tensor in arrays[1:]:
        left, right = tensor.shape[0], tensor.shape[1]
        total = np.einsum("lmij,mrkn->lrikjn", total, tensor)
        total = total.reshape(total.shape[0], right, total.shape[2] * total.shape[3], -1)
        assert left
    return total[0, 0]


def star(num_sites):
    return qt.PauliSum.from_letters((0.7**k, {0: "X", k: "X"}) for k in range(1, num_sites))


RANDOM = qt.PauliSum.from_text(
    "0.3 + 0.5 X0 Y2 Z4 + 1.1 Y1 Y3 - 0.2 Z0 Z1 Z2 Z3 Z4 + (0.1+0.4j) X4 + 2 Y2 Y4 X1 + 0.3 X2"
)


@pytest.mark.parametrize(
    "operator",
    [
        reference_chain(5, 2.0).hamiltonian,
        qt.models.sample_all_to_all_ising(num_bath_sites=4, seed=1).hamiltonian,
        star(5),
        RANDOM,
        qt.PauliSum.from_text("0.5 Y0 Y4 + 0.25 Y1 X2 Y3 - Y0 Y1 Y2 Y3"),
    ],
)
def test_an_mpo_is_the_operator(operator):
    arrays, error = build_mpo_tensors(operator, 5)
    np.testing.assert_allclose(contract(arrays), operator.to_dense(5), atol=1e-13)
    assert error < 1e-13
    assert all(np.isrealobj(tensor) for tensor in arrays) == operator.is_real


@pytest.mark.parametrize(("num_sites", "bond"), [(10, 7), (20, 12), (40, 22)])
def test_all_to_all_bond_dimension_is_optimal(num_sites, bond):
    H = qt.models.sample_all_to_all_ising(num_bath_sites=num_sites - 1, seed=1).hamiltonian
    arrays, _ = build_mpo_tensors(H, num_sites)
    assert max(tensor.shape[1] for tensor in arrays) == bond


def test_chain_and_star_need_bond_dimension_three():
    fields = qt.PauliSum.from_letters((0.3 + k, {k: "Z"}) for k in range(30))
    for operator in (reference_chain(30, 2.0).hamiltonian, star(30) + fields):
        arrays, _ = build_mpo_tensors(operator, 30)
        assert max(tensor.shape[1] for tensor in arrays) == 3


def test_left_multiplication_is_the_product_of_operators():
    H = qt.PauliSum.from_text("0.5 Z0 + 0.3 X0 Y1 - 0.7 Y1 Z2")
    operator = qt.PauliSum.from_text("0.2 X0 X1 + 0.4 Y2 + 1.5 Z0 Y1 X2")
    superoperator = contract(build_mpo_tensors(H, 3, matrices=LEFT_MULTIPLICATION)[0])

    def vector(pauli_sum):
        total = np.ones((1, 1))
        for tensor in pauli_vector(pauli_sum, 3):
            total = np.einsum("xl,lar->xar", total, tensor).reshape(-1, tensor.shape[2])
        return total.ravel()

    np.testing.assert_allclose(superoperator @ vector(operator), vector(H @ operator), atol=1e-14)
