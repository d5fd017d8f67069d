"""docs/reference.md and docs/json.md: equal to what their generator makes of the code and the Makefile."""

import importlib.util
import re
from typing import Any, Literal

import pytest
import yaml
from pydantic import BaseModel, Field

from medfold.competition import Competition, CompetitionFacts, Recipe
from medfold.ensemble.methods import METHODS
from medfold.paths import ProjectPaths
from medfold.scoring import METRICS
from tests.support.helpers import REPOSITORY


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("reference", REPOSITORY / "docs" / "make" / "reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page(generator):
    return generator.render("reference.md")


@pytest.mark.parametrize("name", ["reference.md", "json.md"])
def test_page_is_up_to_date(generator, name):
    written = (REPOSITORY / "docs" / name).read_text(encoding="utf-8")
    assert written == generator.render(name), f"docs/{name} is not that of the code: make reference"


def all_keys(model, prefix=""):
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from all_keys(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


@pytest.mark.parametrize("model", [CompetitionFacts, Recipe])
def test_every_key_has_a_row(page, model):
    facts, recipes = page.split("\n## Recipes\n")
    lines = (facts if model is CompetitionFacts else recipes).splitlines()
    rows = [cells[1].strip(" `") for line in lines if len(cells := re.split(r"(?<!\\)\|", line)) == 6]
    assert [key for key in all_keys(model) if rows.count(key) != 1] == []


def test_every_registered_name_has_a_row(page, generator):
    names = [
        *METRICS.names(),
        *METHODS.names(),
        *generator.LAYOUTS.names(),
        *generator.PIPELINES,
        *generator.preparation.STEPS.names(),
        "resnet9",
    ]
    assert [name for name in names if f"\n| `{name}` |" not in page] == []
    assert set(generator.PURPOSES) == set(generator.PIPELINES)


def test_yaml_examples_are_valid(page):
    facts, *recipes = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    CompetitionFacts.model_validate(yaml.safe_load(facts))
    assert len(recipes) == 2
    for each in recipes:
        Recipe.model_validate(yaml.safe_load(each))


class Example(BaseModel):
    number: int = Field(default=3, ge=2, le=5, description="A | B.")
    share: float = Field(gt=0, lt=1, description="A share.")
    rest: float = Field(default=0.0, ge=0, lt=1, description="A share.")
    way: Literal["a", "b"] | int = Field(default="a", description="A way.")
    pair: tuple[float, float] | None = Field(default=(1.0, 2.5), description="Two\nnumbers.")
    names: list[str] = Field(default=[], description="Names.")
    steps: list[str | dict[str, dict[str, Any]]] = Field(default=[], description="Steps.")
    weights: dict[str, float] = Field(default={}, description="Weights.")
    mark: str = Field(default=" ", description="A mark.")
    text: str | None = Field(default=None, description="A text.")
    part: Literal["x"] | bool = Field(default=False, description="A part.")


def test_table_of_keys_has_type_default_and_description(generator):
    assert generator.keys(Example, "x.").splitlines()[2:] == [
        r"| `x.number` | whole number, 2 to 5 | `3` | A \| B. |",
        "| `x.share` | number, above 0, below 1 | required | A share. |",
        "| `x.rest` | number, 0 or more, below 1 | `0` | A share. |",
        "| `x.way` | `a`, `b`, whole number | `a` | A way. |",
        "| `x.pair` | `[number, number]` | `[1, 2.5]` | Two numbers. |",
        "| `x.names` | list of texts | `[]` | Names. |",
        "| `x.steps` | list of texts or mappings | `[]` | Steps. |",
        "| `x.weights` | mapping of texts to numbers | `{}` | Weights. |",
        '| `x.mark` | text | `" "` | A mark. |',
        "| `x.text` | text |  | A text. |",
        "| `x.part` | `x`, `true`, `false` | `false` | A part. |",
    ]


def test_key_without_description_is_refused(generator):
    class Silent(BaseModel):
        key: int = 1

    with pytest.raises(ValueError, match=r"Silent\.key has no description"):
        generator.keys(Silent)


def test_undescribed_make_variable_is_refused(generator, monkeypatch):
    monkeypatch.delitem(generator.OTHER_VARIABLES, "ORDER")
    with pytest.raises(ValueError, match="make test takes ORDER="):
        generator.variable_table("developers")


def test_field_of_a_result_without_description_is_refused(generator):
    class Silent:
        """A result.

        Args:
            name: a name.
        """

        name: str
        value: float

    with pytest.raises(ValueError, match=r"Silent\.value is not described"):
        list(generator.fields_of(Silent))


def test_every_command_that_prints_json_has_its_fields_listed(generator):
    with_json = {name for name, (_, variables) in generator.targets().items() if "JSON" in variables}
    assert with_json == set(generator.RESULTS)
    listed = generator.render("json.md")
    assert [name for name in with_json if f"`make {name}`" not in listed] == []


def test_examples_of_label_layouts_have_that_layout(generator):
    for layout, (_, name) in generator.LAYOUT_EXAMPLES.items():
        assert not name or Competition.open(name, ProjectPaths(REPOSITORY)).facts.labels.layout == layout, name
