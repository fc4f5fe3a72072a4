"""Files and runs: model and study files, ensembles that survive interruptions, comparisons, and the demo."""

from qthermo.studies.collect import collect_study
from qthermo.studies.ensemble import Ensemble, Output
from qthermo.studies.method_comparison import MeanComparison, compare_methods
from qthermo.studies.order_loop import RunStatus
from qthermo.studies.running import run_study
from qthermo.studies.show import Card, show
from qthermo.studies.study import Axis, Study, Task
from qthermo.studies.study_file import load_study, parse_study

__all__ = [
    "Axis",
    "Card",
    "Ensemble",
    "MeanComparison",
    "Output",
    "RunStatus",
    "Study",
    "Task",
    "collect_study",
    "compare_methods",
    "load_study",
    "parse_study",
    "run_study",
    "show",
]
