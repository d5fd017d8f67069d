"""Wrong inputs: what is wrong, the command that must refuse it, and the message.

Each is a function that damages the project in the working directory. The command prints one line that names file and
key or row, exits with code 2, and leaves no files; once the damage is undone, it works.
"""

import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import tifffile
from PIL import Image

DOWNLOAD = ("download", "-c", "clinic", "--from", "given")
FOLDS, TRAIN = ("folds", "-c", "clinic"), ("train", "-c", "clinic", "--fold", "0")
SUBMIT = ("submit", "-c", "clinic", "--runs", "noise", "--force")
NEW = ("new", "-c", "fresh", "--from", "given")


@dataclass(frozen=True)
class Wrong:
    """A wrong input.

    Args:
        area: tables, archives, images, facts, recipes, words, kept files.
        state: state of the project before: bare, downloaded, folded, trained.
        command: the command that must refuse it.
        says: a regular expression that its error must match.
        breaks: a function that damages the project.
        works: a command that works once the damage is undone. Defaults to `command`.
    """

    area: str
    state: str
    command: tuple[str, ...]
    says: str
    breaks: Callable[[], None]
    works: tuple[str, ...] | None = None


CORPUS: dict[str, Wrong] = {}


def wrong(area: str, name: str, state: str, command: tuple[str, ...], says: str, breaks, works=None) -> None:
    assert name not in CORPUS, name
    CORPUS[name] = Wrong(area, state, command, says, breaks, works)


def write(path: str, content: str | bytes) -> Callable[[], None]:
    def breaks() -> None:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)

    return breaks


def edit(path: str, old: str, new: str) -> Callable[[], None]:
    def breaks() -> None:
        text = Path(path).read_text()
        assert old in text, (path, old)
        Path(path).write_text(text.replace(old, new, 1))

    return breaks


def remove(path: str) -> Callable[[], None]:
    return lambda: Path(path).unlink()


def both(*steps: Callable[[], None]) -> Callable[[], None]:
    def breaks() -> None:
        for step in steps:
            step()

    return breaks


# --- tables -----------------------------------------------------------------------------------------------------------

TRAIN_CSV, SAMPLE, YAML = "given/train.csv", "given/sample_submission.csv", "competition/clinic/competition.yaml"


def table(name: str, says: str, breaks: Callable[[], None], command: tuple[str, ...] = DOWNLOAD) -> None:
    wrong("tables", name, "bare", command, says, breaks)


