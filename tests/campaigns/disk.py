"""A disk that fills up in a stage: one line and exit code 2; with more space, the command ends with equal bytes."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.campaigns import pipeline
from tests.campaigns.campaign import Campaign, NotPossibleError
from tests.campaigns.pipeline import Undisturbed

SIZES = dict.fromkeys(("download", "prepare", "features", "train", "submit", "notebook"), 30) | dict.fromkeys(
    ("unpack", "folds", "parallel", "report", "predict"), 6
)
SHARE = {"download": 1, "prepare": 1, "train": 1, "submit": 1, "notebook": 1}
ROOM = 1 << 30  # bytes of a disk that is large enough


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system in memory whose size `resize` sets; needs permission to mount.

    Raises:
        PermissionError: mounting is not allowed here.
    """
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", folder], capture_output=True)
    if done.returncode:
        raise PermissionError(done.stderr.decode())
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def resize(disk: Path, size: int) -> None:
    """Sets the size of a `small_disk` in bytes."""
    subprocess.run(["mount", "-o", f"remount,size={size}", disk], check=True)


def prepare(folder: Path) -> dict[str, Undisturbed]:
    """Checks that a file system can be mounted here, and runs the pipeline."""
    try:
        with small_disk(folder / "disk"):
            pass
    except (PermissionError, FileNotFoundError) as error:
        raise NotPossibleError(f"no file system can be mounted: {error}") from None
    return pipeline.prepare()


def cases(seed: int, full: bool) -> list[str]:
    """A case is a stage, the disk space as a share of what the stage writes, and the place of temporary files."""
    shares = pipeline.random_shares(SIZES if full else SHARE, seed, 0, 1.1)
    return [f"{stage} {share} {('there', 'elsewhere')[number % 2]}" for stage, number, share in shares]


def check(case: str, given: dict[str, Undisturbed], folder: Path) -> str:
    """Fills the disk, runs a stage, frees space, runs it again, and compares."""
    stage, share, temporary = case.split()
    undisturbed = given[stage]
    with small_disk(folder / "disk") as disk:
        root = Path(shutil.copytree(undisturbed.before, disk / "my project"))
        scratch = disk / "tmp" if temporary == "there" else folder / "tmp"
        scratch.mkdir()
        used = shutil.disk_usage(disk).used
        resize(disk, used + pipeline.BLOCK * int(float(share) * undisturbed.blocks))
        process = pipeline.start(stage, root, TMPDIR=str(scratch))
        said, _ = process.communicate(timeout=600)
        resize(disk, ROOM)
        assert process.returncode in (0, 2), f"ended with {process.returncode}: {said[-800:]}"
        assert "Traceback" not in said, said[-800:]
        last = said.strip().splitlines()[-1]
        if process.returncode == 2:
            assert last.startswith("medfold: "), said[-800:]
            assert "no disk space" in last, last
        shutil.rmtree(scratch)
        pipeline.finish(stage, root)
        pipeline.check_result(stage, root, undisturbed)
    return "it had room" if process.returncode == 0 else last


CAMPAIGN = Campaign(
    question="Does a stage whose disk is full end in one line, and with more room with equal bytes?",
    cases=cases,
    prepare=prepare,
    check=check,
)
