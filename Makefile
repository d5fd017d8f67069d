# medfold: all targets, each with its help text. Variables are given like this: make train FOLD=0 RECIPE=baseline
# Variables given on the command line of make, which may be misspelt; those of the environment are not checked.
COMMAND_LINE_VARIABLES := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
VARIABLES := COMPETITION RECIPE FOLD SEEDS SET RUN RUNS JOBS WORKERS ON ADDRESS FROM FILES METHOD TRACK IMAGES OUT \
	DELETE FORCE YES DRY_RUN PER_CLASS EXPLAIN JSON GPU DEBUG PYTHON WHAT SEED ORDER RECORDING
# What the user typed reaches the program as it is. So make does not expand it: each variable is fixed to its text. And
# the shell does not read it: recipes name the variable, "$$FOLD", and never write its text.
$(foreach name,$(sort $(VARIABLES) $(COMMAND_LINE_VARIABLES)),\
	$(if $(filter undefined,$(origin $(name))),,$(eval override $(name) := $$(value $(name)))$(eval export $(name))))
export MEDFOLD_TARGETS := $(MAKECMDGOALS)
export MEDFOLD_VARIABLES := $(COMMAND_LINE_VARIABLES)
export PYTHONPATH := src$(if $(PYTHON),$(if $(PYTHONPATH),:$(PYTHONPATH)))
export MEDFOLD_BY_MAKE := 1

# PYTHON=/path/to/python uses that interpreter unchanged and makes no .venv (Colab, Kaggle, conda).
ifneq ($(PYTHON),)
RUN_PYTHON := "$$PYTHON"
BOOTSTRAP := "$$PYTHON" src/medfold/commands/setup.py --check
else
ifeq ($(OS),Windows_NT)
RUN_PYTHON := .venv/Scripts/python
BOOTSTRAP := py -3 src/medfold/commands/setup.py
else
RUN_PYTHON := .venv/bin/python
BOOTSTRAP := $(or $(shell command -v python3),$(error No python3 found. Install Python 3.11 to 3.13)) src/medfold/commands/setup.py
endif
endif
MEDFOLD = $(RUN_PYTHON) -m medfold $(call flag,DEBUG,--debug)

# An option without a value is left out, so that the default of the program applies; a flag is on with the value 1.
# COMPETITION, RECIPE, FOLD and SEEDS are given even if they are empty, which the program refuses: a shell variable that
# is not set would silently become the default.
option = $(if $($(1)),$(2) "$$$(1)")
given = $(if $(filter undefined,$(origin $(1))),,$(2) "$$$(1)")
flag = $(if $(filter 1,$($(1))),$(2))
COMPETITION_OPTION = $(call given,COMPETITION,--competition)
RUN_OPTIONS = $(COMPETITION_OPTION) $(call given,RECIPE,--recipe) $(call given,SEEDS,--seeds) $(call option,SET,--set)
ENSEMBLE_OPTIONS = $(call option,RUNS,--runs) $(call option,METHOD,--method) $(call flag,PER_CLASS,--per-class)

# Processes share the tests; the slowest tests are listed at the end.
PYTEST = -q --dist worksteal --durations=20 $(if $(ORDER),--random-order --random-order-seed="$$ORDER")

# A lock holds versions for each Python and system, and the hashes of all files.
COMPILE = $(RUN_PYTHON) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-find-links --no-emit-index-url --custom-compile-command "make lock" pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help setup doctor demo new download prepare folds recipe train ensemble compare runs data submit notebook \
	report recheck scores predict export clean-kaggle test test-all campaigns lint format lock pictures reference \
	benchmarks

help:  ## show this help
	@$(BOOTSTRAP) --help

.DEFAULT:
	@$(BOOTSTRAP) --targets "$$MEDFOLD_TARGETS"

##@ Start

setup:  ## make or refresh .venv   GPU=1 with CUDA, PYTHON=path to use your own interpreter
	@$(BOOTSTRAP) $(call flag,GPU,--gpu) --targets "$$MEDFOLD_TARGETS" --variables "$$MEDFOLD_VARIABLES"

doctor: setup  ## check Python, packages, GPU, disk and Kaggle   COMPETITION= JSON=1
	@$(MEDFOLD) doctor $(COMPETITION_OPTION) $(call flag,JSON,--json)

