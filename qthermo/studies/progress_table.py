"""How far a study is: one row for every grid point and method."""

from __future__ import annotations

from qthermo.studies.agenda import Agenda, prefix_stderr
from qthermo.studies.store import Scan, Store
from qthermo.studies.study import Task

__all__ = ["progress_rows"]


def progress_rows(store: Store, scan: Scan) -> tuple[list[str], list[list[str]]]:
    """Return header and rows: done, failed, planned, and the largest standard error of the main variable so far."""
    study = store.study
    agenda = Agenda(store)
    agenda.start(scan)
    rows = []
    for point in range(len(study.points)):
        for method, label in enumerate(study.labels):
            done = sorted(t.realization for t in scan.done if (t.point, t.method) == (point, method))
            failed = sum((t.point, t.method) == (point, method) for t in scan.failed)
            samples = {r: store.read(Task(r, point, method)).main for r in done} if len(done) > 1 else {}
            stderr = prefix_stderr(samples, study.ensemble.num_realizations)
            planned = agenda.used.get(point)
            state = f"enough at {planned}" if planned is not None else f"of {study.ensemble.num_realizations}"
            shown = f"{stderr:.2e}" if stderr < float("inf") else "-"
            rows.append([study.point_name(point), label, str(len(done)), str(failed), state, shown])
    return ["point", "method", "done", "failed", "planned", "stderr"], rows
