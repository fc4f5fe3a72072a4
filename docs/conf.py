"""Sphinx: pages in MyST Markdown, code cells executed, the examples as a gallery, the reference from the docstrings."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_extensions")]
os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # pages are small; threads that wait for each other cost more than they give

from gallery_runs import copy_examples  # noqa: E402
from inventories import reachable  # noqa: E402

copy_examples(HERE.parent / "examples", HERE / "_build" / "examples")

project = "qthermo"
author = "The qthermo developers"
copyright = "The qthermo developers, Apache-2.0"
release = version = installed_version("qthermo")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "myst_nb",
    "sphinx_gallery.gen_gallery",
    "api_pages",
    "docstring_markup",
    "peers",
]
exclude_patterns = [
    "_build",
    "_templates",
    "gallery/*.ipynb",
    "gallery/*.py",
    "jupyter_execute",
    "**.ipynb_checkpoints",
]
templates_path = ["_templates"]
highlight_language = "none"  # indented blocks are equations; code says its language
keep_warnings = True

html_theme = "pydata_sphinx_theme"
html_title = f"qthermo {release}"
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"quickstart": [], "conventions": [], "index": []}

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
nb_execution_show_tb = True

autosummary_generate = True
autodoc_typehints = "none"  # the signature holds them
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
napoleon_numpy_docstring = False
napoleon_use_ivar = True

# Inventories of other projects are fetched where there is a network; without one their names are plain text.
intersphinx_mapping = reachable(
    {
        "python": "https://docs.python.org/3/",
        "numpy": "https://numpy.org/doc/stable/",
        "scipy": "https://docs.scipy.org/doc/scipy/",
        "xarray": "https://docs.xarray.dev/en/stable/",
        "matplotlib": "https://matplotlib.org/stable/",
    },
    folder=HERE / "inventories",
)

sphinx_gallery_conf = {
    "examples_dirs": "_build/examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "ignore_pattern": r"__init__\.py$",
    "reset_argv": "gallery_runs.quick_arguments",
    "image_scrapers": ("gallery_runs.scrape_pictures",),
    "reset_modules": ("matplotlib",),
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "min_reported_time": 3600,
}

linkcheck_timeout = 20
linkcheck_retries = 2
linkcheck_ignore = [r"https://doi\.org/.*"]  # publishers turn programs away
suppress_warnings = ["config.cache"]
