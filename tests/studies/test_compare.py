"""Verdicts: agreement means within the stated errors, and only that."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import qthermo as qt
from qthermo.studies.compare import compare_correlators, compare_propagators, error_estimate

TIMES = [0.0, 1.0, 2.0]


def curve(values, method: str = "Other", **errors: float) -> xr.Dataset:
    variables = {"correlator": ("time", np.asarray(values))}
    variables |= {name: ("time", np.full(len(values), error)) for name, error in errors.items()}
    return xr.Dataset(variables, {"time": TIMES[: len(values)]}, {"method": method, "wall_time": 1.0})


JUDGE = curve([1.0, 0.5, 0.25], "Dense")


@pytest.mark.parametrize(
    ("offset", "errors", "verdict"),
    [
        (0.0, {}, "agrees"),
        (1e-6, {}, "DISAGREES"),
        (0.039, {"stderr": 0.01}, "agrees"),
        (0.041, {"stderr": 0.01}, "DISAGREES"),
        (0.0019, {"truncation_error": 1e-3}, "agrees"),
        (0.0039, {"truncation_error": 1e-3, "trotter_error": 1e-3}, "agrees"),
        (0.0041, {"truncation_error": 1e-3, "trotter_error": 1e-3}, "DISAGREES"),
    ],
)
def test_verdict_is_deviation_against_stated_error(offset: float, errors: dict, verdict: str):
    line = compare_correlators(curve([1.0, 0.5 + offset, 0.25], **errors), JUDGE)
    assert line.verdict == verdict
    assert line.deviation == pytest.approx(offset)
    assert line.value == 0.25


def test_only_common_times_are_compared():
    assert compare_correlators(curve([1.0, 0.5]), JUDGE).verdict == "agrees"
    shifted = curve([1.0]).assign_coords(time=[7.0])
    with pytest.raises(qt.InputError, match="share"):
        compare_correlators(shifted, JUDGE)
    assert compare_correlators(JUDGE, JUDGE).verdict == "judge"


def test_a_missing_value_never_agrees():
    assert compare_correlators(curve([1.0, np.nan, 0.25]), JUDGE).verdict == "DISAGREES"


def test_errors_add_up():
    data = curve([1.0], stderr=0.1, truncation_error=0.01, trotter_error=0.02)
    assert error_estimate(data)[0] == pytest.approx(4 * 0.1 + 2 * 0.03)


def test_an_approximation_without_error_is_described_by_its_deviation():
    def laplace(value: float, method: str) -> xr.Dataset:
        attributes = {"method": method, "wall_time": 1.0}
        return xr.Dataset({"autocorrelation": (("energy", "laplace"), [[value]])}, attrs=attributes)

    line = compare_propagators(laplace(0.55, "CavityDiffuson"), laplace(0.5, "Dense"), label="edge")
    assert line.verdict == "within 10.0 %"
    assert np.isnan(line.error)
