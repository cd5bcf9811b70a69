# Everything is installed into .venv, by the targets that need it. Nothing else is asked for but
# Python, and for the tests a Chromium.

PYTHON ?= python3
BIN := .venv/bin
LOCKS := deploy/locks
# What releases are made with has an environment of its own.
SHIP := .venv/ship
# Tests wait for processes and clocks half of the time, so two share a core. Those of a file stay
# together, since they share what takes long to make; the first files have the slowest ones.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(2 * (os.cpu_count() or 1))')
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo test lint prove bench figures browser tools rules words mail-support docs lock audit sbom \
  release clean

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(BIN)/.installed ## the whole main job on the sample issues, with what came of it to look at
	@$(BIN)/publisher demo

test: lint browser tools ## everything that must hold before a change goes in
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

prove: lint browser tools ## the same, with the long form of each proof
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m '' -o faulthandler_timeout=3600

lint: $(BIN)/.installed-for-tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(BIN)/.installed-for-tests ## measure; `make bench PARTS="unchanged commands"` does some parts
	$(BIN)/python -m tests.benchmarks $(PARTS) $(OPTIONS)

figures: $(BIN)/.installed-for-tests ## tell what `make bench` measured here in docs/performance.md
	$(BIN)/python -m tests.benchmarks.report

rules: $(BIN)/.installed-for-tests ## write docs/rules.md from the catalogue of diagnostics
	$(BIN)/python -m publisher.preflight.document > docs/rules.new && mv docs/rules.new docs/rules.md

words: $(BIN)/.installed-for-tests ## write what shells complete, from the commands themselves
	$(BIN)/python -m publisher.cli.words > publisher/cli/words.new && \
	  mv publisher/cli/words.new publisher/cli/words.json

docs: $(BIN)/.installed-for-tests ## write the documentation into dist/docs, with all of its links checked
	$(BIN)/python -m docs.site dist/docs

lock: $(SHIP)/.installed ## pin by hash what pyproject.toml asks for; all anew with UPGRADE=--upgrade
	@$(BIN)/python -m deploy.lock $(SHIP)/bin/uv $(UPGRADE)

audit: $(SHIP)/.installed ## ask for known vulnerabilities of what is pinned; needs a network
	@$(BIN)/python -m deploy.audit $(SHIP)/bin/pip-audit

sbom: $(SHIP)/.installed ## write what an installation consists of into dist/ (CycloneDX); needs a network
	@$(BIN)/python -m deploy.sbom $(SHIP)/bin/cyclonedx-py dist

release: $(SHIP)/.installed ## make a release of this commit: `make release VERSION=1.2.3`; uploads nothing
	@$(BIN)/python -m deploy.release --check "$(VERSION)"
	$(MAKE) test
	@$(BIN)/python -m deploy.release "$(VERSION)"

mail-support: $(BIN)/.installed-for-tests ## what mail clients lack, anew from npm's caniemail
	@command -v npm >/dev/null || { echo "npm is needed, to fetch the package caniemail" >&2; exit 1; }
	@folder=$$(mktemp -d) && (cd "$$folder" && npm pack --silent caniemail >/dev/null) && \
	  $(BIN)/python tests/generate/mail_support.py "$$folder"/caniemail-*.tgz > "$$folder/made.py" && \
	  cp "$$folder/made.py" publisher/preflight/mail_support.py && rm -r "$$folder"

clean: ## remove what was made here, .venv included
	rm -rf .venv .bench .publisher public demo dist *.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find publisher tests -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Python 3.11 or newer is needed; name another one with: make PYTHON=python3.12"; exit 1; } >&2
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, and $(PYTHON) is $$($(PYTHON) -V 2>&1);" \
	    "name another one with: make PYTHON=python3.12"; exit 1; } >&2
	@$(PYTHON) -m venv .venv || { rm -rf .venv; \
	  echo "$(PYTHON) cannot make a virtual environment; Debian and Ubuntu have that in" \
	    "the package python3-venv"; exit 1; } >&2

# The stamps are older than pyproject.toml or a lock when what is asked for has changed. What the
# lock does not pin yet is installed by the second command; a test asks for `make lock` then.
$(BIN)/.installed: pyproject.toml $(LOCKS)/runtime.txt | $(BIN)/python
	@echo "Installing publisher into .venv ..."
	@$(BIN)/pip install --quiet --require-hashes -r $(LOCKS)/runtime.txt
	@$(BIN)/pip install --quiet --editable .
	@touch $@

$(BIN)/.installed-for-tests: pyproject.toml $(LOCKS)/dev.txt | $(BIN)/python
	@echo "Installing publisher and what its tests need into .venv ..."
	@$(BIN)/pip install --quiet --require-hashes -r $(LOCKS)/dev.txt
	@$(BIN)/pip install --quiet --editable '.[dev]'
	@touch $(BIN)/.installed $@

$(SHIP)/.installed: $(LOCKS)/ship.txt | $(BIN)/.installed-for-tests
	@echo "Installing what releases are made with into $(SHIP) ..."
	@$(PYTHON) -m venv $(SHIP)
	@$(SHIP)/bin/pip install --quiet --require-hashes -r $(LOCKS)/ship.txt
	@touch $@

# As root on Debian and Ubuntu a missing Chromium is installed; elsewhere it is said how to get one.
browser: $(BIN)/.installed-for-tests
	@$(BIN)/python -m tests.browser.chromium >/dev/null 2>&1 || [ -n "$$PLAYWRIGHT_CHROMIUM" ] || \
	  [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || { \
	    echo "Installing Chromium ..."; apt-get -qq update && \
	    DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends \
	      chromium fonts-dejavu-core >/dev/null; }
	@$(BIN)/python -m tests.browser.chromium >/dev/null

# What faults are injected with, and a second opinion on DKIM: tests that want them say so without.
tools:
	@{ command -v strace && perl -MMail::DKIM -e 1; } >/dev/null 2>&1 || [ "$$(id -u)" != 0 ] || \
	  ! command -v apt-get >/dev/null || { \
	    echo "Installing strace and Mail::DKIM ..."; apt-get -qq update && \
	    DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends \
	      strace libmail-dkim-perl >/dev/null; }
