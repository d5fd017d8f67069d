"""Prints a dataset for `make folds` and `make train`: its folds, and the findings of the audit."""

import numpy as np
import pandas as pd

from medfold.competition import Competition, CompetitionFacts, FoldFacts, has_known_groups
from medfold.data import (
    Dataset,
    columns_that_predict_classes,
    compare_parts,
    find_unnamed_groups,
    near_duplicate_examples,
    read_sample_submission,
    units_with_lost_labels,
)
from medfold.folds import LeakReport, fold_balance, format_folds, scarce_classes
from medfold.images import value_suspicions, write_contact_sheet
from medfold.raw_files import mask_warning
from medfold.submission import check_sample_submission
from medfold.system import files
from medfold.terminal.console import print_table, say, warn
from medfold.text import count_of, shorten_list

MAX_SUSPECTS = 3  # suspected groups on the terminal
MAX_COLUMNS = 14  # classes in the table of the folds
MAX_PAIRS = 24  # pairs on the contact sheet
SUSPICIOUS_AUC = 0.7  # train and test can be distinguished too well from this AUC on
SHOWN_STATISTICS = {"dark": "dark end (5th percentile)", "bright": "bright end (95th percentile)"}  # of brightness


def show_dataset(competition: Competition, data: Dataset) -> None:
    """Prints folds and audit, after a rehearsal of the submission.

    Args:
        competition: the competition of the dataset.
        data: the dataset, loaded with its audit.

    Raises:
        UserError: a sample submission that does not fit the facts.
    """
    facts = competition.facts
    train = data.train
    check_sample_submission(facts, read_sample_submission(facts, competition.paths), data.test_groups.index.tolist())
    if facts.score.unit:
        _warn_of_lost_labels(facts, data)
    _show_folds(competition, data)
    _show_leaks(competition, data.leaks)
    if suspicion := mask_warning(pd.concat([train["image"], data.test["image"]])):
        warn("", f"{'masks among the images':<33}{suspicion}")
    raw = competition.paths.raw_root(facts.images.root)
    for suspicion in value_suspicions(raw, train["image"].tolist(), facts.images):
        warn("", f"{'values of the images':<33}{suspicion}")
    _show_suspected_groups(competition, train)
    _show_shift(competition, data)
    _show_predictive_columns(competition, data)
    _draw_near_duplicates(competition, data)


def _show_folds(competition: Competition, data: Dataset) -> None:
    facts = competition.facts
    train = data.train
    names = facts.label_names
    if not facts.classes and facts.task == "binary":
        names = [f"{facts.labels.targets[0]}={name}" for name in names]
    if not data.has_new_folds:
        say("folds", f"kept: {format_folds(competition, train)}")
    _warn_of_uneven_folds(facts.folds, data, names)
    rows = fold_balance(data.targets, train["group"].to_numpy(), train["fold"].to_numpy(), names)
    if len(names) <= MAX_COLUMNS:
        print_table(rows.columns, rows.to_numpy().tolist())


def _warn_of_uneven_folds(fold_facts: FoldFacts, data: Dataset, names: list[str]) -> None:
    """Warns of classes that are not in every fold, and of a group that is larger than a fold."""
    groups = data.train["group"]
    for name, count in scarce_classes(data.targets, groups.to_numpy(), names, fold_facts.k).items():
        folds_without = count_of(fold_facts.k - count, "fold has", "folds have")
        text = f"class {name} is in {count_of(count, 'group')} only, so {folds_without} no sample of it"
        if not count:
            text = f"no sample is of class {name}: check labels.targets, labels.map and classes"
        warn("folds", text)
    largest = int(groups.value_counts().max())
    if largest > len(groups) / fold_facts.k:
        chains = "; near-duplicates make chains (folds.duplicates)" if fold_facts.duplicates == "near" else ""
        share = f"the largest group holds {largest:,} of {len(groups):,} images"
        warn("folds", f"{share}, so folds cannot have equal sizes{chains}")


def _show_leaks(competition: Competition, leaks: LeakReport) -> None:
    for index, (finding, value) in enumerate(leaks.lines()):
        (warn if value != "none" else say)("audit" if index == 0 else "", f"{finding:<33}{value}")
    if any(leaks.counts().values()):
        say("", f"all of them: {competition.display(competition.paths.audit)}")


def _warn_of_lost_labels(facts: CompetitionFacts, data: Dataset) -> None:
    """Warns of units that lose a label because only an unreadable image has it."""
    if lost := units_with_lost_labels(facts, data.train, data.unreadable):
        num_units = count_of(len(lost), "unit has", "units have")
        text = f"{num_units} a label only with an image that cannot be read: counted as negative"
        warn("folds", f"{text}: {shorten_list(lost)}")


def _show_suspected_groups(competition: Competition, train: pd.DataFrame) -> None:
    """Warns of columns that may identify patients without being named as groups, and of missing groups."""
    suspects = find_unnamed_groups(competition, train)
    for suspect in suspects[:MAX_SUSPECTS]:
        text = (
            f"{suspect.name}: {count_of(suspect.num_values, 'value')}, "
            f"{count_of(suspect.num_shared_images, 'image shares its value', 'images share theirs')}"
        )
        split = (
            f"{count_of(suspect.num_split_values, 'value is', 'values are')} in several folds "
            f"({suspect.setting} keeps them together)"
        )
        warn("", f"{'suspected groups':<33}{text}, {split}")
    if not has_known_groups(competition.facts):
        hint = "" if suspects else "; no column, id or folder identifies them"
        warn("", f"{'patients':<33}unknown: the OOF score may be too high{hint}")


def _show_shift(competition: Competition, data: Dataset) -> None:
    shift, table_columns = compare_parts(competition, data)
    if np.isnan(shift.auc):
        return
    top_columns = ", ".join(f"{SHOWN_STATISTICS.get(column, column)} {auc:.2f}" for column, auc in shift.columns[:3])
    inputs = "image statistics and table columns" if table_columns else "image statistics"
    text = f"AUC {shift.auc:.2f} by {inputs} (0.5: alike); each alone: {top_columns}"
    (warn if shift.auc >= SUSPICIOUS_AUC else say)("", f"{'train vs test':<33}{text}")


def _show_predictive_columns(competition: Competition, data: Dataset) -> None:
    predictive = columns_that_predict_classes(competition, data)
    if predictive is None:
        return
    columns = [f"{column} ({name}: {strength:.2f})" for column, name, strength in predictive]
    (warn if columns else say)("", f"{'columns that differ by class':<33}{shorten_list(columns, 4) or 'none'}")


def _draw_near_duplicates(competition: Competition, data: Dataset) -> None:
    sheet = competition.paths.contact_sheet
    pairs = data.near_duplicates.pairs
    rows = [
        [(image.pixels, [image.id, ", ".join(image.caption_lines)]) for image in pair]
        for pair in near_duplicate_examples(competition, data, pairs, MAX_PAIRS)
    ]
    if not rows:
        files.remove(sheet)
        return
    escaped = write_contact_sheet(rows, sheet)
    say("", f"near-duplicates side by side: {competition.display(sheet)}")
    if escaped:
        say("", f"{escaped} captions have characters that no installed font has; they are written as codes (\\u4e2d)")
