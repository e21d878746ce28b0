# Two commands: `make demo` and `make test`. Both first make .venv with everything they need, an MPI library included.
PYTHON ?= python3
VENV   ?= .venv
RANKS  ?= 2
DEMO   ?= jobs/demo.toml
PYTEST_ARGS ?=

BIN := $(VENV)/bin
PY  := $(BIN)/python
# The stamps carry the place of this tree: an environment that was copied along with it is made anew.
PLACE      := $(shell pwd | cksum | cut -d ' ' -f 1)
INSTALLED  := $(VENV)/.installed-$(PLACE)
DOCS_READY := $(VENV)/.docs-$(PLACE)
# Without a C++ compiler on the machine one comes from PyPI.
COMMA  := ,
EXTRAS := mpi,ml,test$(if $(shell command -v g++ || command -v clang++),,$(COMMA)compiler)
PIP := PYTHONWARNINGS=ignore $(PY) -m pip --disable-pip-version-check

# Open MPI refuses to start as root, and to start more ranks than cores, unless told (versions 5 and 4).
export OMPI_ALLOW_RUN_AS_ROOT = 1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM = 1
export PRTE_MCA_rmaps_default_mapping_policy = :oversubscribe
export OMPI_MCA_rmaps_base_oversubscribe = 1

.PHONY: help setup demo test test-all docs lint audit clean

help:            ## this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(INSTALLED)  ## make .venv and install the package into it

demo: $(INSTALLED)   ## generate and measure a small SU(3) ensemble on 2 ranks, write a report
	$(BIN)/mpirun -n $(RANKS) $(PY) -m mpi4py $(BIN)/lqcd-hpc run $(DEMO)

test: $(INSTALLED)   ## the test suite: two files at a time, then on 2 and on 4 ranks, then on SLURM
	OMP_NUM_THREADS=1 $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not long and not mpirun and not slurm" $(PYTEST_ARGS)
	$(PY) -m pytest -m "not long and mpirun" $(PYTEST_ARGS)
	$(PY) -m pytest tests/slurm -m "not long" -rs $(PYTEST_ARGS)

test-all: $(INSTALLED)  ## the suite with its long physics; figures go to benchmarks/results
	$(PY) -m pytest -m "" --timeout=0 --results=benchmarks/results $(PYTEST_ARGS)

docs: $(DOCS_READY)  ## the documentation as HTML in docs/_build/html
	$(PY) -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

lint: $(INSTALLED)   ## ruff over the whole tree
	$(PY) -m ruff check .

audit: $(INSTALLED)  ## known vulnerabilities of the installed versions (needs a network that reaches pypi.org)
	$(PYTHON) -m venv $(VENV)/audit && $(VENV)/audit/bin/pip install -q pip-audit
	$(PIP) freeze --exclude-editable > $(VENV)/audit/installed.txt
	$(VENV)/audit/bin/pip-audit -r $(VENV)/audit/installed.txt --no-deps --disable-pip --strict

clean:           ## remove .venv and everything that was built
	rm -rf $(VENV) build dist lqcd_hpc.egg-info docs/_build docs/_api demo-output .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# A plain venv; where Debian's python3-venv is missing, one without pip that the system's pip fills; else one message.
$(INSTALLED): setup.cfg pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "lqcd_hpc needs Python 3.11 or later, '$(PYTHON)' is not: name another one, make PYTHON=/path/to/python3" >&2; exit 1; }
	@test -e $@ || $(PYTHON) -m venv --clear $(VENV) >/dev/null 2>&1 || { \
	  $(PYTHON) -m venv --clear --without-pip $(VENV) >/dev/null 2>&1 && \
	  $(PYTHON) -m pip --disable-pip-version-check --python $(PY) install -q -c constraints.txt pip setuptools >/dev/null 2>&1; } || { \
	  rm -rf $(VENV); \
	  echo "$(PYTHON) cannot make a virtual environment: apt-get install python3-venv (or python3-pip), then repeat" >&2; exit 1; }
	@echo "installing lqcd_hpc[$(EXTRAS)] into $(VENV) (about a minute the first time)"
	@$(PIP) install -q -c constraints.txt setuptools
	@$(PIP) install -q -c constraints.txt --no-build-isolation -e '.[$(EXTRAS)]'
	@touch $@

$(DOCS_READY): $(INSTALLED)
	@echo "installing sphinx into $(VENV)"
	@$(PIP) install -q -c constraints.txt --no-build-isolation -e '.[docs]'
	@touch $@
