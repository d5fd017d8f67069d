"""Files with settings of a competition: what a recipe and facts may extend, and which file an error names."""

from medfold.competition import load_facts
from medfold.competition.recipe_files import load_recipe, recipe_location
from medfold.paths import ProjectPaths
from tests.support.helpers import refused


def paths():
    return ProjectPaths.find().competition("small")


def test_facts_are_not_among_the_files_that_a_recipe_may_extend(project_folder):
    (paths().folder / "mine.yaml").write_text("extends: simple_cn\n")
    with refused(r"`extends: simple_cn` names no file \(did you mean 'simple_cnn'\?\)") as error:
        load_recipe(paths(), "mine", {})
    assert "medmnist_facts" not in str(error.value)
    assert " competition" not in str(error.value).partition("Known:")[2]


def test_error_names_the_extended_file_with_the_fault(project_folder):
    baseline = paths().folder / "baseline.yaml"
    baseline.write_text("augmnt: xray\n")
    for recipe in ("gpu", "mobilenet"):  # both extend the baseline
        with refused("^competition/small/baseline.yaml: unknown key 'augmnt'"):
            load_recipe(paths(), recipe, {})


def test_key_is_located_in_the_extended_file_that_sets_it(project_folder):
    (paths().folder / "gpu.yaml").write_text("extends: gpu\ntraining: {epochs: 2}\n")
    assert recipe_location(paths(), "gpu", {}, "training.epochs") == "competition/small/gpu.yaml"
    assert recipe_location(paths(), "gpu", {}, "backbone.name") == "competition/_base/gpu.yaml"
    assert recipe_location(paths(), "gpu", {"backbone": {"name": "x"}}, "backbone.name") == "SET"


def test_error_names_the_shared_facts_with_the_fault(project_folder):
    shared = paths().base_folder / "clinic_facts.yaml"
    shared.write_text("licence: 3\n")
    facts = paths().facts_file
    facts.write_text("extends: clinic_facts\n" + facts.read_text())
    with refused("^competition/_base/clinic_facts.yaml: 'licence'"):
        load_facts(paths())
