# Portico. `make help` lists what there is. Everything stays inside this folder.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
PIP := $(BIN)/python -m pip install --quiet --no-cache-dir --disable-pip-version-check

# Most commands start several processes, which load compiled modules in half the time.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test blocks check format bench serve worker clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(RUNTIME)  ## Install, prepare and serve the demo (HOST and PORT choose where)
	@HOST="$(HOST)" PORT="$(PORT)" exec $(BIN)/python -m marketplace.demo

test: $(DEV)  ## Install what the tests need and run them all
	@$(BIN)/python -m pytest -n auto --dist worksteal $(TESTS)

blocks: $(DEV)  ## Which of the 116 building blocks of a partner program work, by their tests
	@$(BIN)/python -m tests.blocks

check: $(DEV)  ## Lint, formatting, types, import contracts, templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/djlint templates --lint --quiet

format: $(DEV)  ## Rewrite Python code in the house style
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(DEV)  ## Measure against the floor; writes benchmarks/results/ (ARGS=--full for 100k)
	@$(BIN)/python -m benchmarks $(ARGS)

serve: $(RUNTIME)  ## Serve with the production settings (from the environment or .env)
	@if [ -f .env ]; then set -a; . ./.env; set +a; fi; \
	 $(BIN)/flask --app wsgi db upgrade && \
	 HOST="$(HOST)" PORT="$(PORT)" exec $(BIN)/gunicorn -c gunicorn.conf.py wsgi:app

worker: $(RUNTIME)  ## Run jobs with the production settings; production needs at least one
	@if [ -f .env ]; then set -a; . ./.env; set +a; fi; \
	 exec $(BIN)/flask --app wsgi jobs work

clean:  ## Remove the demo's data and all caches, but not the installed packages
	rm -rf instance .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Portico needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || echo missing)."; \
	  echo "Install one, or name it: make demo PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "Python's venv module is missing. On Debian and Ubuntu: apt install python3-venv"; \
	  rm -rf $(VENV); exit 1; }

$(RUNTIME): requirements.txt | $(BIN)/python
	@echo "Installing what Portico needs into $(VENV) (once, about a minute) ..."
	@$(PIP) -r requirements.txt
	@touch $@

$(DEV): requirements-dev.txt requirements.txt | $(BIN)/python
	@echo "Installing what the tests need into $(VENV) (once, about two minutes) ..."
	@$(PIP) -r requirements-dev.txt
	@touch $@ $(RUNTIME)
