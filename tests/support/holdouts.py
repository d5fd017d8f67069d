"""Facts of a competition without a test set: some labelled images become the holdout."""

FACTS = """title: Hold-out
source: {kind: kaggle_dataset, slug: a/b}
upload: none
task: binary
classes: [no, yes]
labels: {layout: folders, targets: [sick], holdout: 0.3}
images: {train: "{label}/{id}.png", channels: 1}
score: {metric: auc}
folds: {k: 3, duplicates: exact}
"""
