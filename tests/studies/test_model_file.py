"""Model files: the sampler's arguments, checked key by key."""

from __future__ import annotations

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

import qthermo as qt
from qthermo.studies.model_file import FAMILIES, load_model, parse_model

CHAIN = {"family": "imbrie_chain", "num_bath_sites": 3, "disorder": 2.0, "seed": 3}


def test_file_gives_the_sampled_model(tmp_path):
    path = tmp_path / "model.toml"
    path.write_text(
        '[model]\nfamily = "imbrie_chain"\nnum_bath_sites = 3\ndisorder = 2\nseed = 3\n'
        '[model.thermometer]\nsplitting = 0.5\nbath_operator = "Z"\n'
    )
    expected = qt.models.sample_imbrie_chain(
        num_bath_sites=3, disorder=2.0, seed=3, thermometer=qt.Thermometer(splitting=0.5, bath_operator="Z")
    )
    assert load_model(path).hamiltonian == expected.hamiltonian


def test_thermometer_is_optional():
    assert (
        parse_model(CHAIN).hamiltonian
        == qt.models.sample_imbrie_chain(
            num_bath_sites=3, disorder=2.0, seed=3, thermometer=qt.Thermometer()
        ).hamiltonian
    )


def test_every_sampler_has_a_family():
    samplers = {name.removeprefix("sample_") for name in qt.models.__all__ if name.startswith("sample_")}
    assert samplers == set(FAMILIES)
    for sampler in FAMILIES.values():
        assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in inspect.signature(sampler).parameters.values())


BAD = {
    "unknown key": (CHAIN | {"disordr": 1.0}, "`model.disordr` is unknown; did you mean `disorder`"),
    "unknown thermometer key": (CHAIN | {"thermometer": {"spliting": 1.0}}, "`model.thermometer.spliting`"),
    "missing key": ({"family": "imbrie_chain", "seed": 1, "disorder": 1.0}, "`model.num_bath_sites` is missing"),
    "text for a number": (CHAIN | {"disorder": "2"}, "`model.disorder`"),
    "fraction for a count": (CHAIN | {"num_bath_sites": 3.5}, "`model.num_bath_sites`"),
    "truth for a number": (CHAIN | {"disorder": True}, "`model.disorder`"),
    "out of range": (CHAIN | {"num_bath_sites": 0}, "at least 1"),
    "no family": ({"seed": 1}, "`family`"),
    "unknown family": ({"family": "ladder"}, "ladder"),
    "no table": (3, "[model]"),
    "list for a thermometer": (CHAIN | {"thermometer": [1]}, "`model.thermometer"),
}


@pytest.mark.parametrize(("table", "words"), BAD.values(), ids=BAD)
def test_bad_tables_name_the_key(table, words: str):
    with pytest.raises(qt.InputError) as caught:
        parse_model(table)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_all_bad_keys_are_named_at_once():
    with pytest.raises(qt.InputError) as caught:
        parse_model(CHAIN | {"a": 1, "b": 2, "disorder": "x"})
    assert all(f"`model.{key}`" in str(caught.value) for key in ("a", "b", "disorder"))


def test_bad_files_are_refused(tmp_path):
    path = tmp_path / "model.toml"
    path.write_text("[model\n")
    with pytest.raises(qt.FileError, match="TOML"):
        load_model(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(qt.FileError, match="TOML"):
        load_model(path)
    with pytest.raises(qt.FileError, match="readable"):
        load_model(tmp_path / "missing.toml")
    path.write_text('[model]\nfamily = "imbrie_chain"\n[modle]\n')
    with pytest.raises(qt.InputError, match="'modle'"):
        load_model(path)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
keys = st.sampled_from([*CHAIN, "thermometer", "transverse_field", "x"])


@given(st.dictionaries(keys, values, max_size=4))
def test_any_table_is_a_model_or_a_clear_error(changes: dict):
    try:
        model = parse_model(CHAIN | changes)
    except qt.InputError:
        return
    assert model.num_sites <= 4
