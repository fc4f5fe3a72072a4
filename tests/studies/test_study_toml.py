"""TOML text of tables, read back by the standard library."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from qthermo.studies.study_toml import to_toml

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | text
lists = st.lists(scalars, max_size=3) | st.lists(st.lists(scalars, max_size=2), max_size=2)
tables = st.recursive(
    st.dictionaries(text, scalars | lists, max_size=3),
    lambda inner: st.dictionaries(text, scalars | inner | st.lists(inner, min_size=1, max_size=2), max_size=3),
    max_leaves=6,
)


@given(tables)
def test_what_is_written_is_read_back(table: dict):
    assert tomllib.loads(to_toml(table)) == table
