"""The command line: parse, call, print."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import qthermo
from qthermo.cli.console import checked, print_table, progress_bars, remembered_interrupt
from qthermo.cli.study import study_app
from qthermo.cli.tools import tools_app
from qthermo.errors import InputError, QThermoError
from qthermo.files import make_folder
from qthermo.memory import available_memory, format_bytes

if TYPE_CHECKING:
    import xarray as xr

    from qthermo.studies.compare import Comparison
    from qthermo.studies.demo import DemoStep

__all__ = ["app", "main"]

app = typer.Typer(
    help="Predict, simulate and check how a small thermometer thermalises with a quantum many-body bath.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
app.add_typer(study_app, name="study")
app.add_typer(tools_app)


def main() -> None:
    """Run the command line; bad input ends with one sentence and exit code 2, a failed run with exit code 1."""
    try:
        app()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except QThermoError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        raise SystemExit(130) from None


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"qthermo {qthermo.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Predict, simulate and check how a small thermometer thermalises with a quantum many-body bath."""


@app.command()
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")] = Path("qthermo-demo"),
    num_bath_sites: Annotated[int, typer.Option(min=2, help="Number of bath spins.")] = 9,
    disorder: Annotated[float, typer.Option(min=0, help="Disorder strength W.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the disorder and of the shots.")] = 1,
) -> None:
    """One disordered chain with a thermometer through ED, MPS, an Aer circuit and the theory, compared and drawn."""
    from qthermo.studies.demo import compare_demo, demo_model, demo_steps, run_demo, write_demo_files

    model = demo_model(num_bath_sites=num_bath_sites, disorder=disorder, seed=seed)
    steps = demo_steps(model, seed=seed)
    make_folder(output, "The demo")
    _print_header(seed, max(step.estimated_memory for step in steps))
    print(f"model: {model!r}, disorder {disorder:g}")
    command = f"qthermo demo -o {output} --num-bath-sites {num_bath_sites} --disorder {disorder:g} --seed {seed}"
    try:
        with progress_bars() as bar, remembered_interrupt() as check:
            results = run_demo(steps, output, lambda step: checked(bar(step.name), check))
    except KeyboardInterrupt:
        print(f"\ninterrupted; what is done is kept. To go on: {command}", file=sys.stderr)
        raise SystemExit(130) from None
    _print_comparison(list(compare_demo(steps, results)), steps)
    for path in write_demo_files(model, results, output):
        print(f"wrote {path}")


