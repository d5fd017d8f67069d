"""Sources of raw data.

- Interface: `kinds`; the source of a competition: `source`; its list of files: `manifest`.
- Kinds, one module each: `kaggle`, `kaggle_dataset`, `own`, `phantom`, `url`.
- Helpers of the kinds: `archives`, `local_files`, `remote_files`.
"""
