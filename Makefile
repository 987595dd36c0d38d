# `make demo` and `make test` each make a virtual environment in .venv if there is none, and install what they need.

VENV ?= .venv
# The first Python of this machine that TensorFlow 2.20 and 2.21 have wheels for.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$python && break; done)
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/installed

.PHONY: demo test test-slow clean

demo: $(INSTALLED)
	$(RUN) run_pretraining.py

test: $(INSTALLED)
	$(RUN) -m pytest -m "not slow"

test-slow: $(INSTALLED)
	$(RUN) -m pytest -m slow

$(INSTALLED): setup.cfg pyproject.toml
	@if [ -z "$(PYTHON)" ]; then echo "error: Python 3.11, 3.12 or 3.13 is needed, and none was found" >&2; exit 1; fi
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	@echo "Installing TensorFlow and what else is needed into $(VENV): about 2.7 GB, a minute or two."
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

clean:
	rm -rf $(VENV) build *.egg-info