table("no id column", r"train.csv has no column 'id'", edit(TRAIN_CSV, "id,patient", "name,patient"))
table(
    "misspelt id column",
    r"train.csv has no column 'id' \(did you mean 'idd'",
    edit(TRAIN_CSV, "id,patient", "idd,patient"),
)
table(
    "no label column",
    r"train.csv has no column 'finding' \(did you mean 'findings'",
    edit(TRAIN_CSV, "finding", "findings"),
)
table("no group column", r"no column 'patient'", edit(TRAIN_CSV, "patient", "person"))
table("no table", r"train.csv: no such file", remove(TRAIN_CSV))
table("empty table", r"train.csv: not a readable table", write(TRAIN_CSV, ""))
table("blank table", r"train.csv: not a readable table", write(TRAIN_CSV, "\n\n\n"))
table("header only", r"train.csv: no training sample", write(TRAIN_CSV, "id,patient,finding\n"))
table(
    "bytes for a table",
    r"train.csv: not a text file: neither UTF-8, UTF-16 nor Windows-1252",
    write(TRAIN_CSV, bytes(range(256)) * 4),
)
table("zeros for a table", r"train.csv: not a text file", write(TRAIN_CSV, bytes(5000)))
table(
    "UTF-16 without mark",
    r"train.csv: not a text file",
    write(TRAIN_CSV, "id,patient,finding\ni00,p,sick\n".encode("utf-16-le")),
)
table(
    "two columns of one name",
    r"train.csv: two columns are called 'id'",
    edit(TRAIN_CSV, "id,patient,finding", "id,id,finding"),
)
table(
    "a row too long", r"train.csv: row 4 has more columns", edit(TRAIN_CSV, "i02,p1,sick", "i02,p1,sick,more,and more")
)
table(
    "an open quote",
    r"train.csv: row 4: a quote is opened and never closed",
    edit(TRAIN_CSV, "i02,", '"i02,'),
)
table(
    "an unknown label",
    r"train.csv: row 4, column 'finding': found ill, expected one of healthy, sick",
    edit(TRAIN_CSV, "i02,p1,sick", "i02,p1,ill"),
)
table("a label missing", r"row 4, column 'finding': found nothing", edit(TRAIN_CSV, "i02,p1,sick", "i02,p1,"))
table(
    "an id twice",
    r"1 id appears more than once in the training set: i02",
    edit(TRAIN_CSV, "i03,p1,sick", "i02,p1,sick"),
)
table(
    "ids with spaces",
    r"16 images are missing: train/x i00.png",
    lambda: Path(TRAIN_CSV).write_text(Path(TRAIN_CSV).read_text().replace("\ni", "\nx i")),
)
table(
    "ids of other images",
    r"16 images are missing: train/j00.png",
    lambda: Path(TRAIN_CSV).write_text(Path(TRAIN_CSV).read_text().replace("\ni", "\nj")),
)
table(
    "a damaged .gz",
    r"train.csv.gz: damaged",
    both(edit(YAML, "train.csv", "train.csv.gz"), write("given/train.csv.gz", b"\x1f\x8b\x08\0cut off")),
)
table(
    "text named .gz",
    r"train.csv.gz: damaged",
    both(edit(YAML, "train.csv", "train.csv.gz"), write("given/train.csv.gz", "id,finding\n")),
)
table(
    "text named .xlsx",
    r"train.xlsx: not a readable table",
    both(edit(YAML, "train.csv", "train.xlsx"), write("given/train.xlsx", "id,finding\n")),
)
table(
    "text named .parquet",
    r"train.parquet: not a readable table",
    both(edit(YAML, "train.csv", "train.parquet"), write("given/train.parquet", "id,finding\n")),
)
table("a folder for a table", r"train", edit(YAML, "file: train.csv", "file: train"))
table("no sample", r"sample_submission.csv: no such file", remove(SAMPLE))
table("an empty sample", r"sample_submission.csv: not a readable table", write(SAMPLE, ""))
table("a sample without ids", r"sample_submission.csv has no column 'id'", edit(SAMPLE, "id,", "image,"))
table(
    "a sample of other images",
    r"images are missing",
    lambda: Path(SAMPLE).write_text(Path(SAMPLE).read_text().replace("\nt", "\nq")),
)
table("a sample id twice", r"1 id appears more than once in the test set: t0", edit(SAMPLE, "t1,", "t0,"))
table(
    "an id in train and test",
    r"1 id is in train and in test: i00",
    both(edit(YAML, 'test: "test/{id}.png"', 'test: ["test/{id}.png", "train/{id}.png"]'), edit(SAMPLE, "t1,", "i00,")),
)
table(
    "a column to keep that is not there",
    r"no column 'sex'",
    edit(YAML, "  group: patient", "  group: patient\n  keep_columns: [sex]"),
)
table(
    "no table of test images",
    r"test.csv: no such file",
    edit(YAML, "  group: patient", "  group: patient\n  test_file: test.csv"),
)
table("a path out of the data", r"train.csv", edit(YAML, "file: train.csv", "file: ../../../train.csv"))
table(
    "several labels in a list",
    r"row 4, column 'finding'",
    both(
        edit(YAML, "task: binary\nclasses: [healthy, sick]", "task: multilabel"),
        edit(YAML, "metric: auc", "metric: mean_auc"),
        edit(YAML, "targets: [finding]", "targets: [healthy, sick]\n  layout: lists\n  value: finding"),
        edit(TRAIN_CSV, "i02,p1,sick", "i02,p1,sick ill"),
    ),
)
table(
    "marks of two classes",
    r"train.csv: 1 row does not have one 1",
    both(
        edit(YAML, "classes: [healthy, sick]", "classes: [a, b]"),
        edit(YAML, "targets: [finding]", "targets: [finding]\n  layout: one_hot"),
        lambda: Path(TRAIN_CSV).write_text(
            "id,patient,a,b\n" + "".join(f"i{n:02},p{n // 2},{1},{int(n == 3)}\n" for n in range(16))
        ),
    ),
)
table(
    "a long table of other names",
    r"row 2: 'i00' is not <id>_<label>",
    both(
        edit(YAML, "task: binary\nclasses: [healthy, sick]", "task: multilabel"),
        edit(YAML, "metric: auc", "metric: mean_auc"),
        edit(YAML, "targets: [finding]", "targets: [a, b]\n  layout: long\n  value: finding"),
    ),
)
wrong(
    "tables",
    "new: ids that name no images",
    "bare",
    NEW,
    r"train.csv: 16 rows, but no column has the names of the 20 images",
    lambda: Path(TRAIN_CSV).write_text(Path(TRAIN_CSV).read_text().replace("\ni", "\nj")),
)
wrong(
    "tables",
    "new: measured numbers",
    "bare",
    NEW,
    r"column 'finding' has 16 different numbers: regression",
    lambda: Path(TRAIN_CSV).write_text(
        "id,patient,finding\n" + "".join(f"i{n:02},p{n // 2},{n / 7:.3f}\n" for n in range(16))
    ),
)
wrong(
    "tables",
    "new: a damaged table",
    "bare",
    NEW,
    r"train.csv: not a text file",
    write(TRAIN_CSV, bytes(5000)),
)
wrong(
    "tables",
    "new: no label",
    "bare",
    NEW,
    r"no column of .* could be a label",
    both(remove(SAMPLE), lambda: Path(TRAIN_CSV).write_text("id,age\n" + "".join(f"i{n:02},{n}\n" for n in range(16)))),
)

# --- archives ---------------------------------------------------------------------------------------------------------

PACKED = ("download", "-c", "clinic", "--from", "packed.zip")


