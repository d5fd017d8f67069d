"""Prints a dataset: its folds, and the results of its audit."""

import numpy as np

from medfold.audit import AuditResult, GroupOverlap, SuspectedGroup
from medfold.commands.shared.show_leaks import show_leaks
from medfold.competition import Competition, FoldFacts, has_known_groups
from medfold.data import Dataset, describe_patient_units
from medfold.folds import fold_balance, format_folds, scarce_classes
from medfold.project_root import display_path
from medfold.terminal.console import print_table, say, warn
from medfold.text import count_of, shorten_list

MAX_SUSPECTS = 3  # suspected groups on the terminal
MAX_COLUMNS = 14  # classes in the table of the folds
SUSPICIOUS_AUC = 0.7  # train and test can be distinguished too well from this AUC on
# Statistics of brightness, as text.
SHOWN_STATISTICS = {"dark": "dark end (5th percentile)", "bright": "bright end (95th percentile)"}


def show_dataset(competition: Competition, dataset: Dataset, audit: AuditResult) -> None:
    """Prints the folds of a dataset, its leaks and the other results of its audit."""
    _warn_of_lost_labels(audit.units_with_lost_labels)
    if text := describe_patient_units(competition.facts):
        warn("privacy", text)
    _show_folds(competition, dataset)
    show_leaks(competition, dataset.leaks)
    _warn_of_group_overlap(audit.group_overlap)
    if audit.mask_suspicion:
        warn("", f"{'masks among the images':<33}{audit.mask_suspicion}")
    for suspicion in audit.value_warnings:
        warn("", f"{'values of the images':<33}{suspicion}")
    if audit.formulas:
        names = f"{count_of(len(audit.formulas), 'id or name', 'ids or names')}: {shorten_list(audit.formulas)}"
        warn("", f"{'formulas for a spreadsheet':<33}{names}; kept as they are")
    _show_suspected_groups(competition, audit.suspected_groups)
    _show_shift(audit)
    _show_predictive_columns(audit.predictive_columns)


def _warn_of_lost_labels(units: list[str]) -> None:
    """Warns of units that lose a label because only an unreadable image has it."""
    if units:
        num_units = count_of(len(units), "unit has", "units have")
        text = f"{num_units} a label only with an image that cannot be read: counted as negative"
        warn("folds", f"{text}: {shorten_list(units)}")


def _warn_of_group_overlap(overlap: GroupOverlap | None) -> None:
    """Warns of groups with images in the training and in the test set."""
    if overlap:
        text = (
            f"{count_of(overlap.num_groups, 'group')}, {count_of(overlap.num_train, 'image')} in train, "
            f"{count_of(overlap.num_test, 'image')} in test: the test score may be too high"
        )
        warn("", f"{'groups in train and test':<33}{text}")


def _show_folds(competition: Competition, dataset: Dataset) -> None:
    facts = competition.facts
    train = dataset.train
    names = facts.label_names
    if not facts.classes and facts.task == "binary":
        names = [f"{facts.labels.targets[0]}={name}" for name in names]
    if not dataset.has_new_folds:
        say("folds", f"kept: {format_folds(competition, train)}")
    _warn_of_uneven_folds(facts.folds, dataset, names)
    rows = fold_balance(dataset.targets, train["group"].to_numpy(), train["fold"].to_numpy(), names)
    if len(names) <= MAX_COLUMNS:
        print_table(rows.columns, rows.to_numpy().tolist())


def _warn_of_uneven_folds(fold_facts: FoldFacts, dataset: Dataset, names: list[str]) -> None:
    """Warns of classes that are not in every fold, and of a group that is larger than a fold."""
    groups = dataset.train["group"]
    for name, count in scarce_classes(dataset.targets, groups.to_numpy(), names, fold_facts.k).items():
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


def _show_suspected_groups(competition: Competition, suspects: list[SuspectedGroup]) -> None:
    """Warns of columns that may identify patients without being named as groups, and of missing groups."""
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


def _show_shift(audit: AuditResult) -> None:
    shift = audit.shift
    if np.isnan(shift.auc):
        return
    top_columns = ", ".join(f"{SHOWN_STATISTICS.get(column, column)} {auc:.2f}" for column, auc in shift.columns[:3])
    inputs = "image statistics and table columns" if audit.compared_columns else "image statistics"
    text = f"AUC {shift.auc:.2f} by {inputs} (0.5: alike); each alone: {top_columns}"
    (warn if shift.auc >= SUSPICIOUS_AUC else say)("", f"{'train vs test':<33}{text}")


def _show_predictive_columns(predictive: list[tuple[str, str, float]] | None) -> None:
    if predictive is None:
        return
    columns = [f"{column} ({name}: {strength:.2f})" for column, name, strength in predictive]
    (warn if columns else say)("", f"{'columns that differ by class':<33}{shorten_list(columns, 4) or 'none'}")


def show_contact_sheet(competition: Competition, num_escaped: int | None) -> None:
    """Prints where the contact sheet is, and how many captions have letters written as codes; None: no sheet."""
    if num_escaped is None:
        return
    say("", f"near-duplicates side by side: {display_path(competition.paths.contact_sheet)}")
    if num_escaped:
        text = "captions have characters that no installed font has; they are written as codes (\\u4e2d)"
        say("", f"{num_escaped} {text}")
