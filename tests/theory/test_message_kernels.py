import message_kernels as kernels
import numpy as np
import pytest

SHAPE = (70, 131)  # more than one tile, neither side a multiple of it


@pytest.fixture
def graph():
    rng = np.random.default_rng(0)
    weights = rng.exponential(size=SHAPE)
    messages = rng.normal(size=SHAPE) - 1j * rng.exponential(size=SHAPE)
    back = rng.normal(size=SHAPE[::-1]) - 1j * rng.exponential(size=SHAPE[::-1])
    return weights, messages, back, rng


def parts(values):
    return np.ascontiguousarray(values.real), np.ascontiguousarray(values.imag)


def test_cavity_kernels_follow_their_formulas(graph):
    weights, messages, _, rng = graph
    inverse = rng.normal(size=SHAPE[0]) + 1j * rng.exponential(size=SHAPE[0])
    sums = np.empty(SHAPE[0], complex)
    kernels.gather_cavity(weights, *parts(messages), sums)
    np.testing.assert_allclose(sums, (weights * messages).sum(axis=1), rtol=1e-12)
    sent = np.empty(SHAPE[::-1]), np.empty(SHAPE[::-1])
    kernels.send_cavity(weights, *parts(messages), inverse, *sent)
    np.testing.assert_allclose(sent[0] + 1j * sent[1], (1 / (inverse[:, None] + weights * messages)).T, rtol=1e-9)


def test_ladder_kernels_follow_their_formulas(graph):
    weights, _, back, rng = graph
    ladder = rng.exponential(size=SHAPE)
    sums = np.empty(SHAPE[0])
    kernels.gather_ladder(weights, ladder, sums)
    np.testing.assert_allclose(sums, (weights * ladder).sum(axis=1), rtol=1e-12)
    sent = np.empty(SHAPE[::-1])
    kernels.send_ladder(weights, ladder, sums, *parts(back), sent)
    np.testing.assert_allclose(sent, np.abs(back) ** 2 * (sums[:, None] - weights * ladder).T, rtol=1e-12)


def test_resonant_pairs_are_counted(graph):
    weights, messages, back, _ = graph
    expected = np.count_nonzero(weights * np.abs(messages) * np.abs(back.T) > 1)
    assert 0 < expected < weights.size
    assert kernels.measure_resonance(weights, *parts(messages), *parts(back)) == expected
