"""docs/reference.md and docs/json.md, written from schemas, decorated functions, results, Makefile and options.

`make reference` runs it. What these say of themselves is put into tables; the text around the tables stands in
reference.md.j2 and json.md.j2.
"""

import ast
import importlib
import inspect
import json
import re
import types
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import typer.main
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from medfold.cli import app
from medfold.commands.setup import COMMON_VARIABLES
from medfold.competition.facts import CompetitionFacts
from medfold.competition.facts_sections import ImageFacts, LabelFacts, ScoreFacts
from medfold.competition.recipe import Recipe
from medfold.competition.recipe_files import SHARED_RECIPES
from medfold.data.label_layouts import LAYOUTS
from medfold.data.sources.kinds import SOURCES
from medfold.ensemble.methods import METHODS
from medfold.images import preparation
from medfold.images.formats.windows import WINDOWS
from medfold.scoring.metric_registry import ALL_TASKS, METRICS
from medfold.system import files
from medfold.training.batches.augmentation import PIPELINES, PURPOSES
from medfold.training.batches.augmentation_checks import MAX_ROTATION

# What is decorated there is registered when it is imported.
for module in ("images.preparation_steps", "scoring.metrics", "ensemble.choose_method"):
    importlib.import_module(f"medfold.{module}")

DOCS = Path(__file__).parents[1]
ROOT = DOCS.parent
PAGES = ("reference.md", "json.md")
MODELS = ROOT / "src" / "medfold" / "models"
PLAIN = {int: ["whole number"], float: ["number"], str: ["text"], bool: ["`true`", "`false`"]}
BOUNDS = {"ge": "{:g} or more", "gt": "above {:g}", "le": "at most {:g}", "lt": "below {:g}"}
# Keys whose texts are names of something registered.
REGISTERED = {
    (LabelFacts, "layout"): LAYOUTS.names(),
    (ScoreFacts, "metric"): METRICS.names(),
    (Recipe, "augment"): list(PIPELINES),
}
# Keys that take a single text for a list of one.
TEXT_OR_LIST = {(ImageFacts, "train"), (ImageFacts, "test")}
# Variables of make that are no options of a command: setup.py and the tests take them.
OTHER_VARIABLES = {
    "GPU": "Install TensorFlow with CUDA.",
    "PYTHON": "Use this interpreter as it is, and make no `.venv`: on Colab, on Kaggle, in a conda environment.",
    "DEBUG": "Show the traceback of an error.",
    "ORDER": "Run the tests in a random order, that of this seed.",
    "WHAT": "The campaigns to run.",
    "SEED": "Seed of the campaigns.",
    "RECORDING": "A file with what `make demo` printed, for `docs/demo.svg`.",
}
# Commands that take JSON=1: the module and the function that returns the result.
RESULTS = {
    "doctor": ("doctor", "doctor"),
    "recipe": ("recipe", "show_recipe"),
    "runs": ("runs", "list_runs"),
    "compare": ("compare", "compare"),
    "ensemble": ("ensemble", "ensemble"),
    "recheck": ("recheck", "recheck"),
    "scores": ("scores", "scores"),
    "predict": ("predict", "predict"),
}
VARIABLE = re.compile(r'([A-Z_]+)=("[^"]*"|[^\s;,]*)')


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table in Markdown; bars in cells are escaped, line ends become spaces."""
    cells = [head, ("---",) * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(re.sub(r"\s*\n\s*", " ", cell).replace("|", r"\|") for cell in row) + " |" for row in cells
    )


def code(value: Any) -> str:
    """A value as it is typed in YAML, in code marks: `2`, `[20, 100]`, `wide`, `" "`."""
    if isinstance(value, str) and value == value.strip():
        return f"`{value}`"
    return f"`{json.dumps(_whole(value))}`"


def _whole(value: Any) -> Any:
    """Floats that are whole numbers as these, in lists too."""
    if isinstance(value, list | tuple):
        return [_whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def keys(model: type[BaseModel], prefix: str = "", names: str = "") -> str:
    """The table of a model's keys: what each may be, its default, its meaning. Sections with a schema are left out.

    Args:
        model: the schema of a file, or of a part of it.
        prefix: what the keys begin with, such as `labels.`.
        names: the keys to list, separated by spaces. Defaults to all.

    Raises:
        ValueError: a key whose schema has no description.
    """
    fields = {name: field for name, field in model.model_fields.items() if not is_section(field)}
    rows = ((f"`{prefix}{name}`", *cells(model, name, fields[name])) for name in names.split() or fields)
    return table(("key", "values", "default", "meaning"), rows)


def cells(model: type[BaseModel], name: str, field: FieldInfo) -> tuple[str, str, str]:
    """What a key may be, its default and its meaning.

    Raises:
        ValueError: its schema has no description.
    """
    if not field.description:
        raise ValueError(f"{model.__name__}.{name} has no description: give its Field one")
    found = values(field, REGISTERED.get((model, name), ()))
    return f"text, {found}" if (model, name) in TEXT_OR_LIST else found, default(field), field.description


def is_section(field: FieldInfo) -> bool:
    """True if a key holds a mapping with a schema of its own."""
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def default(field: FieldInfo) -> str:
    """The default of a key; 'required' without one, nothing where leaving the key out means that there is none."""
    if field.is_required():
        return "required"
    return "" if field.default in (None, "") else code(field.default)


def values(field: FieldInfo, names: Iterable[str] = ()) -> str:
    """What a key may be, with its limits: '`a`, `b`', 'whole number, 8 to 2048', 'text, list of texts'.

    Args:
        field: the schema of the key.
        names: the texts that it may be. Defaults to any text.
    """
    found = dict.fromkeys(_kinds(field.annotation))
    kinds = ", ".join(", ".join(map(code, names)) if kind == "text" and names else kind for kind in found)
    bounds = limits(field)
    return f"{kinds}, {bounds}" if bounds else kinds


def limits(field: FieldInfo) -> str:
    """The limits of a number in words, '' without any: '8 to 2048', 'above 0', '0 or more, below 1'."""
    found = {name: getattr(each, name) for each in field.metadata for name in BOUNDS if hasattr(each, name)}
    if {"ge", "le"} <= set(found):
        return " to ".join(
            f"{found[end]:,}" if isinstance(found[end], int) else f"{found[end]:g}" for end in ("ge", "le")
        )
    return ", ".join(words.format(found[name]) for name, words in BOUNDS.items() if name in found)


def _kinds(annotation: Any) -> list[str]:
    """What an annotation allows, each in words or as a value."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return [code(value) for value in arguments]
    if origin in (typing.Union, types.UnionType):
        return [kind for each in arguments if each is not types.NoneType for kind in _kinds(each)]
    if annotation in PLAIN:
        return PLAIN[annotation]
    if origin is tuple and arguments[-1] is not Ellipsis:
        return [f"`[{', '.join(['number'] * len(arguments))}]`"]
    if origin in (list, tuple):
        return [f"list of {_plural(arguments[0])}"]
    if origin is dict:
        return ["mapping" if arguments[1] is Any else f"mapping of {_plural(arguments[0])} to {_plural(arguments[1])}"]
    if typing.get_origin(annotation) is typing.Annotated:
        return _kinds(arguments[0])
    raise TypeError(f"no words for {annotation}")


