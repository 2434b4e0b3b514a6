# `make help` lists the targets. All they need is Python 3.11 or 3.12, make and git.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# Without bytecode the heavy imports (MLflow, Evidently) take four times as long.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= $(shell for p in python3 python3.11 python3.12; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && echo $$p && break; done)
POETRY_VERSION := 2.5.1
EXPORT_VERSION := 1.10.0
UV_VERSION := 0.13.9

TOOLS := .tools
# Another version of a tool is another file, so that they are installed again.
TOOLS_INSTALLED := $(TOOLS)/.installed-$(POETRY_VERSION)-$(EXPORT_VERSION)-$(UV_VERSION)
BIN := .venv/bin
MAGE := orchestration/.venv
LINTERS := linters/.venv

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z][a-z-]*:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: run
run: setup ## Start everything, train the first model if there is none, stay until Ctrl-C
	@exec $(BIN)/taxi up --stay

.PHONY: test
test: setup $(LINTERS)/.installed ## Run all the tests: unit tests first, then the slow ones, then real servers
	@$(BIN)/pytest

.PHONY: test-unit
test-unit: setup $(LINTERS)/.installed ## Run the tests that need no server and take less than a minute in all
	@$(BIN)/pytest -m "not slow and not terraform and not stack and not browser and not containers"

.PHONY: test-infrastructure
test-infrastructure: $(BIN)/.installed ## Check Terraform's configuration; make, change and destroy it in moto
	@$(BIN)/pytest tests/infrastructure

.PHONY: test-containers
test-containers: setup ## Build the images and run the stack in containers through all that may happen to it
	@$(BIN)/pytest -m containers -s

.PHONY: smoke
smoke: $(BIN)/.installed ## Ask a running service what its callers need of it (URL=https://…)
	@$(BIN)/pytest tests/smoke --base-url "$(or $(URL),http://127.0.0.1:9696)"

.PHONY: lint
lint: setup $(LINTERS)/.installed ## Check code, scripts, images, workflows, locks and secrets (ONLY="types shell")
	@$(BIN)/python -m linters $(if $(STRICT),--strict) $(ONLY)

.PHONY: hooks
hooks: setup $(LINTERS)/.installed ## Have git run the same checks before each commit
	@$(LINTERS)/bin/pre-commit install

.PHONY: format
format: setup ## Format the code and mend what ruff can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: setup
setup: $(BIN)/.installed $(MAGE)/.installed ## Install both environments: the project's and Mage's

.PHONY: bench-service
bench-service: setup ## Measure the service beside Flask alone, mlflow models serve and the model (needs wrk)
	@$(BIN)/python benchmarks/service.py

.PHONY: dashboards
dashboards: setup ## Write Grafana's dashboards and alert rules below monitoring/ from the code
	@$(BIN)/python -m taxi_duration.monitoring.grafana monitoring/grafana

.PHONY: bench-drift
bench-drift: setup ## Measure how a month's report grows, from 100,000 to five million trips
	@$(BIN)/python benchmarks/drift.py

.PHONY: env
env: ## Write .env for Docker Compose with random passwords; what is there stays
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or 3.12 is needed and was not found." >&2; exit 1; }
	@$(PYTHON) src/taxi_duration/stack/env_file.py

# IMAGES="web-service mage" builds only those; Grafana's needs its own base, from a registry.
IMAGES ?= mlflow mage web-service grafana

.PHONY: images-build
images-build: env ## Build the images of the containers (IMAGES="mlflow mage web-service" for some)
	@TAXI_REVISION=$$(git rev-parse HEAD 2>/dev/null || true) docker compose --profile core --profile monitoring build $(IMAGES)

.PHONY: images-push
images-push: $(BIN)/.installed ## Push the built images to IMAGE_REGISTRY as TAG; FILE gets their digests
	@$(BIN)/python -m delivery push --tag "$(TAG)" "$(FILE)"

.PHONY: plan
plan: $(BIN)/.installed ## Write to FILE what Terraform would change in ENVIRONMENTS="staging production"
	@$(BIN)/python -m delivery plan "$(FILE)" $(ENVIRONMENTS)

