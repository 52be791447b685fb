# Everything a developer or a build machine does, in one verb each. All of it stays inside this folder.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
PIP := $(BIN)/python -m pip --disable-pip-version-check
PYTEST_ARGS ?=
FIGURES := var/figures
JOBS ?= 3
SERVE ?= 1
PORT ?= 8000

export OMP_NUM_THREADS ?= 2

.PHONY: help setup demo figures pictures test lint types contracts bench wheel clean

help:
	@echo "make setup      the virtual environment with everything, in $(VENV)"
	@echo "make demo       the demo shop with a history, a model and its scores, on this machine; SERVE=0 ends before the server"
	@echo "make figures    train on the fixture log and print how well it predicts"
	@echo "make pictures   the screenshots of the documentation, made again in the machine's Chromium"
	@echo "make test       the whole test suite on SQLite, and what asks the database, but the browser, again on PostgreSQL; JOBS=3 at a time"
	@echo "make lint       ruff: rules and format"
	@echo "make types      mypy, strict"
	@echo "make contracts  who may import whom"
	@echo "make bench      the promises about speed"
	@echo "make wheel      the package, in dist/"

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$$($(PYTHON) --version 2>&1) is too old: install Python 3.11 or later, or say make PYTHON=python3.12" >&2; \
		exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
		echo "no virtual environment could be made: on Debian, apt-get install python3-venv" >&2; rm -rf $(VENV); exit 1; }
	@echo "Installing what the project needs into $(VENV): minutes the first time, nothing from then on"
	$(PIP) install --quiet --constraint constraints.txt pip
	$(PIP) install --constraint constraints.txt --editable '.[all,dev]'
	@touch $@

demo: setup
	@$(BIN)/python manage.py prepare_demo
	@if [ "$(SERVE)" != 0 ]; then exec $(BIN)/python manage.py serve_demo --port $(PORT); \
		else echo "The demo is ready: make demo serves it, and prints its address, its logins and what to look at"; fi

figures: export DEMO_VAR = $(FIGURES)
figures: setup
	$(BIN)/python manage.py migrate --verbosity 0
	$(BIN)/python manage.py split_log --events fixtures/log.parquet --at 2026-04-06T00:00:00+02:00 \
		--before $(FIGURES)/train.parquet --after $(FIGURES)/test.parquet
	$(BIN)/python manage.py intent_train --events $(FIGURES)/train.parquet --seed 7
	$(BIN)/python manage.py intent_evaluate --history $(FIGURES)/train.parquet --events $(FIGURES)/test.parquet \
		--model latest --out $(FIGURES)/predictions.parquet --report $(FIGURES)/report.json

pictures: setup
	PICTURES=docs/pictures $(BIN)/python -m pytest tests/e2e/test_live.py -k pictures

# A file's tests stay in one process, with what they share; each process has its databases, and one core for a learner.
# Tests wait for servers half of the time: so there is one process more than most build machines have cores.
test: export OMP_NUM_THREADS = 1
test: PYTEST = $(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder
test: setup
	$(PYTEST) --cov $(PYTEST_ARGS)
	$(PYTEST) --database postgres $(PYTEST_ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

contracts: setup
	$(BIN)/lint-imports --no-logo

# Those that are left out take from half an hour on, or a real log; their first lines say how to run them.
LONG := $(patsubst %,benchmarks/bench_%.py,ablation automl scale tuning uplift)

bench: setup
	@for file in $(filter-out $(LONG),$(wildcard benchmarks/bench_*.py)); do \
		if [ -e "$$file" ]; then echo "== $$file"; $(BIN)/python "$$file" || exit 1; fi; done

wheel: setup
	$(BIN)/python -m build --wheel --outdir dist

clean:
	rm -rf $(VENV) build dist var .coverage .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
