import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

EXAMPLES = Path(__file__).parents[2] / "examples"


def load_example(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", [f"avalanche_figure_{k}" for k in range(3, 8)])
def test_figures_run_quickly_and_resume(name, tmp_path, monkeypatch, capsys):
    module = load_example(name)
    monkeypatch.chdir(tmp_path)
    path = module.main(quick=True)
    assert path.stat().st_size > 10_000
    printed = capsys.readouterr().out
    assert "nan" not in printed
    kept = sorted((file, file.stat().st_mtime_ns) for file in (tmp_path / name).iterdir())
    assert kept
    module.main(quick=True)
    assert kept == sorted((file, file.stat().st_mtime_ns) for file in (tmp_path / name).iterdir())
    assert capsys.readouterr().out == printed


def test_gain_at_equal_parameter_of_baths_on_one_curve():
    """Baths of one curve agree whatever their G / g, the control is that curve shifted; errors are those of means."""
    figure_5 = load_example("avalanche_figure_5")
    rng = np.random.default_rng(1)
    strengths = 0.0125 * 2.0 ** np.arange(6)

    def law(parameters):
        return 0.7 * parameters / (parameters + 0.08)

    found = []
    for ratio in (3.0, 5.0):
        gains = np.tile(law(ratio * strengths), (4, 1))
        curve = figure_5.Curve(strengths=strengths, gains=gains, ratios=np.full(4, ratio))
        found.append(curve.gain_at(np.array([0.1, 0.2, 0.4])))
        shifted = figure_5.count_uncoupled(curve).gain_at(np.array([0.4]))[0]
        assert_allclose(shifted, law(0.4 / np.sqrt(8)), atol=0.01)
    assert_allclose(found[0], found[1], atol=0.01)
    assert_allclose(found[0][0], law(np.array([0.1, 0.2, 0.4])), atol=0.01)
    assert_allclose(found[0][1], 0, atol=1e-12)
    noisy = gains + 0.1 * rng.standard_normal((4, 6))
    curve = figure_5.Curve(strengths=strengths, gains=noisy, ratios=np.full(4, 5.0))
    mean, error = curve.gain_at(5.0 * strengths)
    assert_allclose(mean, noisy.mean(axis=0))
    assert_allclose(error, noisy.std(axis=0, ddof=1) / 2)


def test_dynamics_run_quickly(tmp_path, monkeypatch, capsys):
    module = load_example("avalanche_dynamics")
    monkeypatch.chdir(tmp_path)
    assert module.main(quick=True).stat().st_size > 10_000
    assert "nan" not in capsys.readouterr().out
