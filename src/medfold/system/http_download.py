"""Download of one large file over HTTP: resumable, checked by size and hash, written atomically."""

import base64
import hashlib
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests

from medfold.errors import UserError, explain_os_error
from medfold.system import json_files, waiting
from medfold.system.http_session import GuardedSession, UnsafeRedirectError
from medfold.terminal.command_text import variable
from medfold.terminal.console import format_size, say, warn
from medfold.terminal.progress import progress_bar

TIMEOUT = (15, 60)  # seconds to connect, and between two pieces of a response
MAX_FAILURES = 6  # in a row, without a new byte; then it is an error
MAX_WAIT_SECONDS = 120
CHUNK_SIZE = 1 << 16
FREE_SHARE = 0.5  # share of the free disk for a file whose size the server does not say


class WrongResponseError(requests.RequestException):
    """The response is not the rest of the partial file."""


class MalformedResponseError(requests.RequestException):
    """The response has headers, or an address to follow, that are not what HTTP allows."""


class ExpiredAddressError(requests.RequestException):
    """A short-lived address has expired; a new one is needed."""


@dataclass(frozen=True)
class _PartialFile:
    """The bytes of a file that have been received.

    Args:
        path: path of the bytes.
        validators: JSON file with entity tag (or date) and size of the file that they belong to.
    """

    path: Path
    validators: Path

    @classmethod
    def of(cls, target: Path) -> "_PartialFile":
        """Returns the partial file of a target."""
        return cls(target.with_name(f"{target.name}.part"), target.with_name(f"{target.name}.part.json"))

    @property
    def size(self) -> int:
        """Number of bytes received."""
        return _size(self.path)

    @property
    def is_resumable(self) -> bool:
        """True if the server can send the rest of the file."""
        identity = json_files.read(self.validators, schema=dict[str, str | int | None])
        return identity is not None and identity.get("same") is not None

    def discard_unless(self, identity: dict) -> None:
        """Removes the bytes, unless they belong to the file of this identity and the server can send the rest."""
        if identity["same"] is None or json_files.read(self.validators) != identity:
            self.remove()
            json_files.write(identity, self.validators)

    def remove(self) -> None:
        """Removes the bytes and their validators."""
        self.path.unlink(missing_ok=True)
        self.validators.unlink(missing_ok=True)


