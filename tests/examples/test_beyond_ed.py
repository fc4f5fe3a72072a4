import importlib.util
from pathlib import Path

import numpy as np


def load_example():
    path = Path(__file__).parents[2] / "examples" / "beyond_ed.py"
    spec = importlib.util.spec_from_file_location("beyond_ed", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_beyond_ed_gives_the_same_numbers_for_both_lengths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = load_example().main(quick=True)
    assert {spins for spins, _ in results} == {50, 100}
    for disorder in (1.0, 8.0):
        long, short = results[100, disorder], results[50, disorder]
        np.testing.assert_allclose(long["correlator"], short["correlator"], atol=1e-6)
        np.testing.assert_allclose(long["diffuson"], short["diffuson"], atol=1e-6)
    weak = results[50, 1.0]  # an ergodic bath, where the diffuson is right; s = 4 needs no times beyond 1.5
    assert weak["bound"][-1] < 0.01
    assert abs(weak["diffuson"][-1] - weak["transform"][-1]) < 0.01


def test_the_laplace_transform_of_a_known_curve():
    times, s = np.linspace(0, 8, 33), np.array([0.5, 2.0])
    module = load_example()
    values = np.exp(-times) * np.cos(2 * times)
    values[25:] = np.nan
    transform, bound = module.laplace_transform(times, values, s)
    assert np.all(np.abs(transform - s * (s + 1) / ((s + 1) ** 2 + 4)) < bound + 5e-4)
