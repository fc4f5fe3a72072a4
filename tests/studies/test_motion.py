"""The verdict on wave packets: the three kinds, its confidence and window, and what it cannot know."""

from __future__ import annotations

import numpy as np
import pytest

import qthermo as qt
from qthermo.models import sample_anderson_lattice
from qthermo.studies.motion import classify_motion


def packets(shape, disorder, times, count=6):
    models = [sample_anderson_lattice(shape=shape, disorder=disorder, seed=5, realization=k) for k in range(count)]
    return [qt.solve(qt.WavePacket(model, times=times), qt.Chebyshev()) for model in models]


def test_weak_disorder_is_ballistic_at_first():
    motion = classify_motion(packets((401,), 0.1, np.geomspace(1, 60, 9)))
    assert motion.kind == "ballistic"
    assert motion.exponent == pytest.approx(2, abs=0.1)
    assert motion.confidence > 0.99


def test_chain_is_trapped():
    motion = classify_motion(packets((301,), 4.0, np.geomspace(30, 300, 6), count=12))
    assert motion.kind == "trapped"
    assert motion.confidence > 0.9
    assert motion.window == (pytest.approx(30), pytest.approx(300))


def test_cube_below_the_transition_is_diffusive_with_its_constant():
    motion = classify_motion(packets((36,) * 3, 8.0, np.geomspace(2, 9, 8)), window=(3, 9))
    assert motion.kind == "diffusive"
    assert motion.confidence > 0.9
    assert 0.3 < motion.diffusion_constant < 1.2
    assert 0 < motion.diffusion_stderr < 0.2
    assert "every disorder traps" not in motion.remark


def test_film_looks_diffusive_and_the_verdict_says_so():
    motion = classify_motion(packets((121, 121), 5.0, np.geomspace(2, 16, 8)), window=(3, 16))
    assert motion.kind == "diffusive"
    assert "in 2D every disorder traps in the end" in motion.remark


@pytest.mark.filterwarnings("ignore::qthermo.ValidityWarning")
def test_times_near_periodic_images_are_left_out():
    motion = classify_motion(packets((101,), 0.1, np.geomspace(1, 60, 12)), window=(1, 60))
    assert motion.window[1] < 25


def test_bad_results_are_refused():
    results = packets((31,), 4.0, np.array([1.0, 2.0, 3.0]), count=3)
    with pytest.raises(qt.InputError, match="at least 3 realizations"):
        classify_motion(results[:2])
    with pytest.raises(qt.InputError, match="3 usable times"):
        classify_motion(results, window=(2, 3))
    with pytest.raises(qt.InputError, match="same times"):
        classify_motion([*results[:2], results[2].isel(time=[0, 1])])
