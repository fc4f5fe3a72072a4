"""The demo on a small chain: all files, agreement, and resumption without repeating work."""

from __future__ import annotations

import pytest

import qthermo as qt
from qthermo.progress import silent
from qthermo.studies.demo import compare_demo, demo_model, demo_steps, run_demo, run_step, write_demo_files


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("demo")
    model = demo_model(num_bath_sites=4)
    steps = demo_steps(model)
    return folder, model, steps, run_demo(steps, folder, lambda _step: silent)


def test_every_method_agrees_with_the_judge(demo):
    _, _, steps, results = demo
    verdicts = {step.name: line.verdict for step, line in zip(steps, compare_demo(steps, results), strict=True)}
    assert verdicts["exact"] == verdicts["exact-laplace"] == "judge"
    assert verdicts["tensor-network"] == verdicts["circuit"] == "agrees"
    assert verdicts["edge"].startswith("within")


def test_files_are_written_and_read_back(demo):
    folder, model, _, results = demo
    figure, merged, circuit = write_demo_files(model, results, folder)
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert circuit.read_text().startswith("OPENQASM 3")
    data = qt.load_result(merged)
    for name in ("exact", "tensor-network", "circuit"):
        common = data[f"correlator_{name}"].dropna("time")
        assert common.equals(results[name]["correlator"].rename(common.name))


def test_a_finished_step_is_read_and_a_damaged_one_is_run_again(demo):
    folder, _, steps, results = demo
    exact = steps[0]
    assert run_step(exact, folder, silent).identical(results["exact"])  # same time stamp: not run again
    path = folder / "exact.nc"
    path.write_bytes(path.read_bytes()[:500])
    again = run_step(exact, folder, silent)
    assert again["correlator"].equals(results["exact"]["correlator"])
    other = demo_steps(demo_model(num_bath_sites=4, disorder=3.0))[0]
    assert not run_step(other, folder, silent)["correlator"].equals(results["exact"]["correlator"])
