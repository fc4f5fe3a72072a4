"""The self-test's exact numbers against Kronecker products, and what it says of an engine that is wrong or broken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.linalg
from reference_models import PAULI, kron_matrix

from qthermo.exact.dense import Dense
from qthermo.studies.self_test import FreeChain, list_self_tests, run_self_tests, two_level_propagator

CHAIN = FreeChain(fields=(0.5, 0.3, -0.4), bonds=(0.5, 0.9))
TIMES = (0.0, 0.7, 2.3)


@pytest.fixture(scope="module")
def matrices() -> tuple[np.ndarray, np.ndarray]:
    return kron_matrix(CHAIN.model.hamiltonian, 3), np.kron(PAULI["Z"], np.eye(4))


def test_free_fermions_give_the_dynamics_of_the_spins(matrices):
    H, Z = matrices
    for k, t in enumerate(TIMES):
        U = scipy.linalg.expm(-1j * H * t)
        moved = U.conj().T @ Z @ U
        assert CHAIN.autocorrelation(TIMES)[k] == pytest.approx(np.trace(moved @ Z).real / 8, abs=1e-12)
        assert CHAIN.polarisation(TIMES)[k] == pytest.approx(moved[0, 0].real, abs=1e-12)


def test_free_fermions_give_the_spectrum_and_the_gibbs_state(matrices):
    energies = np.linalg.eigvalsh(matrices[0])
    assert -CHAIN.energies.sum() == pytest.approx(energies[0], abs=1e-12)
    weights = np.exp(-1.3 * energies)
    assert CHAIN.thermal_energy(1.3) == pytest.approx(energies @ weights / weights.sum(), abs=1e-12)


def test_two_level_propagator_is_that_of_the_matrix():
    H = 0.3 * PAULI["Z"] + 0.5 * PAULI["X"]
    G = np.linalg.inv((0.2 + 0.25j) * np.eye(2) - H)
    np.testing.assert_allclose(two_level_propagator(0.6, 0.5, 0.2, np.array([0.5]))[0], abs(G) ** 2, atol=1e-13)


def test_every_engine_passes_and_every_engine_is_tried():
    results = list(run_self_tests(list_self_tests()))
    assert {result.test.engine for result in results} == {
        "exact",
        "tensor_network",
        "circuits",
        "master_equation",
        "theory",
    }
    assert [result for result in results if not result.passed] == []


def test_a_wrong_number_and_a_broken_engine_are_failures():
    class Broken(Dense):
        def run(self, problem, progress):
            raise OSError("no such library")

    good = list_self_tests()[0]
    wrong, broken = run_self_tests([replace(good, exact=good.exact + 1e-6), replace(good, method=Broken())])
    assert not wrong.passed
    assert wrong.deviation == pytest.approx(1e-6)
    assert not broken.passed
    assert broken.problem == "OSError: no such library"
