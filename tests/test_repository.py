"""The repository: every competition folder loads, and texts name files and targets that exist."""

import ast
import re
from importlib import import_module
from importlib.util import find_spec

import pytest
import yaml

from medfold.competition import Competition, CompetitionFacts, Recipe, batch_size_warning, ineffective_settings
from medfold.competition.recipe_files import SHARED_RECIPES, load_recipe, own_settings, recipe_names
from medfold.paths import ProjectPaths
from medfold.scaffold.competition_folder import README_SECTIONS
from tests.support.helpers import REPOSITORY, shipped

ROOT = ProjectPaths(REPOSITORY)


@pytest.mark.parametrize("name", shipped())
def test_every_competition_and_recipe_loads(name):
    competition = Competition.open(name, ROOT)
    assert (competition.paths.folder / "README.md").is_file()
    recipes = {path.stem for path in competition.paths.folder.glob("*.yaml") if path != competition.paths.facts_file}
    assert "baseline" in recipes
    for each in recipes | set(SHARED_RECIPES):
        load_recipe(competition.paths, each, {})


@pytest.mark.parametrize("name", shipped())
def test_no_recipe_has_a_setting_that_is_warned_about(name):
    competition = Competition.open(name, ROOT)
    for each in recipe_names(competition.paths):
        recipe = load_recipe(competition.paths, each, {})
        ineffective = set(ineffective_settings(recipe, competition.facts.images.symmetry))
        ineffective &= own_settings(competition.paths, each, {})
        assert ineffective <= {"tta"}, each  # shared recipes turn it off for any symmetry
        assert batch_size_warning(recipe) == "", each


@pytest.mark.parametrize("name", shipped())
def test_first_comment_of_a_recipe_names_its_net_size_and_epochs(name):
    competition = Competition.open(name, ROOT)
    for file in competition.paths.folder.glob("*.yaml"):
        comment = file.read_text(encoding="utf-8").splitlines()[1]
        if file.stem in ("baseline", "gpu") or "not measured" in comment:
            recipe = load_recipe(competition.paths, file.stem, {})
            assert re.findall(r"(\d+) px", comment) == [str(recipe.preparation.size)], file
            phases = [each for each in (recipe.training.head_epochs, recipe.training.epochs) if each]
            assert re.findall(r"([\d +]+) epochs?", comment) == [f" {' + '.join(map(str, phases))}"], file
            assert file.stem != "gpu" or comment.startswith(f"# {recipe.backbone.name}, "), file


@pytest.mark.parametrize("name", shipped())
def test_first_lines_of_a_recipe_say_its_score_or_that_it_was_not_measured(name):
    folder = ROOT.competition(name).folder
    for file in set(folder.glob("*.yaml")) - {folder / "competition.yaml"}:
        first_lines = " ".join(file.read_text(encoding="utf-8").splitlines()[:3])
        assert re.search(r"OOF (mean )?AUC 0\.\d|not measured", first_lines), file


def test_keys_are_in_the_order_of_the_reference():
    reference = (REPOSITORY / "docs" / "reference.md").read_text(encoding="utf-8")
    order = {"source": ["kind"]}
    for section, key in re.findall(r"^\| `(\w+)\.(\w+)` ", reference, re.MULTILINE):
        order.setdefault(section, []).append(key)
    for file in REPOSITORY.glob("competition/*/*.yaml"):
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        top = ["extends", *CompetitionFacts.model_fields, "variants", *Recipe.model_fields]
        for settings in (content, *content.get("variants", {}).values()):
            assert list(settings) == sorted(settings, key=top.index), file
            for section in settings.keys() & order.keys():
                assert list(settings[section]) == sorted(settings[section], key=order[section].index), (file, section)


def test_debug_trains_in_the_same_way_in_all_competitions():
    recipes = [load_recipe(Competition.open(name, ROOT).paths, "debug", {}) for name in shipped()]
    assert all(each.training == recipes[0].training for each in recipes)


def test_files_linked_in_texts_exist():
    own = [ROOT.competition(name).folder / "README.md" for name in shipped()]
    for text in [
        *REPOSITORY.glob("*.md"),
        *REPOSITORY.glob("docs/**/*.md"),
        REPOSITORY / "competition" / "README.md",
        *own,
    ]:
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text.read_text(encoding="utf-8")):
            if not link.startswith("http"):
                assert (text.parent / link).exists(), f"{text}: {link}"


def test_readmes_of_competitions_have_the_same_headings():
    order = [*README_SECTIONS][:-1] + ["Leaderboard", "Scores"]
    for readme in REPOSITORY.glob("competition/*/README.md"):
        headings = re.findall(r"^## (.*)$", readme.read_text(encoding="utf-8"), re.MULTILINE)
        assert headings == [heading for heading in order if heading in headings], readme
        assert {"Limits of the OOF score", "Scores"} <= set(headings), readme


