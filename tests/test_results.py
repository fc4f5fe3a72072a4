"""The Dataset: stamped, saved without loss, and read back only if it is whole and ours."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_array_equal

import qthermo as qt


@pytest.fixture(params=["real", "complex", "propagator"])
def result(request: pytest.FixtureRequest) -> xr.Dataset:
    model = qt.models.sample_all_to_all_ising(num_bath_sites=3, seed=4)
    if request.param == "propagator":
        return qt.solve(qt.Propagator(model, energies=[0.0, 0.1], laplace=[0.5, 1.0, 2.0]), qt.Dense())
    beta = 0.0 if request.param == "real" else 1.0
    return qt.solve(qt.Autocorrelation(model, times=[0.0, 1.0], beta=beta), qt.Dense())


def test_attributes_say_what_was_done(result: xr.Dataset):
    assert result.attrs["method"] == "Dense"
    assert result.attrs["model"] == "all_to_all_ising"
    assert result.attrs["seed"] == 4
    assert "site 0 is the thermometer" in result.attrs["conventions"]
    assert json.loads(result.attrs["versions"])["qthermo"] == qt.__version__
    assert json.loads(result.attrs["model_parameters"])["transverse_field"] == 1.0
    assert result.attrs["wall_time"] > 0
    for name in [*result.data_vars, *result.coords]:
        assert {"units", "long_name"} <= set(result[name].attrs)


def test_model_can_be_rebuilt_from_the_attributes(result: xr.Dataset):
    recorded = json.loads(result.attrs["model_parameters"])
    thermometer = {key: recorded["thermometer"][key] for key in ("splitting", "coupling")}
    names = ("couplings", "thermometer_couplings", "transverse_field")
    rebuilt = qt.models.all_to_all_ising(
        **{name: recorded[name] for name in names}, thermometer=qt.Thermometer(**thermometer)
    )
    assert rebuilt.hamiltonian == qt.models.sample_all_to_all_ising(num_bath_sites=3, seed=4).hamiltonian


def test_saving_loses_nothing(result: xr.Dataset, tmp_path):
    path = qt.save_result(result, tmp_path / "result.nc")
    loaded = qt.load_result(path)
    assert loaded.identical(result)
    for name in result.data_vars:
        assert loaded[name].dtype == result[name].dtype
        assert_array_equal(loaded[name].values, result[name].values)
    assert os.listdir(tmp_path) == ["result.nc"]


def test_complex_numbers_are_stored_as_two_real_variables(tmp_path):
    model = qt.models.sample_imbrie_chain(num_bath_sites=2, disorder=1.0, seed=1)
    data = qt.solve(qt.Autocorrelation(model, times=[0.0, 1.0], beta=1.0), qt.Dense())
    with xr.open_dataset(qt.save_result(data, tmp_path / "r.nc"), engine="h5netcdf") as raw:
        assert {"correlator_re", "correlator_im"} == set(raw.data_vars)


@pytest.mark.parametrize("keep", [0, 10, 0.3, 0.9, 0.99])
def test_truncated_files_are_refused(result: xr.Dataset, tmp_path, keep: float):
    path = qt.save_result(result, tmp_path / "result.nc")
    whole = path.read_bytes()
    path.write_bytes(whole[: keep if isinstance(keep, int) else int(keep * len(whole))])
    with pytest.raises(qt.FileError) as caught:
        qt.load_result(path)
    assert "\n" not in str(caught.value)


def test_a_flipped_bit_never_gives_a_wrong_number(result: xr.Dataset, tmp_path):
    path = qt.save_result(result, tmp_path / "result.nc")
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for place in rng.integers(0, len(whole), 200):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            loaded = qt.load_result(path)
        except qt.FileError:
            refused += 1
        else:
            for name in result.variables:
                assert_array_equal(loaded[name].values, result[name].values)
    assert refused > 0


def test_changed_numbers_are_noticed(result: xr.Dataset, tmp_path):
    import h5py

    path = qt.save_result(result, tmp_path / "result.nc")
    with h5py.File(path, "r+") as file:
        name = next(key for key in file if key not in result.coords)
        file[name][...] = 0.5
    with pytest.raises(qt.FileError, match="no seal"):
        qt.load_result(path)


def test_foreign_and_future_files_are_refused(result: xr.Dataset, tmp_path):
    xr.Dataset({"a": ("x", [1.0])}).to_netcdf(tmp_path / "foreign.nc", engine="h5netcdf")
    with pytest.raises(qt.FileError, match="foreign"):
        qt.load_result(tmp_path / "foreign.nc")
    (tmp_path / "text.nc").write_text("not a netCDF file")
    with pytest.raises(qt.FileError, match="foreign"):
        qt.load_result(tmp_path / "text.nc")
    qt.save_result(result.assign_attrs(qthermo_schema=999), tmp_path / "future.nc")
    with pytest.raises(qt.FileError, match="schema 999"):
        qt.load_result(tmp_path / "future.nc")
    with pytest.raises(qt.FileError, match="does not"):
        qt.load_result(tmp_path / "missing.nc")
    with pytest.raises(qt.InputError, match="schema"):
        qt.save_result(xr.Dataset(), tmp_path / "empty.nc")


def test_failed_save_keeps_the_old_file(result: xr.Dataset, tmp_path, monkeypatch: pytest.MonkeyPatch):
    path = qt.save_result(result, tmp_path / "result.nc")
    before = path.read_bytes()

    def full_disk(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(qt.FileError, match="No space left"):
        qt.save_result(result.assign_attrs(note="new"), path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["result.nc"]
    with pytest.raises(qt.FileError, match="missing"):
        qt.save_result(result, tmp_path / "missing" / "result.nc")


def test_averages_over_disorder_have_the_standard_error_of_the_mean(tmp_path):
    def solve(realization: int, method=None) -> xr.Dataset:
        model = qt.models.sample_imbrie_chain(num_bath_sites=3, disorder=2.0, seed=1, realization=realization)
        return qt.solve(qt.Autocorrelation(model, times=[0.0, 1.0, 3.0]), method or qt.Dense())

    results = [solve(k) for k in range(6)]
    mean = qt.average_results(results)
    samples = np.array([data["correlator"].values for data in results])
    np.testing.assert_allclose(mean["correlator"], samples.mean(axis=0))
    np.testing.assert_allclose(mean["correlator_disorder_stderr"], samples.std(axis=0, ddof=1) / np.sqrt(6))
    assert mean.attrs["num_realizations"] == 6
    assert qt.load_result(qt.save_result(mean, tmp_path / "mean.nc")).identical(mean)
    with pytest.raises(qt.InputError, match="at least 2"):
        qt.average_results(results[:1])
    with pytest.raises(qt.InputError, match="agree in `method`"):
        qt.average_results([results[0], solve(1, qt.HeisenbergTEBD())])
