"""What the doctor finds: requirements of every form, missing and old packages, extras, the machine."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import numpy as np
import pytest

from qthermo.studies import doctor

REQUIRED = [
    "numpy>=2.1",
    "gone>=1",
    'distributed>=2025.1 ; extra == "dask"',
    "qutip>=99; extra == 'peers'",
    "odd[x]>=2",
]


@pytest.fixture
def other_metadata(monkeypatch: pytest.MonkeyPatch):
    found = {"numpy": "2.10.0rc1", "distributed": "2025.1.0", "qutip": "5.3"}

    def fake(name: str) -> str:
        if name not in found:
            raise PackageNotFoundError(name)
        return found[name]

    monkeypatch.setattr(doctor, "requires", lambda _name: REQUIRED)
    monkeypatch.setattr(doctor, "version", fake)


def test_versions_compare_as_numbers_and_missing_ones_are_named(other_metadata):
    packages = {package.name: package for package in doctor.list_packages()}
    assert packages["numpy"].usable  # 2.10 is above 2.1
    assert not packages["gone"].usable
    assert packages.keys() >= {"numpy", "gone"}


def test_extras_say_how_to_install_them(other_metadata):
    dask, peers = doctor.list_extras()
    assert dask.present
    assert not peers.present
    assert peers.command == "pip install 'qthermo[peers]'"


@pytest.mark.parametrize(("found", "least", "usable"), [("1.0.0", "1", True), ("1", "1.0.1", False), ("", "0", False)])
def test_trailing_zeros_do_not_matter(found, least, usable):
    assert doctor.Package(name="p", found=found, least=least).usable is usable


def test_this_installation():
    packages = {package.name: package for package in doctor.list_packages()}
    assert packages["numpy"].found == version("numpy") == np.__version__
    assert packages["numpy"].usable
    rows = dict(doctor.describe_machine())
    assert rows["memory"].endswith("available to a run")
    assert int(rows["numba threads"]) >= 1
    assert "threads" in rows["BLAS or OpenMP"]
