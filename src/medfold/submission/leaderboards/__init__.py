"""Leaderboards: a class per `upload` of competition.yaml.

- `entry`: their interface: what is submitted, and the result; `kinds`: which one a competition has;
- `kaggle`: Kaggle, for files; `notebook`: Kaggle, for notebooks; `local`: here, by the hidden solution in data/.
"""
