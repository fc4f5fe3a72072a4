import importlib.util
from pathlib import Path

import numpy as np


def test_beyond_ed_gives_the_same_numbers_for_both_lengths():
    path = Path(__file__).parents[2] / "examples" / "beyond_ed.py"
    spec = importlib.util.spec_from_file_location("beyond_ed", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    results = module.main(quick=True)
    assert {spins for spins, _ in results} == {50, 100}
    for disorder in (1.0, 8.0):
        np.testing.assert_allclose(results[100, disorder], results[50, disorder], atol=1e-6)
