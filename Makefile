# Everything sets itself up: a .venv with a pinned uv, and the locked packages in it.
# Needed on the machine: make, and Python 3.11 or newer with pip and venv.

UV_VERSION := 0.13.9
TORCH_VERSION := 2.13.0

VENV := .venv
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv
# What to make .venv with: the first Python on the path that is new enough.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$p" -c '$(NEW_ENOUGH)' 2>/dev/null && echo "$$p" && break; done)

# The environment is .venv here, whatever else is active; uv must not fetch a Python of its own.
unexport VIRTUAL_ENV
# What Python has compiled is kept: to compile it all anew doubles the time that every process takes to start.
unexport PYTHONDONTWRITEBYTECODE
export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_PYTHON_DOWNLOADS := never
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help run test check lint types js js-types unit browser parity load bench faults lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

run: $(VENV)/.run ## start the server and open the page
	$(PY) -m server

test: $(VENV)/.dev ## everything: Python, JavaScript, types, lint, packaging, docs, a real browser
	$(PY) -m scripts.test

check: $(VENV)/.dev ## the quick part of it: lint, types, JavaScript
	$(PY) -m scripts.test lint types js js-types

lint types js js-types unit browser: $(VENV)/.dev ## one part of the tests
	$(PY) -m scripts.test $@

parity: $(VENV)/.torch ## the engine beside PyTorch, at 1e-12
	$(PY) -m scripts.test parity

load: $(VENV)/.dev ## a lecture hall and worse, on this machine alone, in some minutes: docs/reliability.md
	$(PY) -m tests.load

bench: $(VENV)/.torch ## the figures of benchmarks/README.md
	$(PY) -m benchmarks.engine
	$(PY) -m scripts.beside jax benchmarks.credit
	$(PY) -m benchmarks.diagnostics
	$(PY) -m benchmarks.long
	$(PY) -m benchmarks.training
	$(PY) -m benchmarks.training_service
	$(PY) -m benchmarks.training_page
	$(PY) -m benchmarks.page
	$(PY) -m benchmarks.store
	$(PY) -m benchmarks.taps

faults: $(VENV)/.dev ## everything that may go wrong, often: killed, hung, full, locked, stopped (9 minutes on a free machine)
	$(PY) -m tests.faults

lock: $(VENV)/.uv ## after editing the dependencies: write uv.lock and package-lock.json anew
	$(UV) lock
	npm install --package-lock-only --omit-lockfile-registry-resolved

clean: ## remove what these commands made
	rm -rf $(VENV) node_modules dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# Each stamp is newer than what it was made from, so that a second call does nothing.

$(VENV)/.uv: Makefile
	@test -n "$(PYTHON)" || { echo "Unrolled needs Python 3.11 or newer; none was found on the path." >&2; exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv $(VENV)
	@$(PY) -m pip install --quiet uv==$(UV_VERSION)
	@touch $@

$(VENV)/.run: $(VENV)/.uv pyproject.toml uv.lock
	@$(UV) sync --quiet --frozen --no-dev --inexact
	@touch $@

$(VENV)/.dev: $(VENV)/.uv pyproject.toml uv.lock
	@$(UV) sync --quiet --frozen --inexact
	@touch $@ $(VENV)/.run

# pip, not uv: so that a wheel that pip's own configuration knows of is found.
$(VENV)/.torch: $(VENV)/.dev
	@$(PY) -m pip install --quiet torch==$(TORCH_VERSION)
	@touch $@

.PHONY: coverage mutants hostile
coverage: $(VENV)/.dev ## which lines and branches the Python tests reach
	$(PY) -m pytest tests --ignore=tests/browser -n auto --dist worksteal --cov --cov-report=term:skip-covered

mutants: $(VENV)/.dev ## whether a test notices when a parser or a limit is wrong
	$(PY) -m scripts.mutants

hostile: $(VENV)/.dev ## mutants of files and slow clients, at length
	$(PY) -m tests.hostile.files -n 100000
	$(PY) -m tests.hostile.slow -n 1100

.PHONY: test-peers
PEERS ?= torch jax onnx tensorflow
test-peers: $(VENV)/.dev ## the conventions beside PyTorch, JAX, ONNX, TensorFlow and Keras (PEERS=... for a few)
	$(PY) -m scripts.peers $(PEERS)
