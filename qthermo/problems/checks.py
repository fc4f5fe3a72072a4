"""What several problems check of their fields."""

from __future__ import annotations

from qthermo.errors import InputError
from qthermo.models import MatrixModel, SpinModel
from qthermo.operators import PauliSum

__all__ = ["check_couplings", "check_model_type", "check_operator", "check_product_state"]


def check_model_type(model: object) -> None:
    """Raise `InputError` unless the model is one of spins or of matrices with a thermometer."""
    if not isinstance(model, SpinModel | MatrixModel):
        raise InputError(f"Argument `model` must be made by qthermo.models, but is a {type(model).__name__}.")


def check_product_state(letters: object, num_sites: int) -> None:
    """Raise `InputError` unless there is one letter of 0, 1, + and - for each site."""
    if not isinstance(letters, str) or len(letters) != num_sites or set(letters) - set("01+-"):
        raise InputError(f"Argument `initial_state` must be {num_sites} letters of 0, 1, + and -, but is {letters!r}.")


def check_operator(name: str, operator: object, num_sites: int) -> None:
    """Raise `InputError` unless the operator is a Pauli sum on these sites."""
    if not isinstance(operator, PauliSum):
        raise InputError(f"Argument `{name}` must be a PauliSum, but is a {type(operator).__name__}.")
    if operator.num_sites > num_sites:
        raise InputError(f"Argument `{name}` must act on sites below {num_sites}, but acts on {operator.sites[-1]}.")


def check_couplings(letters: object) -> None:
    """Raise `InputError` unless the letters are distinct ones of "XYZ"."""
    if not isinstance(letters, str) or not letters or set(letters) - set("XYZ") or len(set(letters)) < len(letters):
        raise InputError(f'Argument `couplings` must be distinct letters of "XYZ", but is {letters!r}.')
