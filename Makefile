# Every command a developer or a newcomer needs. `make` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install demo serve test lint lock clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(STAMP) ## build .venv from the hashed requirements

$(STAMP): requirements/dev.txt requirements/install.sh
	PYTHON="$(PYTHON)" sh requirements/install.sh $(VENV) requirements/dev.txt
	@touch $@

demo: install ## try it without Slack, in the browser (CHECK=1: without a browser, exits 0 or 1)
	$(BIN)/python -m bot.sandbox $(if $(CHECK),--check)

serve: install ## run the bot with the settings of the environment
	$(BIN)/python -m bot serve

# Hundreds of bots are started: none compiles again what the first one has, whatever the machine's setting.
test: install ## every test; they wait more than they compute, so six at a time on two cores
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 6 --dist loadgroup --max-worker-restart 0

lint: install ## format, rules, types, imports, dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

lock: install ## write requirements/*.txt anew
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	echo "uv" | $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --no-annotate --upgrade -o requirements/uv.txt -
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --no-annotate --upgrade -o requirements/run.txt pyproject.toml
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --no-annotate --upgrade --extra dev -c requirements/run.txt -o requirements/dev.txt pyproject.toml

clean: ## remove what was built
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache
