# Everything starts here; needs python3 (3.11 or later), pip and make, and builds .venv by itself.
PROFILE ?= smoke
P ?=
THREADS ?=
export PROFILE P
PY := .venv/bin/python
DATA := $(or $(TINYEMO_DATA),data)
SNAKEMAKE := $(PY) -m snakemake --cores all --nolock --rerun-incomplete --rerun-triggers mtime params \
	--max-checksum-file-size 0 --quiet host
GRAPH := $(SNAKEMAKE) --config profile="$$PROFILE" pairs="$$P" $(if $(THREADS),threads=$(THREADS))

.PHONY: help .venv reproduce plan test check-results lab bench data-emotion6 clean

help:
	@echo "make reproduce [PROFILE=smoke] [P='k=v k=v']  run a profile's notebooks, skip what is done, print results"
	@echo "make plan      [PROFILE=smoke] [P='k=v k=v']  say what would run, why, and what is missing"
	@echo "make reproduce THREADS=1                      run steps side by side, each on so many cores"
	@echo "make test            all tests, ruff, notebooks without outputs"
	@echo "make check-results   committed results agree with the runs they came from"
	@echo "make lab             open the notebooks in JupyterLab"
	@echo "make bench           measure the claims of speed"
	@echo "make data-emotion6   clone the upstream repository, which holds Emotion6's CLIP features"
	@echo "make clean           remove .venv; results and data stay"

.venv: .venv/made

.venv/made: pyproject.toml constraints.txt
	python3 -m venv .venv
	$(PY) -m pip install --quiet -c constraints.txt torch
	$(PY) -m pip install --quiet -c constraints.txt -e ".[notebooks,test]"
	@if [ -e .git ]; then git config filter.nbstripout.clean ".venv/bin/nbstripout --keep-id"; fi
	@touch $@

reproduce: .venv/made
	@$(GRAPH)
	@$(PY) -m tinyemo.cli results "$$PROFILE" --pairs "$$P"

plan: .venv/made
	@$(GRAPH) --dry-run
	@$(PY) -m tinyemo.cli plan "$$PROFILE" --pairs "$$P"

test: .venv/made
	$(PY) -m ruff check .
	$(PY) -m nbstripout --keep-id --verify notebooks/*.ipynb
	$(PY) -m pytest

check-results: .venv/made
	$(PY) -m tinyemo.cli results --check

lab: .venv/made
	$(PY) -m jupyterlab notebooks

bench: .venv/made
	for script in benchmarks/*.py; do $(PY) $$script || exit 1; done

data-emotion6:
	@if [ -d "$(DATA)/TinyEmo" ]; then echo "$(DATA)/TinyEmo is there"; else \
	git clone --depth 1 https://github.com/ggcr/TinyEmo "$(DATA)/TinyEmo"; fi

clean:
	rm -rf .venv
	-git config --unset filter.nbstripout.clean
