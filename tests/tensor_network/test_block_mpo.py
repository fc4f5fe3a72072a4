import numpy as np
import pytest
from reference_chain import reference_chain

import qthermo as qt
from qthermo.tensor_network.block_mpo import build_block_tensors

ALL_TO_ALL = qt.models.sample_all_to_all_ising(num_bath_sites=6, seed=1).hamiltonian
MANY_BODY = qt.PauliSum.from_text("0.3 + 0.5 X0 Y2 Z4 + 1.1 Y1 Y6 - 0.2 Z0 Z1 Z2 Z3 Z4 + (0.1+0.4j) X4 + 2 Y2 Y4 X1")


def contract(arrays):
    total = arrays[0]
    for tensor in arrays[1:]:
        total = np.einsum("lmij,mrkn->lrikjn", total, tensor)
        total = total.reshape(total.shape[0], total.shape[1], total.shape[2] * total.shape[3], -1)
    return total[0, 0]


@pytest.mark.parametrize("operator", [reference_chain(7, 2.0).hamiltonian, ALL_TO_ALL, MANY_BODY])
@pytest.mark.parametrize("sizes", [[1] * 7, [3, 1, 2, 1], [1, 6], [4, 3], [7]])
def test_the_mpo_of_blocks_is_the_operator(operator, sizes):
    arrays, error = build_block_tensors(operator, sizes)
    assert [tensor.shape[2] for tensor in arrays] == [2**size for size in sizes]
    np.testing.assert_allclose(contract(arrays), operator.to_dense(7), atol=1e-12)
    assert error < 1e-12


@pytest.mark.parametrize("sizes", [[3, 1, 2, 1], [7]])
def test_dense_matrices_of_blocks_are_added(sizes):
    rng = np.random.default_rng(2)
    exact = ALL_TO_ALL.to_dense(7).astype(complex)
    dense = {}
    for block in range(0, len(sizes), 2):
        side, before = 2 ** sizes[block], 2 ** sum(sizes[:block])
        matrix = rng.standard_normal((side, side)) + 1j * rng.standard_normal((side, side))
        dense[block] = matrix + matrix.conj().T
        exact += np.kron(np.kron(np.eye(before), dense[block]), np.eye(2**7 // before // side))
    arrays, _ = build_block_tensors(ALL_TO_ALL, sizes, dense_terms=dense)
    np.testing.assert_allclose(contract(arrays), exact, atol=1e-11)


def test_a_chain_of_blocks_needs_bond_dimension_three_with_a_grain_too():
    chain = reference_chain(20, 2.0).hamiltonian
    grain = np.diag(np.arange(16.0))
    for dense in ({}, {2: grain}):
        arrays, _ = build_block_tensors(chain, [4] * 5, dense_terms=dense)
        assert {tensor.shape[1] for tensor in arrays[:-1]} == {3}


def test_what_does_not_fit_is_named():
    with pytest.raises(qt.InputError, match="block_sizes"):
        build_block_tensors(ALL_TO_ALL, [3, 3])
    with pytest.raises(qt.InputError, match="block_sizes"):
        build_block_tensors(ALL_TO_ALL, [7, 0])
    with pytest.raises(qt.InputError, match=r"dense_terms\[0\]"):
        build_block_tensors(ALL_TO_ALL, [3, 4], dense_terms={0: np.eye(4)})
    with pytest.raises(qt.InputError, match="dense_terms"):
        build_block_tensors(ALL_TO_ALL, [3, 4], dense_terms={2: np.eye(4)})
