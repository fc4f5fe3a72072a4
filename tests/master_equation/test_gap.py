"""Gaps: published numbers, closed forms, agreement of solvers, and honest warnings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from kms_reference import imbrie, tilted_ising

import qthermo as qt

NUMBERS = json.loads((Path(__file__).parents[1] / "kms" / "public_numbers.json").read_text())["numbers"]
PUBLIC = {row["id"]: row["value"] for row in NUMBERS}
CHAIN = qt.models.spin_chain(hamiltonian=tilted_ising(4))
METHODS = {
    "R1_mfi": qt.Davies(rate="glauber"),
    "R2_mfi": qt.CoarseGrained(energy_width=1.0, rate="gaussian", rate_width=1.0),
    "R3_mfi": qt.CoarseGrained(energy_width=1.0, rate="metropolis"),
    "R4_mfi": qt.KMSJumps(filter="gaussian"),
    "R5_mfi": qt.KMSJumps(filter="smooth_metropolis"),
    "R5H_mfi": qt.KMSJumps(filter="smooth_metropolis", coupling=1.0),
}


@pytest.mark.parametrize("key", METHODS)
def test_published_gaps(key: str):
    data = qt.solve(qt.MixingGap(CHAIN, beta=1.0, couplings="XYZ"), METHODS[key])
    assert float(data["gap"]) == pytest.approx(PUBLIC[key], rel=1e-8)
    assert float(data["fixed_point_error"]) < 1e-12


def test_published_gap_of_six_spins():
    data = qt.solve(qt.MixingGap(qt.models.spin_chain(hamiltonian=tilted_ising(6)), beta=1.0), qt.KMSJumps())
    assert float(data["gap"]) == pytest.approx(PUBLIC["R9_n6"], rel=1e-8)


def test_published_coherent_term_and_partition_function():
    generator = qt.KMSJumps().build_generator(qt.MixingGap(CHAIN, beta=1.0))
    without = qt.KMSJumps(coherent=False).build_generator(qt.MixingGap(CHAIN, beta=1.0))
    norm = np.linalg.norm(generator.map.decay - without.map.decay, 2)
    assert norm == pytest.approx(PUBLIC["R8_mfi"], rel=1e-8)
    assert generator.basis.log_partition == pytest.approx(PUBLIC["R0_mfi"], rel=1e-10)
    assert generator.basis.energies[0] == pytest.approx(PUBLIC["R0e_mfi"], rel=1e-10)


@pytest.mark.parametrize("beta", [0.3, 1.0, 2.0])
def test_one_spin_has_the_gap_of_its_bloch_equations(beta: float):
    """Populations relax at 2 (g(w) + g(-w)) = 2, coherences at half of that plus 2 g(0) = 1: both 2."""
    model = qt.models.spin_chain(hamiltonian=qt.PauliSum.from_text("0.7 Z0"))
    data = qt.solve(qt.MixingGap(model, beta=beta), qt.Davies())
    assert float(data["gap"]) == pytest.approx(2.0, rel=1e-12)


@pytest.mark.parametrize(
    "method",
    [qt.KMSJumps(coherent=False), qt.KMSJumps(patch_radius=1), qt.CoarseGrained(shifted=False, rate="glauber")],
    ids=str,
)
def test_arnoldi_finds_what_a_dense_solver_finds(method):
    problem = qt.MixingGap(qt.models.spin_chain(hamiltonian=tilted_ising(5)), beta=1.0)
    data = qt.solve(problem, method)
    assert '"solver": "Arnoldi"' in data.attrs["diagnostics"]
    values = np.linalg.eigvals(method.build_generator(problem).map.to_matrix())
    assert float(data["gap"]) == pytest.approx(np.sort(-values.real)[1], rel=1e-8)
    assert float(data["fixed_point_error"]) > 1e-4


def test_the_coupling_scales_the_gap_of_davies_by_its_square():
    """The Davies generator commutes with -i[H, .], which therefore leaves real parts alone."""
    problem = qt.MixingGap(qt.models.spin_chain(hamiltonian=imbrie(3)), beta=1.0)
    bare, physical = (float(qt.solve(problem, qt.Davies(coupling=c))["gap"]) for c in (None, 0.3))
    assert physical == pytest.approx(0.09 * bare, rel=1e-9)


def test_a_gaussian_filter_at_low_temperature_is_warned_of_with_the_better_one():
    with pytest.warns(qt.ValidityWarning, match=r"6e-05 of its value at beta = 0.5.*smooth_metropolis") as caught:
        data = qt.solve(qt.MixingGap(CHAIN, beta=2.0), qt.KMSJumps(filter="gaussian"))
    assert len(caught) == 1
    assert float(data["gap"]) == pytest.approx(6.1e-5, rel=0.01)
    with pytest.warns(qt.ValidityWarning, match="metropolis"):
        qt.solve(qt.MixingGap(CHAIN, beta=2.0), qt.CoarseGrained(energy_width=0.5, rate_width=0.5))
    with pytest.warns(qt.ValidityWarning, match="smooth_metropolis"):
        qt.solve(qt.Relaxation(CHAIN, beta=2.0, times=[1.0]), qt.KMSJumps(filter="gaussian"))


@pytest.mark.parametrize("method", [qt.KMSJumps(), qt.CoarseGrained(rate="glauber"), qt.KMSJumps(filter="gaussian")])
def test_no_warning_where_the_gap_is_kept(method):
    beta = 1.0 if isinstance(method, qt.KMSJumps) and method.filter == "gaussian" else 2.0
    data = qt.solve(qt.MixingGap(qt.models.spin_chain(hamiltonian=imbrie(3)), beta=beta), method)
    assert data.attrs["warnings"] == "[]"


def test_a_conserved_operator_is_named():
    model = qt.models.spin_chain(hamiltonian=qt.PauliSum.from_text("1 Z0 + 0.6 Z1 + 0.3 Z0 Z1"))
    with pytest.warns(qt.ValidityWarning, match="not unique"):
        data = qt.solve(qt.MixingGap(model, beta=1.0, couplings="Z"), qt.KMSJumps())
    assert float(data["gap"]) < 1e-12


@pytest.mark.slow
def test_eight_spins():
    """1.12860516 for the smooth Metropolis filter at beta = 1."""
    data = qt.solve(qt.MixingGap(qt.models.spin_chain(hamiltonian=tilted_ising(8)), beta=1.0), qt.KMSJumps())
    assert float(data["gap"]) == pytest.approx(1.12860516, abs=1e-8)


def test_what_is_too_large_for_matrices_is_sent_to_dmrg_and_tdvp():
    model = qt.models.spin_chain(hamiltonian=tilted_ising(20))
    with pytest.raises(qt.MemoryRefusedError, match="DMRG"):
        qt.solve(qt.MixingGap(model, beta=1.0), qt.KMSJumps())
    with pytest.raises(qt.MemoryRefusedError, match="TDVP"):
        qt.solve(qt.Relaxation(model, beta=1.0, times=[1.0]), qt.KMSJumps())


BAD = {
    "rate": (lambda: qt.Davies(rate="arrhenius"), "`rate`"),
    "width": (lambda: qt.CoarseGrained(energy_width=0.0), "`energy_width` must be greater than 0"),
    "lamb": (lambda: qt.CoarseGrained(coherent="lamb", rate="glauber"), "Gaussian rate only"),
    "filter": (lambda: qt.KMSJumps(filter="box"), "`filter`"),
    "radius": (lambda: qt.KMSJumps(patch_radius=-1), "`patch_radius`"),
    "coupling": (lambda: qt.Davies(coupling=0.0), "`coupling`"),
    "letters": (lambda: qt.MixingGap(CHAIN, beta=1.0, couplings="XX"), "distinct letters"),
    "beta": (lambda: qt.MixingGap(CHAIN, beta=-1.0), "`beta`"),
    "bits": (lambda: qt.Relaxation(CHAIN, beta=1.0, times=[1.0], initial_state="11"), "4 bits"),
    "norm": (lambda: qt.Relaxation(CHAIN, beta=1.0, times=[1.0], initial_state=np.ones(16)), "norm or trace 1"),
    "shape": (lambda: qt.Relaxation(CHAIN, beta=1.0, times=[1.0], initial_state=np.ones(5)), "dimension 16"),
}


@pytest.mark.parametrize(("make", "words"), BAD.values(), ids=BAD)
def test_bad_input_gets_one_sentence(make, words: str):
    with pytest.raises(qt.InputError) as caught:
        make()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_matrix_models_are_refused_with_a_reason():
    model = qt.models.sample_levy_bath(dim=8, exponent=1.5, scale=0.3, seed=1)
    with pytest.raises(qt.UnsupportedError, match="spin model"):
        qt.solve(qt.MixingGap(model, beta=1.0), qt.KMSJumps())


def test_large_chains_are_refused_before_anything_is_allocated():
    model = qt.models.spin_chain(hamiltonian=tilted_ising(16))
    with pytest.raises(qt.MemoryRefusedError):
        qt.solve(qt.MixingGap(model, beta=1.0), qt.KMSJumps())
