"""Correlations, against numpy's and their definitions."""

import numpy as np
import pytest

from pyconv import metrics


def pairs(shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random(shape), rng.random(shape)


def test_pearson_is_that_of_numpy():
    y, p = pairs((5, 7))
    wanted = [np.corrcoef(a, b)[0, 1] for a, b in zip(y, p, strict=True)]
    np.testing.assert_allclose(metrics.pearson_correlation(y, p), wanted, rtol=1e-6)
    np.testing.assert_allclose(metrics.pearson_correlation(y.T, p.T, axis=0), wanted, rtol=1e-6)
    metric = metrics.PearsonCorrelation()
    metric.update_state(y[:2], p[:2])
    metric.update_state(y[2:], p[2:])
    assert metric.result() == pytest.approx(np.mean(wanted), rel=1e-6)


def test_concordance_by_its_definition():
    y, p = pairs((4, 9), 1)
    r = np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(y, p, strict=True)])
    sy, sp = y.std(1), p.std(1)
    wanted = 2 * r * sy * sp / (sy**2 + sp**2 + (y.mean(1) - p.mean(1)) ** 2 + 1e-7)
    np.testing.assert_allclose(metrics.concordance_correlation(y, p), wanted, rtol=1e-5)
    assert metrics.ConcordanceCorrelation()(y, p) == pytest.approx(wanted.mean(), rel=1e-5)
    assert metrics.ConcordanceCorrelation()(y, y) == pytest.approx(1.0, abs=1e-5)
    assert metrics.ConcordanceCorrelation()(y, y + 1) < 0.3


def test_a_constant_has_no_pearson_correlation():
    assert np.isnan(metrics.pearson_correlation([[1.0, 1.0]], [[0.0, 1.0]])[0])


@pytest.mark.parametrize("kind", [metrics.PearsonCorrelation, metrics.ConcordanceCorrelation])
def test_config_and_errors(kind):
    metric = kind("r", axis=1)
    assert metrics.deserialize(metrics.serialize(metric)).get_config() == metric.get_config()
    with pytest.raises(TypeError, match=f"{kind.__name__}: axis must be an integer"):
        kind(axis=None)
    with pytest.raises(ValueError, match=r"one shape, with an axis -1, got \(1, 2\) and \(1, 3\)"):
        kind()([[1, 2]], [[1, 2, 3]])
    with pytest.raises(TypeError, match="y_pred must be an array of numbers"):
        kind()([[1, 2]], [["a", "b"]])