demo: setup  ## run the whole pipeline on synthetic radiographs
	@$(MEDFOLD) demo

##@ Data

new: setup  ## draft the folder of a competition from its files   COMPETITION=slug FROM=folder-or-archive
	@$(MEDFOLD) new $(COMPETITION_OPTION) $(call option,FROM,--from)

download: setup  ## get and check the data   COMPETITION= FROM=file-or-folder FILES="a.csv b/*" FORCE=1
	@$(MEDFOLD) download $(COMPETITION_OPTION) $(call option,FROM,--from) $(call option,FILES,--files) \
		$(call flag,FORCE,--force)

prepare: setup  ## scan and prepare the images only; folds and train do it, too   COMPETITION= RECIPE= SET="key=value" FORCE=1 ON=ray ADDRESS=host:port
	@$(MEDFOLD) prepare $(COMPETITION_OPTION) $(call given,RECIPE,--recipe) $(call option,SET,--set) $(call flag,FORCE,--force) \
		$(call option,ON,--on) $(call option,ADDRESS,--address)

folds: setup  ## prepare the images of RECIPE, make the folds, and search for leaks   COMPETITION= RECIPE= FORCE=1
	@$(MEDFOLD) folds $(COMPETITION_OPTION) $(call given,RECIPE,--recipe) $(call flag,FORCE,--force)

data: setup  ## list what is in data/ and what uses it, or remove parts of it   COMPETITION= DELETE="store/x raw" YES=1
	@$(MEDFOLD) data $(COMPETITION_OPTION) $(call option,DELETE,--delete) $(call flag,YES,--yes)

##@ Runs

recipe: setup  ## show all keys of a recipe, and which file sets each   COMPETITION= RECIPE= SET="key=value" JSON=1
	@$(MEDFOLD) recipe $(COMPETITION_OPTION) $(call given,RECIPE,--recipe) $(call option,SET,--set) $(call flag,JSON,--json)

train: setup  ## train the missing folds, or those that FOLD names   COMPETITION= RECIPE= FOLD=0 JOBS=auto SEEDS="0 1" SET="key=value" RUN=name ON=kaggle ADDRESS=host:port WORKERS=4 TRACK="tensorboard mlflow wandb"
	@$(MEDFOLD) train $(RUN_OPTIONS) $(call given,FOLD,--fold) $(call option,RUN,--run) $(call option,JOBS,--jobs) \
		$(call option,WORKERS,--workers) $(call option,ON,--on) $(call option,ADDRESS,--address) $(call option,TRACK,--track)

runs: setup  ## list the runs, the best first; or remove some   COMPETITION= DELETE="a b" YES=1 JSON=1
	@$(MEDFOLD) runs $(COMPETITION_OPTION) $(call option,DELETE,--delete) $(call flag,YES,--yes) $(call flag,JSON,--json)

compare: setup  ## test whether the second run is better than the first   COMPETITION= RUNS="a b" JSON=1
	@$(MEDFOLD) compare $(COMPETITION_OPTION) $(call option,RUNS,--runs) $(call flag,JSON,--json)

ensemble: setup  ## score the ensemble of several runs, by every method   COMPETITION= RUNS="a b c" METHOD=rank PER_CLASS=1 JSON=1
	@$(MEDFOLD) ensemble $(COMPETITION_OPTION) $(ENSEMBLE_OPTIONS) $(call flag,JSON,--json)

report: setup  ## write a web page about a run or an ensemble   COMPETITION= RECIPE= SEEDS="0 1" SET="key=value" RUNS="a b" METHOD=rank PER_CLASS=1
	@$(MEDFOLD) report $(RUN_OPTIONS) $(ENSEMBLE_OPTIONS)

##@ Submissions

submit: setup  ## combine the predictions of the folds; check, upload and record the submission   COMPETITION= RECIPE= SEEDS="0 1" SET="key=value" RUNS="a b" METHOD=rank PER_CLASS=1 DRY_RUN=1 FORCE=1
	@$(MEDFOLD) submit $(RUN_OPTIONS) $(ENSEMBLE_OPTIONS) $(call flag,DRY_RUN,--dry-run) $(call flag,FORCE,--force)

