"""The phantom source: seeds, tables, duplicates and the positions of nodules."""

import shutil

import pandas as pd
import pytest

from medfold.data import Source
from medfold.data.sources import phantom, phantom_images
from medfold.data.sources.kinds import SourceFolders
from medfold.paths import ProjectPaths
from tests.support.helpers import refused


def options(**changes):
    chosen = {"seed": 3, "train_patients": 30, "test_patients": 20, "duplicates": 4, **changes}
    return phantom.Options(kind="phantom", **chosen)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantom")
    phantom.fetch(options(), SourceFolders(folder / "raw", folder / "solution", folder / "downloads"))
    return folder


def test_equal_seeds_draw_equal_files(drawn, tmp_path):
    phantom.fetch(options(), SourceFolders(tmp_path / "raw", tmp_path / "solution", tmp_path / "downloads"))
    files = sorted(path.relative_to(drawn) for path in drawn.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert all((drawn / file).read_bytes() == (tmp_path / file).read_bytes() for file in files)


def test_tables_list_exactly_the_drawn_files(drawn):
    train = pd.read_csv(drawn / "raw" / "train.csv")
    assert list(train.columns) == ["id", "patient_id", "age", "sex", "target"]
    assert {path.stem for path in (drawn / "raw" / "train").iterdir()} == set(train["id"])
    assert train["id"].is_unique
    sample = pd.read_csv(drawn / "raw" / "sample_submission.csv")
    solution = pd.read_csv(drawn / "solution" / "solution.csv")
    assert {path.stem for path in (drawn / "raw" / "test").iterdir()} == set(sample["id"])
    assert sample["id"].tolist() == solution["id"].tolist()
    assert (solution["usage"] == "Public").mean() == pytest.approx(0.3, abs=0.03)
    assert not (drawn / "raw" / "solution.csv").exists()


def test_duplicates_have_other_ids(drawn):
    train = pd.read_csv(drawn / "raw" / "train.csv").set_index("id")
    by_content = {}
    for path in (drawn / "raw").rglob("*.png"):
        by_content.setdefault(path.read_bytes(), []).append(path)
    twins = [paths for paths in by_content.values() if len(paths) > 1]
    within = [paths for paths in twins if all(path.parent.name == "train" for path in paths)]
    assert len(within) == 4
    assert len(twins) - len(within) == 2
    differing = [paths for paths in within if train.loc[[path.stem for path in paths], "target"].nunique() > 1]
    assert len(differing) == 1


def test_nodule_table_lists_all_positives_with_their_snr(drawn):
    nodules = pd.read_csv(drawn / "solution" / "nodules.csv").set_index("id")
    solution = pd.read_csv(drawn / "solution" / "solution.csv").set_index("id")
    assert set(solution.index[solution["target"] == 1]) == set(nodules.index) & set(solution.index)
    assert nodules["snr"].between(20, 100).all()


def test_changed_table_of_nodules_is_refused(drawn, tmp_path):
    solution = tmp_path / "chest" / "solution"
    shutil.copytree(drawn / "solution", solution)
    lines = (solution / "nodules.csv").read_text().splitlines(keepends=True)
    (solution / "nodules.csv").write_text("".join(lines[: len(lines) // 2]))
    with refused("nodules.csv: changed since.*download COMPETITION=chest FORCE=1"):
        phantom.finding_positions(solution)


def test_findings_are_the_places_of_the_nodules(drawn):
    found = phantom.finding_positions(drawn / "solution").set_index("id")
    assert list(found.columns) == ["x", "y", "radius"]
    train = pd.read_csv(drawn / "raw" / "train.csv").set_index("id")
    counts = train["patient_id"].value_counts()
    seen = 0
    for id in found.index.intersection(train.index[train["patient_id"].map(counts) == 1]):
        patient = int(train.loc[id, "patient_id"][1:])
        if patient < 9000:  # the others are copies
            nodule = phantom_images.draw_image(options(), "train", patient, 1)[1]["nodule"]
            assert found.loc[id].tolist() == pytest.approx([nodule["x"], nodule["y"], nodule["radius"]], abs=1e-3)
            seen += 1
    assert seen > 2


def test_source_findings_are_none_before_download_and_elsewhere(project_folder):
    paths = ProjectPaths(project_folder).competition("small")
    source = Source({"kind": "phantom", "train_patients": 10, "test_patients": 5, "duplicates": 2}, paths)
    assert source.finding_positions() is None
    source.fetch()
    assert len(source.finding_positions()) == len(pd.read_csv(paths.solution_folder / "nodules.csv")) > 0
    assert Source({"kind": "kaggle", "slug": "a"}, paths).finding_positions() is None


def test_phantom_refuses_from(small, tmp_path):
    with refused("Leave FROM out"):
        Source(small.facts.source, small.paths).copy_from(tmp_path)