def _plural(annotation: Any) -> str:
    """What the items of a list or mapping may be: 'texts', 'texts or mappings', 'whole numbers'."""
    kinds = ["mapping" if kind.startswith("mapping") else kind for kind in _kinds(annotation)]
    return " or ".join(kind if kind.startswith("`") else f"{kind}s" for kind in kinds)


def first_line(documented: Any) -> str:
    """The first line of the docstring of a function or module."""
    return documented.__doc__.splitlines()[0]


def sentence(text: str) -> str:
    """A text with a capital letter at its beginning."""
    return text[0].upper() + text[1:]


def sources() -> str:
    """The kinds of sources, and their options."""
    kinds, options = [], []
    for kind in SOURCES.names():
        module = importlib.import_module(f"medfold.data.sources.{kind.replace('-', '_')}")
        kinds.append((f"`{kind}`", sentence(first_line(module).partition(": ")[2])))
        for name, field in module.Options.model_fields.items():
            if name != "kind":
                options.append((f"`source.{name}`", f"`{kind}`", *cells(module.Options, name, field)))
    return "\n\n".join(
        [
            table(("`source.kind`", "where the data comes from"), kinds),
            table(("key", "kind", "values", "default", "meaning"), options),
        ]
    )


# Rows of such data, and a competition whose labels look like that.
LAYOUT_EXAMPLES = {
    "wide": ("`image,opacity,fracture`; `p1,1,0`", "aptos2019-blindness-detection"),
    "long": ("`Id,Label`; `p1_opacity,1`; `p1_fracture,0`", "rsna-intracranial-hemorrhage-detection"),
    "one_hot": ("`image,MEL,NV,BCC`; `p1,0,1,0`", ""),
    "lists": ("`Id,Target`; `p1,0 16`", "human-protein-atlas-image-classification"),
    "folders": ("`train/PNEUMONIA/p1.jpeg`", "chest-xray-pneumonia"),
    "arrays": ("`train_images`, `train_labels`", "breastmnist"),
}


