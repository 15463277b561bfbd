# Every target sets up what it needs; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE_IMAGE := PYTHONPATH=exordos/images $(BIN)/python -m node_image
ARGS ?=
# Those that wait most come first.
TESTS ?= tests/onebox tests/contract tests/service tests/unit
# Processes that tests run in; JOBS=0 is one, which a debugger needs.
JOBS ?= $(shell n=$$(nproc); echo $$((n < 5 ? n + 1 : 6)))

.DEFAULT_GOAL := help
.PHONY: help up down status test lint format typecheck bench docs changelog clean
.PHONY: image image-test image-check manifests manifests-check platform-test
.PHONY: build publish-wheel install stand-up stand-down functional smoke

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/onebox.stamp: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.10 or newer is needed: make PYTHON=python3.12") if sys.version_info < (3, 10) else None'
	@$(PYTHON) -m venv $(VENV) || { echo "the venv module is missing: apt install python3-venv, or make PYTHON=…" >&2; exit 1; }
	@echo "- installing the service into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[onebox]' || { echo "the packages can't be installed: is the package index reachable from here?" >&2; exit 1; }
	@touch $@

$(VENV)/test.stamp: $(VENV)/onebox.stamp
	@echo "- installing what tests and checks need into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[onebox,test,element,lint]' || { echo "the packages can't be installed: is the package index reachable from here?" >&2; exit 1; }
	@touch $@

$(VENV)/image.stamp: $(VENV)/test.stamp
	@echo "- installing what the node image needs into $(VENV)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[onebox,test,element,lint,image]' || { echo "the packages can't be installed: is the package index reachable from here?" >&2; exit 1; }
	@touch $@

up: $(VENV)/onebox.stamp ## Run a whole S3 service here, with a demo, until Ctrl-C (ARGS="--detach …")
	@exec $(BIN)/exordos-storage up $(ARGS)

down: $(VENV)/onebox.stamp ## Stop a service that runs in the background (ARGS="--state-dir …")
	@$(BIN)/exordos-storage down $(ARGS)

status: $(VENV)/onebox.stamp ## Tell whether the service runs, and where everything is
	@$(BIN)/exordos-storage status $(ARGS)

# The engine that every test run has; a build that fails fails the tests.
.PHONY: minio
minio: $(VENV)/test.stamp
	@$(BIN)/exordos-storage engine list | grep -q '^minio ' || $(BIN)/exordos-storage engine install minio

test: minio ## Run every test that needs no special stand
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(TESTS) $(ARGS)

# These three run as root on Debian; tools that are missing are installed by apt.
image: $(VENV)/image.stamp ## Build the node image into output (ARGS="--engine minio …")
	@$(NODE_IMAGE) tools
	@$(NODE_IMAGE) build $(ARGS)

image-test: $(VENV)/image.stamp minio ## Check the node image's role, with the real engine in a container
	@$(NODE_IMAGE) tools
	@$(BIN)/python -m pytest tests/image -m "not machine" -o timeout=1200 $(ARGS)

image-check: $(VENV)/image.stamp minio ## Check it all: image-test, then build the image and boot it in a virtual machine
	@$(NODE_IMAGE) tools
	@$(BIN)/python -m pytest tests/image -v -o timeout=1200 $(ARGS)

# What `make build` puts together is served by any web server at REPOSITORY.
REPOSITORY ?=
INDEX_URL ?=
IMAGE ?= built
PUBLISHED ?= /srv/exordos-local-repo/simple
EXORDOS ?= exordos
PLATFORM := .venv-platform
ELEMENT := PYTHONPATH=exordos/element $(BIN)/python -m s3aas_element
MANIFESTS ?= build/check/manifests
PLACES = $(if $(REPOSITORY),--repository '$(REPOSITORY)') $(if $(INDEX_URL),--index-url '$(INDEX_URL)')
SUITE ?= tests/functional
STAND := PYTHONPATH=exordos/images:exordos/element $(BIN)/python -m tests.stand

