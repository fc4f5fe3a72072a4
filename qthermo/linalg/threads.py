"""How many threads small problems get: one, since waking more costs longer than the work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

__all__ = ["limit_kernel_threads", "limit_threads"]

_SMALL = 64
_SMALL_VECTOR = 2**20


def limit_threads(dimension: int) -> AbstractContextManager[Any]:
    """Return a context in which BLAS works on one thread if matrices are no larger than 64."""
    if dimension > _SMALL:
        return nullcontext()
    from threadpoolctl import threadpool_limits

    context: AbstractContextManager[Any] = threadpool_limits(limits=1, user_api="blas")
    return context


@contextmanager
def limit_kernel_threads(size: int) -> Iterator[None]:
    """Let this thread's compiled kernels work alone on vectors below 2^20 numbers, a pass over which takes about 1 ms.

    The barrier at the end of a parallel loop costs as much, and many times that on a busy machine.
    """
    import numba

    before = numba.get_num_threads()
    if size < _SMALL_VECTOR:
        numba.set_num_threads(1)
    try:
        yield
    finally:
        numba.set_num_threads(before)