def layouts() -> str:
    """The layouts of labels, each with an example."""
    rows = []
    for name, layout in zip(LAYOUTS.names(), LAYOUTS.all(), strict=True):
        looks, folder = LAYOUT_EXAMPLES[name]
        link = f"[{folder}](../competition/{folder}/competition.yaml)" if folder else ""
        rows.append((f"`{name}`", first_line(layout), looks, link))
    return table(("layout", "meaning", "looks like", "for example"), rows)


def windows() -> str:
    """The CT windows that have names."""
    rows = ((f"`{name}`", f"{centre:g}", f"{width:g}") for name, (centre, width) in WINDOWS.items())
    return table(("CT window", "centre, in HU", "width, in HU"), rows)


def metrics() -> str:
    """The metrics."""
    head = ("metric", "tasks", "computed from", "better", "meaning")
    rows = (
        (
            f"`{each.name}`",
            "all" if each.tasks == ALL_TASKS else ", ".join(each.tasks),
            "decisions" if each.response_method == "predict" else "probabilities",
            "higher" if each.higher_is_better else "lower",
            first_line(each.function),
        )
        for each in METRICS.all()
    )
    return table(head, rows)


def steps() -> str:
    """The preparation steps with their arguments."""
    rows = []
    for name in preparation.STEPS.names():
        function = preparation.STEPS[name]
        rows.append((f"`{name}`", "", "", first_line(function)))
        model = preparation.step_arguments(name)
        for argument, field in model.model_fields.items():
            rows.append((f"`{name}`, argument `{argument}`", *cells(model, argument, field)))
    return table(("step", "values", "default", "meaning"), rows)


def backbones() -> str:
    """medfold's own backbones, and the families of keras.applications by the input scaling of their weights.

    They are read from the source, since importing Keras takes seconds.
    """
    tree = ast.parse((MODELS / "backbones.py").read_text(encoding="utf-8"))
    functions = [each for each in tree.body if isinstance(each, ast.FunctionDef)]
    own = [each for each in functions if any("backbone(" in ast.unparse(mark) for mark in each.decorator_list)]
    rows = [(f"`{each.name}`", ast.get_docstring(each).splitlines()[0], "`unit`") for each in own]
    tree = ast.parse((MODELS / "keras_applications.py").read_text(encoding="utf-8"))
    families = next(
        each.value for each in tree.body if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "_FAMILIES"
    )
    for scaling, names in ast.literal_eval(families).items():
        how = "in the net" if scaling == "own" else f"`{scaling}`"
        rows.append((", ".join(names), "Families of keras.applications.", how))
    return table(("`backbone.name`, or family", "net", "`input_scaling: auto`"), rows)


def pipelines() -> str:
    """The augmentation pipelines with their transforms."""
    rows = []
    for name, transforms in PIPELINES.items():
        named = ", ".join(next(iter(each)) for each in transforms)
        rows.append((f"`{name}`", PURPOSES[name], named))
    return table(("`augment`", "for", "transforms"), rows)


def methods() -> str:
    """The ensemble methods."""
    rows = ((f"`{each.name}`", "yes" if each.needs_labels else "no", first_line(each.fit)) for each in METHODS.all())
    return table(("`METHOD=`", "fitted on labels", "meaning"), rows)