$(PLATFORM)/platform.stamp: exordos/platform-requirements.txt pyproject.toml | $(VENV)/test.stamp
	@$(NODE_IMAGE) tools --for platform
	@$(PYTHON) -m venv $(PLATFORM)
	@echo "- installing the platform's packages into $(PLATFORM)"
	@$(PLATFORM)/bin/python -m pip install --quiet --disable-pip-version-check --requirement exordos/platform-requirements.txt --editable '.[onebox,test,element]' || { echo "the platform's packages can't be installed: is the package index reachable from here?" >&2; exit 1; }
	@touch $@

manifests: $(VENV)/test.stamp ## Render the platform's manifests into output/manifests (REPOSITORY=… INDEX_URL=…)
	@$(ELEMENT) manifests $(PLACES) $(ARGS)

manifests-check: $(PLATFORM)/platform.stamp docs ## Check them with the platform's own code (MANIFESTS=output/manifests: those of a build)
	@$(ELEMENT) manifests --output build/check --images output $(PLACES) $(ARGS)
	@PYTHONPATH=exordos/element $(PLATFORM)/bin/python -m manifest_check --openapi build/docs/openapi.json $(MANIFESTS)/*.yaml

platform-test: $(PLATFORM)/platform.stamp ## Run the tests that need the platform's packages
	@$(PLATFORM)/bin/python -m pytest tests/platform $(ARGS)

build: $(VENV)/test.stamp docs ## Build wheel, manifests and output/repository (REPOSITORY=… INDEX_URL=… IMAGE=none)
	@$(ELEMENT) build --image $(IMAGE) $(PLACES) $(ARGS)

publish-wheel: $(VENV)/test.stamp ## Put the built wheel into a package index here (PUBLISHED=…)
	@$(ELEMENT) publish-wheel --to '$(PUBLISHED)' $(ARGS)

install: $(VENV)/test.stamp ## Install the built element on the platform that EXORDOS is set to (REPOSITORY=…)
	@test -n '$(REPOSITORY)' || { echo "REPOSITORY=… is missing: the address at which output/repository is served" >&2; exit 1; }
	@$(ELEMENT) install --repository '$(REPOSITORY)' --exordos '$(EXORDOS)' $(ARGS)

# The platform itself on this machine; as root, in network and mount namespaces.
stand-up: $(VENV)/test.stamp minio ## Bring the platform up here, with the service on it
	@$(STAND) up $(ARGS)

stand-down: $(VENV)/test.stamp ## Take that platform down
	@$(STAND) down $(ARGS)

functional: stand-up ## Run every test of the live platform on the stand
	@$(STAND) exec -- $(BIN)/python -m pytest $(SUITE)

smoke: stand-up ## The shortest of them: install, bucket, object, delete
	@$(STAND) exec -- $(BIN)/python -m pytest tests/functional -m smoke

lint: $(VENV)/test.stamp ## Check style, imports between folders and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/mypy

format: $(VENV)/test.stamp ## Bring the code into its layout
	@$(BIN)/ruff check --fix-only .
	@$(BIN)/ruff format .

typecheck: $(VENV)/test.stamp ## Check types
	@$(BIN)/mypy

bench: $(VENV)/test.stamp ## Measure against the bare engine; writes build/bench.json
	@$(BIN)/python -m tests.bench $(ARGS)

docs: $(VENV)/test.stamp ## Write the reference pages that are generated into build/docs
	@$(BIN)/python -m tests.docs build/docs

changelog: $(VENV)/test.stamp ## Show the next release's changelog from its fragments
	@$(BIN)/towncrier build --draft --version next

clean: ## Stop a stand of this checkout, and remove all that was made here but output/, which may be served
	@if [ -e build/stand/run/host.json ]; then EXORDOS_STAND_DIR= $(MAKE) --no-print-directory stand-down ARGS=; fi
	@rm -rf $(VENV) $(PLATFORM) build dist .mypy_cache .pytest_cache .ruff_cache .tox
