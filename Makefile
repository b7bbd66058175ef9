# banshi: two commands matter, `make run` and `make test`.
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
UI := admin_ui/dist/index.html
UI_SOURCES := $(shell find admin_ui/src admin_ui/index.html admin_ui/package.json admin_ui/package-lock.json admin_ui/vite.config.ts -type f 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help setup ui run test faults upstream-tests bench check demo services clean openapi

help: ## Show what can be done here
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

setup: $(STAMP) ## Make the virtual environment and install the Python packages

$(STAMP): pyproject.toml scripts/setup.sh
	@sh scripts/setup.sh $(VENV)
	@touch $(STAMP)

ui: $(UI) ## Build the staff interface

$(UI): $(UI_SOURCES) scripts/ui.sh | $(STAMP)
	@sh scripts/ui.sh $(VENV)

run: $(STAMP) $(UI) ## Serve the product at http://127.0.0.1:8000 with demo people and processes
	BANSHI_DEMO=1 $(BIN)/banshi serve

demo: $(STAMP) ## Play three sample cases from application to closure in the terminal
	$(BIN)/banshi demo

services: ## Install MariaDB, Redis and Chromium for the tests (Debian, root)
	@sh scripts/services.sh

test: $(STAMP) $(UI) services ## Run every test, on SQLite and on real MariaDB, with Redis and Chromium
	$(BIN)/python -m pytest
	@sh scripts/ui.sh $(VENV) test

faults: $(STAMP) services ## The whole storm, kills at every point, races of 500 rounds: some ten minutes
	BANSHI_WHOLE_STORM=1 BANSHI_REQUIRE_SERVICES=1 $(BIN)/python -m pytest tests/faults/test_storm.py --log-cli-level=INFO
	BANSHI_WHOLE_STORM=1 BANSHI_REQUIRE_SERVICES=1 $(BIN)/python -m pytest tests/faults --ignore=tests/faults/test_storm.py

upstream-tests: $(STAMP) ## SpiffWorkflow's own tests on this engine; UPSTREAM=/path/to/its/checkout
	@test -n "$(UPSTREAM)" || { echo "say where a checkout of SpiffWorkflow is: make $@ UPSTREAM=/path"; exit 2; }
	$(BIN)/python -m tests.upstream "$(UPSTREAM)"

bench: $(STAMP) services ## Every benchmark, as tables; BENCH=--json for JSON
	$(BIN)/python -m benchmarks $(BENCH)

check: $(STAMP) ## What CI runs: linters, types, import rules, then every test
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

openapi: $(STAMP) ## Write the OpenAPI document and the interface's types anew
	$(BIN)/python scripts/openapi.py > admin_ui/openapi.json
	@sh scripts/ui.sh $(VENV) types

clean: ## Remove what was built; the data in var/ stays
	rm -rf $(VENV) admin_ui/node_modules admin_ui/dist
