# The front door. `make demo` and `make test` are all a new machine needs.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
export PYTHONHASHSEED := 0
export MPLBACKEND := Agg

.PHONY: demo test check test-quick test-slow validate bench docs lock audit serve clean

$(VENV)/.core: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "OpenTPE needs Python 3.11 or newer; this is " + sys.version)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.dev: $(VENV)/.core requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

demo: $(VENV)/.core
	$(BIN)/opentpe demo

test: $(VENV)/.dev
	PATH="$(abspath $(BIN)):$$PATH" tests/run quick

test-slow: $(VENV)/.dev
	PATH="$(abspath $(BIN)):$$PATH" tests/run slow

validate: $(VENV)/.dev
	$(BIN)/opentpe validate --write docs/validation.md
	$(BIN)/python validation/learning --write docs/calibration.md

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

docs: $(VENV)/.dev
	$(BIN)/mkdocs build --strict --quiet

serve: $(VENV)/.dev
	$(BIN)/opentpe serve --demo

audit: $(VENV)/.dev
	$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements-dev.lock

lock: $(VENV)/.dev
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -o requirements-dev.lock
	printf 'hatchling>=1.27\neditables>=0.5\n' | $(BIN)/uv pip compile pyproject.toml - --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -q -c requirements-dev.lock -o requirements.lock

clean:
	rm -rf $(VENV) site out .pytest_cache .mypy_cache .ruff_cache
