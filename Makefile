# Loanpulse: everything a person does here. `make` alone lists it.

.DEFAULT_GOAL := help
.PHONY: help setup demo up down status logs psql clean migrate \
	test check unit bench bench-peers boards format format-check lint types imports
SHELL := /bin/sh

VENV := .venv/bin
EMBEDDED := $(VENV)/python -m embedded

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo

##@ See it
demo: setup ## Start all parts here and send a book through them; Ctrl-C stops all (BOOK=folder of a real one)
	@$(EMBEDDED) demo $(if $(BOOK),--book "$(BOOK)")

##@ Run it without Docker
up: setup ## Start Kafka, PostgreSQL and the services in the background
	@$(EMBEDDED) up
down: setup ## Stop them
	@$(EMBEDDED) down
status: setup ## One line a part: health, process, address, uptime
	@$(EMBEDDED) status || true
logs: setup ## The end of all logs (PART=name of one, FOLLOW=1 to go on reading)
	@$(EMBEDDED) logs $(PART) $(if $(FOLLOW),--follow)
psql: setup ## A prompt on the database
	@$(EMBEDDED) psql
migrate: setup ## Bring the database to the newest schema (DATABASE_URL, else the running stack's)
	@$(EMBEDDED) run loanpulse migrate --roles infra/postgres/roles.sql
clean: setup ## Stop all parts and remove their data (FORCE=1 asks no question)
	@$(EMBEDDED) clean

##@ Work on it
setup: ## Make .venv from requirements.lock (PYTHON=another interpreter)
	@PYTHON="$(PYTHON)" infra/setup.sh
test: setup format-check lint types imports ## Everything: checks and all tests, on real parts and in a browser
	@CHROMIUM="$$(infra/chromium.sh)" $(VENV)/pytest -rs $(ARGS)
	@echo "make test: all checks and tests have passed"
check: setup format-check lint types imports unit ## What a commit must pass: all checks and the unit tests
	@echo "make check: all checks and unit tests have passed"
unit: setup ## The unit tests alone
	@$(VENV)/pytest -q tests/unit $(ARGS)
bench: setup ## Measure on parts of its own (LOANS=10000, SECTIONS="rate plain", ARGS); writes bench.json
	@$(VENV)/python -m tests.bench $(SECTIONS) --loans $(or $(LOANS),10000) $(ARGS)
bench-peers: setup ## The same events through other stream processors, each in an environment of its own
	@$(VENV)/python -m tests.bench rate peers --loans $(or $(LOANS),10000) --out bench-peers.json $(ARGS)
boards: setup ## Write grafana/dashboards anew from grafana/boards
	@$(VENV)/python -m grafana.boards.generate
format: setup ## Lay the code out
	@$(VENV)/ruff format --quiet .
	@$(VENV)/ruff check --quiet --select I --fix .
format-check: setup ## Is the code laid out?
	@$(VENV)/ruff format --quiet --check .
lint: setup ## Does ruff find anything?
	@$(VENV)/ruff check --quiet .
types: setup ## Does mypy find anything?
	@$(VENV)/mypy --no-error-summary .
imports: setup ## Do the imports keep to the architecture?
	@$(VENV)/lint-imports >.venv/imports.log 2>&1 || { cat .venv/imports.log; exit 1; }
