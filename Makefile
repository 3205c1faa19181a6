# make demo: the main job on real data. make test: the tests. Each makes its own environment in .venv.
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: install demo test check docs clean fuzz fuzz-nightly kill simulate kill-test kill-graph-test

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing into .venv ..."
	@$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: install
	@$(BIN)/pql demo

test: install
	$(BIN)/python -m pytest -n 2

check: install
	$(BIN)/ruff format --check pql tests benchmarks
	$(BIN)/ruff check pql tests benchmarks
	$(BIN)/lint-imports
	$(BIN)/mypy

# SQL against the reference evaluator, and both SQL forms against the plain one; SEED=n for other cases.
SEED ?= 0

docs: install
	$(BIN)/python docs/generate.py

fuzz: install
	$(BIN)/python -m tests.property.fuzz --seed $(SEED) --cases 10000
	$(BIN)/python -m tests.property.engines --seed $(SEED) --cases 10000

fuzz-nightly: install
	$(BIN)/python -m tests.property.fuzz --seed $(SEED) --cases 1000000
	$(BIN)/python -m tests.property.engines --seed $(SEED) --cases 1000000

# Lives of a stream with crashes; a process that is killed in earnest.
LIVES ?= 1000
KILLS ?= 200

simulate: install
	$(BIN)/python -m tests.simulation.run --seed $(SEED) --lives $(LIVES)

kill-test: install
	$(BIN)/python -m tests.streams.kill --seed $(SEED) --kills $(KILLS)

# The same while loads, unlinkings and deletions change the store's graph.
kill-graph-test: install
	$(BIN)/python -m tests.streams.kill_graph --seed $(SEED) --kills $(KILLS)

# A load killed at fifty random moments.
kill: install
	KILLS=50 $(BIN)/python -m pytest -q tests/ingest/test_kill.py

clean:
	rm -rf .venv build *.egg-info
