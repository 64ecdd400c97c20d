# Edge Inspect. `make` lists the commands.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: help run test lint types tests bench docs screenshot screenshots soak clean

help:  ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

run: $(VENV)/runs  ## set everything up and show the appliance on a simulated line (Ctrl-C ends it)
	@$(PYTHON) .ci/foreground $(BIN)/edge-inspect demo

test: lint types tests  ## set everything up, then lint, types and tests

lint: $(VENV)/develops  ## style
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/develops  ## types, strictly
	@$(BIN)/mypy

tests: $(VENV)/develops  ## tests, two at a time; what fails, once more and alone
	@.ci/tests $(BIN)/python

soak: $(VENV)/develops  ## the tests that hurt, in their long versions
	@EDGE_INSPECT_SOAK=1 $(BIN)/pytest -m "soak or slow"

bench: $(VENV)/develops  ## speed, both sides in one run
	@for file in $$(ls benchmarks/*.py | grep -vE "newcomer|conductor|collected|backlog|tablets"); do $(BIN)/python $$file || exit 1; done

docs: $(VENV)/develops  ## write docs/commands.md anew from the commands
	@$(BIN)/python docs/commands.py

screenshot: $(VENV)/runs  ## draw docs/images/demo.svg anew from the demo
	@$(BIN)/python docs/screenshot.py

screenshots: $(VENV)/develops  ## take docs/images/*.png of the page anew, in a real Chromium
	@$(BIN)/python -m tests.browser.pictures

clean:  ## remove what was built (not demo-state)
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/bin/python:
	@.ci/packages required python-venv:python3-venv
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "Python 3.10 or newer is needed: make PYTHON=python3.11 …" >&2; exit 1; }
	@echo "creating $(VENV)" >&2
	@$(PYTHON) -m venv $(VENV)

$(VENV)/runs: $(VENV)/bin/python setup.cfg pyproject.toml
	@.ci/packages optional mosquitto:mosquitto
	@echo "installing Edge Inspect into $(VENV) (a minute, once)" >&2
	@$(BIN)/pip install -q --disable-pip-version-check -e .
	@touch $@

$(VENV)/develops: setup.cfg pyproject.toml
	@.ci/packages required python-venv:python3-venv mosquitto:mosquitto openssl:openssl gcc:gcc libc6-dev:libc6-dev postgres:postgresql chromium:chromium
	@$(MAKE) -s $(VENV)/bin/python
	@echo "installing Edge Inspect and what its tests need into $(VENV) (a minute, once)" >&2
	@$(BIN)/pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/runs