def bases(kind: str) -> str:
    """The files to extend, each by the first sentences of its comment, without its command.

    Args:
        kind: recipe, facts, or "recipe to extend": one that is not run itself.
    """
    items = []
    for path in sorted((ROOT / "competition" / "_base").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        comment = re.match(r"(?:#.*\n)*", text)[0]
        lines = [line.removeprefix("#").strip() for line in comment.splitlines() if not line.startswith("# make ")]
        what = re.sub(r"(?<=[^.:,;])\n(?=[A-Z])", ". ", "\n".join(lines)).replace("\n", " ")
        sentences = re.split(r"(?<=\.) (?=[A-Z])", what)
        first = " ".join(sentences[: 1 if kind == "recipe" else 2])
        said_of_all = r"^To extend, not to run: `extends: [^`]+`\. "
        described = re.sub(said_of_all, "", first)
        found = "recipe" if path.stem in SHARED_RECIPES else "recipe to extend"
        if kind == ("facts" if set(yaml.safe_load(text)) & {"url", "labels", "task"} else found):
            items.append(f"- [`{path.stem}`](../competition/_base/{path.name}): {described}")
    return "\n".join(items)


def targets() -> dict[str, tuple[str, dict[str, str]]]:
    """The targets of the Makefile: what each does, and its variables with their examples."""
    found = {}
    for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([a-z-]+):.*?## (.*)", line):
            taken = dict(VARIABLE.findall(match[2]))
            found[match[1]] = (re.split(rf"\s+(?={VARIABLE.pattern})", match[2])[0].strip(), taken)
    return found


def target_table(audience: str) -> str:
    """What each make target does, by the words of the Makefile.

    Args:
        audience: users, or developers of medfold.
    """
    commands = {"help", "setup", *typer.main.get_command(app).commands}
    rows = (
        (f"`make {name}`", f"{sentence(what)}.", " ".join(code(taken_name) for taken_name in taken))
        for name, (what, taken) in targets().items()
        if (name in commands) == (audience == "users")
    )
    return table(("target", "what it does", "variables"), rows)


def variable_table(audience: str) -> str:
    """What each variable of make means, by the option of the command that it is handed to; its targets and default.

    Args:
        audience: users, or developers of medfold.

    Raises:
        ValueError: a variable that is neither such an option nor among OTHER_VARIABLES.
    """
    found: dict[tuple[str, ...], dict[str, str]] = {("DEBUG", "", OTHER_VARIABLES["DEBUG"]): {"every target": "1"}}
    for target, (_, taken) in targets().items():
        for name, example in taken.items():
            users = found.setdefault((name, *_default_and_meaning(target, name)), {})
            users["every target" if name in COMMON_VARIABLES else target] = example
    rows = (
        (f"`{name}={next(filter(None, users.values()), '')}`", meaning, ", ".join(users), given)
        for (name, given, meaning), users in sorted(found.items(), key=lambda each: each[0][0])
        if (audience == "users") == bool({"every target", *typer.main.get_command(app).commands} & set(users))
    )
    return table(("variable", "meaning", "targets", "default"), rows)


def _default_and_meaning(target: str, variable: str) -> tuple[str, str]:
    if variable in OTHER_VARIABLES:
        return "", OTHER_VARIABLES[variable]
    command, name = typer.main.get_command(app).commands.get(target), "--" + variable.lower().replace("_", "-")
    for option in command.params if command else ():
        if name in option.opts:
            return "required" if option.show_default == "required" else code(
                option.default
            ) if option.default else "", option.help
    raise ValueError(f"make {target} takes {variable}=, which is no option of the command {target}")


def results() -> str:
    """The fields of the results that JSON=1 prints, by the docstrings of their classes."""
    parts = []
    for command, (module, name) in RESULTS.items():
        returned = typing.get_type_hints(getattr(importlib.import_module(f"medfold.commands.{module}"), name))["return"]
        parts.append(f"`make {command}`" + (", a list of:" if typing.get_origin(returned) is list else ":"))
        parts.append(table(("field", "meaning"), fields_of(_item(returned))))
    return "\n\n".join(parts)


def fields_of(cls: type, prefix: str = "") -> Iterable[tuple[str, str]]:
    """The fields of a class with their meanings, and those of the classes in them, such as `runs[].name`.

    Raises:
        ValueError: a field that the docstring of the class does not describe.
    """
    listed = inspect.getdoc(cls).partition("Args:\n")[2].partition("\n\n")[0]
    meanings = {
        match[1]: re.sub(r"\s+", " ", match[2]).strip()
        for match in re.finditer(r"^    (\w+): (.*(?:\n     +.*)*)", listed, re.MULTILINE)
    }
    for name, annotation in typing.get_type_hints(cls).items():
        if name not in meanings:
            raise ValueError(f"{cls.__name__}.{name} is not described in its docstring")
        # JSON has neither None nor nan.
        yield f"`{prefix}{name}`", sentence(re.sub(r"\b(None|nan)\b", "null", meanings[name]))
        inner = _item(annotation)
        if isinstance(inner, type) and inner.__module__.startswith("medfold"):
            yield from fields_of(inner, f"{prefix}{name}{'[]' if typing.get_origin(annotation) is list else ''}.")


def _item(annotation: Any) -> Any:
    """The class in a list, or in a field that may be None; else the annotation itself."""
    for each in typing.get_args(annotation):
        if each is not types.NoneType and typing.get_origin(annotation) is not dict:
            return each
    return annotation


def section(model: type[BaseModel], name: str) -> type[BaseModel]:
    """The schema of a section of a configuration file."""
    return model.model_fields[name].annotation


def render(page: str) -> str:
    """The text of a page of docs/: one of PAGES."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
    )
    tables = (
        sources,
        layouts,
        windows,
        metrics,
        steps,
        backbones,
        pipelines,
        methods,
        bases,
        target_table,
        variable_table,
        results,
    )
    names = {each.__name__: each for each in (*tables, keys, section)}
    return environment.get_template(f"{page}.j2").render(
        **names, CompetitionFacts=CompetitionFacts, Recipe=Recipe, MAX_ROTATION=MAX_ROTATION
    )


def main() -> None:
    for page in PAGES:
        text = render(page)
        files.write_text(text, DOCS / page)
        print(f"docs/{page}: {len(text.splitlines())} lines")


if __name__ == "__main__":
    main()
