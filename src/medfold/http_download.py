"""One large file over HTTP: resumed within and across runs, tested against size and hash, whole or not at all."""

import base64
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import requests

from medfold import files
from medfold.console import format_size, say, warn
from medfold.errors import UserError
from medfold.progress import progress_bar

TIMEOUT = (15, 60)  # seconds to connect, and between two pieces of an answer
FAILURES = 6  # so many in a row, without one new byte in between, are the end
LONGEST_WAIT = 120  # seconds
PIECE = 1 << 16

wait = time.sleep


class ForeignAnswerError(requests.RequestException):
    """What comes is not the rest of the file that was begun."""


class ExpiredAddressError(requests.RequestException):
    """A short-lived address is refused; a fresh one will do."""


def download_file(fresh: Callable[[], requests.Response], target: Path, contents: float = 0) -> None:
    """Fetches a file, going on from what an earlier attempt or run has left in `<target>.part`.

    What is there already is kept only if entity tag (or date) and size say that it is the same file. A lost connection,
    a stall, an expired address or a busy server is met with a fresh address and a longer wait each time.

    Args:
        fresh: asks for the file anew: the streamed answer, from the first byte. Its address may be short-lived.
        target: where the file goes when it is complete.
        contents: further bytes that will be needed on the same disk, per byte of the file. Defaults to none.

    Raises:
        UserError: an answer that asking again cannot change, too little room, no progress in several attempts, or
            another hash than the server names.
    """
    part, note = target.with_name(f"{target.name}.part"), target.with_name(f"{target.name}.part.json")
    target.parent.mkdir(parents=True, exist_ok=True)
    failures, damaged = 0, False
    while True:
        before, resumable = _size(part), False
        try:
            with fresh() as answer:
                answer.raise_for_status()
                identity = _identity(answer)
                resumable = identity["same"] is not None
                if not resumable or files.read_json(note) != identity:
                    _forget(part, note)
                    files.write_json(identity, note)
                _check_room(target, identity["bytes"], _size(part), contents)
                _receive(answer, part, identity)
                md5 = _md5(answer)
        except requests.RequestException as error:
            if _final(error):
                raise UserError(f"download of {target.name} failed: {failure_reason(error)}") from None
            failures = 1 if resumable and _size(part) > before else failures + 1
            if failures == FAILURES:
                done = f"{format_size(_size(part))} are kept" if part.is_file() else "nothing is lost"
                fix = f"{done}; the same command goes on from there"
                raise UserError(f"download of {target.name} failed: {failure_reason(error)}", None, fix) from None
            if isinstance(error, ExpiredAddressError):
                warn("download", f"{failure_reason(error)}, at {format_size(_size(part))}; asking for a fresh one")
                continue
            delay = backoff(failures, error.response)
            warn("download", f"{failure_reason(error)}, at {format_size(_size(part))}; again in {delay:.0f} s")
            wait(delay)
            continue
        except OSError as error:
            fix = "Make room and run the same command again; it goes on from there"
            raise UserError(f"cannot write ({error.strerror or error})", part, fix) from None
        if md5 is None or files.md5(part) == md5:
            break
        _forget(part, note)
        if damaged:
            raise UserError(f"{target.name} arrives with another md5 than Kaggle names, twice", None, "Try later")
        damaged = True
        warn("download", f"{target.name} was damaged on its way (md5); once more from the start")
    part.replace(target)
    note.unlink(missing_ok=True)


def open_stream(address: str) -> requests.Response:
    """A file at an address, as a stream of its bytes as they are stored."""
    return requests.get(address, headers={"Accept-Encoding": "identity"}, stream=True, timeout=TIMEOUT)


