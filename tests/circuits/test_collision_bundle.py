"""Bundles of collisions: what is written is what is described, and tampering is found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kms_reference import tilted_ising

import qthermo as qt
from qthermo.circuits import check_collision_bundle, export_collisions
from qthermo.kms import CollisionScheme

MODEL = qt.models.spin_chain(hamiltonian=tilted_ising(3))
SCHEME = CollisionScheme(beta=1.0, energy_width=0.8, time_step=0.25)


def test_a_bundle_checks_against_aer_and_measures_every_site(tmp_path: Path):
    path = export_collisions(MODEL, SCHEME, tmp_path / "bundle", num_collisions=4, num_sequences=2, seed=3)
    assert check_collision_bundle(path.parent) < 1e-9
    content = json.loads(path.read_text())
    assert len(content["polarisation"]) == 2
    assert content["polarisation"][0] != content["polarisation"][1]
    text = (path.parent / "sequence_000.qasm").read_text()
    assert text.count("reset") == 4
    assert "bit[3] z" in text


def test_changed_files_and_values_are_found(tmp_path: Path):
    path = export_collisions(MODEL, SCHEME, tmp_path, num_collisions=2, num_sequences=1)
    file = tmp_path / "sequence_000.qasm"
    file.write_text(file.read_text().replace("reset", "// reset", 1))
    with pytest.raises(qt.FileError, match="SHA-256"):
        check_collision_bundle(tmp_path)
    export_collisions(MODEL, SCHEME, tmp_path, num_collisions=2, num_sequences=1)
    path.write_text(path.read_text().replace('"num_collisions": 2', '"num_collisions": 1'))
    with pytest.raises(qt.FileError, match="seal"):
        check_collision_bundle(tmp_path)


def test_bad_bits_and_aliasing_are_refused(tmp_path: Path):
    with pytest.raises(qt.InputError, match="3 bits"):
        export_collisions(MODEL, SCHEME, tmp_path, num_collisions=1, initial_bits="01")
    with pytest.raises(qt.InputError, match="time_step"):
        export_collisions(MODEL, CollisionScheme(beta=1.0, time_step=0.7), tmp_path, num_collisions=1)
