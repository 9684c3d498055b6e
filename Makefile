# Two commands on a fresh machine with Python and git: `make try` and `make test`.
PYTHON ?= python3
VENV ?= .venv

.PHONY: try test lint clean

try: $(VENV)/.base
	$(VENV)/bin/amends score examples/complaints.csv --overwrite
	$(VENV)/bin/amends explain "My order is two weeks late and nobody answers my emails."

test: $(VENV)/.test
	$(VENV)/bin/python -m pytest -q

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/pip install -q -e .
	touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/pip install -q -e '.[test]'
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/pip install -q -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV)
