"""Settings and fixtures of all tests; what they share by import is in modules of its own (`reference_models`, ...)."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from reference_models import MODELS

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.load_profile("default")


@pytest.fixture(params=MODELS, ids=str)
def sampler(request: pytest.FixtureRequest):
    """Every sampled model family, as a function of the seed."""
    return MODELS[request.param]
