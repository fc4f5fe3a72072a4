# `make demo` and `make test` work on a machine with python3 (3.11 or newer), pip and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test test-slow test-lowest test-newest test-dist fuzz bench check format clean

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

clean:
	rm -rf $(VENV) .venv-lowest .venv-newest build dist qthermo-demo

# --without-pip works where Debian's python3-venv is missing; the system's pip then fills the environment.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "qthermo needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv --without-pip $(VENV)
	$(PYTHON) -m pip --python $(BIN)/python install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@
