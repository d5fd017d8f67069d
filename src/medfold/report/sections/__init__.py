"""The sections of the report.

- `model_card`: purpose, data, score and limits in short;
- `data`: samples, audit and folds;
- `performance`: curves, operating points, calibration, confusion; `subgroups`: scores of subgroups;
- `explanations`: galleries of images with heat maps;
- `learning`: learning curves; `ensemble`: members, methods, post-processing;
- `reproduction`: the recipe, and the commands that repeat the result.
"""
