"""Kaggle, through its official client.

- `session`: signed in, errors turned into one line, nothing sent twice; `credentials`, `client` and `errors` below it;
- `competitions`: facts, limits, submissions;
- `download`: files of competitions and data sets;
- `datasets`, `kernels`: the user's own data sets and notebooks; `own_content`: those the kit made, for `clean-kaggle`;
- `remote_run`: a data set and a notebook that reads it, run at most once.
"""
