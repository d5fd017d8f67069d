"""Sources of raw data.

- `kinds`: what a kind of source has; `source`: the source of a competition; `manifest`: its list of files;
  `single_files`: downloads of some of them;
- a module per kind: `kaggle`, `kaggle_dataset`, `own`, `phantom` (drawn in `phantom_images`), `url`;
- helpers of the kinds: `local_files`, `links`, `remote_files`.
"""
