# `make demo` and `make test` need only python3 (3.11 or newer) and a network or a local package index for pip.
# The rest is set up here, in .venv, and nothing is written outside this directory but pip's own cache.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# What a caller's shell has set for another project must not leak into this one.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# pip asks `rustc` for its version, and rustup's `rustc` makes ~/.rustup if there is none.
ifndef RUSTUP_HOME
ifeq ($(wildcard $(HOME)/.rustup),)
export RUSTUP_HOME := $(CURDIR)/.venv/.rustup
endif
endif

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help setup demo test lint format types contracts coverage rules wheel-check bench ci clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

$(READY): pyproject.toml .ci/setup
	@.ci/setup "$(PYTHON)"

setup: $(READY) ## make .venv with everything that the other targets need

demo: $(READY) ## check a repository in order, one that is not, and ask a gate that is blocked
	@.ci/demo

test: $(READY) ## run all tests
	@$(BIN)/python -m pytest

lint: $(READY) ## ruff: rules and formatting
	@status=0; $(BIN)/ruff check . || status=1; $(BIN)/ruff format --check . || status=1; exit $$status

format: $(READY) ## rewrite the code as `make lint` wants it
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

types: $(READY) ## mypy, strict on the package
	@$(BIN)/mypy

contracts: $(READY) ## who may import whom (import-linter)
	@$(BIN)/lint-imports --no-logo

coverage: $(READY) ## all tests with branch coverage; the deciding modules must reach 100 %
	@$(BIN)/python -m pytest --cov --cov-report=term
	@$(BIN)/coverage report --include='cortex_policy/verdicts/*,cortex_policy/ruleset/*' --fail-under=100

rules: $(READY) ## the examples and scenarios of the packs that ship, and what they cover
	@$(BIN)/python -m cortex_policy test --threshold 100 --threshold branches=94

wheel-check: $(READY) ## build sdist and wheel, install the wheel elsewhere, and use it there
	@$(BIN)/python .ci/wheel_check.py

bench: $(READY) ## measure what docs promise in numbers
	@$(BIN)/python benchmarks/run.py

ci: ## everything that must hold before a merge
	@.ci/run

clean: ## remove .venv, caches and build products
	@rm -rf .venv build dist htmlcov .coverage .coverage.* coverage.xml .hypothesis .import_linter_cache \
		.mypy_cache .pytest_cache .ruff_cache .benchmarks .cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
