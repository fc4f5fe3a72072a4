"""Pauli algebra against Kronecker products of 2x2 matrices."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reference_models import kron_matrix

from qthermo import InputError, PauliString, PauliSum

SITES = 4
strings = st.dictionaries(st.integers(0, SITES - 1), st.sampled_from("XYZ"), max_size=SITES)
reals = st.floats(-3, 3, allow_nan=False).map(lambda value: round(value, 6))
sums = st.lists(st.tuples(st.builds(complex, reals, reals), strings), max_size=5).map(PauliSum.from_letters)
real_sums = st.lists(st.tuples(reals, strings), max_size=5).map(PauliSum.from_letters)


@given(sums, sums)
def test_algebra_is_that_of_matrices(a: PauliSum, b: PauliSum):
    A, B = kron_matrix(a, SITES), kron_matrix(b, SITES)
    assert_allclose(kron_matrix(a + b, SITES), A + B, atol=1e-12)
    assert_allclose(kron_matrix(2j * a - b, SITES), 2j * A - B, atol=1e-12)
    assert_allclose(kron_matrix(a @ b, SITES), A @ B, atol=1e-10)
    assert_allclose(kron_matrix(a.commutator(b), SITES), A @ B - B @ A, atol=1e-10)
    assert_allclose(kron_matrix(a.adjoint(), SITES), A.conj().T, atol=1e-12)
    assert_allclose(kron_matrix(1.5 - a / 2, SITES), 1.5 * np.eye(2**SITES) - A / 2, atol=1e-12)


@given(sums)
def test_three_matrix_forms_agree_with_kronecker_products(a: PauliSum):
    A = kron_matrix(a, SITES)
    vector = np.exp(1j * np.arange(2**SITES))
    assert_allclose(a.to_dense(SITES), A, atol=1e-12)
    assert_allclose(a.to_sparse(SITES).toarray(), A, atol=1e-12)
    assert_allclose(a.to_linear_operator(SITES) @ vector, A @ vector, atol=1e-10)
    assert_allclose(a.to_linear_operator(SITES).H @ vector, A.conj().T @ vector, atol=1e-10)
    assert np.iscomplexobj(a.to_dense(SITES)) == (not a.is_real)
    assert a.is_real == (not np.any(A.imag))
    assert a.is_hermitian == np.array_equal(A, A.conj().T)


@given(sums)
def test_text_is_read_back_exactly(a: PauliSum):
    assert PauliSum.from_text(str(a)) == a
    assert hash(PauliSum.from_text(str(a))) == hash(a)


@given(real_sums)
def test_one_norm_bounds_the_operator_norm(a: PauliSum):
    assert np.linalg.norm(kron_matrix(a, SITES), 2) <= a.one_norm + 1e-10


def test_site_zero_is_the_leftmost_kronecker_factor():
    Z, identity = np.diag([1, -1]), np.eye(2)
    assert_allclose(PauliSum.pauli("Z", 0).to_dense(3), np.kron(Z, np.kron(identity, identity)))


def test_text_of_the_field():
    H = PauliSum.from_text("0.91 Z0 - 0.37 Z1 + 0.4 X0 + 0.4 X1 + 0.83 Z0 Z1")
    assert H[PauliString.from_letters({1: "Z"})] == -0.37
    assert H.sites == (0, 1)
    assert H.num_sites == 2
    assert H.locality == 2
    assert len(H) == 5
    assert str(PauliSum()) == "0"
    assert PauliSum.from_text("2*X0*Z1 - I") == 2 * PauliSum.pauli("XZ", 0, 1) - 1


@pytest.mark.parametrize(
    "text",
    ["", "-", "X", "X0 X0", "X0 -- Y1", "2 3", "X0 +", "* X0", "X0 *", "X0 junk", "nan", "(abc) X0", "1e999 X0", "X-1"],
)
def test_unreadable_text_is_refused_in_one_sentence(text: str):
    with pytest.raises(InputError) as caught:
        PauliSum.from_text(text)
    assert "\n" not in str(caught.value)


@given(st.text(alphabet="XYZI0123456789+-*()j. eE", max_size=40))
def test_hostile_text_is_parsed_or_refused(text: str):
    try:
        parsed = PauliSum.from_text(text)
    except InputError:
        return
    assert PauliSum.from_text(str(parsed)) == parsed


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="letter must be I, X, Y or Z"):
        PauliSum.from_letters([(1.0, {0: "Q"})])
    with pytest.raises(InputError, match="whole number"):
        PauliSum.from_letters([(1.0, {-1: "X"})])
    with pytest.raises(InputError, match="finite"):
        PauliSum.from_letters([(float("nan"), {0: "X"})])
    with pytest.raises(InputError, match="at least 3"):
        PauliSum.pauli("X", 2).to_dense(2)
    with pytest.raises(InputError, match="one letter per distinct site"):
        PauliSum.pauli("XX", 1, 1)
    with pytest.raises(InputError, match="would move"):
        PauliSum.pauli("X", 1).shift_sites(-2)


def test_sums_are_immutable_and_travel_between_processes():
    a = PauliSum.from_text("0.3 X0 Y2 + 1")
    with pytest.raises(TypeError):
        a[PauliString()] = 2.0  # type: ignore[index]
    assert pickle.loads(pickle.dumps(a)) == a
    assert a.shift_sites(2).shift_sites(-2) == a


def test_a_sparse_matrix_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("QTHERMO_MEMORY_LIMIT", "1000000")
    with pytest.raises(InputError, match="to_linear_operator"):
        PauliSum.pauli("X", 20).to_sparse()
