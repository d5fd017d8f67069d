"""Commands, code, files and keys that the pages show: they exist, with their variables and values."""

import re
import shlex
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from typing import NamedTuple

import pytest
import yaml
from pydantic import BaseModel
from typer.main import get_command

from medfold.cli import app
from medfold.commands import setup
from medfold.competition import (
    Competition,
    CompetitionFacts,
    Recipe,
    load_recipe,
    parse_overrides,
    parse_slug,
    recipe_names,
)
from medfold.ensemble.methods import METHODS
from medfold.paths import ProjectPaths
from tests.support.helpers import REPOSITORY, shipped

ROOT = ProjectPaths(REPOSITORY)
PAGES = [
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "competition/README.md"),
    *sorted(path.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("docs/**/*.md")),
    *sorted({f"competition/{ROOT.competition(name).folder.name}/README.md" for name in shipped()}),
]
DEFAULT_COMPETITION = get_command(app).commands["train"].params[0].default
# Values that stand for the reader's own.
PLACEHOLDERS = {"", "...", "name", "slug"}
# A folder of the example in docs/your-data.md, which `make new` writes there.
DRAFTED = {"ultrasound"}


class Make(NamedTuple):
    """A make command on a page."""

    targets: list[str]
    variables: dict[str, str]


@cache
def read(page: str) -> str:
    return (REPOSITORY / page).read_text(encoding="utf-8")


def fences(text: str) -> list[tuple[str, str]]:
    """Returns (language, code) of each fenced block."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def code_lines(text: str) -> list[str]:
    """Returns the lines of indented and fenced blocks; a line that ends with a backslash goes on."""
    indented = [line for line in text.replace("\\\n", " ").splitlines() if line.startswith("    ")]
    shell = [code for language, code in fences(text) if language not in ("python", "yaml")]
    fenced = [line for code in shell for line in code.replace("\\\n", " ").splitlines()]
    return [line.strip() for line in indented + fenced]


def spans(text: str) -> list[str]:
    """Returns the code within lines of text: `make train`."""
    without_fences = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    paragraphs = "\n".join(line for line in without_fences.splitlines() if not line.startswith("    "))
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", paragraphs)]


def make_commands(text: str) -> list[Make]:
    """Returns the make commands of a page: those of its blocks, of printed lines (`then  make ...`) and of its text.

    A variable that a block exports holds for the later commands of blocks.
    """
    shown: list[tuple[str, dict[str, str]]] = []
    exported: dict[str, str] = {}
    for line in code_lines(text):
        if match := re.match(r"export ([A-Z_]+)=(\S+)", line):
            exported = {**exported, match[1]: match[2]}
        elif match := re.search(r"(?:^|^\$ |^then +|&& )(make(?: .*)?)$", line):
            shown.append((match[1], exported))
    found = []
    for command, given in [*shown, *((span, {}) for span in spans(text) if re.match(r"make [a-z]", span))]:
        words = shlex.split(command, comments=True)[1:]
        assignments = [word for word in words if re.match(r"[A-Za-z_]+=", word)]
        variables = given | dict(word.split("=", maxsplit=1) for word in assignments)
        found.append(Make([word for word in words if word not in assignments], variables))
    return found


def test_commands_of_blocks_texts_and_printed_lines_are_found():
    text = """Type `make folds
FORCE=1`, then

    cd x && make demo
    make train RUNS="a b" FOLD=0  # or RECIPE=gpu
    make train A=1 \\
        B=2
    $ make help
    then       make submit
    make it so, a printed line would say
    export COMPETITION=slug  # for all commands
    make runs