@app.command()
def solve(
    model_file: Annotated[Path, typer.Argument(metavar="MODEL.toml", help="Model file with a table [model].")],
    method: Annotated[str, typer.Option("--method", "-m", help="Name of the method, for example Dense.")] = "Dense",
    problem: Annotated[
        str, typer.Option("--problem", "-p", help="Name of the problem, for example propagator.")
    ] = "autocorrelation",
    times: Annotated[str | None, typer.Option(help="start:stop:count, or values with commas.")] = None,
    beta: Annotated[str | None, typer.Option(help="Inverse temperature.")] = None,
    energies: Annotated[str | None, typer.Option(help="start:stop:count, or values with commas.")] = None,
    laplace: Annotated[str | None, typer.Option(help="start:stop:count (geometric), or values with commas.")] = None,
    ask: Annotated[list[str] | None, typer.Option(help="Other field of the problem, key=value; repeatable.")] = None,
    option: Annotated[list[str] | None, typer.Option(help="Option of the method, key=value; repeatable.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="netCDF file to write.")] = None,
) -> None:
    """Answer one problem for the model of MODEL.toml by one method."""
    from qthermo.studies.method_names import build_method, parse_options, split_options
    from qthermo.studies.model_file import load_model
    from qthermo.studies.problem_names import build_problem

    chosen = build_method(method, parse_options(option or []))
    given = {"times": times, "beta": beta, "energies": energies, "laplace": laplace}
    texts = {key: text for key, text in given.items() if text is not None}
    asked = build_problem(problem, load_model(model_file), texts | split_options(ask or []))
    with progress_bars() as bar:
        data = qthermo.solve(asked, chosen, progress=bar(type(chosen).__name__))
    _print_result(data)
    if output is not None:
        print(f"wrote {qthermo.save_result(data, output)}")


@app.command()
def export(
    model_file: Annotated[
        Path | None, typer.Argument(metavar="[MODEL.toml]", help="Model file with a table [model].")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for the bundle.")] = None,
    target: Annotated[str | None, typer.Option(help="Device to compile for, for example fake_fez.")] = None,
    times: Annotated[
        str | None, typer.Option(help="start:stop:count, or values with commas; for C(t) 0.5,1,2 unless given.")
    ] = None,
    num_steps: Annotated[int | None, typer.Option(min=1, help="C(t): Trotter steps of each circuit.")] = None,
    time_step: Annotated[float, typer.Option(help="C(t): longest Trotter step, if --num-steps is not given.")] = 0.1,
    trotter_order: Annotated[int, typer.Option(help="C(t): 1, 2 or 4.")] = 2,
    layout: Annotated[str, typer.Option(help="C(t): line, round_robin, swap_network or parity_network.")] = "line",
    light_cone: Annotated[bool, typer.Option(help="C(t): leave out gates that it does not depend on.")] = False,
    num_shots: Annotated[
        int | None, typer.Option(min=2, help="Shots per time, 10000 unless given; thermalising, per circuit, 1000.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the transpiler.")] = 0,
    method: Annotated[
        str, typer.Option("--method", "-m", help="TrotterCircuit for C(t), CollisionCircuit or DilationCircuit.")
    ] = "TrotterCircuit",
    beta: Annotated[str | None, typer.Option(help="Thermalising: inverse temperature.")] = None,
    num_rounds: Annotated[
        str | None, typer.Option(help="Thermalising: collisions, or sweeps of dilations, instead of --times.")
    ] = None,
    ask: Annotated[
        list[str] | None, typer.Option(help="Thermalising: initial_state=0101 or couplings=XZ; repeatable.")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="Thermalising: option of the method, key=value; repeatable.")
    ] = None,
    check: Annotated[Path | None, typer.Option(metavar="DIR", help="Check the bundle in DIR instead.")] = None,
) -> None:
    """Write the hardware bundle of MODEL.toml (circuits, maps, estimator, reference), or check one with --check."""
    if check is not None:
        _check_bundle(check)
        return
    if model_file is None or output is None:
        raise InputError("`qthermo export` needs MODEL.toml and -o DIR, or --check DIR.")
    from qthermo.circuits.bundle_options import BundleOptions
    from qthermo.studies.bundles import export_thermalising, export_with_reference
    from qthermo.studies.method_names import build_method, parse_options, split_options
    from qthermo.studies.model_file import load_model
    from qthermo.studies.names import plain_name
    from qthermo.studies.problem_names import parse_grid

    options = BundleOptions(
        num_steps=num_steps,
        time_step=time_step,
        trotter_order=trotter_order,
        layout=layout,
        light_cone=light_cone,
        num_shots=BundleOptions().num_shots if num_shots is None else num_shots,
        seed=seed,
    )
    texts = {key: text for key, text in {"times": times, "beta": beta}.items() if text is not None}
    texts |= split_options(ask or [])
    model = load_model(model_file)
    if plain_name(method) == "trottercircuit":
        if option or num_rounds is not None or texts.keys() - {"times"}:
            raise InputError(
                "A bundle of C(t) takes none of --beta, --num-rounds, --ask and --option; leave them out, or name a "
                "--method that thermalises."
            )
        grid = parse_grid("times", texts.get("times", "0.5,1,2"))
        path = export_with_reference(model, output, times=grid, target=target, options=options)
        print(f"wrote {path}")
        _print_device(json.loads(path.read_text())["target"])
        return
    if options != BundleOptions(num_shots=options.num_shots, seed=seed):
        raise InputError(
            "--num-steps, --time-step, --trotter-order, --layout and --light-cone belong to bundles of C(t); a method "
            "that thermalises takes its own by --option, for example --option time_step=0.2."
        )
    path = export_thermalising(
        model,
        output,
        build_method(method, parse_options(option or [])),
        texts,
        num_rounds=None if num_rounds is None else parse_grid("num_rounds", num_rounds),
        target=target,
        num_shots=1000 if num_shots is None else num_shots,
        seed=seed,
    )
    print(f"wrote {path}")
    _print_circuits(json.loads(path.read_text()))


def _print_circuits(manifest: dict[str, Any]) -> None:
    """Print a row for each circuit of a bundle that thermalises, and the device."""
    header, rows = ["sequence", "time", "rounds"], []
    compiled = manifest["target"] is not None
    for circuit in manifest["circuits"]:
        row = [str(circuit["sequence"]), f"{circuit['time']:.4g}", str(circuit["num_rounds"])]
        if compiled:
            costs = circuit["costs"]
            row += [str(costs["two_qubit_gates"]), str(costs["two_qubit_depth"]), f"{costs['success_probability']:.2g}"]
        rows.append(row)
    if compiled:
        header += [f"two-qubit gates on {manifest['target']['name']}", "depth", "product of (1 - error)"]
    print_table(header, rows)


def _check_bundle(folder: Path) -> None:
    from qthermo.circuits import check_bundle

    found = check_bundle(folder)
    print_table(["file", "deviation"], [[name, f"{value:.1e}"] for name, value in found.deviations.items()])
    print(f"{folder}: {len(found.manifest['files'])} files read, all agree")


def _print_device(device: dict[str, Any] | None) -> None:
    if device is None:
        return
    swaps = "no swaps" if device["swap_free"] else "with swaps"
    print(
        f"{device['name']}: {device['two_qubit_gates']} two-qubit gates at depth {device['two_qubit_depth']}, {swaps}, "
        f"product of (1 - error) {device['success_probability']:.2g}"
    )


@app.command()
def info(result_file: Annotated[Path, typer.Argument(metavar="RESULT.nc", help="File written by qthermo.")]) -> None:
    """Show what a result file holds and how it was made."""
    data = qthermo.load_result(result_file)
    _print_result(data)
    for key, value in data.attrs.items():
        text = str(value)
        print(f"{key}: {text if len(text) <= 400 else text[:400] + ' ...'}")


def _print_header(seed: int, memory: float) -> None:
    from threadpoolctl import threadpool_info

    threads = max((pool["num_threads"] for pool in threadpool_info()), default=1)
    print(f"qthermo {qthermo.__version__}, python {sys.version.split()[0]}, seed {seed}, {threads} threads")
    print(f"memory: about {format_bytes(memory)} needed, {format_bytes(available_memory())} available")


def _print_comparison(comparisons: list[Comparison], steps: list[DemoStep]) -> None:
    header = ["quantity", "method", "value", "deviation from ED", "error estimate", "wall time", "verdict"]
    rows = []
    for line, step in zip(comparisons, steps, strict=True):
        quantity = "C(t=6)" if type(step.problem).__name__ == "Autocorrelation" else "c(0, s=0.1)"
        error = "none stated" if line.error != line.error else f"{line.error:.1e}"
        deviation = "-" if line.verdict == "judge" else f"{line.deviation:.1e}"
        rows.append(
            [quantity, line.method, f"{line.value:+.4f}", deviation, error, f"{line.wall_time:.2f} s", line.verdict]
        )
    print_table(header, rows)


_DETAILS = ("initial", "final", "configuration", "displacement", "state")
"""Dimensions that the printed table leaves out; the file has them."""


def _print_result(data: xr.Dataset) -> None:
    print(f"{data.attrs['problem']} of {data.attrs.get('model', '?')} by {data.attrs.get('method', '?')}")
    for warning in json.loads(data.attrs.get("warnings", "[]")):
        print(f"warning: {warning}")
    frame = data.drop_dims([d for d in _DETAILS if d in data.dims])
    if not frame.sizes:
        for name, value in frame.data_vars.items():
            print(f"{name} = {_format(value.item(), digits=12)}")
        return
    names = [*frame.sizes, *frame.data_vars]
    table = frame.to_dataframe().reset_index()
    rows = [[_format(record[name]) for name in names] for record in table.to_dict("records")]
    print_table([str(name) for name in names], rows)


def _format(value: Any, digits: int = 6) -> str:
    if isinstance(value, complex):
        return f"{value.real:.{digits}g}{value.imag:+.{digits}g}i"
    return f"{value:.{digits}g}" if isinstance(value, int | float) else str(value)
