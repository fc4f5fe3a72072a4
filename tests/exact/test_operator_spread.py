"""D(O): closed cases, published numbers, and the three exact methods against each other."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import qthermo as qt

sample = qt.models.sample_ergodic_grain


def spread(model, method=None, **fields) -> np.ndarray:
    return qt.solve(qt.OperatorSpread(model, **fields), method or qt.Dense())["log_ipr"].values


@pytest.mark.parametrize("method", [qt.Dense(), qt.LanczosSpread()], ids=lambda m: type(m).__name__)
def test_uncoupled_spin_moves_to_one_state(method):
    """Without coupling X flips the spin and leaves the grain's eigenstate: exactly one state is reached."""
    model = sample(kind="goe", num_grain_spins=4, num_lioms=2, seed=1, coupling=0.0)
    values = spread(model, method, operators=("liom:1", "liom:2"))
    assert_allclose(values, 0, atol=1e-5)


def test_uncoupled_grain_keeps_its_spread():
    model = sample(kind="goe", num_grain_spins=5, num_lioms=2, seed=1, coupling=0.0)
    values, vectors = np.linalg.eigh(model.grain_matrix)
    flipped = np.kron(np.array([[0, 1], [1, 0]]), np.eye(16))
    matrix = np.abs(vectors.T @ flipped @ vectors) ** 2
    joint = values[:, None] + np.array([model.fields @ s for s in [(1, 1), (1, -1), (-1, 1), (-1, -1)]])
    state = np.unravel_index(np.abs(joint).argmin(), joint.shape)[0]
    assert_allclose(spread(model)[0], -np.log((matrix[:, state] ** 2).sum()), atol=1e-9)


# De Roeck, Huveneers, arXiv:1608.01815, figure 3, in the convention "mid": means over 100 to 300 realizations of an
# independent code, standard error about 0.01.
PUBLISHED = {"goe": {0: 3.101, 1: 3.701, 2: 4.287, 3: 4.881}, "gue": {0: 3.467}}


@pytest.mark.parametrize(("kind", "num_lioms"), [("goe", 0), ("goe", 1), ("goe", 2), ("goe", 3), ("gue", 0)])
def test_random_matrix_grain_against_published_means(kind: str, num_lioms: int):
    count = 60 if num_lioms < 3 else 40
    values = [
        spread(sample(kind=kind, num_lioms=num_lioms, seed=11, realization=realization))[0]
        for realization in range(count)
    ]
    stderr = np.std(values, ddof=1) / np.sqrt(count)
    assert stderr < 0.04
    assert np.mean(values) == pytest.approx(PUBLISHED[kind][num_lioms], abs=4 * np.hypot(stderr, 0.011))


def test_bare_random_matrix_has_the_porter_thomas_value():
    """IPR of a random vector of D components: D/3 real, D/2 complex, up to 1/D."""
    for kind, moment in (("goe", 3), ("gue", 2)):
        inverse = [
            np.exp(-spread(sample(kind=kind, num_lioms=0, seed=2, realization=k), num_states=5)).mean()
            for k in range(20)
        ]
        assert np.mean(inverse) == pytest.approx(moment / 64, rel=0.08)


def test_single_spin_does_not_thermalise():
    """Its slopes lie below half of log 2, the ideal: the localised spins do not thermalise each other."""
    means = [
        np.mean([spread(sample(kind="single_spin", num_lioms=n, seed=1, realization=k))[0] for k in range(60)])
        for n in (1, 4, 7)
    ]
    assert np.all(np.diff(means) / 3 < np.log(2) / 2)


@pytest.mark.parametrize("kind", ["goe", "gue", "local"])
@pytest.mark.parametrize("layout", ["lioms", "spins"])
def test_lanczos_equals_dense(kind: str, layout: str):
    size = {"goe": 6, "gue": 5, "local": 7}[kind]
    model = sample(kind=kind, num_grain_spins=size, num_lioms=3, seed=4, layout=layout)
    problem = qt.OperatorSpread(model, operators=("grain", "boundary", "liom:1", "liom:3"), num_states=2)
    exact, data = qt.solve(problem, qt.Dense()), qt.solve(problem, qt.LanczosSpread())
    assert_allclose(data["log_ipr"], exact["log_ipr"], atol=1e-4)
    assert_allclose(data["state_energy"], exact["state_energy"], atol=1e-10)
    assert np.all(data["log_ipr_error"] < 1e-4)
    assert data["log_ipr"].dims == ("state", "operator")