notebook: setup  ## write the notebook of a notebook competition, and pack the nets for it; uploads nothing   COMPETITION= RECIPE= SEEDS="0 1" SET="key=value" RUNS="a b" METHOD=rank PER_CLASS=1
	@$(MEDFOLD) notebook $(RUN_OPTIONS) $(ENSEMBLE_OPTIONS)

scores: setup  ## fetch the leaderboard scores, and compare them with the OOF scores   COMPETITION= JSON=1
	@$(MEDFOLD) scores $(COMPETITION_OPTION) $(call flag,JSON,--json)

recheck: setup  ## recompute scores and submissions with independent code   COMPETITION= RUNS="a b" JSON=1
	@$(MEDFOLD) recheck $(COMPETITION_OPTION) $(call option,RUNS,--runs) $(call flag,JSON,--json)

clean-kaggle: setup  ## list what medfold put on Kaggle, and remove it after confirmation   YES=1
	@$(MEDFOLD) clean-kaggle $(call flag,YES,--yes)

##@ Use of trained nets

predict: setup  ## predict new images with the trained nets   IMAGES=file-or-folder EXPLAIN=1 COMPETITION= RECIPE= SEEDS="0 1" SET="key=value" RUNS="a b" OUT=file JSON=1
	@$(MEDFOLD) predict $(RUN_OPTIONS) $(call option,IMAGES,--images) \
		$(call option,RUNS,--runs) $(call option,OUT,--out) $(call flag,EXPLAIN,--explain) $(call flag,JSON,--json)

export: setup  ## write a trained net as a .keras file, which Keras loads without medfold   COMPETITION= RUN=baseline FOLD=0 OUT=file
	@$(MEDFOLD) export $(COMPETITION_OPTION) $(call option,RUN,--run) $(call given,FOLD,--fold) \
		$(call option,OUT,--out)

##@ Work on medfold itself

test: setup  ## run the fast tests, three to five minutes   ORDER=7 in a random order, which the seed 7 gives
	@$(RUN_PYTHON) -m pytest -n 3 $(PYTEST) -m "not slow"

test-all: setup  ## run all tests, about an hour   ORDER=7 in a random order, which the seed 7 gives
	@$(RUN_PYTHON) -m pytest -n 3 $(PYTEST)
	@$(RUN_PYTHON) tests/notebooks/oldest.py

campaigns: setup  ## kill runs, damage files and fill a test disk at random, for hours   WHAT="kills disk" SEED=1
	@$(RUN_PYTHON) -m tests.campaigns $(call option,WHAT,--what) $(call option,SEED,--seed)

lint: setup  ## check style and import rules
	@$(RUN_PYTHON) -m ruff check .
	@$(RUN_PYTHON) -m ruff format --check .
	@$(RUN_PYTHON) -c "from importlinter.cli import lint_imports_command; lint_imports_command()" --no-cache

format: setup  ## format the code
	@$(RUN_PYTHON) -m ruff check --fix .
	@$(RUN_PYTHON) -m ruff format .

pictures: setup  ## make the pictures of docs/, after make demo   RECORDING=file with its printed output
	@$(RUN_PYTHON) docs/make/pictures.py $(if $(RECORDING),"$$RECORDING")
	@$(RUN_PYTHON) docs/make/report_pictures.py runs/phantom-chest/baseline/report.html
	@$(RUN_PYTHON) docs/make/notebook_picture.py

reference: setup  ## write docs/reference.md and docs/json.md
	@$(RUN_PYTHON) docs/make/reference.py

benchmarks: setup  ## measure speed and memory, and write docs/development/benchmarks.md
	@$(RUN_PYTHON) benchmarks/all.py

lock: setup  ## refresh requirements.lock, and those with the extras gpu and jax and with the trackers, from requirements.txt
	@$(COMPILE) --upgrade --extra dev --output-file requirements.lock
	@$(COMPILE) --upgrade --extra dev --extra gpu --constraint requirements.lock --output-file requirements-gpu.lock
	@$(COMPILE) --upgrade --extra dev --extra jax --constraint requirements.lock --output-file requirements-jax.lock
	@$(COMPILE) --upgrade --extra dev --extra tensorboard --extra mlflow --extra wandb --constraint requirements.lock \
		--output-file requirements-trackers.lock
