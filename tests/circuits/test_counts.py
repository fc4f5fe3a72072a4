import numpy as np
import pytest
from qiskit_aer.primitives import SamplerV2

import qthermo as qt
from qthermo.circuits import analyse_counts, export_bundle, load_qasm

CHAIN = qt.models.sample_imbrie_chain(num_bath_sites=3, disorder=1.0, seed=1)
TIMES = [0.5, 2.0]


@pytest.fixture
def bundle(tmp_path):
    reference = qt.solve(qt.Autocorrelation(CHAIN, times=TIMES), qt.Dense())
    export_bundle(CHAIN, tmp_path, times=TIMES, num_steps=20, reference=reference)
    return tmp_path


def test_counts_of_the_exported_files_give_the_correlator(bundle):
    """Run the OpenQASM files as a device would, in both forms of counts."""
    circuits = [load_qasm(bundle / f"logical_{k:03d}.qasm") for k in range(2)]
    results = SamplerV2(seed=3).run(circuits, shots=1500).result()
    data = analyse_counts(bundle, results, backend="aer")
    exact = qt.solve(qt.Autocorrelation(CHAIN, times=TIMES), qt.Dense())["correlator"].values
    assert np.abs((data["correlator"] - exact) / data["stderr"]).max() < 4
    assert np.allclose(data["reference"], exact)
    assert np.allclose(data["deviation"], (data["correlator"] - exact) / data["stderr"])
    assert data.attrs["model"] == "imbrie_chain"
    joined = [result.join_data().get_counts() for result in results]
    spaced = [{f"{word[0]} {word[1:]}": count for word, count in counts.items()} for counts in joined]
    for counts in (joined, spaced):
        again = analyse_counts(bundle, counts)
        assert np.array_equal(again["correlator"], data["correlator"])


def test_result_is_saved_and_loaded_like_any_other(bundle, tmp_path):
    data = analyse_counts(bundle, [{"0 0000": 10, "1 0000": 2}, {"0 0001": 5, "1 0001": 5}])
    assert data["correlator"].values == pytest.approx([8 / 12, 0.0])
    path = qt.save_result(data, tmp_path / "counts.nc")
    assert qt.load_result(path)["stderr"].equals(data["stderr"])


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ([{"00000": 1}], "2 times"),
        ([{"000": 1}, {"00000": 1}], "5 bits"),
        ([{"0000x": 1}, {"00000": 1}], "5 bits"),
        ([{"00000": -1}, {"00000": 1}], "whole numbers"),
        ([{"00000": 0}, {"00000": 1}], "at least one shot"),
        ([{}, {"00000": 1}], "bit strings"),
        ([3, {"00000": 1}], "bit strings"),
    ],
)
def test_counts_that_do_not_fit_are_named(bundle, counts, words):
    with pytest.raises(qt.InputError, match=words):
        analyse_counts(bundle, counts)
