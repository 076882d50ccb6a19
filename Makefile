# `make demo` and `make test` need Python 3.13 and make; the rest is fetched into .venv.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= $(shell command -v python3.13 || command -v python3 || echo python3.13)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
REPORTS := .local/reports
export SAM_CLI_TELEMETRY := 0

.PHONY: help setup hooks demo local invoke test check format lint lint-template types unit e2e \
	chaos bench write-units check-sources try-source deploy secret pause resume rotate-admin-key \
	log-id find-message lock clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

setup: $(READY) ## Fetch the locked tools and libraries into .venv

$(READY): requirements-dev.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null \
		|| { echo "Python 3.13 is needed; set its path: make PYTHON=/path/to/python3.13" >&2; exit 1; }
	@"$(PYTHON)" -m venv --clear $(VENV) \
		|| { echo "Python cannot make $(VENV); on Debian and Ubuntu: apt install python3.13-venv" >&2; exit 1; }
	@echo "Fetching tools and libraries into $(VENV) (about a minute) …"
	@mkdir $(VENV)/tmp # where a killed pip leaves its files
	@TMPDIR="$(abspath $(VENV)/tmp)" $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes \
		--requirement requirements-dev.txt \
		|| { echo "Fetching failed. Is there a network, and does it let you reach https://pypi.org? A proxy:" \
			"make HTTPS_PROXY=http://proxy:8080, a mirror: make PIP_INDEX_URL=https://…" >&2; exit 1; }
	@rm -rf $(VENV)/tmp && touch $@

hooks: $(READY) ## Install the git hook that runs the checks before each commit
	@$(BIN)/pre-commit install

demo: $(READY) ## Send a webhook, a queue message and an API call through the service here
	@$(BIN)/python -m local.demo

local: $(READY) ## Run the service on this machine until Ctrl-C
	@$(BIN)/python -m local.up

invoke: $(READY) ## Invoke a deployed function: make invoke FUNCTION=api EVENT=events/api_send.json
	@$(BIN)/python -m local.invoke "$(FUNCTION)" "$(EVENT)"

# With SECRETS=shopify,modulo the names of secrets are checked as well.
check-sources: $(READY) ## Report every mistake in sources.local.yaml, or else in sources.yaml
	@$(BIN)/python -m local.check_sources "$(SOURCES)" "$(SECRETS)"

try-source: $(READY) ## Show what a payload causes: make try-source SOURCE=shopify BODY=order.json
	@$(BIN)/python -m local.try_source "$(SOURCE)" "$(BODY)" $(if $(HEADERS),--headers "$(HEADERS)") \
		$(if $(TOPIC),--topic "$(TOPIC)") $(if $(SOURCES),--sources "$(SOURCES)")

# The answers of a guided deployment, and parameters given here, are kept in samconfig.local.toml.
deploy: check-sources ## Check the sources, build and deploy to AWS: make deploy ARGS=--guided
	@$(BIN)/python -m local.check_parameters $(ARGS)
	@$(BIN)/python -m local.save_answers $(ARGS)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/sam build
	@$(BIN)/python -m local.deploy $(ARGS)

secret: $(READY) ## Ask for a secret and put it into the stack: make secret NAME=gateway, NAME=shopify
	@$(BIN)/python -m local.set_secret "$(NAME)" "$(STACK)"

# With LOCAL=1 the stack that make local runs, as for make secret. What a person writes reaches the
# command as a variable of the shell, so that quotation marks and $ in it mean nothing to the shell.
pause: $(READY) ## Stop all sending at once: make pause REASON="wrong text" BY=Anna
	@$(BIN)/python -m local.switch pause "$${REASON-}" "$${BY-}" "$(STACK)"

resume: $(READY) ## Let sending go on, and send what waits: make resume
	@$(BIN)/python -m local.switch resume "" "$${BY-}" "$(STACK)"

rotate-admin-key: $(READY) ## Make a new admin key; the one before stays valid until the next time
	@$(BIN)/python -m local.rotate_admin_key "$(STACK)"

log-id: $(READY) ## Show what logs call a message: make log-id ID=ordine-1042
	@$(BIN)/python -m local.find_message "$(ID)" "" "$(STACK)"

find-message: $(READY) ## Find the message of a log line: make find-message LOG_ID=id-3f0c…
	@$(BIN)/python -m local.find_message "" "$(LOG_ID)" "$(STACK)"

test: check unit e2e ## Run every check and test

check: format lint lint-template types

format: $(READY)
	$(BIN)/ruff format --check .

lint: $(READY)
	$(BIN)/ruff check .

lint-template: $(READY)
	$(BIN)/cfn-lint template.yaml

types: $(READY)
	$(BIN)/mypy

unit: $(READY) ## Unit, property, simulation and integration tests
	$(BIN)/pytest -n 2 tests/unit tests/integration --junit-xml=$(REPORTS)/unit.xml \
		--cov --cov-report=xml:$(REPORTS)/coverage.xml

e2e: $(READY) ## Tests on the template, deployed to the local AWS
	$(BIN)/pytest tests/e2e --junit-xml=$(REPORTS)/e2e.xml

MESSAGES ?= 100000
SEED ?= 1
chaos: $(READY) ## Simulate 100,000 messages with every fault on: make chaos SEED=7
	@PYTHONPATH=layers/openvoip_sms $(BIN)/python -m tests.simulation --messages $(MESSAGES) --seed $(SEED)

RUNS ?= 11
bench: $(READY) write-units ## Measure the CPU time of the gateway client and of TLS, against the former client
	@PYTHONPATH=layers/openvoip_sms $(BIN)/python -m tests.benchmarks --runs $(RUNS)

WEBHOOKS ?= 500
write-units: $(READY) ## Count what a message costs in the table, by each way in, and its hottest keys
	@PYTHONPATH=layers/openvoip_sms $(BIN)/python -m tests.benchmarks.write_units --messages $(WEBHOOKS)

lock: $(READY) ## Lock the versions within requirements*.in
	$(PYTHON) -m venv $(VENV)/lock
	$(VENV)/lock/bin/pip install --quiet --disable-pip-version-check uv==0.13.9
	$(VENV)/lock/bin/uv pip compile $(UPGRADE) --universal --generate-hashes --no-header --no-annotate --quiet \
		requirements-dev.in -o requirements-dev.txt
	$(VENV)/lock/bin/uv pip compile $(UPGRADE) --universal --generate-hashes --no-header --no-annotate --quiet \
		layers/openvoip_sms/requirements.in -c requirements-dev.txt -o layers/openvoip_sms/requirements.txt

clean: ## Remove what was built and fetched
	rm -rf $(VENV) .aws-sam .local .mypy_cache .pytest_cache .ruff_cache .hypothesis
