"""Studies for the tests, cheap ones: one realization takes about a millisecond."""

from __future__ import annotations

from typing import Any

import numpy as np

import qthermo as qt


def cheap_tables(**changes: Any) -> dict[str, Any]:
    """A chain of three spins by exact diagonalisation at two disorders; `changes` are merged into the tables."""
    tables: dict[str, Any] = {
        "name": "cheap",
        "model": {"family": "imbrie_chain", "num_bath_sites": 2, "disorder": [1.0, 4.0]},
        "problem": {"name": "Autocorrelation", "times": [0.0, 1.0, 3.0]},
        "methods": [{"name": "Dense"}],
        "ensemble": {"num_realizations": 6, "seed": 7},
    }
    for key, value in changes.items():
        tables[key] = {**tables[key], **value} if isinstance(value, dict) and key in tables else value
    return tables


def cheap_study(**changes: Any) -> qt.Study:
    return qt.parse_study(cheap_tables(**changes))


def solve_by_hand(disorder: float, realization: int, **options: Any) -> np.ndarray:
    """C(t) of one realization of the cheap study, without any of the study's machinery."""
    model = qt.models.sample_imbrie_chain(
        num_bath_sites=options.pop("num_bath_sites", 2), disorder=disorder, seed=7, realization=realization
    )
    return qt.solve(qt.Autocorrelation(model, times=[0.0, 1.0, 3.0]), qt.Dense())["correlator"].values


def toml_of(tables: dict[str, Any]) -> str:
    from qthermo.studies.study_toml import to_toml

    return to_toml(tables)
