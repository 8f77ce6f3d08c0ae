# Everything happens in a virtual environment, .venv, that the first target sets up by itself.
# `make` alone lists the targets.

PYTHON ?= python3
VENV ?= .venv
# pytest-xdist: a file of tests stays with one worker, in order; one that dies (a hung test) ends the run.
PYTEST_WORKERS ?= logical

ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PY := $(BIN)/python
STAMP := $(VENV)/.installed
DEMO := build/demo
PYTEST := $(PY) -m pytest -n $(PYTEST_WORKERS) --maxprocesses 4 --max-worker-restart 0 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help demo serve test check image-test lint bench fmt lock clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -e 's/:[^#]*## /\t/' | expand -t 12

demo: $(STAMP) ## Send a file through the sample handlers, twice, in a database of its own
	rm -rf $(DEMO)
	mkdir -p $(DEMO)
	@printf '\nThe first time: every line is run.\n'
	$(RUN_DEMO)
	@printf '\nThe same file again: every key is known, so every line is a duplicate and nothing runs twice.\n'
	$(RUN_DEMO)

RUN_DEMO = BATCHANATOR_SAMPLES_OUTBOX=$(DEMO)/outbox $(PY) -m batchanator process \
	samples/email-notifications.ndjson --job-type email-notification --handlers samples.handlers \
	--database sqlite:///$(DEMO)/demo.db

serve: $(STAMP) ## Run the whole service here, on ports 5000 and 5001
	$(PY) -m batchanator serve

test: lint ## Run every check and every test, stopping at the first that fails
	@printf '\n== pytest ==\n'
	@$(PYTEST)

check: lint ## The same without the tests that start and kill processes
	@printf '\n== pytest (without process tests) ==\n'
	@$(PYTEST) -m "not process"

image-test: ## Build the image, run it as production would, stop it in the middle of work (podman or docker)
	@deploy/image/test

lint: $(STAMP)
	@printf '== ruff check ==\n'
	@$(PY) -m ruff check
	@printf '\n== ruff format --check ==\n'
	@$(PY) -m ruff format --check
	@printf '\n== mypy ==\n'
	@$(PY) -m mypy
	@printf '\n== lint-imports ==\n'
	@$(BIN)/lint-imports

bench: $(STAMP) ## Measure throughput against a PostgreSQL of its own
	$(PY) -m benchmarks

fmt: $(STAMP) ## Format the code and mend what ruff can mend
	$(PY) -m ruff format
	$(PY) -m ruff check --fix

# Nothing of where the packages came from goes into the locks; the hashes say what they are.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock"

lock: $(STAMP) ## Write the locks anew from pyproject.toml (UPGRADE=1: with the newest versions)
	$(COMPILE) $(if $(UPGRADE),--upgrade) --extra dev --no-emit-package batchanator \
		--output-file requirements.lock pyproject.toml
	$(COMPILE) --extra sqlite --constraints requirements.lock \
		--output-file requirements-runtime.lock pyproject.toml
	printf 'hatchling>=1.27\n' | $(COMPILE) --constraints requirements.lock \
		--output-file requirements-build.lock -

clean: ## Remove what the targets made: builds, caches, the virtual environment
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage $(VENV)

$(STAMP): pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	$(PY) -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
