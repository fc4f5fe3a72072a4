"""Combinations: whether every method can answer the problem at every grid point, and what that needs."""

from __future__ import annotations

from dataclasses import dataclass

from qthermo.errors import InputError
from qthermo.memory import available_memory, format_bytes
from qthermo.solve import check_request
from qthermo.studies.study import Study
from qthermo.studies.study_file import raise_together

__all__ = ["Needs", "check_combinations"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a study needs.

    Args:
        memory: bytes at the peak of the hungriest task, by method label.
        dimensions: dimension of the Hilbert space at every grid point.
    """

    memory: dict[str, float]
    dimensions: tuple[int, ...]


def check_combinations(study: Study, *, num_workers: int = 1) -> Needs:
    """Build the first realization at every grid point and ask every method whether it can answer.

    Raises:
        InputError: some cannot, or `num_workers` of them together do not fit in memory; all are named at once.
    """
    complaints: dict[str, list[str]] = {}
    memory = dict.fromkeys(study.labels, 0.0)
    dimensions = []
    for point in range(len(study.points)):
        where = study.point_name(point)
        try:
            problem = study.build_problem(point, 0)
        except InputError as error:
            complaints.setdefault(f"model or problem: {error}", []).append(where)
            dimensions.append(0)
            continue
        dimensions.append(problem.model.dimension)
        for index, label in enumerate(study.labels):
            try:
                needed = check_request(problem, study.build_method(index, 0))
            except InputError as error:
                complaints.setdefault(f"method {label}: {error}", []).append(where)
            else:
                memory[label] = max(memory[label], needed)
    sentences = [f"{_places(points)}, {words}" for words, points in complaints.items()]
    raise_together(sentences or _check_together(memory, num_workers))
    return Needs(memory=memory, dimensions=tuple(dimensions))


def _places(points: list[str]) -> str:
    more = f" and {len(points) - 1} more grid points" if len(points) > 1 else ""
    return f"At {points[0]}{more}"


def _check_together(memory: dict[str, float], num_workers: int) -> list[str]:
    largest, free = max(memory.values()), available_memory()
    if num_workers * largest <= 0.9 * free:
        return []
    fitting = int(0.9 * free // largest)
    return [
        f"{num_workers} workers need up to {format_bytes(num_workers * largest)} of memory together, but "
        f"{format_bytes(free)} are available; take at most {fitting} workers."
    ]