```python
make = 1
```
"""
    assert make_commands(text) == [
        Make(["demo"], {}),
        Make(["train"], {"RUNS": "a b", "FOLD": "0"}),
        Make(["train"], {"A": "1", "B": "2"}),
        Make(["help"], {}),
        Make(["submit"], {}),
        Make(["it", "so,", "a", "printed", "line", "would", "say"], {}),
        Make(["runs"], {"COMPETITION": "slug"}),
        Make(["folds"], {"FORCE": "1"}),
    ]


@pytest.mark.parametrize(
    ("page", "least"),
    [
        ("README.md", 22),
        ("docs/walkthrough.md", 20),
        ("docs/your-data.md", 6),
        ("competition/retinamnist/README.md", 4),
    ],
)
def test_pages_with_commands_show_at_least_so_many(page, least):
    assert len(make_commands(read(page))) >= least


def check(command: Make) -> None:
    """Ends with a message, as make does, if a target or a variable is unknown."""
    help_texts = setup.read_help_texts()
    setup.check_targets(command.targets, help_texts)
    setup.check_variables(command.targets, command.variables, help_texts)


@pytest.mark.parametrize("page", PAGES)
def test_make_targets_and_variables_exist(page, monkeypatch):
    for command in make_commands(read(page)):
        with monkeypatch.context() as patch:
            for name, value in command.variables.items():
                patch.setenv(name, value)
            check(command)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("make trian", "no target 'trian'"),
        ("make train FOLDS=0", "make train has no variable FOLDS= (did you mean FOLD=?)"),
        ("make submit DRY_RUN=yes", "DRY_RUN=yes: expected 1"),
    ],
)
def test_wrong_command_on_a_page_would_be_found(command, message, monkeypatch, capsys):
    (command,) = make_commands(f"    {command}\n")
    for name, value in command.variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        check(command)
    assert message in capsys.readouterr().err


@cache
def named_competition(name: str) -> Competition | None:
    """Opens the competition that a command names; None for a placeholder."""
    return None if name in PLACEHOLDERS | DRAFTED else Competition.open(parse_slug(name, "competitions"), ROOT)


def made_runs(page: str, recipes: list[str]) -> str:
    """Returns a pattern for the names of runs: a recipe, with a seed; the RUN of a command on the page; or a letter."""
    given = [each.variables["RUN"] for each in make_commands(read(page)) if "RUN" in each.variables]
    return rf"({'|'.join(map(re.escape, [*recipes, *given]))})(-s\d)?|[a-c]"


@pytest.mark.parametrize("page", PAGES)
def test_values_of_make_variables_exist(page):
    for targets, variables in make_commands(read(page)):
        competition = named_competition(variables.get("COMPETITION", DEFAULT_COMPETITION))
        if targets == ["new"] or competition is None:
            continue
        shown = f"{page}: make {targets} {variables}"
        recipes = recipe_names(competition.paths)
        recipe = variables.get("RECIPE", "baseline")
        if recipe not in PLACEHOLDERS:
            load_recipe(competition.paths, recipe, parse_overrides(variables.get("SET", "")))
        if variables.get("FOLD", "all") != "all":
            assert int(variables["FOLD"]) in range(competition.facts.folds.k), shown
        for run in variables.get("RUNS", "").split():
            assert all(re.fullmatch(made_runs(page, recipes), part) for part in run.split("+")), shown
        defined = re.findall(r'^@ensemble_method\("(\w+)"', read(page), re.MULTILINE)
        assert variables.get("METHOD", "mean") in [*METHODS.names(), *defined], shown
        assert variables.get("ON", "kaggle") in ("kaggle", "ray"), shown
        assert re.fullmatch(r"\d+|auto", variables.get("JOBS", "1")), shown
        assert re.fullmatch(r"\d+( \d+)*", variables.get("SEEDS", "0")), shown


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_the_program_exist(page):
    names = {command.name or command.callback.__name__.replace("_", "-") for command in app.registered_commands}
    code = [*spans(read(page)), *code_lines(read(page))]
    typed = [match[1] for text in code if (match := re.search(r"(?:-m |^)medfold ([a-z-]+)", text))]
    assert set(typed) <= names


@pytest.mark.parametrize("page", PAGES)
def test_code_of_fenced_blocks_is_valid(page):
    for number, (language, code) in enumerate(fences(read(page))):
        if language == "python":
            compile(code, f"{page}, block {number}", "exec")
        else:
            assert language == "yaml", f"{page}, block {number}"
            assert isinstance(yaml.safe_load(code), dict), f"{page}, block {number}"


ENDINGS = r"(csv|h5|html|ipynb|jpg|json|keras|md|npy|npz|py|toml|txt|yaml)"


def written_files() -> list[str]:
    """Returns the files in docs/files.md, with `*` for placeholders."""
    names, folder = [], ""
    for line in read("docs/files.md").splitlines():
        if line.startswith("## "):
            folder = "".join(re.findall(r"`([^`]+)`", line))  # the heading of a table is the folder of its files
        elif line.startswith("| "):
            names += [folder + name for cell in line.split("|")[1:3] for name in re.findall(r"`([^`]+)`", cell)]
    return [re.sub(r"<[^>]*>", "*", name.rstrip("/")) for name in names]


def is_written(name: str, patterns: list[str]) -> bool:
    """Returns True if a command writes a file of this path or name, or into a folder of this path."""
    parts = re.sub(r"<[^>]*>", "x", name.rstrip("/")).split("/")
    for pattern in patterns:
        pattern_parts = pattern.split("/")
        is_bare = len(parts) == 1 or len(pattern_parts) == 1  # a name without its folder
        if is_bare and fnmatchcase(parts[-1], pattern_parts[-1]):
            return True
        if len(parts) <= len(pattern_parts) and all(map(fnmatchcase, parts, pattern_parts)):
            return True
    return False


def files_in(text: str) -> list[str]:
    """Returns the files and folders that a page names in its text: they have an ending, or end with a slash."""
    return [span for span in spans(text) if re.fullmatch(rf"[\w./<>~-]+(/|\.{ENDINGS})", span) and span != "/"]


def exists(name: str, page: str) -> bool:
    """Returns True for a file of the repository; <name> stands for any competition."""
    pattern = re.sub(r"<[^>]*>", "*", name).rstrip("/")
    folders = (REPOSITORY, (REPOSITORY / page).parent, REPOSITORY / "competition" / DEFAULT_COMPETITION)
    return any(next(folder.glob(pattern), None) for folder in folders)


@pytest.mark.parametrize("page", ["README.md", "docs/walkthrough.md"])
def test_files_named_in_the_text_exist_or_are_written_by_a_command(page):
    patterns = written_files()
    own = {"competition/<name>/plugins.py"}  # written by the reader
    for name in set(files_in(read(page))) - own:
        is_outside = name.startswith("~/")
        assert is_outside or exists(name, page) or is_written(name, patterns), f"{page}: {name}"


def test_files_named_in_a_text_are_found():
    text = "See `runs/<name>/score.json`, `oof.csv`, `submissions/`, but not `labels.group` or `make demo`."
    assert files_in(text) == ["runs/<name>/score.json", "oof.csv", "submissions/"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("runs/<name>/<run>/", True),
        ("runs/phantom-chest/baseline/report.html", True),
        ("report.html", True),
        ("submissions/", True),
        ("runs/phantom-chest/baseline/page.html", False),
        ("page.html", False),
        ("results/", False),
    ],
)
def test_only_files_of_the_table_count_as_written(name, expected):
    assert is_written(name, ["runs/*/*/report.html", "submissions/*/*.csv"]) is expected


def schema_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Yields the keys of a schema, with those of its sections: `training`, `training.epochs`."""
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from schema_keys(field.annotation, f"{prefix}{name}.")


KEYS = {*schema_keys(CompetitionFacts), *schema_keys(Recipe)}
SECTIONS = "|".join(sorted({key.partition(".")[0] for key in KEYS if "." in key}))


@pytest.mark.parametrize("page", PAGES)
def test_keys_named_in_the_text_exist(page):
    text = read(page)
    if page == "docs/json.md":
        text = re.sub(r"^\| `[^`]+` \|", "", text, flags=re.MULTILINE)  # fields of results, no keys: score.value
    named = [match[1] for span in spans(text) if (match := re.match(rf"((?:{SECTIONS})\.\w+)(?:[=:]|$)", span))]
    files = {f"{name}.{ending}" for name in SECTIONS.split("|") for ending in ENDINGS.strip("()").split("|")}
    modules = {".".join(path.with_suffix("").parts[-2:]) for path in (REPOSITORY / "src" / "medfold").glob("*/*.py")}
    assert [name for name in named if name not in KEYS | files | modules] == []
