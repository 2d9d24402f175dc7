# Two commands matter: `make demo` and `make test`. Both set everything up first.
PYTHON ?= python3
ARGS   ?=

# Which lock a stamp stands for: .venv/run holds what the product needs, .venv/dev also what its tests need.
.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("arrears needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another with PYTHON=…") if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv .venv

.venv/run: requirements/run.lock pyproject.toml | .venv/bin/python
	@echo "Setting up (once; about a minute) …"
	@.venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/run.lock
	@.venv/bin/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/dev: requirements/dev.lock .venv/run
	@echo "Setting up the tests' own tools …"
	@.venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@

# Records the tapes in tests/connector/cassettes anew; see the README there.
record: .venv/dev
	@PYTHONPATH=.:tests .venv/bin/python tests/connector/tapes.py $(ARGS)

# Turns the mail layouts from MJML into HTML, after one was changed.
layouts: .venv/dev
	@.venv/bin/python -m wording.compile_layouts

.PHONY: setup demo test check lock record layouts
setup: .venv/run

demo: .venv/run
	@.venv/bin/arrears demo $(ARGS)

test: .venv/dev
	@.venv/bin/python -m pytest $(ARGS)

check: .venv/dev
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	@$(MAKE) --no-print-directory test

# Renews the pinned locks; needs `uv` on the path. No index addresses are written.
lock:
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  pyproject.toml --group build -o requirements/run.lock
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	  pyproject.toml --group build --group dev -c requirements/run.lock -o requirements/dev.lock
