"""The documentation: pages complete, every Python block executed by the build, shell blocks run here."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

import pytest

from qthermo.cli import main
from qthermo.solve import METHODS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(p for p in DOCS.rglob("*.md") if not {"_build", "api", "gallery", "jupyter_execute"} & set(p.parts))
METHOD_PAGES = [
    p
    for p in PAGES
    if p.parent.name == "methods"
    and any(re.search(rf"^# .*\b{c.__name__}\b", p.read_text(), re.MULTILINE) for c in METHODS)
]  # other pages there are about a problem
SHELL_PAGES = [
    "README.md",
    "docs/quickstart.md",
    "docs/hardware.md",
    "docs/studies.md",
    "docs/howto/run_on_many_machines.md",
    "docs/howto/send_a_bundle.md",
]
FEWER = {
    "num_realizations = 100": "num_realizations = 2",
    "num_realizations = 16": "num_realizations = 2",
    "num_bath_sites = 7": "num_bath_sites = 3",
    "[1, 2, 3, 4, 5, 6, 7, 8]": "[4]",
    "--to 500": "--to 3",
    "[1, 2, 4, 8]": "[1, 8]",
}


def page_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_method_has_a_page_that_names_it_in_its_title():
    titles = " ".join(re.findall(r"^#+ (.*)$", "\n".join(p.read_text() for p in METHOD_PAGES), re.MULTILINE))
    missing = [cls.__name__ for cls in METHODS if not re.search(rf"\b{cls.__name__}\b", titles)]
    assert missing == []


@pytest.mark.parametrize("path", METHOD_PAGES, ids=page_name)
def test_method_pages_say_cost_errors_conviction_and_source(path):
    text = path.read_text()
    labels = re.findall(r"^(?:#+ |\*\*)([^\n*]+?)(?:\*\*|\.|$)", text, re.MULTILINE)
    for needed in (r"Cost", r"Error|Where it fails|Parameters", r"How to be convinced", r"Reference"):
        assert any(re.match(needed, label) for label in labels), f"{path.name} has no part on {needed}"


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_python_is_in_cells_that_the_build_executes(path):
    """A page with Python holds code cells, and then the header that makes it a notebook."""
    text = path.read_text()
    assert "```python\n" not in text
    assert "```{code-cell}" not in text or text.startswith("---\nfile_format: mystnb\n")


@pytest.mark.parametrize("path", sorted((DOCS / "notebooks").glob("*.ipynb")), ids=page_name)
def test_notebooks_are_kept_without_outputs(path):
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert cells
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in cells)


@pytest.mark.parametrize("path", [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"], ids=page_name)
def test_links_lead_somewhere(path):
    """Pages that the build writes (api, gallery) are checked by the build."""
    text = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
        if not target.startswith(("api/", "gallery/")):
            assert (path.parent / target).exists() or (path.parent / f"{target}.md").exists(), target


def smaller(page: str) -> str:
    """Return the page with fewer realizations."""
    text = (ROOT / page).read_text()
    for many, few in FEWER.items():
        text = text.replace(many, few)
    return text


def shell_blocks(page: str) -> list[tuple[str, str]]:
    """Return (command, what is printed below it) of all console blocks."""
    blocks = re.findall(r"```console\n(.*?)```", smaller(page), re.DOTALL)
    pairs = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", "".join(blocks), re.MULTILINE)
    return [(command.split("   #")[0].split("  #")[0].strip(), shown) for command, shown in pairs]


@pytest.mark.parametrize("page", SHELL_PAGES)
def test_commands_run(page, tmp_path, monkeypatch):
    """`cat FILE` stands for the file that it shows; `qthermo ...` must succeed; `make ...` is what runs these tests."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "chain.toml").write_text(
        '[model]\nfamily = "imbrie_chain"\nnum_bath_sites = 3\ndisorder = 1.0\nseed = 1\n'
    )
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "disorder_sweep.toml").write_text(smaller("examples/disorder_sweep.toml"))
    for name, content in re.findall(r"^%%writefile (\S+\.toml)\n(.*?)```", smaller(page), re.DOTALL | re.MULTILINE):
        Path(name).write_text(content)
    for command, shown in shell_blocks(page):
        program, *words = shlex.split(command)
        if program == "cat":
            Path(words[0]).write_text(shown)
        elif program == "qthermo":
            monkeypatch.setattr(sys, "argv", [program, *words])
            with pytest.raises(SystemExit) as exit_info:
                main()
            assert not exit_info.value.code, command
        else:
            assert program == "make", command


def test_every_page_with_commands_is_run():
    """A console block on a page that is not in the list would never be tried."""
    with_commands = {page_name(p) for p in [*PAGES, ROOT / "README.md"] if "```console\n" in p.read_text()}
    assert with_commands == set(SHELL_PAGES)


def test_shell_scripts_in_pages_parse(tmp_path):
    import subprocess

    scripts = [s for p in PAGES for s in re.findall(r"```bash\n(.*?)```", p.read_text(), re.DOTALL)]
    assert scripts
    for script in scripts:
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_every_example_is_in_the_gallery_with_a_title_and_a_picture():
    for path in sorted((ROOT / "examples").glob("*.py")):
        title, line, *_ = path.read_text().removeprefix('"""').split("\n")
        assert line == "=" * len(title), path.name
        assert re.search(rf"""["']{path.stem}\.png["']""", path.read_text()), path.name
        assert '"--quick"' in path.read_text(), path.name


def test_docstrings_become_valid_markup():
    sys.path.insert(0, str(DOCS / "_extensions"))
    try:
        pytest.importorskip("sphinx")
        from docstring_markup import to_rest
    finally:
        sys.path.pop(0)
    lines = [
        "Half of |V|^2 with `a*b`:",
        "",
        "    G_k = 1 / (z * |V|)",
        "",
        "and more.",
        "Cost: 2 * N.",
        "",
        "Args:",
        "    x_: the x.",
    ]
    assert to_rest(lines) == [
        r"Half of \|V\|^2 with ``a*b``:", "", "::", "", "    G_k = 1 / (z * |V|)", "", "and more.", "",
        r"**Cost.** 2 \* N.", "", "Args:", r"    x\_: the x.",
    ]  # fmt: skip


def test_cells_whose_package_is_missing_are_shown_and_say_so():
    sys.path.insert(0, str(DOCS / "_extensions"))
    try:
        pytest.importorskip("sphinx")
        from peers import show_only
    finally:
        sys.path.pop(0)
    page = "```{code-cell}\n# needs no_such_package\nx = 1\n```\n\n```{code-cell}\n# needs json\ny = 1\n```\n"
    shown = show_only(page, "page")
    assert "Not run in this build: no_such_package is not installed." in shown
    assert "```python\nx = 1\n```" in shown
    assert "```{code-cell}\ny = 1\n```" in shown
