# Everything starts here. Needs python3 (3.11 or later) with pip, and make; builds .venv by itself.
PROFILE ?= smoke
P ?=
ONLY ?=
THREADS ?=
# the code of this checkout, even where PYTHONPATH names another one
PYTHONPATH := $(CURDIR)$(if $(PYTHONPATH),:$(PYTHONPATH))
export PROFILE P ONLY PYTHONPATH
PY := .venv/bin/python
DATA := $(or $(TINYEMO_DATA),data)
# Snakemake keeps its log and its cache with the runs: the checkout and the home folder may be read-only
# what JupyterLab writes into a notebook that was only opened and saved
SAVED_BY_LAB := $(foreach key,codemirror_mode file_extension mimetype nbconvert_exporter pygments_lexer version,\
	metadata.language_info.$(key))
RUNS = "$$($(PY) -c 'from tinyemo.paths import runs_dir; print(runs_dir())')"
SNAKEMAKE = $(PY) -m snakemake --directory $(RUNS) --cores all --nolock --rerun-incomplete --keep-going \
	--rerun-triggers mtime params --max-checksum-file-size 0 \
	--shared-fs-usage persistence input-output software-deployment sources storage-local-copies
GRAPH = $(SNAKEMAKE) --config profile="$$PROFILE" pairs="$$P" only="$$ONLY" $(if $(THREADS),threads=$(THREADS))

.PHONY: help .venv try weights reproduce plan test fuzz check-results lab bench data-emotion6 clean

help:
	@echo "make try             the emotion of six drawings, with explanations: a page to open in a browser"
	@echo "make reproduce [PROFILE=smoke] [P='k=v k=v']  run a profile's notebooks, skip what is done, print results"
	@echo "make plan      [PROFILE=smoke] [P='k=v k=v']  show what would run, why, and what is missing"
	@echo "make reproduce ONLY=10_zero_shot_table        run one notebook of the profile and all that it needs"
	@echo "make reproduce THREADS=1                      run steps side by side, each on so many cores"
	@echo "make test            ruff (lint and format), notebooks without outputs, all tests"
	@echo "make fuzz            random folders, tables, pictures and checkpoints, others each time: 20 minutes"
	@echo "make check-results   check that the committed results agree with the runs they came from"
	@echo "make lab             open JupyterLab; runs there go to results/runs/lab"
	@echo "make bench           short benchmarks that need no data, under 10 minutes: training a projector and the"
	@echo "                     MM-LLM, checking instructions, the audit, the bias analysis at a larger size"
	@echo "make data-emotion6   clone the upstream repository, which holds Emotion6's CLIP features"
	@echo "make weights         train the models that ship with the project anew (about two hours), and compare"
	@echo "make clean           remove .venv; results and data stay"

.venv: .venv/made

.venv/made: pyproject.toml constraints.txt
	python3 -m venv .venv
	$(PY) -m pip install --quiet -c constraints.txt torch
	$(PY) -m pip install --quiet -c constraints.txt -e ".[notebooks,test]"
	@if [ -e .git ]; then git config filter.nbstripout.clean \
		".venv/bin/nbstripout --keep-id --extra-keys '$(SAVED_BY_LAB)'"; fi
	@touch $@

try: .venv/made
	@$(PY) -m emoscenes.example_scenes $(RUNS)/example_scenes
	@$(PY) -m tinyemo.cli predict $(RUNS)/example_scenes --explain --html $(RUNS)/hello.html

weights: .venv/made
	$(MAKE) reproduce PROFILE=scenes ONLY=14_reasoning_evaluation P=
	$(PY) -m tinyemo.predict.pack_weights $(RUNS)/scenes

reproduce: .venv/made
	@$(GRAPH) --quiet all; status=$$?; [ $$status -ne 2 ] || exit 2; \
	$(PY) -m tinyemo.cli results "$$PROFILE" --pairs "$$P" --only "$$ONLY" && exit $$status

plan: .venv/made
	@$(GRAPH) --dry-run --quiet host
	@$(PY) -m tinyemo.cli plan "$$PROFILE" --pairs "$$P" --only "$$ONLY"

test: .venv/made
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m nbstripout --keep-id --extra-keys "$(SAVED_BY_LAB)" --verify notebooks/*.ipynb
	$(PY) -m pytest

fuzz: .venv/made
	$(PY) -m pytest tests/fuzz --hypothesis-profile=long --hypothesis-show-statistics

check-results: .venv/made
	$(PY) -m tinyemo.cli results --check

lab: .venv/made
	$(PY) -m tinyemo.runs.lab

# the benchmarks that need no data; benchmarks/README.md describes these and the longer ones
bench: .venv/made
	$(PY) benchmarks/projector.py --repeats 2
	$(PY) benchmarks/multimodal_lm.py --items 64 --repeats 1
	$(PY) benchmarks/label_decoding.py
	$(PY) benchmarks/instructions.py --records 100000
	$(PY) benchmarks/audit.py --scenes 300 --rows 50000 --copies 500
	$(PY) benchmarks/audit_pictures.py --scenes 500 --photos 200 --sources 20 --sizes 250 500 1000
	$(PY) benchmarks/bias_scale.py --items 5000 --references 10 --size 1000 --predicted 1000

data-emotion6:
	@if [ -d "$(DATA)/TinyEmo" ]; then echo "$(DATA)/TinyEmo exists already"; else \
	git clone --depth 1 https://github.com/ggcr/TinyEmo "$(DATA)/TinyEmo"; fi

clean:
	rm -rf .venv
	-git config --unset filter.nbstripout.clean