def download_file(request_file: Callable[[], requests.Response], target: Path, unpacked_ratio: float = 0) -> None:
    """Downloads a file, resuming the partial file `<target>.part` of an earlier attempt or run.

    The partial file is kept only if entity tag (or date) and size show that it belongs to the same file. After a lost
    connection, a stall, an expired address or a busy server, it requests a new address, and waits longer each time.

    Args:
        request_file: requests the file and returns the streamed response, from the first byte. Its address may be
            short-lived.
        target: path of the complete file.
        unpacked_ratio: bytes that unpacking will need on the same disk, per byte of the file. Defaults to 0.

    Raises:
        UserError: a permanent error of the server, not enough disk space, a file of unknown size that takes more than
            half of the free space, no progress in several attempts, or a hash other than the server's.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = _PartialFile.of(target)
    was_damaged = False
    while True:
        md5 = _receive_with_retries(request_file, target, partial, unpacked_ratio)
        if md5 is None or md5_of_file(partial.path) == md5:
            break
        partial.remove()
        if was_damaged:
            what = f"{target.name} was damaged twice: its md5 differs from the one sent by the server"
            raise UserError(what, None, "Try another network, or later")
        was_damaged = True
        warn("download", f"{target.name} was damaged in transfer (wrong md5); downloading it again")
    partial.path.replace(target)
    partial.validators.unlink(missing_ok=True)


def open_stream(address: str) -> requests.Response:
    """Requests a file; the response is a stream of its bytes, without content encoding."""
    return _get(address, {"Accept-Encoding": "identity"})


def _get(address: str, headers: dict[str, str]) -> requests.Response:
    with GuardedSession() as session:
        return session.get(address, headers=headers, stream=True, timeout=TIMEOUT)


def failure_reason(error: requests.RequestException) -> str:
    """Returns the reason of a failed request, as a short text without addresses, which may contain signatures."""
    if isinstance(error, ExpiredAddressError):
        return "the address has expired"
    if isinstance(error, UnsafeRedirectError):
        return str(error)
    if isinstance(error, MalformedResponseError):
        return "the server's response is malformed"
    if isinstance(error, WrongResponseError):
        return "the server sent something other than the rest of the file"
    if error.response is not None:
        return f"the server returned {error.response.status_code} {error.response.reason}"
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


def _is_permanent(error: requests.RequestException) -> bool:
    """Returns True if another attempt cannot succeed."""
    invalid_address = (
        requests.exceptions.InvalidURL | requests.exceptions.MissingSchema | requests.exceptions.InvalidSchema
    )
    if isinstance(error, UnsafeRedirectError | MalformedResponseError | invalid_address):
        return True
    status = error.response.status_code if error.response is not None else None
    return (
        not isinstance(error, ExpiredAddressError | WrongResponseError)
        and status is not None
        and 400 <= status < 500
        and status not in (408, 429)
    )


def backoff(failures: int, response: requests.Response | None = None) -> float:
    """Returns the seconds to wait: the Retry-After of the server, else 2, 4, 8 ... with jitter; at most two minutes."""
    retry_after = response.headers.get("Retry-After", "") if response is not None else ""
    seconds = float(retry_after) if retry_after.isdecimal() else 2**failures * random.uniform(0.8, 1.2)
    return min(seconds, MAX_WAIT_SECONDS)


def _receive_with_retries(
    request_file: Callable[[], requests.Response], target: Path, partial: _PartialFile, unpacked_ratio: float
) -> str | None:
    """Receives the rest of a file, in as many attempts as it takes; returns the MD5 that the server sends, if any."""
    failures = 0
    while True:
        size_before = partial.size
        try:
            return _receive_once(request_file, target, partial, unpacked_ratio)
        except requests.RequestException as error:
            problem = f"download of {target.name} failed: {failure_reason(error)}"
            if _is_permanent(error):
                raise UserError(problem, None, "Check the address, and whether you may download the file") from None
            failures = 1 if partial.size > size_before and partial.is_resumable else failures + 1
            if failures == MAX_FAILURES:
                saved = f"{format_size(partial.size)} are saved; run the same command to resume"
                fix = saved if partial.path.is_file() else "Run the same command to try again"
                raise UserError(problem, None, fix) from None
            state = f"{failure_reason(error)}, at {format_size(partial.size)}"
            if isinstance(error, ExpiredAddressError):
                warn("download", f"{state}; requesting a new one")
            else:
                delay = backoff(failures, error.response)
                warn("download", f"{state}; next attempt in {delay:.0f} s")
                waiting.pause(delay)
        except OSError as error:
            explained = explain_os_error(error)
            what, fix = (explained.what, explained.fix) if explained else (str(error), None)
            raise UserError(f"cannot write: {what}", partial.path, fix) from None


def _receive_once(
    request_file: Callable[[], requests.Response], target: Path, partial: _PartialFile, unpacked_ratio: float
) -> str | None:
    """Receives the rest of a file in one attempt; returns the MD5 that the server sends, if any."""
    try:
        with request_file() as response:
            response.raise_for_status()
            identity = _identity(response)
            partial.discard_unless(identity)
            _check_disk_space(target, identity["bytes"], partial.size, unpacked_ratio)
            _stream_rest(response, partial.path, identity)
            return md5_of_response(response)
    except requests.RequestException:
        raise
    except ValueError:  # numbers, addresses and hashes that requests and http.client do not check
        raise MalformedResponseError from None


def _stream_rest(response: requests.Response, partial_file: Path, identity: dict) -> None:
    """Streams the missing bytes of the file into `partial_file`."""
    total = identity["bytes"]
    limit = total if total is not None else int(FREE_SHARE * shutil.disk_usage(partial_file.parent).free)
    if total is not None and _size(partial_file) > total:
        partial_file.unlink()
    size = _size(partial_file)
    if size and size == total:
        return
    if size:
        response.close()
        headers = {"Range": f"bytes={size}-", "If-Range": identity["same"], "Accept-Encoding": "identity"}
        response = _get(response.url, headers)
        if response.status_code in (401, 403, 404, 410):
            raise ExpiredAddressError(response=response)
        if response.status_code == 416:  # the server's file is shorter than the partial file
            partial_file.unlink()
            raise WrongResponseError(response=response)
        response.raise_for_status()
        if response.status_code == 206 and response.headers.get("Content-Range") == f"bytes {size}-{total - 1}/{total}":
            say("download", f"resuming at {format_size(size)} of {format_size(total)}")
        elif response.status_code == 200 and _identity(response) == identity:
            size = 0  # the whole file instead of its rest
        else:
            raise WrongResponseError(response=response)
    with (
        response,
        partial_file.open("ab" if size else "wb") as file,
        progress_bar("download", total, "bytes", size) as bar,
    ):
        for piece in response.iter_content(CHUNK_SIZE):
            size += len(piece)
            if size > limit:
                break
            file.write(piece)
            bar.advance(len(piece))
    if total is None and size > limit:
        partial_file.unlink()
        what = f"larger than half of the free disk ({format_size(limit)}), and the server does not say how large"
        fix = f"Download it with a browser, then use {variable('FROM', 'file')}"
        raise UserError(what, partial_file.name.removesuffix(".part"), fix)
    if total is not None and _size(partial_file) != total:
        raise requests.ConnectionError("Connection closed too early")


def _identity(response: requests.Response) -> dict:
    """Returns validator and size that identify the file; `same` is None if the server cannot send ranges."""
    headers = response.headers
    length = headers.get("Content-Length", "") if "Content-Encoding" not in headers else ""
    num_bytes = int(length) if length.isascii() and length.isdecimal() else None
    same = headers.get("ETag") or headers.get("Last-Modified")
    resumable = headers.get("Accept-Ranges") == "bytes" and num_bytes is not None
    return {"same": same if resumable else None, "bytes": num_bytes}


def _check_disk_space(target: Path, total: int | None, size: int, unpacked_ratio: float) -> None:
    needed, free = (total or 0) * (1 + unpacked_ratio) - size, shutil.disk_usage(target.parent).free
    if needed > free:
        what = f"too little disk space: {format_size(needed)} needed (archive and contents), {format_size(free)} free"
        raise UserError(what, target.parent, "Free disk space, or move data/ to a larger disk and link it here")


def md5_of_response(response: requests.Response) -> str | None:
    """Reads the md5 of Google's storage header `x-goog-hash: crc32c=..., md5=<base64>`; None without one."""
    if "Content-Encoding" in response.headers:
        return None  # the hash is that of the encoded bytes
    for item in response.headers.get("x-goog-hash", "").split(","):
        name, _, value = item.strip().partition("=")
        if name == "md5":
            return base64.b64decode(value).hex()
    return None


def md5_of_file(path: Path) -> str:
    """Returns the MD5 of a file's contents, as 32 hex digits; only for comparison with the MD5 that a server sends."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
