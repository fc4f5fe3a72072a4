"""The one door: pairs that cannot work are refused with the methods that can, and bad questions with one sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import qthermo as qt
from qthermo.answers import Answer
from qthermo.problems import autocorrelation_answer
from qthermo.solve import METHODS, find_methods


def test_too_large_a_space_is_refused_before_anything_is_allocated():
    model = qt.models.sample_imbrie_chain(num_bath_sites=19, disorder=2.0, seed=1)
    with pytest.raises(qt.MemoryRefusedError) as caught:
        qt.solve(qt.Autocorrelation(model, times=[1.0]), qt.Dense())
    message = str(caught.value)
    assert "TiB" in message
    assert "HeisenbergTEBD" in message
    assert "\n" not in message


def test_memory_limit_of_the_environment_is_kept(monkeypatch: pytest.MonkeyPatch):
    problem = qt.Autocorrelation(qt.models.sample_imbrie_chain(num_bath_sites=7, disorder=2.0, seed=1), times=[1.0])
    monkeypatch.setenv("QTHERMO_MEMORY_LIMIT", "1000000")
    with pytest.raises(ValueError, match="memory"):
        qt.solve(problem, qt.Dense())
    monkeypatch.delenv("QTHERMO_MEMORY_LIMIT")
    assert qt.solve(problem, qt.Dense())["correlator"].size == 1


def test_wrong_arguments_name_what_is_right():
    model = qt.models.sample_imbrie_chain(num_bath_sites=2, disorder=2.0, seed=1)
    with pytest.raises(qt.UnsupportedError, match="Dense"):
        qt.solve(qt.Autocorrelation(model, times=[1.0]), "dense")
    with pytest.raises(qt.UnsupportedError, match="Autocorrelation"):
        qt.solve(model, qt.Dense())
    with pytest.raises(qt.UnsupportedError, match=r"does not answer Propagator; methods that can: .*Dense"):
        qt.solve(qt.Propagator(model, energies=[0.0], laplace=[1.0]), qt.HeisenbergTEBD())


def test_methods_that_can_are_found():
    spins = qt.models.sample_imbrie_chain(num_bath_sites=3, disorder=1.0, seed=1)
    matrix = qt.models.sample_levy_bath(dim=8, exponent=1.5, scale=0.3, seed=1)
    assert qt.Dense in find_methods(qt.GroundState(spins))
    for cls in find_methods(qt.Autocorrelation(matrix, times=[1.0])):
        qt.solve(qt.Autocorrelation(matrix, times=[1.0]), cls())
    assert all(callable(cls.check) for cls in METHODS)


def test_progress_is_reported():
    seen: list[tuple[float, str]] = []
    model = qt.models.sample_imbrie_chain(num_bath_sites=2, disorder=2.0, seed=1)
    qt.solve(
        qt.Autocorrelation(model, times=[1.0]), qt.Dense(), progress=lambda part, words: seen.append((part, words))
    )
    assert seen
    assert all(0 <= part <= 1 for part, _ in seen)


MODEL = qt.models.sample_imbrie_chain(num_bath_sites=2, disorder=2.0, seed=1)
BAD = {
    "unsorted": (lambda: qt.Autocorrelation(MODEL, times=[0.1, 0.3, 0.2]), r"times[2]=0.2 follows 0.3"),
    "repeated": (lambda: qt.Autocorrelation(MODEL, times=[0.1, 0.1]), "must ascend"),
    "negative time": (lambda: qt.Autocorrelation(MODEL, times=[-1.0]), "at least 0"),
    "NaN time": (lambda: qt.Autocorrelation(MODEL, times=[0.0, np.nan]), "finite"),
    "no times": (lambda: qt.Autocorrelation(MODEL, times=[]), "empty"),
    "table of times": (lambda: qt.Autocorrelation(MODEL, times=[[0.0, 1.0]]), "1 ax"),
    "beta": (lambda: qt.Autocorrelation(MODEL, times=[1.0], beta=-0.5), "`beta` must be at least 0, but is -0.5"),
    "text beta": (lambda: qt.Autocorrelation(MODEL, times=[1.0], beta="hot"), "real number"),
    "laplace": (lambda: qt.Propagator(MODEL, energies=[0.0], laplace=[1.0, 0.0]), "positive"),
    "energies": (lambda: qt.Propagator(MODEL, energies=[np.inf], laplace=[1.0]), "finite"),
    "no energies": (lambda: qt.Propagator(MODEL, energies=[], laplace=[1.0]), "empty"),
    "model": (lambda: qt.GroundState("chain"), "qthermo.models"),
}


@pytest.mark.parametrize(("make", "words"), BAD.values(), ids=BAD)
def test_bad_questions_get_one_sentence(make, words: str):
    with pytest.raises(ValueError) as caught:
        make()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_inputs_are_copied_and_read_only():
    times = np.array([0.0, 1.0])
    problem = qt.Autocorrelation(MODEL, times=times)
    times[1] = 5.0
    assert problem.times[1] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        problem.times[0] = 1.0


def test_an_own_class_with_the_four_members_is_a_method():
    @dataclass(frozen=True)
    class Constant:
        answers: ClassVar[tuple[type, ...]] = (qt.Autocorrelation,)
        level: float = 0.25

        def check(self, problem: qt.Autocorrelation) -> None:
            if problem.beta > 0:
                raise qt.UnsupportedError("Constant knows infinite temperature only.")

        def estimate_memory(self, problem: qt.Autocorrelation) -> float:
            return 8.0 * problem.times.size

        def run(self, problem: qt.Autocorrelation, progress: Callable[[float, str], None]) -> Answer:
            return autocorrelation_answer(problem, np.full(problem.times.size, self.level))

    chain = qt.models.sample_imbrie_chain(num_bath_sites=3, disorder=1.0, seed=1)
    data = qt.solve(qt.Autocorrelation(chain, times=np.array([0.0, 1.0])), Constant())
    assert data["correlator"].values.tolist() == [0.25, 0.25]
    assert data.attrs["method"] == "Constant"
    assert data.attrs["method_parameters"] == '{"level": 0.25}'
    with pytest.raises(qt.UnsupportedError, match="infinite temperature only"):
        qt.solve(qt.Autocorrelation(chain, times=np.array([0.0]), beta=1.0), Constant())
    with pytest.raises(qt.UnsupportedError, match="does not answer GroundState"):
        qt.solve(qt.GroundState(chain), Constant())
