"""The report: complete, self-contained, and readable in a browser."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image
from study_cases import cheap_tables

import qthermo as qt
from qthermo.studies.folder import open_store
from qthermo.studies.report import write_report


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "s"
    methods = [{"name": "Dense"}, {"name": "CavityDiffuson", "label": "edge", "max_iterations": 6}]
    tables = cheap_tables(name="a-study", methods=methods, model={"disorder": [1.0, 2.0, 4.0]})
    tables["problem"] = {"name": "Propagator", "laplace": [0.3, 1.0, 3.0]}
    with ThreadPoolExecutor(1) as pool:
        qt.run_study(qt.parse_study(tables), folder, executor=pool, num_workers=1)
    store = open_store(folder)
    failed = store.scan().failed
    assert 0 < len(failed) < 18, "some must converge in 6 passes and some not"
    return write_report(store, folder / "report.html")


class Balance(HTMLParser):
    """Checks that every tag that opens closes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_else(page: Path):
    text = page.read_text()
    parser = Balance()
    parser.feed(text)
    assert parser.open == []
    assert not re.findall(r'(?:src|href)="(?!data:)', text)
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", text)
    for heading in ("Figures", "Methods against the judge", "Realizations", "Failures", "Cost", "Provenance"):
        assert f"<h2>{heading}</h2>" in text
    assert "NotConvergedError" in text
    assert "Traceback" in text


def test_the_page_says_how_to_reproduce_it(page: Path):
    text = unescape(page.read_text())
    toml = re.search(r"Save this as a-study\.toml:</p>\s*<pre>(.*?)</pre>", text, re.DOTALL).group(1)
    assert qt.parse_study(tomllib.loads(toml)).digest == open_store(page.parent).study.digest
    assert "qthermo study run a-study.toml" in text


def test_chromium_shows_it(page: Path, tmp_path):
    browser = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("no chromium is installed (apt-get install chromium)")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--window-size=1100,2200"]
    picture = tmp_path / "page.png"
    shot = [browser, *options, f"--screenshot={picture}", page.as_uri()]
    subprocess.run(shot, capture_output=True, timeout=90, check=True)
    image = Image.open(picture).convert("L")
    assert image.size == (1100, 2200)
    dark = [k for k in range(0, 2200, 20) if image.crop((0, k, 1100, k + 20)).getextrema()[0] < 100]
    assert len(dark) > 40, "text and figures all the way down"
    dom = subprocess.run([browser, *options, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=90)
    assert "<h2>How to reproduce</h2>" in dom.stdout
