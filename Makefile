# Every target sets up what it needs, once: a stamp newer than the lock is all that a second call looks at.
SHELL  := /bin/bash
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# What is compiled once starts twice as fast ever after.
unexport PYTHONDONTWRITEBYTECODE
export UV_NO_PROGRESS ?= 1
# .env is read for the program, not for the tests; exported variables win.
CLI    := $(BIN)/python -m include.cli $(if $(wildcard .env),--env .env)

VERBS := plan doctor review digest report eval backup erase tables suites

.PHONY: help setup run ui test check bench fmt lock $(VERBS)
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1|/' | column -t -s '|'
	@echo "  make <verb> ARGS=\"--help\" for: $(VERBS)"

setup: $(VENV)/.installed ## install what is locked, if it is not

$(VENV)/.installed: requirements.txt
	@bash .ci/install "$(PYTHON)" "$(VENV)"
	@touch $@

run: setup ## the main job once, on what is configured or on the bundled sample
	@$(CLI) run $(ARGS)

ui: setup ## Airflow with scheduler and UI on 127.0.0.1; Ctrl-C ends it
	@$(CLI) ui $(ARGS)

test: setup ## the whole test suite
	@$(BIN)/python -m pytest $(ARGS)

check: setup ## format, lint, types, SQL; changes nothing
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m include.cli check-sql
	@$(BIN)/python -m include.cli tables --check
	@$(BIN)/python -m include.cli suites --check

bench: setup ## the benchmarks, each a table on standard output
	@for bench in benchmarks/bench_*.py; do $(BIN)/python $$bench $(ARGS) || exit 1; done

fmt: setup ## format the code
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: ## compile requirements.txt anew; needs uv
	@uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
		--custom-compile-command "make lock" requirements-dev.in -o requirements.txt -q

$(VERBS): setup
	@$(CLI) $@ $(ARGS)
