# `make up` runs the service, `make demo` shows it, `make test` tests it. Nothing else is needed
# than Python 3.11 or newer and make: everything comes from uv.lock into .venv.

PYTHON ?= python3
# Some containers switch it off: each of the many processes would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE
UV := .uv/bin/uv
BIN := .venv/bin

.PHONY: up demo compose-env test chaos bench docs recording lint format setup clean

up: setup
	@exec $(BIN)/stream-tracker up $(if $(STREAM),--stream '$(STREAM)') $(if $(WEBHOOK),--webhook '$(WEBHOOK)')

demo: setup
	@exec $(BIN)/stream-tracker demo

# Two that compute, the others wait for streams and servers: see tests/conftest.py.
PROCESSES := 6
# Whole services play their scenarios in real time, many at once: nothing else runs beside them.
SERVICES := tests/service
# These use the whole machine.
ALONE := tests/hostile_service

# Keys for docker-compose.yaml; it needs no more than a shell.
compose-env:
	@deploy/compose/make-env.sh

test: setup
ifdef PYTEST_ARGS
	$(BIN)/pytest $(PYTEST_ARGS)
else
	$(BIN)/pytest -q -n $(PROCESSES) --dist loadfile --no-loadscope-reorder \
		$(addprefix --ignore=,$(SERVICES) $(ALONE))
	$(BIN)/pytest -q --timeout 400 $(SERVICES)
	$(BIN)/pytest -q $(ALONE)
endif

chaos: setup
	$(BIN)/python -m tests.chaos $(CHAOS_ARGS)

# Alone it lists the benchmarks; BENCH=probe runs one, BENCH_ARGS are its options.
bench: setup
	@$(BIN)/python -m benchmarks $(BENCH) $(BENCH_ARGS)

# Writes the generated reference and builds the site into site/.
docs: setup
	$(BIN)/python -m api.openapi docs/openapi.json
	$(BIN)/python -m tests.docs.reference
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# Records a whole `make demo` as the picture of the README; nothing else should run beside it.
recording: setup
	$(BIN)/python -m tests.docs.recording

lint: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

setup: .venv/.synced

$(UV): deploy/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, PYTHON=... names it" if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .uv
	@.uv/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement deploy/uv.txt
	@touch $@

.venv/.synced: $(UV) uv.lock pyproject.toml
	@$(UV) sync --frozen --quiet --no-python-downloads --python $(PYTHON)
	@touch $@

clean:
	rm -rf .venv .uv .mypy_cache .ruff_cache .pytest_cache .hypothesis site
