"""An imitation of Kaggle's image: a virtual environment with its packages, a kernel, and no network."""

import base64
import hashlib
import io
import json
import os
import re
import shutil
import sysconfig
import venv
from importlib.metadata import distribution, distributions
from pathlib import Path
from zipfile import ZipFile

import nbformat
import pandas as pd
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from medfold.notebooks.wheels import DICOM_PACKAGES
from tests.support.kaggle_machines import Ended

OTHER_PACKAGES = os.environ.get("MEDFOLD_OTHER_PACKAGES")  # set by make test-all
PACKAGES = OTHER_PACKAGES or sysconfig.get_path("purelib")

GUARD = """\
import socket

connect, lookup = socket.socket.connect, socket.getaddrinfo


def guarded(self, address):
    if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError("network is unreachable")
    return connect(self, address)


def known(host, *words, **more):
    if host not in (None, "127.0.0.1", "::1", "localhost"):
        raise OSError("network is unreachable")
    return lookup(host, *words, **more)


socket.socket.connect, socket.getaddrinfo = guarded, known
"""


def make(folder: Path, lacks: tuple[str, ...] = DICOM_PACKAGES) -> Path:
    """Makes a virtual environment with the installed packages, except those that Kaggle's image lacks.

    The packages are those of this environment, or of the folder OTHER_PACKAGES.

    Args:
        folder: folder of the new environment.
        lacks: names of the packages to leave out.

    Returns:
        The path of its interpreter.
    """
    venv.create(folder, symlinks=True)
    packages, target = Path(PACKAGES), next(folder.glob("lib/python*/site-packages"))
    lacking = [each for name in lacks for each in distributions(name=name, path=[str(packages)])]
    left_out = {Path(file).parts[0] for each in lacking for file in each.files}
    for entry in packages.iterdir():
        if entry.name not in left_out and not entry.name.startswith(("medfold", "__editable__")):
            (target / entry.name).symlink_to(entry)
    (target / "sitecustomize.py").write_text(GUARD)
    return folder / "bin" / "python"


def repacked(name: str, folder: Path) -> Path:
    """Packs an installed package into a wheel again."""
    found = distribution(name)
    lines = found.read_text("WHEEL").splitlines()
    tags = [line.partition(" ")[2] for line in lines if line.startswith("Tag: ")]
    python, abi, _ = tags[0].split("-")
    platforms = ".".join(sorted({tag.split("-")[2] for tag in tags}))
    pythons = ".".join(dict.fromkeys(tag.split("-")[0] for tag in tags))
    named = f"{name.replace('-', '_')}-{found.version}-{pythons or python}-{abi}-{platforms}.whl"
    folder.mkdir(parents=True, exist_ok=True)
    record = []
    with ZipFile(folder / named, "w") as wheel:
        for file in found.files:
            outside = file.parts[0] == ".." or "__pycache__" in file.parts
            if outside or file.name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json"):
                continue
            data = found.locate_file(file).read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{file},sha256={digest},{len(data)}")
            wheel.writestr(str(file), data)
        info = next(file.parts[0] for file in found.files if file.parts[0].endswith(".dist-info"))
        wheel.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,", ""]))
    return folder / named


def run(notebook: Path, python: Path, root: Path, hours: float | None = None) -> str:
    """Executes a notebook as Kaggle does, in a new kernel.

    Args:
        python: the interpreter of the kernel.
        root: folder that replaces /kaggle; it contains input/.
        hours: replaces HOURS of the notebook.

    Returns:
        The output of its cells.

    Raises:
        CellExecutionError: a cell failed.
    """
    content = nbformat.read(notebook, 4)
    (root / "working").mkdir(exist_ok=True)
    for cell in content.cells:
        cell.source = cell.source.replace('"/kaggle/', f'"{root}/')
        if hours is not None:
            cell.source = re.sub(r"^HOURS = \S+", f"HOURS = {hours:f}", cell.source, flags=re.MULTILINE)
    kernels = root / "kernels"
    (kernels / "kernels" / "kaggle").mkdir(parents=True, exist_ok=True)
    specification = {
        "argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "Kaggle",
        "language": "python",
        "env": {
            "PYTHONPATH": "",
            "HOME": str(root),
            "IPYTHONDIR": str(root / ".ipython"),
            "PIP_CONFIG_FILE": os.devnull,
        },
    }
    (kernels / "kernels" / "kaggle" / "kernel.json").write_text(json.dumps(specification))
    before = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = str(kernels)
    try:
        client = NotebookClient(content, kernel_name="kaggle", timeout=600, startup_timeout=600)
        client.execute(cwd=str(root / "working"))
    finally:
        os.environ.pop("JUPYTER_PATH") if before is None else os.environ.update(JUPYTER_PATH=before)
    nbformat.write(content, root / "executed.ipynb")
    outputs = [each for cell in content.cells for each in cell.get("outputs", [])]
    return "".join(each.get("text", "") for each in outputs)


def machine(server, root: Path, python: Path, data: dict[str, Path], output: str, hours: float | None = None):
    """Returns a `runner` for a `KaggleServer`, which executes pushed notebooks in a folder laid out like /kaggle.

    Args:
        root: folder for the working folders of the notebooks.
        data: folders of attached competitions and data sets, by slug; others are taken from the server.
        output: name of the output file that is kept.
        hours: replaces HOURS of the notebook.
    """

    def run_pushed(pushed: dict) -> Ended:
        place = root / f"machine {len(list(root.glob('machine *')))}"
        attached = {f"datasets/{ref}": ref for ref in pushed["datasetDataSources"]}
        attached |= {f"competitions/{slug}": slug for slug in pushed["competitionDataSources"]}
        for mount, ref in attached.items():
            folder = place / "input" / mount
            folder.parent.mkdir(parents=True, exist_ok=True)
            if ref in data:
                folder.symlink_to(data[ref], target_is_directory=True)
                continue
            folder.mkdir()
            for name, content in server.datasets[ref].files.items():
                (folder / name).write_bytes(content)
        notebook = place / "pushed.ipynb"
        notebook.write_text(pushed["text"])
        try:
            log = run(notebook, python, place, hours)
        except CellExecutionError as error:
            left, log = place / "working" / output, str(error)
            kept = {output: left.read_bytes()} if left.is_file() else {}
            return Ended(kept, log, "ERROR", "Your notebook failed")
        return Ended({output: (place / "working" / output).read_bytes()}, log)

    return run_pushed


def assert_same(found: Path, home: bytes) -> None:
    """Fails if a submission differs from the local one: in any byte, or, with other packages, by more than 1e-5."""
    if not OTHER_PACKAGES:
        assert found.read_bytes() == home
        return
    expected, actual = (pd.read_csv(content, index_col=0) for content in (io.BytesIO(home), found))
    pd.testing.assert_frame_equal(expected, actual, check_exact=False, rtol=0, atol=1e-5)


def attach(root: Path, style: str, slug: str, data: Path, bundle: Path) -> None:
    """Mounts the data of a competition and a bundle, in the old or the new layout of Kaggle."""
    shutil.rmtree(root / "input", ignore_errors=True)
    places = {
        "old": (f"{slug}", f"medfold-{slug}"),
        "new": (f"competitions/{slug}", f"datasets/alice/medfold-{slug}"),
    }
    for place, given in zip(places[style], (data, bundle), strict=True):
        (root / "input" / place).parent.mkdir(parents=True, exist_ok=True)
        (root / "input" / place).symlink_to(given, target_is_directory=True)