def zipped(**more: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(Path("given").rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to("given").as_posix())
        for name, content in more.items():
            archive.writestr(name, content)
    return data.getvalue()


def tarred(names: list[str], kind: bytes = tarfile.REGTYPE) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name in names:
            info = tarfile.TarInfo(name)
            info.type, info.linkname, info.size = kind, "/etc/passwd", 0
            archive.addfile(info)
    return data.getvalue()


def archive(name: str, says: str, make: Callable[[], bytes], file: str = "packed.zip") -> None:
    command = ("download", "-c", "clinic", "--from", file)
    wrong("archives", name, "bare", command, says, lambda: Path(file).write_bytes(make()), DOWNLOAD)


def _flipped() -> bytes:
    content = bytearray(zipped())
    content[len(content) // 3] ^= 0xFF
    return bytes(content)


def _link() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        info = zipfile.ZipInfo("link.csv")
        info.external_attr = 0o120777 << 16
        made.writestr(info, "/etc/passwd")
    return data.getvalue()


def _secret() -> bytes:
    content = bytearray(zipped())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = content.find(mark)
        while place >= 0:
            content[place + at] |= 1
            place = content.find(mark, place + 4)
    return bytes(content)


def _nested() -> bytes:
    content = b"the end"
    for number in range(6):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as made:
            made.writestr(f"{number}.zip" if number else "a.txt", content)
        content = data.getvalue()
    return content


archive("a zip that breaks off", r"packed.zip: damaged archive", lambda: zipped()[:-200])
archive("half a zip", r"packed.zip: damaged archive", lambda: zipped()[: len(zipped()) // 2])
archive("a flipped byte", r"packed.zip: damaged archive", _flipped)
archive("zero bytes", r"packed.zip: damaged archive", lambda: b"")
archive("text named .zip", r"packed.zip: damaged archive", lambda: b"<html>403 Forbidden</html>")
archive("a zip of nothing", r"contains no files", lambda: _empty_zip())
archive("a way out of the folder", r"unsafe member '../out.csv'", lambda: zipped(**{"../out.csv": b"x"}))
archive("an absolute path", r"unsafe member '/out.csv'", lambda: zipped(**{"/out.csv": b"x"}))
archive("a drive of Windows", r"unsafe member 'C:", lambda: zipped(**{"C:\\out.csv": b"x"}))
archive("a link", r"unsafe member 'link.csv'", _link)
archive("a password", r"needs a password", _secret)
archive("a bomb", r"declare contents of", lambda: _bomb())
archive("archives without end", r"archives are nested more than 3 deep. Unpack them by hand: ", _nested)
archive("a tar that breaks off", r"packed.tar.gz: damaged archive", lambda: tarred(["a", "b"])[:-20], "packed.tar.gz")
archive("text named .tar.gz", r"packed.tar.gz: damaged archive", lambda: b"no archive", "packed.tar.gz")
archive("a way out of a tar", r"unsafe member '../a'", lambda: tarred(["../a"]), "packed.tar.gz")
archive("a link in a tar", r"unsafe member 'a'", lambda: tarred(["a"], tarfile.SYMTYPE), "packed.tar.gz")
archive(
    "a table alone",
    r"--from other.csv: one file; train.csv is missing. Name the folder or archive with all files",
    lambda: b"id,finding\nx,sick\n",
    "other.csv",
)
NOWHERE = r"--from packed.zip: no such file or folder"
wrong("archives", "no such archive", "bare", PACKED, NOWHERE, lambda: None, DOWNLOAD)
wrong(
    "archives",
    "an empty folder",
    "bare",
    ("download", "-c", "clinic", "--from", "nothing"),
    r"--from nothing: contains no files",
    lambda: Path("nothing").mkdir(),
    DOWNLOAD,
)
wrong(
    "archives",
    "a part is missing",
    "bare",
    DOWNLOAD,
    r"part train.zip.002 of a split archive is missing",
    both(write("given/train.zip.001", b"PK"), write("given/train.zip.003", b"x")),
)
wrong(
    "archives",
    "a damaged archive within",
    "bare",
    DOWNLOAD,
    r"more.zip: damaged archive",
    write("given/more.zip", b"PK nothing"),
)
wrong(
    "archives",
    "new: a damaged archive",
    "bare",
    ("new", "-c", "fresh", "--from", "packed.zip"),
    r"packed.zip: damaged archive",
    lambda: Path("packed.zip").write_bytes(zipped()[:-200]),
    NEW,
)
wrong(
    "archives",
    "new: no image",
    "bare",
    ("new", "-c", "fresh", "--from", "texts"),
    r"contains no images",
    write("texts/train.csv", "id,label\na,1\n"),
    NEW,
)
wrong(
    "archives",
    "new: nothing",
    "bare",
    ("new", "-c", "fresh", "--from", "texts"),
    r"--from texts: contains no files",
    lambda: Path("texts").mkdir(),
    NEW,
)


def _empty_zip() -> bytes:
    data = io.BytesIO()
    zipfile.ZipFile(data, "w").close()
    return data.getvalue()


def _bomb() -> bytes:
    """An archive that declares one member of two gigabytes."""
    content = bytearray(zipped())
    place = content.find(b"PK\x01\x02")
    content[place + 24 : place + 28] = struct.pack("<I", 2 * 10**9)
    return bytes(content)


ARRAYS = edit(YAML, "  file: train.csv", "  layout: arrays\n  file: a.npz")


def arrays(name: str, says: str, content: Callable[[], bytes]) -> None:
    only_arrays = both(
        edit(YAML, "  group: patient\n", ""), edit(YAML, "submission: {sample: sample_submission.csv}\n", "")
    )
    wrong(
        "archives",
        name,
        "bare",
        DOWNLOAD,
        says,
        both(ARRAYS, only_arrays, lambda: Path("given/a.npz").write_bytes(content())),
    )


def npz(**content: np.ndarray) -> bytes:
    data = io.BytesIO()
    np.savez(data, **content)
    return data.getvalue()


def good_arrays() -> dict[str, np.ndarray]:
    images, labels = np.zeros((4, 8, 8), np.uint8), np.array(["healthy", "sick"] * 2)
    return {"train_images": images, "train_labels": labels, "test_images": images, "test_labels": labels}


arrays("half an npz", r"a.npz: damaged", lambda: npz(**good_arrays())[:900])
arrays(
    "an npz of objects",
    r"a.npz: not an array of numbers",
    lambda: npz(**{**good_arrays(), "train_labels": np.array([{}] * 4, object)}),
)
arrays("text named .npz", r"a.npz: not an array of numbers", lambda: b"no archive")
arrays("no bytes named .npz", r"a.npz: damaged", lambda: b"")
arrays(
    "an npz without test set",
    r"no array 'test_images' or 'test_labels'",
    lambda: npz(**{k: v for k, v in good_arrays().items() if "train" in k}),
)
arrays(
    "an npz of fewer labels",
    r"a.npz: 'train_labels': labels of shape",
    lambda: npz(**{**good_arrays(), "train_labels": np.array(["sick"] * 3)}),
)
arrays(
    "an npz of other labels",
    r"row 2, column 'finding': found 7",
    lambda: npz(**{**good_arrays(), "train_labels": np.array([7] * 4)}),
)

# --- images -----------------------------------------------------------------------------------------------------------


def image(name: str, says: str, file: str, content: bytes | Callable[[], bytes], *more: Callable[[], None]) -> None:
    """Registers a wrong image: half of the training images are replaced by it."""

    def breaks() -> None:
        for step in more:
            step()
        made = content() if callable(content) else content
        for number in range(0, 16, 2):
            path = Path("given/train") / file.format(f"i{number:02}")
            path.unlink(missing_ok=True)
            path.write_bytes(made)

    wrong("images", name, "bare", ("folds", "-c", "clinic"), says, both(breaks, _download), None)


def _download() -> None:
    from tests.layouts.clinic import medfold

    ended = medfold(*DOWNLOAD)
    assert ended.code == 0, ended.errors


def saved(kind: str, **options) -> bytes:
    data = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40), np.uint8)).save(data, kind, **options)
    return data.getvalue()


def npy(values: np.ndarray) -> Callable[[], bytes]:
    def made() -> bytes:
        data = io.BytesIO()
        np.save(data, values, allow_pickle=True)
        return data.getvalue()

    return made


def tif(values: np.ndarray, **options) -> Callable[[], bytes]:
    def made() -> bytes:
        data = io.BytesIO()
        tifffile.imwrite(data, values, **options)
        return data.getvalue()

    return made


def as_ending(ending: str) -> Callable[[], None]:
    """Gives every second training image another extension, which the pattern also names."""
    return edit(YAML, 'train: "train/{id}.png"', f'train: ["train/{{id}}.png", "train/{{id}}{ending}"]')


def gone() -> None:
    for number in range(0, 16, 2):
        Path(f"given/train/i{number:02}.png").unlink()


TOO_MANY = r"8 of 20 images cannot be read.*"
image("images of no bytes", TOO_MANY + "the file is empty", "{}.png", b"")
image("texts for images", TOO_MANY + "not a picture", "{}.png", b"no picture")
image("an html page for images", TOO_MANY + "not a picture", "{}.png", b"<html>404</html>")
image("half a png", TOO_MANY + "cut off", "{}.png", lambda: saved("PNG")[:300])
image("half a jpeg", TOO_MANY + "cut off", "{}.jpg", lambda: saved("JPEG")[:500], gone, as_ending(".jpg"))
image("half a tiff", TOO_MANY, "{}.tif", lambda: saved("TIFF")[:100], gone, as_ending(".tif"))
image("half a bmp", TOO_MANY, "{}.bmp", lambda: saved("BMP")[:300], gone, as_ending(".bmp"))
image("half a gif", TOO_MANY, "{}.gif", lambda: saved("GIF")[:60], gone, as_ending(".gif"))
image("half a webp", TOO_MANY, "{}.webp", lambda: saved("WEBP")[:60], gone, as_ending(".webp"))
image("half a DICOM file", TOO_MANY, "{}.dcm", bytes(128) + b"DICM" + bytes(9), gone, as_ending(".dcm"))
image("arrays of objects", TOO_MANY + "Python objects", "{}.npy", npy(np.array([{}], object)), gone, as_ending(".npy"))
image("arrays of another shape", TOO_MANY + r"shape \(3,\)", "{}.npy", npy(np.zeros(3)), gone, as_ending(".npy"))
image(
    "arrays of two readings",
    TOO_MANY + "can be read in two ways",
    "{}.npy",
    npy(np.zeros((3, 8, 8), np.uint8)),
    gone,
    as_ending(".npy"),
)
image("arrays of NaN", TOO_MANY + "NaN or infinite", "{}.npy", npy(np.full((8, 8), np.nan)), gone, as_ending(".npy"))
image("arrays of texts", TOO_MANY, "{}.npy", npy(np.full((8, 8), "x")), gone, as_ending(".npy"))
image(
    "arrays of complex numbers", TOO_MANY + "complex", "{}.npy", npy(np.zeros((8, 8), complex)), gone, as_ending(".npy")
)
image(
    "five channels",
    TOO_MANY + "5 channels, expected 1",
    "{}.tif",
    tif(np.zeros((8, 8, 5), np.uint8), photometric="minisblack", planarconfig="contig"),
    gone,
    as_ending(".tif"),
)
image(
    "another size",
    r"8 of 20 images cannot be used.*images\.expected_shape",
    "{}.png",
    lambda: saved("PNG"),
    edit(YAML, "channels: 1", "channels: 1, expected_shape: [20, 18]"),
)
image(
    "an unknown ending",
    TOO_MANY + "unknown image format",
    "{}.xyz",
    b"x" * 200,
    gone,
    as_ending(".xyz"),
)
image("HEIC", TOO_MANY + "HEIC is not supported", "{}.heic", b"x" * 200, gone, as_ending(".heic"))
image("NIfTI", TOO_MANY + "NIfTI is not supported", "{}.nii", b"x" * 200, gone, as_ending(".nii"))
image(
    "a page that is not there",
    r"images cannot be read.*no frame 3",
    "{}.png",
    lambda: saved("PNG"),
    edit(YAML, "channels: 1", "channels: 1, frame: 3"),
)
image(
    "windows for bytes",
    r"images cannot be read.*images.windows",
    "{}.png",
    lambda: saved("PNG"),
    edit(YAML, "channels: 1", "channels: 1, windows: [lung]"),
)

# --- facts ------------------------------------------------------------------------------------------------------------


def fact(name: str, says: str, old: str, new: str, state: str = "downloaded", command: tuple[str, ...] = FOLDS) -> None:
    wrong(
        "facts",
        name,
        state,
        command,
        r"competition.yaml.*" + says if says and not says.startswith("^") else says[1:],
        edit(YAML, old, new),
    )


fact("an unknown key", r"unknown key 'folds.kk' \(did you mean 'folds.k'", "k: 2", "kk: 2")
fact("an unknown key at the top", r"unknown key 'lables' \(did you mean 'labels'", "labels:", "lables:")
fact("a wrong type", r"'folds.k': .*received 'many'", "k: 2", "k: many")
fact("yes for a number", r"'folds.k': expected a whole number, received true", "k: 2", "k: yes")
fact("one fold", r"'folds.k'", "k: 2", "k: 1")
fact("a negative seed", r"'folds.seed'", "seed: 1", "seed: -1")
fact("an unknown method", r"'folds.method'", "stratified_group", "random")
fact("an unknown task", r"'task'", "task: binary", "task: regression")
fact("three classes of two", r"'classes': task binary has two ", "[healthy, sick]", "[healthy, sick, ill]")
fact("two classes of several", r"'classes': task multiclass needs three or more", "task: binary", "task: multiclass")
fact("a class twice", r"'classes' has 'sick' twice", "[healthy, sick]", "[sick, sick]")
fact("a key twice", r"the key 'task' occurs twice", "task: binary", "task: binary\ntask: multiclass")
fact("no YAML", r"not valid YAML", "task: binary", "task: [binary")
fact("a tab", r"not valid YAML", "  id: id", "\tid: id")
fact("no source", r"'source' is missing", "source: {kind: own}\n", "")
fact("an unknown source", r"unknown source.kind 'ownn' \(did you mean 'own'", "kind: own", "kind: ownn")
fact("a source of other options", r"source: unknown key 'slug'", "kind: own", "kind: own, slug: a/b")
fact("an unknown upload", r"'upload'", "upload: none", "upload: kagle")
fact("an unknown symmetry", r"'images.symmetry'", "symmetry: none", "symmetry: vertical")
fact("no metric", r"'score.metric': not filled in yet", "metric: auc", "metric:")
fact("an unknown metric", r"unknown metric 'aucc' \(did you mean 'auc'", "metric: auc", "metric: aucc")
fact("a metric of another task", r"metric.*qwk", "metric: auc", "metric: qwk")
fact("an unclosed pattern", r"'images.train': 'train/\{id.png' is not a pattern", "train/{id}.png", "train/{id.png")
fact("a pattern with a lone brace", r"'images.train': .* is not a pattern", "train/{id}.png", "train/id}.png")
fact(
    "a pattern without a field",
    r"'images.train': 'train/id.png' has no field, so all rows would have the same image",
    "train/{id}.png",
    "train/id.png",
)
fact(
    "a pattern with a format that fits no text",
    r"'images.train': 'train/{id:.2f}.png' is not a pattern",
    "train/{id}.png",
    "train/{id:.2f}.png",
)
fact(
    "a pattern of an unknown column",
    r"'images.train': the pattern .* has the field 'nobody', but the table has no such column",
    "train/{id}.png",
    "train/{nobody}/{id}.png",
)
fact("a broken regular expression", r"'labels.group_pattern'", "  group: patient", '  group_pattern: "(p"')
fact(
    "test set and holdout",
    r"'images.test' and 'labels.holdout'",
    "  group: patient",
    "  group: patient\n  holdout: 0.2",
)
fact("neither of both", r"either 'images.test'", ', test: "test/{id}.png"', "")
fact("a holdout of all", r"'labels.holdout'", "  group: patient", "  group: patient\n  holdout: 1.5")
fact(
    "a name of medfold's own",
    r"'labels.targets' has 'fold', which is reserved for medfold's own tables",
    "targets: [finding]",
    "targets: [fold]",
)
fact("a target twice", r"labels", "targets: [finding]", "targets: [finding, finding]")
fact(
    "an unknown layout",
    r"'labels.layout': unknown label layout 'wild' \(did you mean 'wide'",
    "  group: patient",
    "  group: patient\n  layout: wild",
)
fact(
    "an unknown window",
    r"'images.windows': unknown window 'lungs' \(did you mean 'lung'",
    "channels: 1",
    "channels: 1, windows: [lungs]",
)
fact(
    "a window of no width",
    r"'images.windows': the window .40, 0. has no width",
    "channels: 1",
    "channels: 1, windows: [[40, 0]]",
)
fact("an unknown sample", r"sample.csv: no such file", "sample: sample_submission.csv", "sample: sample.csv")
fact(
    "a sample id that is not there",
    r"sample_submission.csv has no column 'image'",
    "{sample: sample_submission.csv}",
    "{sample: sample_submission.csv, id: image}",
)
fact("groups and no method for them", r"'folds.method': method stratified would", "stratified_group", "stratified")
fact("too many folds", r"'folds.k': 8 groups cannot make 9 folds. Set it to 8 or less", "k: 2", "k: 9")
fact("a unit of an unknown column", r"score.unit", "score: {metric: auc}", 'score: {metric: auc, unit: "{nobody}"}')
fact(
    "weights of no target",
    r"'score.weights' names 'x'",
    "score: {metric: auc}",
    "score: {metric: auc, weights: {x: 2}}",
)
fact("a tolerance of two", r"'images.max_unreadable'", "channels: 1", "channels: 1, max_unreadable: 2")
fact("no channel", r"'?images.channels", "channels: 1", "channels: 0")
wrong(
    "facts",
    "facts that are no text",
    "downloaded",
    FOLDS,
    r"competition.yaml: not text in UTF-8",
    lambda: Path(YAML).write_bytes("title: Lösung".encode("latin-1")),
)
wrong("facts", "no facts", "downloaded", FOLDS, r"competition.yaml.*'.*' is missing", write(YAML, ""))
wrong(
    "facts",
    "facts that are a list",
    "downloaded",
    FOLDS,
    r"competition.yaml: expected 'key: value' lines",
    write(YAML, "- a\n- b\n"),
)

# --- recipes ----------------------------------------------------------------------------------------------------------


def recipe(name: str, says: str, set_: str, state: str = "folded") -> None:
    wrong("recipes", name, state, (*TRAIN, "--set", set_), says, lambda: None, FOLDS)


recipe(
    "an unknown choice",
    r"--set: unknown key 'training.epoch' \(did you mean 'training.epochs'",
    "training.epoch=3",
)
recipe("a word without a value", r"--set: 'training.epochs': expected key=value", "training.epochs")
recipe("a value that is no YAML", r"--set: 'tta=\[': the value is not YAML", "tta=[")
recipe("a wrong number", r"'training.epochs': .*received 'many'", "training.epochs=many")
recipe("a number below zero", r"'training.learning_rate'", "training.learning_rate=-1")
recipe("yes for mixup", r"'training.mixup': expected a number, received true", "training.mixup=yes")
recipe("no training", r"--set: 'training.epochs': nothing is trained", "training.epochs=0")
recipe("an unknown backbone", r"unknown backbone 'resnet8' \(did you mean 'resnet9'", "backbone.name=resnet8")
recipe(
    "an unknown loss", r"--set: 'training.loss': unknown loss 'focall' .did you mean 'focal'", "training.loss=focall"
)
recipe(
    "an unknown callback",
    r"--set: 'training.callbacks': unknown callback 'EarlyStoping' .did you mean 'EarlyStopping'",
    "training.callbacks=[EarlyStoping]",
)
recipe(
    "weights of a net that has none",
    r"--set: 'backbone.weights': resnet9 has no pretrained weights",
    "backbone.weights=imagenet",
)
recipe(
    "weights that are not there",
    r"--set: 'backbone.weights': gone.weights.h5: no such weights file",
    "backbone.name=MobileNetV2 preparation.size=32 backbone.weights=gone.weights.h5",
)
recipe(
    "weights of another kind",
    r"--set: 'backbone.weights': given/train.csv: not a Keras weights file",
    "backbone.name=MobileNetV2 preparation.size=32 backbone.weights=given/train.csv",
)
recipe(
    "images too small",
    r"--set: 'preparation.size': 16 px are too small for MobileNetV2",
    "backbone.name=MobileNetV2 preparation.size=16",
)
recipe("a size of nothing", r"'preparation.size'", "preparation.size=0")
recipe(
    "a scaling of a net that has its own",
    r"backbone.input_scaling",
    "backbone.name=ConvNeXtTiny preparation.size=32 backbone.input_scaling=magic",
)
recipe("a head for grades", r"--set: 'head': task binary has no ordered classes", "head=ordinal")
recipe("an unknown pipeline", r"--set: 'augment': unknown pipeline 'xrays' \(did you mean 'xray'", "augment=xrays")
recipe(
    "a pipeline for colours, on grey images",
    r"--set: 'augment': pipeline fundus mirrors images, or rotates them by more than 46 degrees",
    "augment=fundus",
)
recipe("an unknown transform", r"--set: 'augment': unknown transform 'Flop'", "augment=[Flop]")
recipe("a wrong argument", r"--set: 'augment': GaussNoise has no argument", 'augment=[{"GaussNoise":{"sigma":3}}]')
recipe("a transform that mirrors", r"HorizontalFlip is not within images.symmetry: none", "augment=[HorizontalFlip]")
recipe(
    "an unknown step",
    r"--set: 'preparation.steps': unknown step 'crop_blackness'",
    "preparation.steps=[crop_blackness]",
)
recipe("patience for nothing", r"--set: 'training.patience': it waits for a better epoch", "training.patience=3")
recipe(
    "classes twice balanced",
    r"--set: 'training.class_weights': the sampler already draws",
    "training.sampler=balanced training.class_weights=balanced",
)
recipe(
    "focal loss of soft labels",
    r"--set: 'training.loss': focal loss needs targets of 0 and 1",
    "training.loss=focal training.mixup=0.2",
)
recipe(
    "a batch of more than all",
    r"--set: 'training.batch_size', fold .: a batch of 999 is more than the",
    "training.batch_size=999",
)
recipe(
    "a step that is never taken",
    r"--set: 'training.accumulation_steps', .*no step is ever taken",
    "training.accumulation_steps=9999",
)
recipe("a key that is set twice", r"--set: the key 'tta' occurs twice. Keep one", "tta=true tta=false")
recipe(
    "a misspelt argument of a callback",
    r"--set: 'training.callbacks': EarlyStopping has no argument 'patienc' .did you mean 'patience'",
    'training.callbacks=[{"EarlyStopping":{"patienc":3}}]',
)
recipe("a head on no weights", r"--set: 'training.head_epochs': a backbone without weights", "training.head_epochs=2")
wrong(
    "recipes",
    "an unknown recipe",
    "folded",
    ("train", "-c", "clinic", "-r", "baselin"),
    r"--recipe baselin: unknown recipe \(did you mean 'baseline'",
    lambda: None,
    FOLDS,
)
wrong(
    "recipes",
    "an unknown base",
    "folded",
    TRAIN,
    r"baseline.yaml: `extends: nothing` names no file",
    edit("competition/clinic/baseline.yaml", "", "extends: nothing\n"),
    FOLDS,
)
wrong(
    "recipes",
    "a recipe that is no YAML",
    "folded",
    TRAIN,
    r"baseline.yaml: not valid YAML",
    write("competition/clinic/baseline.yaml", "preparation: {size: 16"),
    FOLDS,
)

wrong(
    "recipes",
    "an unknown recipe for the folds",
    "downloaded",
    (*FOLDS, "-r", "nope"),
    r"--recipe nope: unknown recipe",
    lambda: None,
    FOLDS,
)
wrong(
    "recipes",
    "a mistake in the recipe of a finished run",
    "trained",
    ("train", "-c", "clinic", "--run", "noise", "--set", "augment=xrays"),
    r"--set: 'augment': unknown pipeline 'xrays' \(did you mean 'xray'",
    lambda: None,
    ("runs", "-c", "clinic"),
)
wrong(
    "recipes",
    "plugins.py without its packages",
    "folded",
    TRAIN,
    r"plugins.py: ModuleNotFoundError in line 1: No module named 'nothing_of_that_name'",
    write("competition/clinic/plugins.py", "import nothing_of_that_name\n"),
    FOLDS,
)

# --- words ------------------------------------------------------------------------------------------------------------


def word(name: str, says: str, *words: str, state: str = "folded") -> None:
    wrong("words", name, state, words, says, lambda: None, FOLDS)


word(
    "an unknown competition",
    r"--competition clinik: unknown competition \(did you mean 'clinic'",
    "folds",
    "-c",
    "clinik",
)
word(
    "an address of nothing",
    r"neither a folder under competition/ nor a Kaggle address",
    "folds",
    "-c",
    "http://example.org/x",
)
word("a fold that is not there", r"--fold 9: there is no fold 9. Choose 0 to 1", "train", "-c", "clinic", "--fold", "9")
word(
    "a fold that is no number",
    r"--fold first: expected numbers of folds, or 'all'",
    "train",
    "-c",
    "clinic",
    "--fold",
    "first",
)
word(
    "a seed that is no number", r"--seeds a: expected whole numbers from 0 to", "train", "-c", "clinic", "--seeds", "a"
)
word("a seed twice", r'--seeds "1 1": expected whole numbers from 0 to', "train", "-c", "clinic", "--seeds", "1 1")
word("no job", r"--jobs 0: expected a number from 1, or 'auto'", "train", "-c", "clinic", "--jobs", "0")
word("workers in words", r"--workers few: expected a number from 0", "train", "-c", "clinic", "--workers", "few")
word(
    "a run's name with a space", r'--run "a b": a run.s name must not contain', "train", "-c", "clinic", "--run", "a b"
)
word(
    "a run's name that is a path",
    r"--run ../a: a run's name must be a plain folder name",
    "train",
    "-c",
    "clinic",
    "--run",
    "../a",
)
word(
    "one name for several seeds",
    r"--run a: one name cannot be used for several seeds",
    "train",
    "-c",
    "clinic",
    "--run",
    "a",
    "--seeds",
    "0 1",
)
word("another machine", r"--on aws: expected 'here', 'ray' or 'kaggle'", "train", "-c", "clinic", "--on", "aws")
word("no run to list", r"clinic: no run yet. Run: medfold train", "runs", "-c", "clinic")
word("no run to submit", r"run 'baseline' is not trained. Run: medfold train", "submit", "-c", "clinic")
word(
    "no run of a recipe to submit",
    r"run 'debug' is not trained. Run: medfold train --competition clinic --recipe debug$",
    "submit",
    "-c",
    "clinic",
    "--runs",
    "debug",
)
word("no run to report", r"run 'baseline' is not trained", "report", "-c", "clinic")
word("no run to predict with", r"run 'baseline' is not trained", "predict", "-c", "clinic", "--images", "given/test")
word(
    "a run that is not there",
    r"run 'nois' is not trained .did you mean 'noise'.*Trained so far: noise",
    "submit",
    "-c",
    "clinic",
    "--runs",
    "nois",
    state="trained",
)
word(
    "one run to compare",
    r"expected two runs, received 1",
    "compare",
    "-c",
    "clinic",
    "--runs",
    "noise",
    state="trained",
)
word(
    "an unknown way to put runs together",
    r"--method meen: unknown method 'meen' \(did you mean 'mean'",
    "ensemble",
    "-c",
    "clinic",
    "--runs",
    "noise noise2",
    "--method",
    "meen",
    state="trained",
)
word(
    "no such images",
    r"--images nowhere: no such file or folder",
    "predict",
    "-c",
    "clinic",
    "--images",
    "nowhere",
    "--runs",
    "noise",
    state="trained",
)
word(
    "no images in a folder",
    r"contains no images",
    "predict",
    "-c",
    "clinic",
    "--images",
    "competition",
    "--runs",
    "noise",
    state="trained",
)
word(
    "a run that is named twice",
    r"--runs: 'noise' is named twice. Name each run once",
    "ensemble",
    "-c",
    "clinic",
    "--runs",
    "noise noise",
    state="trained",
)
word("nothing to recheck", r"run 'x' is not trained", "recheck", "-c", "clinic", "--runs", "x", state="trained")
word(
    "a run to remove that is not there",
    r"there is no x among the runs of clinic. Known: noise",
    "runs",
    "-c",
    "clinic",
    "--delete",
    "x",
    "--yes",
    state="trained",
)
word(
    "data to remove that is not there",
    r"there is no store/x among the data of clinic",
    "data",
    "-c",
    "clinic",
    "--delete",
    "store/x",
    "--yes",
    state="trained",
)
word(
    "new: a name that is taken",
    r"--competition clinic: this competition exists already",
    "new",
    "-c",
    "clinic",
    "--from",
    "given",
)
word(
    "new: a name that is none",
    r"--competition .x: not usable as the name of a folder",
    "new",
    "-c",
    ".x",
    "--from",
    "given",
)
word(
    "new: an address of nothing",
    r"neither a name nor a Kaggle address",
    "new",
    "-c",
    "http://example.org/x",
    "--from",
    "given",
)
word("own data and nothing given", r"the data is your own: there is no address", "download", "-c", "clinic", "--force")

# --- kept files -------------------------------------------------------------------------------------------------------

KEPT, RUN = "folds/clinic.csv", "runs/clinic/noise"


def kept(
    name: str, says: str, breaks: Callable[[], None], command: tuple[str, ...] = FOLDS, state: str = "trained"
) -> None:
    wrong("kept files", name, state, command, says, breaks)


kept("folds without a column", r"clinic.csv: no column 'fold'", edit(KEPT, "id,group,fold", "id,group,part"))
kept("folds that are no numbers", r"clinic.csv: column 'fold' must hold whole numbers", edit(KEPT, ",0\n", ",x\n"))
kept("an id twice in the folds", r"clinic.csv: duplicate ids: i00", edit(KEPT, "i01,", "i00,"))
kept(
    "ids that are gone",
    r"clinic.csv: 2 ids differ from the data \(1 new: i01; 1 missing: x01\)",
    edit(KEPT, "i01,", "x01,"),
)
kept("folds of another k", r"clinic.csv: made with k=2, competition.yaml has k=3", edit(YAML, "k: 2", "k: 3"))
kept("a split group", r"1 group is in two folds", lambda: _exchange_one_fold())
kept(
    "no folds file behind a run",
    r"runs/clinic/noise: the run was trained on a different folds table",
    lambda: Path(KEPT).write_text("id,group,fold\n" + "".join(f"i{n:02},{n // 2},{n // 2 % 2}\n" for n in range(16))),
    SUBMIT,
)
kept("an empty folds file", r"folds/clinic.csv: damaged or edited", write(KEPT, ""))
kept("a folds file of bytes", r"clinic.csv", write(KEPT, bytes(range(256))))
kept("run.json that breaks off", r"run.json: ", lambda: _halve(f"{RUN}/run.json"), SUBMIT)
kept("run.json of something else", r"run.json", write(f"{RUN}/run.json", "[1, 2]"), SUBMIT)
kept(
    "predictions without a column",
    r"fold0/oof.csv: no column 'finding'",
    lambda: _forged("oof.csv", "finding", "other"),
    SUBMIT,
)
kept(
    "a prediction that is no number",
    r"fold0/oof.csv: 1 of 8 predictions is not a number: i00",
    lambda: _forged("oof.csv", None, "nothing"),
    SUBMIT,
)
kept("a manifest that breaks off", r"raw.csv", write("data/clinic/raw.csv", "file,by"))
kept(
    "a raw file that is gone",
    r"1 raw file is missing or changed: train.csv. Run: medfold download",
    remove("data/clinic/raw/train.csv"),
)
kept("a ledger of something else", r"ledger.csv", write("submissions/ledger.csv", "a,b\n1,2\n"), SUBMIT)


def _halve(path: str) -> None:
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[: len(content) // 2])


def _exchange_one_fold() -> None:
    rows = pd.read_csv(KEPT)
    rows.loc[0, "fold"] = 1 - rows.loc[0, "fold"]
    rows.to_csv(KEPT, index=False)


def _forged(name: str, old: str | None, new: str) -> None:
    """Damages predictions and updates their hashes in done.json."""
    from medfold.system.hashes import sha256

    path = Path(RUN) / "fold0" / name
    text = path.read_text()
    cell = old if old is not None else text.splitlines()[1].rsplit(",", 1)[1]
    path.write_text(text.replace(cell, new, 1))
    done = path.with_name("done.json")
    done.write_text(json.dumps({**json.loads(done.read_text()), name: sha256(path)}))