def failure_reason(error: requests.RequestException) -> str:
    """Why a request failed, in a few words, without addresses: they may be signed."""
    if isinstance(error, ExpiredAddressError):
        return "the address has expired"
    if isinstance(error, ForeignAnswerError):
        return "something else came instead of the rest of the file"
    if error.response is not None:
        return f"the server answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return f"no answer for {TIMEOUT[1]} s"
    if isinstance(error, requests.exceptions.ProxyError) and "RemoteDisconnected" not in str(error):
        return "no connection to the proxy"
    if "NameResolutionError" in str(error) or "Failed to resolve" in str(error):
        return "no network, or the host is unknown"
    if isinstance(error, requests.exceptions.SSLError):
        return "no secure connection (SSL)"
    lost = ("onnection", "IncompleteRead", "RemoteDisconnected")
    return "connection lost" if any(word in str(error) for word in lost) else type(error).__name__


def _final(error: requests.RequestException) -> bool:
    """True if asking again cannot help."""
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema):
        return True
    status = error.response.status_code if error.response is not None else None
    return (
        not isinstance(error, ExpiredAddressError | ForeignAnswerError)
        and status is not None
        and 400 <= status < 500
        and status not in (408, 429)
    )


def backoff(failures: int, response: requests.Response | None = None) -> float:
    """Seconds to wait: what the server asks for, else 2, 4, 8 ... with some jitter; never more than two minutes."""
    asked = response.headers.get("Retry-After", "") if response is not None else ""
    seconds = float(asked) if asked.isdigit() else 2**failures * random.uniform(0.8, 1.2)
    return min(seconds, LONGEST_WAIT)


def _receive(answer: requests.Response, part: Path, identity: dict) -> None:
    """Streams what is missing of the file into `part`."""
    total = identity["bytes"]
    if total is not None and _size(part) > total:
        part.unlink()
    have = _size(part)
    if have and have == total:
        return
    if have:
        answer.close()
        wanted = {"Range": f"bytes={have}-", "If-Range": identity["same"], "Accept-Encoding": "identity"}
        answer = requests.get(answer.url, headers=wanted, stream=True, timeout=TIMEOUT)
        if answer.status_code in (401, 403, 404, 410):
            raise ExpiredAddressError(response=answer)
        if answer.status_code == 416:  # the server's file ends before the part does
            part.unlink()
            raise ForeignAnswerError(response=answer)
        answer.raise_for_status()
        if answer.status_code == 206 and answer.headers.get("Content-Range") == f"bytes {have}-{total - 1}/{total}":
            say("download", f"going on at {format_size(have)} of {format_size(total)}")
        elif answer.status_code == 200 and _identity(answer) == identity:
            have = 0  # the whole file instead of its rest
        else:
            raise ForeignAnswerError(response=answer)
    with answer, part.open("ab" if have else "wb") as file, progress_bar("download", total, "bytes", have) as bar:
        for piece in answer.iter_content(PIECE):
            file.write(piece)
            bar.advance(len(piece))
    if total is not None and _size(part) != total:
        raise requests.ConnectionError("Connection closed too early")


def _identity(answer: requests.Response) -> dict:
    """What tells that a part belongs to this file; `same` is None where the server cannot send ranges."""
    headers = answer.headers
    length = headers.get("Content-Length") if "Content-Encoding" not in headers else None
    same = headers.get("ETag") or headers.get("Last-Modified")
    resumable = headers.get("Accept-Ranges") == "bytes" and length is not None
    return {"same": same if resumable else None, "bytes": int(length) if length is not None else None}


def _check_room(target: Path, total: int | None, have: int, contents: float) -> None:
    needed, free = (total or 0) * (1 + contents) - have, shutil.disk_usage(target.parent).free
    if needed > free:
        what = f"too little room: {format_size(needed)} are needed (archive and contents), {format_size(free)} are free"
        raise UserError(what, target.parent, "Make room, or move data/ to a larger disk and link it here")


def _md5(answer: requests.Response) -> str | None:
    """The md5 of the file in Google's storage header `x-goog-hash: crc32c=..., md5=<base64>`; None without one."""
    if "Content-Encoding" in answer.headers:
        return None  # the hash is that of the encoded bytes
    for item in answer.headers.get("x-goog-hash", "").split(","):
        name, _, value = item.strip().partition("=")
        if name == "md5":
            return base64.b64decode(value).hex()
    return None


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _forget(part: Path, note: Path) -> None:
    part.unlink(missing_ok=True)
    note.unlink(missing_ok=True)
