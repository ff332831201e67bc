# What a newcomer and a CI machine need: `make demo`, `make test`, `make check`. Needs Python >= 3.11, pip and make.
.DEFAULT_GOAL := help
.PHONY: help demo test journeys check format proto lock clean

VENV := .venv
RUN := $(VENV)/bin/python -m
READY := $(VENV)/.ready
PAIRS ?= 1000
PROCESSES ?= 4
ARGS ?=

help: ## show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## two pretend orgs, a real Redis and worker, and a report (PAIRS=1000)
	@$(RUN) worker demo --pairs $(PAIRS)

test: $(READY) ## the whole test suite with coverage (ARGS="-k phone" for a part of it)
	$(RUN) pytest -p tests.support.no_skips -n auto --maxprocesses $(PROCESSES) --dist loadfile --cov --cov-report=term $(ARGS)

journeys: $(READY) ## the long stories too: imports, resyncs, switches (minutes each)
	$(RUN) pytest -p tests.support.no_skips -m long tests/journeys

check: $(READY) ## linters, types, import contracts, lock files, and what no file may contain
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/python requirements/seal.py check
	@if test -x $(VENV)/bin/hadolint; then echo $(VENV)/bin/hadolint Dockerfile; $(VENV)/bin/hadolint Dockerfile; fi
	$(RUN) pytest -q tests/house/test_files.py tests/house/test_containers.py

format: $(READY) ## put the code into shape
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

proto: $(READY) ## generate the event bus modules anew from their .proto
	$(RUN) grpc_tools.protoc -I. --python_out=. --pyi_out=. --grpc_python_out=. prospect_sync/eventbus/pubsub_api.proto

lock: $(READY) ## pin the requirements anew (UPGRADE=1 for the newest of everything)
	UPGRADE="$(UPGRADE)" requirements/lock.sh $(VENV)/bin/python

clean: ## remove everything that was built
	rm -rf $(VENV) build dist var htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Built once, and again when what is required changes.
$(READY): requirements/dev.txt requirements/install.sh pyproject.toml
	@PYTHON="$(PYTHON)" requirements/install.sh $(VENV)
	@touch $@
