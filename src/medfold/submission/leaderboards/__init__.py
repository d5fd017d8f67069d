"""Leaderboards: a class per `upload` of competition.yaml.

- `leaderboard`: the base class, what is submitted, and the result; `kinds`: which one a competition has;
- `kaggle`: Kaggle, for files; `notebook`: Kaggle, for notebooks; `local`: here, by the labels of the test set in data/.
"""
