# make install   into .venv what runs need, as constraints.txt pins it; the containers do the same
# make demo   install into .venv where missing, run the demo grid, print its table
# make paper-demo   train the arms of the figures, make all tables, figures and pages (12 minutes on 2 cores)
# make test   install into .venv where missing, run the whole test suite
# make coverage   the same, with the lines that no test reaches
# make gpu-check   six minutes on one GPU: tests, parts of a step, prompting, grid and sweep
# make lint   style, formatting, import layers, types
# make docs   the documentation as a site in site/, which works without a network
# make wheel  build the wheel into dist/ and use it outside this folder
# make clean  remove what was built; .venv and work_dirs stay
#
# PYTHON=python3.12   the interpreter that makes .venv (3.10 to 3.13)
# TORCH_INDEX=URL     take torch and torchvision from this index, e.g. one of builds without CUDA
# HEADLESS=1          OpenCV without windows, for servers without libGL or libxcb (by itself where
#                     the other one does not load)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip
# Files in the order of tests/conftest.py: those that take long come first.
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
INSTALL := $(PIP) install --disable-pip-version-check -c constraints.txt
SOURCES := setup.py pyproject.toml constraints.txt
DEMO := work_dirs/demo
PAPER := work_dirs/paper
CLIPS := --layout v1m --split 300/30/60 --seed 7 --classes 8
# Runs and figures decode each clip once between them.
DECODED := data.keep_decoded=$(DEMO)/decoded

export OMP_NUM_THREADS ?= 1
export SAM2_BUILD_CUDA := 0

.DEFAULT_GOAL := help
.PHONY: help install demo paper-demo test coverage gpu-check lint docs wheel clean

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' || { \
	  echo "auralsam2 needs Python 3.10 to 3.13, $(PYTHON) is $$($(PYTHON) --version 2>&1);" \
	    "name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# sam2's setup imports torch, hence the order and --no-build-isolation.
$(VENV)/.runtime: $(SOURCES) | $(BIN)/python
	@echo "[1/4] build tools"
	$(INSTALL) pip setuptools wheel
	@echo "[2/4] torch (the largest download)"
	$(INSTALL) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch torchvision
	@echo "[3/4] SAM2"
	$(INSTALL) --no-build-isolation sam2
	@echo "[4/4] auralsam2 and the rest"
	$(INSTALL) --no-build-isolation -e '.[demo]'
	@$(MAKE) --no-print-directory _opencv
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	@echo "[dev] test and lint tools"
	$(INSTALL) --no-build-isolation -e '.[dev]'
	@$(MAKE) --no-print-directory _opencv
	@touch $@

# opencv-python needs libGL, libxcb and friends, which bare servers lack; both wheels hold the same cv2.
.PHONY: _opencv
_opencv:
	@if [ -n "$(HEADLESS)" ] || ! $(BIN)/python -c 'import cv2' 2>/dev/null; then \
	  echo "OpenCV without windows"; \
	  $(PIP) uninstall -q -y opencv-python opencv-python-headless; \
	  $(INSTALL) --no-deps opencv-python-headless; \
	fi

install: $(VENV)/.runtime

demo: $(VENV)/.runtime
	$(BIN)/auralsam2 make-synthetic $(DEMO)/data $(CLIPS)
	$(BIN)/auralsam2 run-grid demo --out $(DEMO) --jobs 2 --set $(DECODED)
	$(BIN)/auralsam2 make-tables $(DEMO) & tables=$$!; \
	  $(BIN)/auralsam2 make-figures $(DEMO); figures=$$?; wait $$tables && exit $$figures

# Each command goes on where it ended: runs that are done are not done again.
paper-demo: $(VENV)/.runtime
	$(BIN)/auralsam2 make-synthetic $(DEMO)/data $(CLIPS)
	$(BIN)/auralsam2 run-grid paper_mini --out $(PAPER)/arms --jobs 2 --set $(DECODED)
	$(BIN)/auralsam2 run-sweep size_mini --out $(PAPER)/size --trials 4 --jobs 2 --set optim.epochs=1 $(DECODED)
	$(BIN)/auralsam2 make-paper $(PAPER) --jobs 2

test: $(VENV)/.dev
	$(PYTEST) $(ARGS)

coverage: $(VENV)/.dev
	$(PYTEST) --cov --cov-report=term $(ARGS)

# Without a GPU: make gpu-check ARGS="--device cpu --small" tries the script itself.
gpu-check: $(VENV)/.dev
	$(BIN)/python benchmarks/gpu_check.py $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# Strict: a link that leads nowhere, and a page without a place, are errors (mkdocs.yml).
docs: $(VENV)/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

wheel: $(VENV)/.dev
	bash .ci/check_wheel

clean:
	rm -rf build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	rm -rf .coverage .coverage.* htmlcov
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
