# `make demo`, `make test` and `make docs` work on a machine with python3 (3.11 or newer), pip and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DOCS_STAMP := $(VENV)/.docs-installed

.PHONY: demo test test-slow test-lowest test-newest test-dist fuzz bench check format docs docs-links clean

demo: $(STAMP)
	$(BIN)/qthermo demo

test: check
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

test-slow: $(STAMP)
	$(BIN)/python -m pytest -m slow

# The oldest versions allowed, in an environment of their own.
test-lowest:
	$(PYTHON) -m venv --without-pip .venv-lowest
	$(PYTHON) -m pip --python .venv-lowest/bin/python install --quiet --disable-pip-version-check -c constraints-lowest.txt -e '.[test]'
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 .venv-lowest/bin/python -m pytest -n 2 --dist worksteal

# The newest versions that pip finds, in an environment of their own.
test-newest:
	$(PYTHON) -m venv --without-pip .venv-newest
	$(PYTHON) -m pip --python .venv-newest/bin/python install --quiet --disable-pip-version-check --upgrade --upgrade-strategy eager -e '.[test]'
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 .venv-newest/bin/python -m pytest -n 2 --dist worksteal

# sdist and wheel, the wheel installed and tried in an empty environment outside the checkout.
test-dist:
	.ci/dist $(PYTHON)

# 10^5 hostile inputs to everything that reads data from outside; only our own errors may come back.
fuzz: $(STAMP)
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 $(BIN)/python tests/fuzz/run.py --count 100000 --workers 2

# Every ratio against the peers in one run: writes benchmarks/README.md. On a quiet machine, 30 minutes at most.
bench: $(STAMP)
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,peers]'
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 $(BIN)/python benchmarks/run.py

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Warnings are errors and every code cell is executed. Cells that need a peer package which does not install here are shown, not run, and say so.
docs: $(DOCS_STAMP)
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 $(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html
	@echo "wrote docs/_build/html/index.html"

# External links; needs a network.
docs-links: docs
	$(BIN)/python -m sphinx -W --keep-going -b linkcheck docs docs/_build/links

clean:
	rm -rf $(VENV) .venv-lowest .venv-newest build dist qthermo-demo docs/_build docs/api docs/gallery docs/jupyter_execute docs/sg_execution_times.rst

# --without-pip works where Debian's python3-venv is missing; the system's pip then fills the environment.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "qthermo needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv --without-pip $(VENV)
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@

$(DOCS_STAMP): $(STAMP)
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs,hardware,dask]'
	-$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check -c constraints.txt -e '.[peers]'
	touch $@
