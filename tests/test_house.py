"""The house of the tests: every module has a test file of its name, or a reason to have none."""

import pytest

from tests.support.helpers import REPOSITORY

SOURCE, TESTS = REPOSITORY / "src" / "medfold", REPOSITORY / "tests"

# Modules without logic of their own: constants, data classes, protocols, one call.
THIN = {
    "__main__.py",
    "commands/download.py",
    "commands/notebook.py",
    "commands/report.py",
    "data/label_layouts/layout.py",
    "plugins.py",
    "submission/leaderboards/entry.py",
    "training/fold_job.py",
}
# Modules that are tested through the one that calls them, in the test file of that one.
TESTED_THROUGH_CALLER = {
    "commands/ensemble.py": "ensemble/test_run_ensemble.py",
    "commands/outcome.py": "test_cli.py",
    "commands/removal.py": "commands/test_data.py",
    "commands/scores.py": "submission/leaderboards/test_kaggle.py",
    "commands/train.py": "training/test_run.py",
    "competition/recipe_sections.py": "competition/test_recipe.py",
    "data/raw_data.py": "data/sources/test_kaggle.py",
    "data/scanning.py": "commands/test_prepare.py",
    "data/sources/own.py": "commands/test_new.py",
    "data/sources/remote_files.py": "data/sources/test_kaggle.py",
    "ensemble/ensemble_predictor.py": "notebooks/test_time_budget.py",
    "ensemble/ensemble_summary.py": "ensemble/test_run_ensemble.py",
    "ensemble/new_image_heat_maps.py": "commands/test_predict.py",
    "ensemble/new_images.py": "commands/test_predict.py",
    "ensemble/recheck_files.py": "recheck/test_submission_check.py",
    "models/plain.py": "commands/test_export.py",
    "prediction/map_gradients.py": "prediction/test_grad_cam.py",
    "report/drawing.py": "report/test_plots.py",
    "report/sections/explanations.py": "report/test_build.py",
    "report/sections/model_card.py": "report/test_build.py",
    "report/sections/reproduction.py": "report/test_build.py",
    "scaffold/image_contents.py": "scaffold/test_image_facts.py",
    "training/child.py": "training/test_parallel.py",
    "training/phases.py": "training/test_fold.py",
    "training/resume.py": "training/test_checkpoint.py",
    "training/trained_net.py": "training/test_fold.py",
    "training/trainer.py": "training/test_fold.py",
}


def modules() -> list[str]:
    """Lists the modules of medfold by their path; packages are docstrings and names only."""
    paths = (path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))
    return sorted(path for path in paths if not path.endswith("__init__.py"))


def has_test_file(module: str) -> bool:
    """Returns True if tests/x/test_y.py exists for the module x/y.py."""
    folder, _, name = module.rpartition("/")
    return (TESTS / folder / f"test_{name}").is_file()


@pytest.mark.parametrize("module", modules())
def test_every_module_has_a_test_file_or_a_reason_to_have_none(module):
    listed = module in THIN or module in TESTED_THROUGH_CALLER
    assert has_test_file(module) is not listed, f"add tests/.../test_{module.rpartition('/')[2]}, or list the module"


def test_listed_modules_and_their_test_files_exist():
    assert set(modules()) >= {*THIN, *TESTED_THROUGH_CALLER}
    assert not set(THIN) & set(TESTED_THROUGH_CALLER)
    for file in TESTED_THROUGH_CALLER.values():
        assert (TESTS / file).is_file(), file
