"""`make new`: writes a competition folder, guessed from its data files."""

from pathlib import Path
from typing import Any

from medfold import config
from medfold.competition import ADDRESS_EXAMPLE, CompetitionFacts, parse_slug, setting_errors_located
from medfold.data import (
    Source,
    build_samples,
    describe_image_counts,
    needs_holdout,
    read_sample_submission,
    staged_data,
)
from medfold.errors import UserError
from medfold.paths import CompetitionPaths, ProjectPaths
from medfold.project_root import display_path
from medfold.scaffold import SUGGESTED_METRICS, Draft, complete_draft, draft_facts, folder_files
from medfold.submission import check_sample_submission
from medfold.system import files, locks
from medfold.system.path_checks import is_plain_name
from medfold.terminal.command_text import command, variable
from medfold.terminal.console import print_table, say, warn
from medfold.text import count_of


def new(project_paths: ProjectPaths, text: str, path: Path | None = None) -> None:
    """Gets the files of a competition, guesses its facts and writes its folder; prints each guess with its reason.

    Args:
        project_paths: the project folder.
        text: the slug or address of a competition or data set on Kaggle, or any other name. Files from this machine
            count as Kaggle's only if `text` is an address.
        path: a file, folder or zip archive with its files. Defaults to the files in data/, else to Kaggle.

    Raises:
        UserError: the competition exists already, the name is not usable, or the files cannot be interpreted.
    """
    name, source = _parse_name(text)
    _check_name(project_paths, name)
    paths = CompetitionPaths(project_paths.root, name, name)
    files.check_folder(paths.raw)
    local = path is not None or (paths.raw.is_dir() and not paths.raw_manifest.is_file())
    if local and "/" not in text:
        source = {"kind": "own"}
    draft = complete_draft(_get_and_draft(paths, source, path), name, source)
    for file, content in folder_files(name, draft).items():
        files.write_text(content, paths.folder / file)
    _show(paths, draft)
    _check_facts(paths, draft.facts)
    file = display_path(paths.facts_file)
    say("to do", f"fill in score.metric, and check the rest of {file}, above all labels.group: it decides the folds")
    say("then", command("folds", COMPETITION=paths.name))


def _get_and_draft(paths: CompetitionPaths, source: dict[str, str], path: Path | None) -> Draft:
    """Gets the files, unless they are in data/ already, and guesses the facts; keeps no copy of refused files."""
    if path is None and paths.raw.is_dir():
        if not paths.raw_manifest.is_file():
            Source(source, paths).write_manifest()
        return draft_facts(paths.raw)
    with locks.tidy_lock(paths.raw):
        if path is None:
            manifest = Source(source, paths).fetch()
            draft = draft_facts(paths.raw)
        else:
            with staged_data(paths, path) as staged:
                manifest = Source(source, staged).copy_from(path)
                draft = draft_facts(staged.raw)
    say("download", f"{count_of(len(manifest), 'file')} -> {display_path(paths.raw)}")
    return draft


def _check_facts(paths: CompetitionPaths, facts: dict[str, Any]) -> None:
    """Reads the samples with the guessed facts and a provisional metric, and reports mismatches."""
    score = {**facts["score"], "metric": SUGGESTED_METRICS[facts["task"]]}
    try:
        facts = config.validated(CompetitionFacts, {**facts, "score": score}, paths.facts_file)
        with setting_errors_located(paths):
            table = build_samples(facts, paths)
            if not needs_holdout(paths):
                units = table.loc[table["part"] == "test", "unit"].unique().tolist()
                check_sample_submission(facts, read_sample_submission(facts, paths), units)
    except UserError as error:
        warn("check", f"with these facts the samples cannot be read yet: {error}")
    else:
        say("samples", f"{describe_image_counts(table, facts.labels.holdout)}, with these facts")


def _parse_name(text: str) -> tuple[str, dict[str, str]]:
    """Returns the competition's name and the source of its data: a Kaggle competition, or a data set (`owner/name`)."""
    if "/" not in text:
        if " " in text:
            fix = f"Write {variable('COMPETITION', '-'.join(text.lower().split()))}"
            raise UserError("the name has spaces", variable("COMPETITION", text), fix)
        return text, {"kind": "kaggle", "slug": text}
    for folder, kind in (("competitions", "kaggle"), ("datasets", "kaggle_dataset")):
        try:
            slug = parse_slug(text, folder)
        except ValueError:
            continue
        return slug.rpartition("/")[2], {"kind": kind, "slug": slug}
    raise UserError("neither a name nor a Kaggle address", variable("COMPETITION", text), ADDRESS_EXAMPLE)


def _check_name(project_paths: ProjectPaths, name: str) -> None:
    """Refuses the name of an existing competition, and one that cannot be the name of a folder."""
    if name in project_paths.competitions():
        fix = f"Choose another name, or edit {display_path(project_paths.competition(name).facts_file)}"
        raise UserError("this competition exists already", variable("COMPETITION", name), fix)
    if not is_plain_name(name) or name.startswith("_"):
        fix = "Choose another name, of letters, digits and hyphens"
        raise UserError("not usable as the name of a folder", variable("COMPETITION", name), fix)


def _show(paths: CompetitionPaths, draft: Draft) -> None:
    say("new", f"{paths.name} -> {display_path(paths.folder)}")
    print_table(["fact", "guess", "because"], draft.reasons)
    warn("check", f"score.metric: fill it in, for example {SUGGESTED_METRICS[draft.facts['task']]}; it is required")
    for doubt in draft.doubts:
        warn("", str(doubt))
    warn("", "images.symmetry: horizontal or dihedral, if images may be mirrored or turned")
