"""Leaderboards: a module per `upload` of competition.yaml.

- `entry`: their interface: what is submitted, and the result;
- `kaggle`: Kaggle, for files; `notebook`: Kaggle, for notebooks; `local`: here, by the hidden solution in data/.
"""
