# make demo: run the demo study, from simulated slides to its report
# make check: run the linters and the unit tests, for daily work
# make test: run all tests, in three processes of one core each: on two cores, one often waits for another program
# All set up a virtual environment in .venv first; the second run installs nothing again.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
INSTALLED := $(VENV)/installed
PYTEST := OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

.PHONY: demo check test lint

demo: $(INSTALLED)
	$(VENV)/bin/snakemake --cores all --directory demo
	@echo "The report is demo/results/report.html"

check: lint
	$(PYTEST) tests/unit

test: $(INSTALLED)
	$(PYTEST)

lint: $(INSTALLED)
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/snakefmt --check Snakefile rules
	$(VENV)/bin/snakemake --lint --directory demo

# Marked only when all is in place, so that an interrupted installation is taken up again.
$(INSTALLED): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "Python 3.11 is needed; name it with: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --requirement requirements.txt
	@touch $(INSTALLED)
