# Two commands are all a newcomer needs: make demo, make test.
# Everything is installed into .venv; nothing else on the machine changes.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test prove-scripts prove-parity prove-faults prove-crash prove-takeover prove-recovery prove-soak prove-simulation prove-signals prove-image prove-docs check-delivery check fix bench clean

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# What the installed package is made of; when one of these changes, the next make installs again.
SETUP := pyproject.toml constraints.txt hatch_build.py package-lock.json
# Further words for the program behind a target: make demo ARGS="--speed 50", make test ARGS="-k risk".
ARGS ?=

help:  ## Show this list.
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 24

demo: $(VENV)/.installed  ## Watch a strategy trade on a local exchange, on http://localhost:8080 (Ctrl-C ends it).
	@$(BIN)/milobot demo --exchange binance $(ARGS)

test: $(VENV)/.installed-dev  ## Run the tests.
	$(BIN)/pytest -q -n 2 --dist worksteal $(ARGS)

prove-scripts: $(VENV)/.installed-dev  ## Try all escapes, bombs, random scripts and answers (7 min).
	PROVE_SCRIPTS=1 $(BIN)/pytest -q -o timeout=1800 tests/journeys/test_escapes.py tests/journeys/test_bombs.py \
	    tests/property/scripting/test_differential.py tests/property/scripting/test_answers_fuzz.py $(ARGS)

prove-parity: $(VENV)/.installed-dev  ## Compare back-test, paper and wire over all recorded candles (3 min).
	PROVE_PARITY=1 $(BIN)/pytest -q -o timeout=1800 tests/parity $(ARGS)

prove-faults: $(VENV)/.installed-dev  ## Hold both clients to their word under every fault (3 min).
	@$(BIN)/python -m tests.support.fault_runs $(ARGS)

prove-crash: $(VENV)/.installed-dev  ## Kill real bots everywhere and judge what is left; goes on where it stopped (30 min).
	@$(BIN)/python -m tests.support.crash.runs $(ARGS)

prove-takeover: $(VENV)/.installed-dev  ## Kill and freeze the leader of an account, 50 times on each database (15 min).
	@$(BIN)/python -m tests.support.crash.takeover $(ARGS)

prove-recovery: $(VENV)/.installed-dev  ## Let five kinds of faults befall real bots, 30 times each, and time their recovery (25 min).
	@$(BIN)/python -m tests.support.recovery.runs $(ARGS)

prove-soak: $(VENV)/.installed-dev  ## Trade two market days in half an hour and see that memory is flat (30 min).
	@$(BIN)/python -m tests.support.endurance.runs $(ARGS)

prove-simulation: $(VENV)/.installed-dev  ## Play 10,000 histories with every fault in simulated time, then with bugs put in (10 min).
	@$(BIN)/python -m tests.support.simulated.campaign $(ARGS)

prove-signals: $(VENV)/.installed-dev  ## Read a million mutated and random messages: no crash, no broken law, in time (10 min).
	@$(BIN)/python -m tests.support.signal_fuzz $(ARGS)

prove-image: $(VENV)/.installed-dev  ## Carry out the Dockerfile without an engine and run what it makes; as root (3 min).
	@$(BIN)/python -m tests.support.container.prove $(ARGS)

prove-docs: $(VENV)/.installed-dev  ## Follow README from a fresh clone, then type the whole manual in fresh interpreters (6 min).
	@$(BIN)/python -m tests.docs.from_zero
	COLD_STARTS=1 $(BIN)/pytest -q -o timeout=900 tests/docs $(ARGS)

check: $(VENV)/.installed-dev  ## Check format, style, types and layers.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

check-delivery: $(VENV)/.installed-ops  ## Check image, compose file, chart, workflows and alerts with their tools.
	CI=true PROVE_ALERTS=1 $(BIN)/pytest -q tests/ops $(ARGS)

fix: $(VENV)/.installed-dev  ## Repair format and style where a tool can.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-dev  ## Measure speed; each figure comes with its ratio to a yardstick.
	@for benchmark in benchmarks/[a-z]*.py; do $(BIN)/python "$$benchmark" || exit; done

clean:  ## Remove caches and built files (.venv stays; delete it by hand to start afresh).
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache htmlcov dist build
	rm -f .coverage
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# The build tool is pinned and installed first: a build in isolation would take the newest one.
$(VENV)/.installed: $(SETUP) | $(BIN)/python
	@echo "Installing milobot into $(VENV) (once; half a minute to two minutes) ..."
	@$(PIP) install -c constraints.txt hatchling editables setuptools
	@$(PIP) install -c constraints.txt --no-build-isolation -e '.[telegram]'
	@touch $@

$(VENV)/.installed-dev: $(SETUP) | $(BIN)/python
	@echo "Installing milobot and its tools into $(VENV) (once; one to two minutes) ..."
	@$(PIP) install -c constraints.txt hatchling editables setuptools
	@$(PIP) install -c constraints.txt --no-build-isolation -e '.[dev,parquet,telegram]'
	@touch $@ $(VENV)/.installed

# Judges of chart, image, workflows and alerts. promtool comes out of Debian's package without being
# installed: its service would take the bot's port.
$(VENV)/.installed-ops: $(VENV)/.installed-dev
	@echo "Installing what judges chart, image, workflows and alerts (once; half a minute) ..."
	@$(PIP) install -c constraints.txt --no-build-isolation -e '.[ops]'
	@if command -v apt-get >/dev/null && command -v dpkg >/dev/null; then \
	    folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && cd "$$folder" \
	        && apt-get download -q prometheus && dpkg -x prometheus_*.deb . \
	        && cp usr/bin/promtool usr/bin/prometheus "$(CURDIR)/$(BIN)/"; \
	else \
	    echo "milobot: promtool is taken from Debian only; put it on the path for tests/ops" >&2; \
	fi
	@touch $@

$(BIN)/python:
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        $$python -m venv $(VENV) && exit 0; \
	        rm -rf $(VENV); \
	        echo "milobot: $$python cannot make a virtual environment; on Debian and Ubuntu install python3-venv" >&2; \
	        exit 2; \
	    fi; \
	done; \
	echo "milobot: Python 3.11 or newer is needed and was not found; install it and run make again" >&2; \
	exit 2
