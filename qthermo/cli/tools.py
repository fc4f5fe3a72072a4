"""`qthermo doctor`, `qthermo methods` and `qthermo models`: what there is, and whether it works here."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated

import typer

import qthermo
from qthermo.cli.console import print_table
from qthermo.errors import ExecutionError

if TYPE_CHECKING:
    from qthermo.studies.self_test import SelfTestResult

__all__ = ["tools_app"]

tools_app = typer.Typer()

MethodName = Annotated[str | None, typer.Argument(metavar="[NAME]", help="Show this method's options.")]
FamilyName = Annotated[str | None, typer.Argument(metavar="[NAME]", help="Show this family's keys.")]
SkipTests = Annotated[bool, typer.Option("--no-self-test", help="Leave out the self-test of the engines.")]


@tools_app.command()
def doctor(no_self_test: SkipTests = False) -> None:
    """Say what this installation is made of and try every engine on numbers that are known exactly."""
    from qthermo.studies.doctor import describe_machine, list_extras, list_packages

    print(f"qthermo {qthermo.__version__}")
    print_table(["machine", ""], describe_machine())
    packages = list_packages()
    print_table(
        ["package", "version", "needed", ""],
        [[p.name, p.found or "missing", f">= {p.least}", "ok" if p.usable else "TO INSTALL"] for p in packages],
    )
    print_table(
        ["extra", "", "to install it"],
        [
            [extra.name, "present" if extra.present else "not complete", "" if extra.present else extra.command]
            for extra in list_extras()
        ],
    )
    wanting = [package.name for package in packages if not package.usable]
    failed = [] if no_self_test else _run_self_tests()
    if wanting or failed:
        raise ExecutionError(
            "The installation must be whole, but "
            + "; ".join(
                ([f"{', '.join(wanting)} is missing or too old"] if wanting else [])
                + ([f"the self-test of {', '.join(failed)} failed"] if failed else [])
            )
            + ": run `pip install .` in the source of qthermo, in a fresh environment."
        )
    print("all is well")


def _run_self_tests() -> list[str]:
    """Run and print the self-tests; return the names of the methods that failed."""
    from qthermo.studies.self_test import list_self_tests, run_self_tests

    results = list(run_self_tests(list_self_tests()))
    header = ["engine", "method", "problem", "deviation", "allowed", "time", "verdict"]
    print_table(header, [_self_test_row(result) for result in results])
    spent: dict[str, float] = {}
    for result in results:
        spent[result.test.engine] = spent.get(result.test.engine, 0.0) + result.seconds
    shares = ", ".join(f"{engine} {seconds:.1f} s" for engine, seconds in spent.items())
    print(f"self-test: {sum(spent.values()):.1f} s ({shares}; imports are counted where they happen first)")
    for result in results:
        if result.problem:
            print(f"{type(result.test.method).__name__}: {result.problem}")
    return [type(result.test.method).__name__ for result in results if not result.passed]


def _self_test_row(result: SelfTestResult) -> list[str]:
    test = result.test
    return [
        test.engine,
        type(test.method).__name__,
        type(test.problem).__name__,
        "-" if result.problem else f"{result.deviation:.1e}",
        f"{test.tolerance:.0e}",
        f"{result.seconds:.2f} s",
        "ok" if result.passed else "FAILED",
    ]


@tools_app.command()
def methods(name: MethodName = None) -> None:
    """List which method answers which problem, or the options of one method."""
    from qthermo.studies.capabilities import describe_method, list_answers
    from qthermo.studies.method_names import find_method

    if name is None:
        print_table(*list_answers())
        return
    cls = find_method(name)
    print(f"{cls.__name__} answers {', '.join(problem.__name__ for problem in cls.answers)}.\n")
    print(inspect.getdoc(cls) or "")
    print()
    print_table(*describe_method(cls))


@tools_app.command()
def models(name: FamilyName = None) -> None:
    """List the model families that a model file may name, or the keys of one family."""
    from qthermo.studies.capabilities import describe_family, find_family, list_families

    if name is None:
        print_table(*list_families())
        return
    sampler = find_family(name)
    print(inspect.getdoc(sampler) or "")
    print()
    print_table(*describe_family(sampler))
