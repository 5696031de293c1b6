# Two commands to know: `make run` and `make test`. Both install first, and are fast the second time.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: install run test check format lint types imports lock bench picture clean

install: $(STAMP)

$(STAMP): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "cockpit needs Python 3.11 or newer; say which with make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "this Python has no venv module; on Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	$(BIN)/python -m compileall -q cockpit widgets sources
	@touch $(STAMP)

run: install
	@$(BIN)/cockpit $(ARGS)

# What measures time runs by itself, after all that can share the machine; where ARGS leave one part empty, that's well.
test: install
	$(BIN)/python -m pytest -n auto -m "not alone" $(ARGS) || [ $$? -eq 5 ]
	$(BIN)/python -m pytest -m alone $(ARGS) || [ $$? -eq 5 ]

check: install format-check lint types imports

format: install
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .

.PHONY: format-check
format-check: install
	$(BIN)/ruff format --check --quiet .

lint: install
	$(BIN)/ruff check --quiet .

types: install
	$(BIN)/mypy

imports: install
	$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

# Pins every package for every platform; needs uv.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --all-extras --no-emit-index-url --no-emit-find-links --no-header pyproject.toml -o requirements.txt

bench: install
	$(BIN)/python -m bench $(ARGS)

# Draws docs/screen.svg from the real program over real servers.
picture: install
	$(BIN)/python -m docs.picture

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
