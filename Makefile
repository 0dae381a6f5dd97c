# Needs Python 3.11 or newer, make and a package index; everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A process more than cores, because many tests wait; the tests of a file share a database and stay
# together. Files with few tests would otherwise come last, and these take the longest.
PARALLEL := --numprocesses $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1) --dist loadfile --no-loadscope-reorder
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# The tests start a hundred programs, each of which would compile the code anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run key test test-fast check bench drill hostile translations lock clean

run: $(VENV)/runtime.stamp
	@exec $(BIN)/python app.py

# Where the first key of the embedded database is.
key: $(VENV)/runtime.stamp
	@$(BIN)/flask keys path

test: check
	@$(BIN)/python -m pytest $(PARALLEL)

# Without the tests marked slow: for every change while you work.
test-fast: $(VENV)/dev.stamp
	@$(BIN)/python -m pytest $(PARALLEL) -m "not slow"

check: $(VENV)/dev.stamp
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/dev.stamp
	@$(PIP) install --requirement benchmarks/requirements.txt
	@$(BIN)/python -m benchmarks

# Failovers, restores, full disks and kills, on loopback: takes under ten minutes, and writes
# docs/reference/drills.md. Failover needs Patroni from PyPI and etcd from Debian, which are kept in
# /tmp/hksz-drill-tools.
drill: $(VENV)/dev.stamp
	@$(BIN)/python -m tests.operating

# 50,000 hostile requests, and an ordinary reader beside attacks.
hostile: $(VENV)/dev.stamp
	@$(BIN)/python -m tests.operating.hostile
	@$(BIN)/python -m tests.operating.attacks

# Takes new texts of the pages into the catalogues. Those without a translation make a test fail.
CATALOGUES := hksz_db/web/translations
translations: $(VENV)/dev.stamp
	@$(BIN)/python -m babel.messages.frontend --quiet extract --mapping-file hksz_db/web/babel.cfg --add-location file --omit-header \
	    --output-file $(VENV)/messages.pot hksz_db/web
	@$(BIN)/python -m babel.messages.frontend --quiet update --input-file $(VENV)/messages.pot --output-dir $(CATALOGUES) \
	    --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width 98

# Pins what requirements*.in ask for; commit the result.
lock: $(VENV)/runtime.stamp
	@$(PIP) install uv
	@for name in requirements requirements-mcp requirements-dev; do \
	    $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	        --no-header --no-annotate --upgrade $$name.in --output-file $$name.txt || exit 1; \
	done

clean:
	rm -rf $(VENV)

$(VENV)/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "hksz: Python 3.11 or newer is needed (PYTHON=… names another)." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	    || { echo "hksz: the venv module of Python is missing (Debian: apt install python3-venv)." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/runtime.stamp: requirements.txt $(VENV)/python.stamp
	@$(PIP) install --require-hashes --requirement requirements.txt
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/runtime.stamp
	@$(PIP) install --require-hashes --requirement requirements-dev.txt
	@touch $@
