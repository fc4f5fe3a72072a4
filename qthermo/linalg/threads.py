"""How many threads small matrices get: one, since waking more costs longer than the product."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

__all__ = ["limit_threads"]

_SMALL = 64


def limit_threads(dimension: int) -> AbstractContextManager[Any]:
    """Return a context in which BLAS works on one thread if matrices are no larger than 64."""
    if dimension > _SMALL:
        return nullcontext()
    from threadpoolctl import threadpool_limits

    context: AbstractContextManager[Any] = threadpool_limits(limits=1, user_api="blas")
    return context
