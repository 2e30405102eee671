# `make study` trains the quick study and writes out/quick/report.html; `make test` checks everything.
# Both set up .venv on a machine that has only Python >= 3.11, make and a C compiler.

# The index torch is taken from, where the package index's own build is not the one wanted:
#   make study TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
PRESET ?= quick
STUDY_FLAGS ?=

VENV := .venv
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet
TORCH_FLAGS := $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX),)

.PHONY: study test lint types tests format clean

study: $(VENV)/.train-installed
	$(VENV)/bin/bootlaw study $(PRESET) --out out/$(PRESET) $(STUDY_FLAGS)

test: lint types tests

lint: $(VENV)/.dev-installed
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/lint-imports

types: $(VENV)/.dev-installed
	$(VENV)/bin/mypy

tests: $(VENV)/.dev-installed
	OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest -n auto

format: $(VENV)/.dev-installed
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

# Leaves out/ alone: it holds studies that took hours.
clean:
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# torch first and pinned: a later, looser request would replace it by a build of several gigabytes.
$(VENV)/.torch-installed: constraints.txt tools/find_python.sh
	@python="$$(sh tools/find_python.sh)" && \
	echo "setting up $(VENV) with $$python" && \
	{ test -x $(VENV)/bin/python || "$$python" -m venv $(VENV); }
	$(PIP) install --constraint constraints.txt $(TORCH_FLAGS) torch
	@touch $@

KERNEL := setup.py $(wildcard src/bootlaw/fitting/csrc/*)

$(VENV)/.train-installed: $(VENV)/.torch-installed pyproject.toml $(KERNEL)
	$(PIP) install --constraint constraints.txt --editable '.[train]'
	@touch $@

$(VENV)/.dev-installed: $(VENV)/.train-installed pyproject.toml
	$(PIP) install --constraint constraints.txt --editable '.[dev]'
	@touch $@
