"""An imitation of Kaggle on 127.0.0.1 for the official client, with faults on demand.

The client uses it as its proxy (`environment`), so that requests to every address arrive here.

    server.fault("storage", drop(after=1000), status(403))   # the first response breaks off, the second is refused
"""

import base64
import hashlib
import json
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from tests.support.kaggle_machines import Ended, HostedDataset, HostedNotebook, MachineRoutes

__all__ = ["HostedCompetition", "HostedDataset", "KaggleServer", "drop", "instead", "lose", "stall", "status"]

TOKEN = "KGAT_0123456789abcdef0123456789abcdef"
KEY = "89abcdef0123456789abcdef01234567"
USER = "alice"

Blob = bytes | Path


@dataclass
class HostedCompetition:
    """A competition, its files, and how it treats submissions."""

    files: dict[str, Blob] = field(default_factory=dict)
    archive: Blob = b""
    entered: bool = True
    notebooks_only: bool = False
    disabled: bool = False
    deadline: str | None = "2099-01-01T00:00:00Z"
    allowed: int = 5
    polls: int = 0  # number of requests that find a submission pending
    judge: Callable[[bytes], dict] = lambda text: {"status": "COMPLETE", "publicScore": "0.87654", "privateScore": ""}


def status(code: int, message: str = "", **headers: str) -> Callable:
    """A fault: an error status instead of the response."""
    return lambda handler, answer: handler.error(code, message, headers)


def instead(**value: object) -> Callable:
    """A fault: nothing is done, and this is the response."""
    return lambda handler, answer: handler.say(value)


def drop(after: int) -> Callable:
    """A fault: the connection breaks after this number of bytes of the body."""
    return lambda handler, answer: answer(limit=after)


def stall(seconds: float, after: int = 0) -> Callable:
    """A fault: nothing is sent for this time, then the connection closes."""
    return lambda handler, answer: answer(limit=after, pause=seconds)


def lose(handler: "Handler", answer: Callable) -> None:
    """A fault: the request is carried out, but its response is lost."""
    answer(limit=-1)


