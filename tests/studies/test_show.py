"""Cards: the numbers of a result at a glance, as text and in a notebook."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xarray as xr
from study_cases import cheap_study

import qthermo as qt

MODEL = qt.models.sample_imbrie_chain(num_bath_sites=3, disorder=1.0, seed=1)


def test_text_holds_question_values_and_errors():
    data = qt.solve(qt.Autocorrelation(MODEL, times=[0.0, 1.0]), qt.HeisenbergTEBD())
    text = str(qt.show(data))
    assert text.splitlines()[0] == "Autocorrelation of imbrie_chain by HeisenbergTEBD"
    assert "truncation_error" in text
    low, high = data["correlator"].min().item(), data["correlator"].max().item()
    assert f"{low:.4g} to {high:.4g}" in text


@pytest.mark.parametrize(
    "problem",
    [
        qt.Autocorrelation(MODEL, times=[0.0, 1.0], beta=1.0),
        qt.Propagator(MODEL, energies=[0.0], laplace=[0.5, 1.0]),
        qt.GroundState(MODEL),
        qt.StructureFactor(MODEL, frequencies=np.linspace(-1, 1, 3), resolution=0.5),
        qt.Evolution(MODEL, times=[0.0, 1.0], initial_state="0101"),
    ],
    ids=lambda problem: type(problem).__name__,
)
def test_every_kind_of_result_has_a_card(problem):
    data = qt.solve(problem, qt.Dense())
    page = qt.show(data)._repr_html_()
    assert type(problem).__name__ in page
    assert ("data:image/png;base64," in page) == any(v.ndim for v in data.data_vars.values())
    for name in data.data_vars:
        assert f"<td>{name}</td>" in page


def test_a_collected_study_shows_its_verdicts(tmp_path):
    study = cheap_study(methods=[{"name": "Dense"}, {"name": "HeisenbergTEBD"}])
    with ThreadPoolExecutor(1) as pool:
        qt.run_study(study, tmp_path / "s", executor=pool, num_workers=1)
    page = qt.show(qt.collect_study(tmp_path / "s"))._repr_html_()
    assert page.count("<td>agrees</td>") == 2
    assert "data:image/png;base64," in page


def test_foreign_datasets_are_refused():
    with pytest.raises(qt.InputError, match="qthermo schema"):
        qt.show(xr.Dataset())


def test_many_warnings_are_counted():
    import json

    data = qt.solve(qt.GroundState(MODEL), qt.Dense()).assign_attrs(warnings=json.dumps([f"w{k}" for k in range(9)]))
    lines = str(qt.show(data)).splitlines()
    assert lines[-1] == "  warning: and 6 more"
    assert "  warning: w2" in lines
    assert "  warning: w3" not in lines