def test_headings_linked_in_texts_exist():
    texts = [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md"), *REPOSITORY.glob("competition/**/README.md")]
    for text in texts:
        for path, anchor in re.findall(r"\]\((?!http)([^)#]*)#([^)]+)\)", text.read_text(encoding="utf-8")):
            page = (text.parent / path if path else text).read_text(encoding="utf-8")
            headings = [heading.lower().replace("`", "") for heading in re.findall(r"^#+ (.*)$", page, re.MULTILINE)]
            assert anchor in [re.sub(r"[^\w -]", "", heading).replace(" ", "-") for heading in headings], text


def test_reference_names_every_make_target():
    makefile, reference = (
        (REPOSITORY / name).read_text(encoding="utf-8") for name in ("Makefile", "docs/reference.md")
    )
    targets = re.findall(r"^([a-z-]+):.*##", makefile, re.MULTILINE)
    assert len(targets) > 20
    for target in targets:
        assert f"| `make {target}` |" in reference, target


def test_catalogue_links_only_existing_and_shipped_competitions():
    shipped_names = set(shipped())
    folders = {path.parent.name for path in REPOSITORY.glob("competition/*/competition.yaml")}
    catalogue = (REPOSITORY / "competition" / "README.md").read_text(encoding="utf-8")
    linked = set(re.findall(r"\]\(([\w-]+)/README\.md\)", catalogue))
    assert linked <= folders
    assert shipped_names >= linked - {"medmnist"}
    assert {"pathmnist", "chestmnist", "pneumoniamnist"} <= shipped_names


def test_both_opencv_wheels_are_locked_at_one_version():
    lock = (REPOSITORY / "requirements.lock").read_text()
    versions = re.findall(r"^opencv-python(?:-headless)?==(\S+)", lock, re.MULTILINE)
    assert len(versions) == 2
    assert len(set(versions)) == 1


LOCKS = ["requirements.lock", "requirements-gpu.lock", "requirements-jax.lock", "requirements-trackers.lock"]


def locked(name: str) -> dict[str, str]:
    """Returns the lines of each package in a lock, by the line with its version."""
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^(\S+==[^\n]*?) \\\n((?:    --hash=\S+(?: \\)?\n)+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_lock_has_hashes_of_every_package(name):
    lines = (REPOSITORY / name).read_text(encoding="utf-8").splitlines()
    packages = [line for line in lines if line and not line.startswith(("#", " "))]
    assert len(packages) > 150
    assert [f"{package} \\" for package in locked(name)] == packages
    assert all(re.fullmatch(r"(    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", hashes) for hashes in locked(name).values())


@pytest.mark.parametrize("name", LOCKS[1:])
def test_lock_of_an_extra_has_the_same_packages_and_more(name):
    # Without the conditions: a package that only some systems needed may now be needed by all.
    common, own = (
        {line.partition(" ;")[0]: hashes for line, hashes in locked(each).items()} for each in (LOCKS[0], name)
    )
    assert {package: own.get(package) for package in common} == common
    assert len(own) > len(common)


def test_workflow_may_only_read_and_names_actions_by_commit():
    text = (REPOSITORY / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8")
    assert "permissions:\n  contents: read\n" in text
    actions = re.findall(r"uses: (\S+)", text)
    assert actions
    assert [action for action in actions if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)] == []


def test_modules_named_in_structure_md_exist():
    page = (REPOSITORY / "docs" / "development" / "structure.md").read_text(encoding="utf-8")
    source = REPOSITORY / "src" / "medfold"
    modules_with_package = [name for name in re.findall(r"`(\w+(?:/\w+)+)/?`", page) if not name.startswith("tests/")]
    assert len(modules_with_package) > 40
    for module in modules_with_package:
        assert (source / f"{module}.py").is_file() or (source / module).is_dir(), module
    packages = {}
    for package, _, modules in re.findall(r"^\| `(\w+)/` \| (.*?) \| (.*) \|$", page, re.MULTILINE):
        packages[package] = modules
        for module in re.findall(r"`(\w+)/?`", modules):
            assert list((source / package).rglob(f"{module}.py")) or (source / package / module).is_dir(), (
                f"{package}: {module}"
            )
    assert set(packages) == {path.parent.name for path in source.glob("*/__init__.py")}


@pytest.mark.parametrize("file", sorted((REPOSITORY / "benchmarks").glob("*.py")), ids=lambda file: file.stem)
def test_benchmarks_import_names_that_exist(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module.startswith(("medfold", "tests")):
            module = import_module(node.module)
            missing = [
                alias.name
                for alias in node.names
                if not hasattr(module, alias.name) and find_spec(f"{node.module}.{alias.name}") is None
            ]
            assert not missing