class KaggleServer(ThreadingHTTPServer):
    """The server; runs in a thread within a `with` block."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.competitions: dict[str, HostedCompetition] = {}
        self.datasets: dict[str, HostedDataset] = {}
        self.active_tokens = {TOKEN: USER}
        self.submissions: list[dict] = []
        self.page_size = 1000  # submissions per page, whatever is requested
        self.uploads: dict[str, bytes] = {}
        self.names: dict[str, str] = {}  # names of uploads, by token
        self.notebooks: dict[str, HostedNotebook] = {}
        self.runner: Callable[[dict], Ended] = lambda pushed: Ended()
        self.states: list[str] = []  # states of a notebook before it has ended
        self.blobs: dict[str, Blob] = {}  # contents of signed addresses
        self.log: list[tuple[str, dict]] = []  # (method, headers) of each request
        self.faults: dict[str, list[Callable]] = defaultdict(list)

    def __enter__(self) -> "KaggleServer":
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *problem: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address) -> None:
        pass  # killed clients hang up; other errors show in the test

    def environment(self, home: Path, **more: str) -> dict[str, str]:
        """Returns environment variables that direct the official client to this server only."""
        return {
            "HOME": str(home),
            "KAGGLE_API_ENVIRONMENT": "LOCALHOST",
            "http_proxy": f"http://127.0.0.1:{self.server_address[1]}",
            "https_proxy": "http://127.0.0.1:9",
            "no_proxy": "",
            "KAGGLE_API_TOKEN": TOKEN,
            **more,
        }

    def fault(self, where: str, *actions: Callable | None) -> None:
        """Sets faults for the next requests to a method, 'storage' or 'upload', in order."""
        self.faults[where] += actions

    def asked(self, where: str) -> int:
        """Returns the number of requests to a method, 'storage' or 'upload'."""
        return sum(name == where for name, _ in self.log)

    def signed(self, name: str, blob: Blob) -> str:
        """Returns a signed address, with a new signature each time."""
        self.blobs[name] = blob
        return f"http://storage.test/{name}?X-Goog-Signature={len(self.log)}"


class Handler(MachineRoutes, BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: KaggleServer

    def log_message(self, *arguments: object) -> None:
        pass

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        method = urlsplit(self.path).path.rpartition("/")[2]
        self.meet(method, lambda **how: self.call(method, body, **how))

    def do_GET(self) -> None:
        self.meet("storage", lambda **how: self.serve(**how))

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        token = urlsplit(self.path).path.strip("/")

        def keep(**how: float) -> None:
            self.server.uploads[token] = body
            self.answer(200, b"", **how)

        self.meet("upload", keep)

    def meet(self, where: str, answer: Callable) -> None:
        self.server.log.append((where, dict(self.headers)))
        waiting = self.server.faults[where]
        action = waiting.pop(0) if waiting else None
        action(self, answer) if action else answer()

    def call(self, method: str, body: dict, **how: float) -> None:
        authorised = self.authorised()
        anonymous = method in ("IntrospectToken", "DownloadDataset", "ListDatasetFiles", "GenerateAccessToken")
        if not authorised and not anonymous:
            self.error(401, "Unauthenticated")
            return
        getattr(self, f"_{method}")(body, **how)

    def authorised(self) -> bool:
        kind, _, secret = self.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            return base64.b64decode(secret).decode() == f"{USER}:{KEY}"
        return secret in self.server.active_tokens

    # Methods called by the client

    def _IntrospectToken(self, body: dict, **how: float) -> None:  # noqa: N802
        user = self.server.active_tokens.get(body["token"], "")
        self.say({"active": bool(user), "username": user}, **how)

    def _GenerateAccessToken(self, body: dict, **how: float) -> None:  # noqa: N802
        if body["refreshToken"] == "good":
            self.say({"token": TOKEN, "expiresIn": 3600}, **how)
        else:
            self.error(401, "expired")

    def _GetCompetition(self, body: dict, **how: float) -> None:  # noqa: N802
        if competition := self.competition(body):
            facts = {
                "ref": f"https://www.kaggle.com/competitions/{body['competitionName']}",
                "deadline": competition.deadline,
                "userHasEntered": competition.entered,
                "isKernelsSubmissionsOnly": competition.notebooks_only,
                "submissionsDisabled": competition.disabled,
                "maxDailySubmissions": 5,
            }
            self.say(facts, **how)

    def _ListCompetitions(self, body: dict, **how: float) -> None:  # noqa: N802
        slugs = self.server.competitions
        self.say({"competitions": [{"ref": f"https://www.kaggle.com/competitions/{slug}"} for slug in slugs]}, **how)

    def _ListDataFiles(self, body: dict, **how: float) -> None:  # noqa: N802
        if competition := self.competition(body):
            self.list("files", competition.files, body, **how)

    def _ListDatasetFiles(self, body: dict, **how: float) -> None:  # noqa: N802
        if dataset := self.dataset(body):
            dataset.lag -= 1
            self.list("datasetFiles", dataset.shown if dataset.lag >= 0 else dataset.files, body, **how)

    def _DownloadDataFiles(self, body: dict, **how: float) -> None:  # noqa: N802
        if competition := self.competition(body):
            self.redirect(competition, "archive.zip", competition.archive, **how)

    def _DownloadDataFile(self, body: dict, **how: float) -> None:  # noqa: N802
        if competition := self.competition(body):
            self.one(competition, body["fileName"], **how)

    def _DownloadDataset(self, body: dict, **how: float) -> None:  # noqa: N802
        dataset = self.dataset(body)
        if dataset and body.get("fileName"):
            self.one(dataset, body["fileName"], **how)
        elif dataset:
            self.redirect(dataset, "archive.zip", dataset.archive, **how)

    def _StartSubmissionUpload(self, body: dict, **how: float) -> None:  # noqa: N802
        token = f"blob-{len(self.server.log)}"
        self.say({"token": token, "createUrl": f"http://upload.test/{token}?X-Goog-Signature=secret"}, **how)

    def _CreateSubmission(self, body: dict, **how: float) -> None:  # noqa: N802
        self.submitted(body, self.server.uploads[body["blobFileTokens"]], **how)

    def submitted(self, body: dict, text: bytes, **how: float) -> None:
        competition = self.competition(body)
        ref = 41000001 + len(self.server.submissions)
        verdict = {"errorDescription": "", "publicScore": "", "privateScore": "", **competition.judge(text)}
        self.server.submissions.append(
            {
                "ref": ref,
                "date": "2026-11-22T10:00:00Z",
                "description": body.get("submissionDescription", ""),
                "fileName": "submission.csv",
                "polls": competition.polls,
                "competition": body["competitionName"],
                "verdict": verdict,
                "text": text,
            }
        )
        self.say({"message": "Successfully submitted", "ref": ref}, **how)

    def _GetSubmissionLimits(self, body: dict, **how: float) -> None:  # noqa: N802
        if competition := self.competition(body):
            self.say({"numToday": 5 - competition.allowed, "numAllowedNow": competition.allowed}, **how)

    def _GetSubmission(self, body: dict, **how: float) -> None:  # noqa: N802
        self.say(self.look(self.server.submissions[body["ref"] - 41000001]), **how)

    def _ListSubmissions(self, body: dict, **how: float) -> None:  # noqa: N802
        mine = [each for each in self.server.submissions if each["competition"] == body["competitionName"]]
        size, start = min(body["pageSize"], self.server.page_size), int(body.get("pageToken") or 0)
        page = mine[::-1][start : start + size]
        more = {"nextPageToken": f"{start + size}"} if start + size < len(mine) else {}
        self.say({"submissions": [self.look(each) for each in page], **more}, **how)

    # Shared functions

    def look(self, submission: dict) -> dict:
        shown = {key: submission[key] for key in ("ref", "date", "description", "fileName")}
        submission["polls"] -= 1
        if submission["polls"] >= 0:
            return {**shown, "status": "PENDING", "publicScore": "", "privateScore": "", "errorDescription": ""}
        return {**shown, **submission["verdict"]}

    def competition(self, body: dict) -> HostedCompetition | None:
        found = self.server.competitions.get(body["competitionName"])
        if found is None:
            self.error(404, "Not found")
        return found

    def dataset(self, body: dict) -> HostedDataset | None:
        found = self.server.datasets.get(f"{body['ownerSlug']}/{body['datasetSlug']}")
        if found is None:
            self.error(404, "Not found")
        return found

    def one(self, owner: HostedCompetition | HostedDataset, name: str, **how: float) -> None:
        if name in owner.files:
            self.redirect(owner, name.rpartition("/")[2], owner.files[name], **how)
        else:
            self.error(404, f"File not found: {name}")

    def list(self, key: str, everything: dict[str, Blob], body: dict, **how: float) -> None:
        start, names = int(body.get("pageToken") or 0), sorted(everything)
        end = start + min(body["pageSize"], 20)
        rows = [{"name": name, "totalBytes": size_of(everything[name])} for name in names[start:end]]
        self.say({key: rows, "nextPageToken": str(end) if end < len(names) else ""}, **how)

    def redirect(self, owner: HostedCompetition | HostedDataset, name: str, blob: Blob, **how: float) -> None:
        if isinstance(owner, HostedCompetition) and not owner.entered:
            self.error(403, "You must accept this competition's rules before you can continue")
            return
        self.answer(302, b"", {"Location": self.server.signed(name, blob)}, **how)

    def serve(self, limit: int | None = None, pause: float = 0) -> None:
        """Sends a file of the storage, or the requested range of it."""
        assert "Authorization" not in self.headers, "the token went to the storage"
        assert parse_qs(urlsplit(self.path).query)["X-Goog-Signature"]
        blob = self.server.blobs[urlsplit(self.path).path.strip("/")]
        total, tag = size_of(blob), f'"{fingerprint(blob)}"'
        start, code = 0, 200
        headers = {"ETag": tag, "Last-Modified": "Sun, 22 Nov 2026 10:00:00 GMT", "Accept-Ranges": "bytes"}
        if urlsplit(self.path).path.endswith(".json"):
            headers["Content-Type"] = "application/json"
        wanted = self.headers.get("Range")
        if wanted and self.headers.get("If-Range") in (None, tag):
            start, code = int(wanted.removeprefix("bytes=").rstrip("-")), 206
            headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
        elif isinstance(blob, bytes):
            headers["x-goog-hash"] = f"crc32c=AAAAAA==,md5={base64.b64encode(hashlib.md5(blob).digest()).decode()}"
        self.answer(code, blob, headers, limit, pause, start)

    def say(self, value: dict, **how: float) -> None:
        self.answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"}, **how)

    def error(self, code: int, message: str, headers: dict | None = None) -> None:
        body = json.dumps({"code": code, "message": message}).encode()
        headers = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        self.answer(code, body, {"Content-Type": "application/json", **headers})

    def answer(
        self,
        code: int,
        body: Blob,
        headers: dict | None = None,
        limit: int | None = None,
        pause: float = 0,
        start: int = 0,
    ) -> None:
        """Sends a response; with a limit, that number of bytes of it (-1: nothing), and then closes the connection."""
        if limit != -1:
            self.send_response(code)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(size_of(body) - start))
            self.end_headers()
            send(self.wfile, body, start, limit)
        if limit is not None:
            time.sleep(pause)
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)


def send(out, blob: Blob, start: int, limit: int | None) -> None:
    left = size_of(blob) - start if limit is None else limit
    if isinstance(blob, bytes):
        out.write(blob[start : start + left])
        return
    with blob.open("rb") as file:
        file.seek(start)
        while left > 0 and (piece := file.read(min(left, 1 << 20))):
            out.write(piece)
            left -= len(piece)


def size_of(blob: Blob) -> int:
    return len(blob) if isinstance(blob, bytes) else blob.stat().st_size


def fingerprint(blob: Blob) -> str:
    return hashlib.md5(blob).hexdigest() if isinstance(blob, bytes) else f"{blob.stat().st_mtime_ns}"
