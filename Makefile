# Two commands do all the set-up on a fresh machine: `make demo` and `make test`.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
# One more than two cores: some tests wait for a browser or for another program.
PYTEST_WORKERS ?= 3
# Packages that may be built from source, by name: on a machine for which they have no wheel. A source's build runs code.
FROM_SOURCE ?=

help: ## Show the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 16

$(STAMP): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed (PYTHON=/path/to/python3 make ...)")'
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) lacks venv: on Debian or Ubuntu, sudo apt install python3-venv (python3.13-venv for a python3.13) adds it."; \
		exit 1; }
	@echo "Setting up $(VENV) (about a minute, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: $(FROM_SOURCE:%=--no-binary=%) -r requirements-dev.txt
	@touch $@

demo: $(STAMP) ## Finalise invoices in a local Solvimon and watch them arrive in a local Rillet
	@PYTHONPATH=layers/mapping $(BIN)/python -m local.demo

up: $(STAMP) ## Keep the local system running and print its URLs
	@PYTHONPATH=layers/mapping $(BIN)/python -m local.up

# Python and pytest keep what they compile: the second run, and what the tests start, begin seconds earlier.
test test-all coverage: export PYTHONDONTWRITEBYTECODE =
test-all coverage: export HYPOTHESIS_PROFILE := $(or $(HYPOTHESIS_PROFILE),thorough)

test: $(STAMP) ## Run the tests that take a few minutes
	@$(BIN)/python -m pytest -n $(PYTEST_WORKERS) -m "not slow"

test-all: $(STAMP) ## Run all tests, the slow ones too
	@$(BIN)/python -m pytest -n $(PYTEST_WORKERS)

coverage: $(STAMP) ## Run all tests and measure their coverage (slow)
	@$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --cov --cov-report=term

lint: $(STAMP) ## Check style, types, the imports between folders, and the template
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy layers/mapping functions local tests docs
	@$(BIN)/bandit -q -c pyproject.toml -r layers/mapping functions
	@PYTHONPATH=layers/mapping:. $(BIN)/lint-imports
	@SAM_CLI_TELEMETRY=0 $(BIN)/sam validate --lint --template template.yaml --region eu-central-1

panel: $(STAMP) ## Go through the panel in Chromium, first day and every page (prints a PANEL line)
	@PYTHONPATH=layers/mapping $(BIN)/python -m tests.panel_browser

panel-shots: $(STAMP) ## Take the pictures of the panel for the pages (docs/images)
	@PYTHONPATH=layers/mapping $(BIN)/python -m tests.panel_browser.shots

soak: $(STAMP) ## Simulate 30 days of a company with 300 customers, with faults (SEED=7 draws other days)
	@PYTHONHASHSEED=0 PYTHONPATH=layers/mapping $(BIN)/python -m tests.soak

bench: $(STAMP) ## Measure (prints BENCH lines)
	@PYTHONPATH=layers/mapping $(BIN)/python -m tests.benchmarks

cost: $(STAMP) ## Count the calls to AWS and write docs/cost.md
	@PYTHONPATH=layers/mapping $(BIN)/python -m tests.benchmarks.cost

contracts: $(STAMP) ## Check every request and every answer against the vendors' documents (CONTRACTS_DIR)
	@PYTHONPATH=layers/mapping $(BIN)/python -m tests.contract

faults: $(STAMP) ## Inject a fault at every external effect of every workflow (prints a FAULTS line)
	@PYTHONPATH=layers/mapping $(BIN)/python -m tests.fault_injection

planted: $(STAMP) ## Plant sixty faults in the rate limiter and the fan-out, and name those that no test notices
	@PYTHONPATH=layers/mapping $(BIN)/python -m tests.unit.rate_limit.planted_faults

fuzz: $(STAMP) ## Send 30,000 random events to the public routes and the functions (takes minutes)
	@FUZZED_EVENTS=30000 $(BIN)/python -m pytest -q -o timeout=3600 tests/integration/test_fuzzed_events.py

audit: ## Look for known weaknesses of the locked packages (needs uv and the internet)
	uvx pip-audit --disable-pip --require-hashes -r requirements-dev.txt

docs: $(STAMP) ## Write the reference pages from the code
	@PYTHONPATH=layers/mapping $(BIN)/python -m docs.generate.reference

build: $(STAMP) ## Build the Lambda artefacts
	@SAM_CLI_TELEMETRY=0 $(BIN)/sam build

packaging: $(STAMP) ## Build for Lambda and run each function as AWS does (prints a PACKAGING line)
	@PYTHONPATH=layers/mapping $(BIN)/python -m tests.packaging

rehearse-deploy: $(STAMP) ## Deploy to an emulator of AWS, update, delete (prints a DEPLOY line)
	@PYTHONPATH=layers/mapping $(BIN)/python -m tests.rehearsal

preflight: $(STAMP) ## Check this machine and the AWS account before a deployment
	@PYTHONPATH=layers/mapping $(BIN)/python -m local.preflight $(ENV)

deploy: preflight build ## Deploy to AWS (ENV=prod asks first, ENV=dev is another stack)
	@SAM_CLI_TELEMETRY=0 $(BIN)/sam deploy --config-env $(or $(ENV),default)

# Of the layer's packages, boto3 and what it brings come from the Lambda runtime.
lock: ## Lock the requirements again (needs uv)
	uv pip compile -q --universal --generate-hashes --no-strip-extras --python-version 3.11 --no-emit-index-url --no-header --no-emit-package boto3 --no-emit-package botocore --no-emit-package s3transfer --no-emit-package python-dateutil --no-emit-package six layers/dependencies/requirements.in -o layers/dependencies/requirements.txt
	uv pip compile -q --universal --generate-hashes --no-strip-extras --python-version 3.11 --no-emit-index-url --no-header requirements-dev.in -o requirements-dev.txt
	uv pip compile -q --universal --generate-hashes --no-strip-extras --python-version 3.11 --no-emit-index-url --no-header tests/rehearsal/requirements.in -o tests/rehearsal/requirements.txt

.PHONY: help demo up panel panel-shots test test-all coverage lint bench cost contracts faults soak planted fuzz audit docs build packaging rehearse-deploy preflight deploy lock
