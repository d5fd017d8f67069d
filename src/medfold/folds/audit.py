"""Part of stage `folds`: what the measurements of the images give cause to suspect."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from medfold import files
from medfold.competition.project import Project, groups_known
from medfold.console import say, warn
from medfold.data import companions, samples
from medfold.errors import UserError
from medfold.folds import dataset_shift, near_duplicates, unnamed_groups
from medfold.images import contact_sheet, dicom_headers, value_checks
from medfold.images.formats import reading
from medfold.images.scan_worker import ONE_VALUE, STATISTICS

VERSION = 2  # raised when the same measurements give other pairs
SUSPECTS = 3  # groups that nobody named, on the terminal
SHOWN = 24  # pairs on the contact sheet
SUSPICIOUS = 0.7  # AUC from which train and test are told apart too well
HEADERS_READ = 2000  # files whose PatientID is looked at
IDLE = {"Rows", "Columns"}  # headers that the sizes of the images tell already


@dataclass(frozen=True)
class Near:
    """Images that look alike.

    Args:
        pairs: their ids, without pairs of equal pixels, the most alike first.
        clusters: the number of each image's cluster, by id; chains of pairs, equal pixels too, are one.
    """

    pairs: list[tuple[str, str]]
    clusters: pd.Series

    def cluster_of(self, ids: pd.Series) -> np.ndarray:
        """The clusters of some images."""
        return self.clusters.loc[ids].to_numpy()


def near_duplicates_of(project: Project, seen: pd.DataFrame) -> Near:
    """The near-duplicates among all images, training and test; found once, then kept in data/.

    Args:
        seen: `survey.appearance`, with the column `hash` of `survey.measured`.
    """
    paths = project.paths
    origin = files.fingerprint([VERSION, files.sha256(paths.appearance)])
    kept = files.read_json(paths.near_duplicates)
    ids, hashes = seen["id"].to_numpy(), seen["hash"].to_numpy()
    if not kept or kept["made from"] != origin:
        shown = seen[~seen["hash"].str.startswith(ONE_VALUE)]  # of images of one value all are alike
        likeness = np.array([int(text, 16) for text in shown["likeness"]], np.uint64)
        found = near_duplicates.find(likeness, np.load(paths.thumbnails, mmap_mode="r")[shown["row"].to_numpy()])
        rows = [
            [*shown["id"].to_numpy()[pair].tolist(), round(float(similarity), 4)]
            for pair, similarity in zip(found.pairs, found.similarity, strict=True)
        ]
        kept = {"made from": origin, "pairs": rows}
        files.write_json(kept, paths.near_duplicates)
    position = pd.Series(np.arange(len(ids)), index=ids)
    pairs = [(a, b) for a, b, _ in sorted(kept["pairs"], key=lambda row: -row[2])]
    rows = position.loc[[id for pair in pairs for id in pair]].to_numpy().reshape(-1, 2)
    unequal = hashes[rows[:, 0]] != hashes[rows[:, 1]]
    return Near(
        pairs=[pair for pair, differ in zip(pairs, unequal, strict=True) if differ],
        clusters=pd.Series(near_duplicates.clusters(len(ids), rows), index=ids),
    )


def show_suspicions(
    project: Project, train: pd.DataFrame, test: pd.DataFrame, targets: np.ndarray, seen: pd.DataFrame, near: Near
) -> None:
    """Says whether train and test differ, whether a header tells the class, and draws the near-duplicates.

    Args:
        train, test: of the folds.
        targets: in the order of `train`.
        seen: `survey.appearance`, with the columns `height` and `width` of `survey.measured`.
        near: what looks alike.
    """
    if told := companions.suspicion(pd.concat([train["image"], test["image"]])):
        warn("", f"{'masks among the images':<33}{told}")
    raw = project.paths.raw_root(project.competition.images.root)
    for told in value_checks.suspicions(raw, train["image"].tolist(), project.competition.images):
        warn("", f"{'values of the images':<33}{told}")
    _show_unnamed_groups(project, train)
    _show_shift(project, train, test, seen)
    _show_telling(project, train, targets)
    _draw(project, train, test, near)


def _show_unnamed_groups(project: Project, train: pd.DataFrame) -> None:
    """What would join images of different folds, if somebody had named it; or that nothing tells patients."""
    competition = project.competition
    columns = samples.further_columns(competition, project.paths, train["id"])
    found = [*_patients_in_headers(project, train)]
    found += unnamed_groups.find(train["id"], train["image"], columns, train["fold"].to_numpy())
    for each in found[:SUSPECTS]:
        what = (
            f"{each.name}: {each.values:,} values, {each.images:,} images share theirs, {each.apart:,} values stand in"
        )
        warn("", f"{'groups that nobody named':<33}{what} several folds ({each.fact} keeps them together)")
    if not groups_known(competition):
        more = "" if found else "; no column, id or folder tells them"
        warn("", f"{'patients':<33}unknown: the OOF score may flatter{more}")


def _patients_in_headers(project: Project, train: pd.DataFrame) -> list[unnamed_groups.Suspect]:
    """Suspects PatientID of the DICOM headers, if nothing names groups and it joins images of several folds."""
    raw, first = project.paths.raw_root(project.competition.images.root), train.head(HEADERS_READ)
    if groups_known(project.competition) or not reading.is_dicom(reading.path_of(raw, train["image"].iloc[0])):
        return []
    columns = pd.DataFrame(dicom_headers.read(raw, first["image"], ["PatientID"], complete=False), index=first.index)
    found = unnamed_groups.find(first["id"], first["image"], columns, first["fold"].to_numpy())
    fact = "labels.group: PatientID with images.headers: [PatientID]"
    return [replace(each, fact=fact) for each in found if each.name == "PatientID"]


def _show_shift(project: Project, train: pd.DataFrame, test: pd.DataFrame, seen: pd.DataFrame) -> None:
    measured = seen.set_index("id")[[*STATISTICS, "height", "width"]].astype(np.float64)
    kept = [column for column in project.competition.labels.keep if column in test and test[column].notna().any()]
    here, there = (
        measured.loc[part["id"]].reset_index(drop=True).join(part[kept].reset_index(drop=True))
        for part in (train, test)
    )
    groups = np.concatenate([train["group"].to_numpy(), test["group"].to_numpy()])
    found = dataset_shift.adversarial_auc(here, there, groups)
    if np.isnan(found.auc):
        return
    telling = ", ".join(f"{column} {auc:.2f}" for column, auc in found.columns[:3])
    text = f"AUC {found.auc:.2f} by image statistics{' and table columns' if kept else ''} (0.5: alike; {telling})"
    (warn if found.auc >= SUSPICIOUS else say)("", f"{'train told from test':<33}{text}")


def _show_telling(project: Project, train: pd.DataFrame, targets: np.ndarray) -> None:
    """Which DICOM headers and kept columns differ by class: a scanner or a site can be learnt instead of a disease."""
    columns = train.set_index("id")[list(project.competition.labels.keep)].astype(str)
    if project.paths.headers.is_file():
        known = pd.read_csv(project.paths.headers, dtype=str, keep_default_na=False).set_index("id")
        columns = columns.join(known.drop(columns=[name for name in IDLE if name in known]).loc[columns.index])
    if not columns.shape[1]:
        return
    competition = project.competition
    names = competition.labels.targets if competition.task == "multilabel" else competition.class_names
    found = dataset_shift.telling_headers(columns.reset_index(drop=True), targets, train["group"].to_numpy())
    text = ", ".join(f"{column} ({names[label]}: {strength:.2f})" for column, label, strength in found[:4])
    more = f" and {len(found) - 4} more" if len(found) > 4 else ""
    (warn if found else say)("", f"{'columns that differ by class':<33}{text + more or 'none'}")


def _draw(project: Project, train: pd.DataFrame, test: pd.DataFrame, near: Near) -> None:
    paths, competition = project.paths, project.competition
    if not near.pairs:
        files.remove(paths.contact_sheet)
        return
    table = pd.concat([train, test]).set_index("id")
    raw, rows = paths.raw_root(competition.images.root), []
    for pair in near.pairs[:SHOWN]:
        cells = []
        for id in pair:
            labels = [
                f"{name} {table.at[id, name]}" for name in competition.labels.targets if _is_set(table.at[id, name])
            ]
            where = "test" if table.at[id, "part"] == "test" else f"fold {table.at[id, 'fold']:.0f}"
            try:
                pixels = reading.read(raw, table.at[id, "image"], competition.images)
            except UserError:
                continue  # it was readable once; the picture is no reason to stop
            cells.append((pixels, [id, ", ".join([where, *labels[:2]])]))
        rows.append(cells)
    contact_sheet.write(rows, paths.contact_sheet)
    say("", f"near-duplicates side by side: {project.shown(paths.contact_sheet)}")


def _is_set(label: object) -> bool:
    return isinstance(label, str) and label != "0"
