"""The commands: one module for each make target, with its steps and messages.

- set-up: `setup` (.venv), `doctor`, `demo`;
- data: `new`, `download`, `prepare`, `folds`, `data`;
- runs: `recipe`, `train`, `runs`, `compare`, `ensemble`, `report`;
- submissions: `submit`, `notebook`, `recheck`, `scores`;
- trained nets elsewhere: `predict`, `export`;
- Kaggle: `clean_kaggle`;
- `shared/`: parts of several commands: `dataset_audit`; `show_dataset`, `show_leaks`, `show_ensemble`: those as text;
  `removal`: what `data` and `runs` remove; `output_file`: OUT=.
"""