@pytest.mark.parametrize("num_lioms", [4, 5])
def test_lanczos_equals_dense_at_larger_sizes(num_lioms: int):
    model = sample(kind="goe", num_lioms=num_lioms, seed=6)
    problem = qt.OperatorSpread(model, operators=("grain", f"liom:{num_lioms}"))
    exact, data = qt.solve(problem, qt.Dense()), qt.solve(problem, qt.LanczosSpread())
    assert_allclose(data["log_ipr"], exact["log_ipr"], atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_lanczos_equals_dense_at_4096_levels(seed: int):
    model = sample(kind="goe", num_lioms=6, seed=seed)
    problem = qt.OperatorSpread(model, operators=("grain", "boundary", "liom:1", "liom:6"))
    exact, data = qt.solve(problem, qt.Dense()), qt.solve(problem, qt.LanczosSpread())
    assert_allclose(data["log_ipr"], exact["log_ipr"], atol=1e-4)


def test_moments_estimate_the_spread_of_a_grain_operator():
    errors = []
    for seed in range(4):
        problem = qt.OperatorSpread(sample(kind="goe", num_lioms=4, seed=seed))
        exact, data = qt.solve(problem, qt.Dense()), qt.solve(problem, qt.KPMSpread())
        errors.append(float(data["log_ipr"][0] - exact["log_ipr"][0]))
        assert data["log_ipr_error"][0] > 0
    assert np.max(np.abs(errors)) < 0.1
    assert abs(np.mean(errors)) < 0.05


def test_longer_windows_of_moments_are_nearer():
    errors: dict[tuple[float, float], list[float]] = {(0.5, 1.0): [], (2.0, 4.0): []}
    for seed in range(6):
        problem = qt.OperatorSpread(sample(kind="goe", num_grain_spins=5, num_lioms=4, seed=seed))
        exact = qt.solve(problem, qt.Dense())["log_ipr"][0]
        for window, found in errors.items():
            found.append(float(abs(qt.solve(problem, qt.KPMSpread(window=window))["log_ipr"][0] - exact)))
    assert np.mean(errors[2.0, 4.0]) < np.mean(errors[0.5, 1.0])


def test_spin_models_take_pauli_sums():
    grain = sample(kind="local", num_grain_spins=4, num_lioms=2, seed=3)
    model = grain.to_spin_model()
    expected = spread(grain, operators=("grain", "liom:2"))
    for method in (qt.Dense(), qt.LanczosSpread()):
        assert_allclose(spread(model, method, operators=("X5", "2 X0")), expected, atol=1e-5)


def test_answer_is_labelled_and_stored(tmp_path):
    model = sample(kind="goe", num_grain_spins=3, num_lioms=1, seed=1)
    data = qt.solve(qt.OperatorSpread(model, operators=("grain", "liom:1"), energy=0.0), qt.Dense())
    assert data["log_ipr"].dims == ("operator",)
    assert list(data["operator"].values) == ["grain", "liom:1"]
    assert data["state_energy"].shape == ()
    again = qt.load_result(qt.save_result(data, tmp_path / "spread.nc"))
    assert float(again["log_ipr"].sel(operator="liom:1")) == float(data["log_ipr"][1])


def test_what_cannot_converge_says_so():
    model = sample(kind="goe", num_grain_spins=5, num_lioms=4, seed=1)
    with pytest.raises(qt.NotConvergedError, match="max_steps_per_level"):
        qt.solve(qt.OperatorSpread(model), qt.LanczosSpread(tolerance=1e-20))
    with pytest.warns(qt.NotConvergedWarning, match="miss their sum"):  # by rounding, at any number of steps
        qt.solve(qt.OperatorSpread(model), qt.LanczosSpread(error=1e-12))
    with pytest.warns(qt.NotConvergedWarning, match="max_steps_per_level"):
        qt.LanczosSpread()._warn(worst=2e-4, unconverged=1e-4)
    with pytest.raises(qt.NotConvergedError, match="max_steps_per_level"):
        qt.solve(qt.OperatorSpread(model), qt.KPMSpread(tolerance=1e-20))


def test_bad_questions_are_named():
    model = sample(kind="goe", num_grain_spins=3, num_lioms=1, seed=1)
    for fields, words in (
        ({"operators": "grain"}, "list"),
        ({"operators": ()}, "list"),
        ({"operators": ("liom:2",)}, "liom:2"),
        ({"operators": (3,)}, "names"),
        ({"num_states": 0}, "num_states"),
        ({"energy": np.nan}, "energy"),
    ):
        with pytest.raises(qt.InputError, match=words):
            qt.OperatorSpread(model, **fields)
    with pytest.raises(qt.InputError, match="grain or a model of spins"):
        qt.OperatorSpread(qt.models.sample_levy_bath(dim=8, exponent=1.5, scale=0.3, seed=1))
    with pytest.raises(qt.InputError, match="sites below"):
        qt.OperatorSpread(sample(kind="local", num_lioms=1, seed=1).to_spin_model(), operators=("X10",))
    with pytest.raises(qt.UnsupportedError, match="Dense"):
        qt.solve(qt.OperatorSpread(model, num_states=10), qt.LanczosSpread())
    with pytest.raises(qt.UnsupportedError, match="64 levels"):
        qt.solve(qt.OperatorSpread(model), qt.KPMSpread())
    with pytest.raises(qt.InputError, match="window"):
        qt.KPMSpread(window=(2.0, 1.0))
    with pytest.raises(qt.UnsupportedError, match="LanczosSpread"):
        qt.solve(qt.OperatorSpread(model), qt.CavityDiffuson())