.PHONY: deploy
deploy: $(BIN)/.installed ## Bring the images in FILE to ENVIRONMENT; back to the former ones if it does not answer
	@$(BIN)/python -m delivery deploy "$(ENVIRONMENT)" "$(FILE)"

.PHONY: backup
backup: ## Keep all databases and objects of the containers in backups/<time>
	@containers/backup.sh

.PHONY: restore
restore: ## Bring a backup back: BACKUP=backups/<time>; FORCE=1 gives up what is there now
	@BACKUP="$(BACKUP)" FORCE="$(FORCE)" containers/restore.sh

.PHONY: images
images: setup ## Take the README's screenshots from the running stack
	@$(BIN)/python images/take.py

.PHONY: lock
lock: $(TOOLS_INSTALLED) ## Resolve the locks again
	@$(TOOLS)/bin/poetry lock
	@cd orchestration && ../$(TOOLS)/bin/uv pip compile requirements.in --override overrides.txt \
		--python-version 3.11 --universal --generate-hashes --quiet -o requirements.txt
	@cd linters && ../$(TOOLS)/bin/uv pip compile requirements.in \
		--python-version 3.11 --universal --generate-hashes --quiet -o requirements.txt

.PHONY: clean
clean: ## Remove what the embedded stack keeps (TAXI_HOME): models, trips, logs, keys
	@if [ -x $(BIN)/taxi ]; then $(BIN)/taxi down --remove; else rm -rf .local; fi

.PHONY: distclean
distclean: clean ## Remove the environments as well
	@rm -rf .venv $(MAGE) $(LINTERS) $(TOOLS)

$(TOOLS_INSTALLED):
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or 3.12 is needed and was not found. Install one, or name it: make PYTHON=/path/to/python3.11 …" >&2; exit 1; }
	@case "$$PWD" in *[%\$$]*) echo "The folder's path, $$PWD, has % or \$$, which pip's scripts and Mage's database take for something else. Move it to a path without." >&2; exit 1;; esac
	@echo "Installing Poetry $(POETRY_VERSION) and uv $(UV_VERSION) into $(TOOLS) …"
	@rm -rf $(TOOLS) && $(PYTHON) -m venv $(TOOLS)
	@$(TOOLS)/bin/pip install -qq --disable-pip-version-check \
		poetry==$(POETRY_VERSION) poetry-plugin-export==$(EXPORT_VERSION) uv==$(UV_VERSION)
	@touch $@

# Poetry holds the lock; uv installs it, in a third of the time, from any index that pip can use.
# Poetry's `--quiet` would silence its errors as well.
$(BIN)/.installed: $(TOOLS_INSTALLED) poetry.lock pyproject.toml
	@echo "Installing the project's environment into .venv …"
	@[ -x $(BIN)/python ] || $(TOOLS)/bin/uv venv --quiet --python $(PYTHON) .venv
	@$(TOOLS)/bin/poetry export --with pipeline,tracking,stack,lambda,dev -o $(TOOLS)/requirements.txt
	@$(TOOLS)/bin/uv pip sync --python .venv --require-hashes --compile-bytecode --quiet $(TOOLS)/requirements.txt
	@$(TOOLS)/bin/uv pip install --python .venv --no-deps --quiet --editable .
	@touch $@

$(MAGE)/.installed: $(TOOLS_INSTALLED) orchestration/requirements.txt pyproject.toml
	@echo "Installing Mage's environment into $(MAGE) …"
	@[ -x $(MAGE)/bin/python ] || $(TOOLS)/bin/uv venv --quiet --python $(PYTHON) $(MAGE)
	@$(TOOLS)/bin/uv pip sync --python $(MAGE) --require-hashes --compile-bytecode --quiet orchestration/requirements.txt
	@$(TOOLS)/bin/uv pip install --python $(MAGE) --no-deps --quiet --editable .
	@touch $@

# Made anew each time: of two packages with the same modules one cannot be taken out of what is there.
$(LINTERS)/.installed: $(TOOLS_INSTALLED) linters/requirements.txt
	@echo "Installing the linters' environment into $(LINTERS) …"
	@$(TOOLS)/bin/uv venv --quiet --clear --python $(PYTHON) $(LINTERS)
	@$(TOOLS)/bin/uv pip sync --python $(LINTERS) --require-hashes --compile-bytecode --quiet linters/requirements.txt
	@touch $@
