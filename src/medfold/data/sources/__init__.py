"""Sources of raw data.

- `kinds`: their interface; `source`: the source of a competition; `manifest`: its list of files;
- kinds, one module each: `kaggle`, `kaggle_dataset`, `own`, `phantom`, `url`;
- helpers of the kinds: `archives`, `local_files`, `remote_files`.
"""
