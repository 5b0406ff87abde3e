# `make fit` and `make test` each set up everything they need on a fresh machine.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: fit test clean

fit: .venv/installed
	$(BIN)/cnnkit fit --adapter audio

test: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --cov --cov-report=term-missing:skip-covered
	$(BIN)/python -m pytest --doctest-modules src/cnnkit

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable .
	touch $@

.venv/installed-test: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock --editable '.[test]'
	touch $@

clean:
	rm -rf .venv build dist src/cnnkit.egg-info
