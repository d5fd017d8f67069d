"""Data sets and notebooks of the imitated Kaggle server.

server.runner = lambda notebook: Ended(files={"submission.csv": b"..."})   # the result of a pushed notebook
"""

import json
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

Blob = bytes
PATIENCE = 1.0  # seconds that a status request of a running notebook takes, so that clients need not wait in between


@dataclass
class HostedDataset:
    """A data set and its versions."""

    archive: Blob = b""
    files: dict[str, Blob] = field(default_factory=dict)
    version: int = 1
    private: bool = False
    states: list[str] = field(default_factory=list)  # returned by status requests before it is ready
    shown: dict[str, Blob] = field(default_factory=dict)  # files of the previous version
    lag: int = 0  # number of listings that still show those


@dataclass
class Ended:
    """The result of a notebook."""

    files: dict[str, Blob] = field(default_factory=dict)
    log: str = ""
    state: str = "COMPLETE"
    message: str = ""


@dataclass
class HostedNotebook:
    """A notebook and its newest run."""

    pushed: dict
    version: int
    states: list[str]  # returned by status requests before it has ended
    ended: Ended | None  # None while it runs
    before: "HostedNotebook | None" = None
    has_ended: threading.Event = field(default_factory=threading.Event)

    def start(self, runner: Callable[[dict], Ended]) -> None:
        """Runs the notebook in a thread, so that the push is answered at once."""
        threading.Thread(target=self._run, args=(runner,), daemon=True).start()

    def _run(self, runner: Callable[[dict], Ended]) -> None:
        try:
            self.ended = runner(self.pushed)
        except BaseException as error:  # otherwise the test would wait for ever
            self.ended = Ended(log=traceback.format_exc(), state="ERROR", message=f"{type(error).__name__}: {error}")
        self.has_ended.set()

    def state(self) -> str:
        """Returns the status; waits a while if the notebook is running."""
        if self.states:
            return self.states.pop(0)
        if self.ended is None:
            self.has_ended.wait(PATIENCE)
        return self.ended.state if self.ended else "RUNNING"


class MachineRoutes:
    """Handlers of requests about data sets and notebooks; a mixin of the request handler."""

    def _StartBlobUpload(self, body: dict, **how: float) -> None:  # noqa: N802
        token = f"blob-{len(self.server.log)}"
        self.server.names[token] = body["name"]
        self.say({"token": token, "createUrl": f"http://upload.test/{token}?X-Goog-Signature=secret"}, **how)

    def _GetDataset(self, body: dict, **how: float) -> None:  # noqa: N802
        if dataset := self.dataset(body):
            facts = {"ref": self.ref(body), "isPrivate": dataset.private, "currentVersionNumber": dataset.version}
            self.say(facts, **how)

    def _GetDatasetStatus(self, body: dict, **how: float) -> None:  # noqa: N802
        if dataset := self.dataset(body):
            self.say({"status": dataset.states.pop(0) if dataset.states else "READY"}, **how)

    def _CreateDataset(self, body: dict, **how: float) -> None:  # noqa: N802
        assert 6 <= len(body["slug"]) <= 50
        assert body["licenseName"]
        ref = f"{body['ownerSlug']}/{body['slug']}"
        assert ref not in self.server.datasets
        self.server.datasets[ref] = HostedDataset(files=self.sent(body), private=body["isPrivate"])
        self.say({"ref": ref, "status": "ok", "url": f"/datasets/{ref}"}, **how)

    def _CreateDatasetVersion(self, body: dict, **how: float) -> None:  # noqa: N802
        if dataset := self.dataset(body):
            dataset.shown, dataset.files = dataset.files, self.sent(body["body"])
            dataset.version += 1
            self.say({"ref": self.ref(body), "status": "ok"}, **how)

    def _ListDatasets(self, body: dict, **how: float) -> None:  # noqa: N802
        self.page("datasets", [{"ref": ref} for ref in self.server.datasets], body, **how)

    def _DeleteDataset(self, body: dict, **how: float) -> None:  # noqa: N802
        if self.dataset(body):
            del self.server.datasets[self.ref(body)]
            self.say({}, **how)

    def _GetKernel(self, body: dict, **how: float) -> None:  # noqa: N802
        if found := self.notebook(body):
            metadata = {"ref": self.kernel(body), "currentVersionNumber": found.version}
            self.say({"metadata": metadata, "blob": {"source": found.pushed["text"]}}, **how)

    def _SaveKernel(self, body: dict, **how: float) -> None:  # noqa: N802
        ref, server = body["slug"], self.server
        body = {"competitionDataSources": [], "datasetDataSources": [], **body}  # empty lists are not sent
        absent = {
            "invalidDatasetSources": [each for each in body["datasetDataSources"] if each not in server.datasets],
            "invalidCompetitionSources": [
                each for each in body["competitionDataSources"] if each not in server.competitions
            ],
        }
        if any(absent.values()):
            self.say({"ref": ref, "versionNumber": 1, **absent}, **how)
            return
        before = server.notebooks.get(ref)
        version = before.version + 1 if before else 1
        server.notebooks[ref] = HostedNotebook(body, version, list(server.states), None, before)
        server.notebooks[ref].start(server.runner)
        self.say({"ref": ref, "url": f"https://www.kaggle.com/code/{ref}", "versionNumber": version}, **how)

    def _GetKernelSessionStatus(self, body: dict, **how: float) -> None:  # noqa: N802
        if found := self.notebook(body):
            state = found.state()
            self.say({"status": state, "failureMessage": found.ended.message if found.ended else ""}, **how)

    def _ListKernelSessionOutput(self, body: dict, **how: float) -> None:  # noqa: N802
        if found := self.notebook(body):
            names, start = sorted(found.ended.files), int(body.get("pageToken") or 0)
            shown = names[start : start + 1]  # one file per page
            rows = [{"fileName": name, "url": self.server.signed(name, found.ended.files[name])} for name in shown]
            token = str(start + 1) if start + 1 < len(names) else ""
            log = json.dumps([{"stream_name": "stdout", "time": 1.5, "data": found.ended.log}])
            self.say({"files": rows, "log": log, "nextPageToken": token}, **how)

    def _ListKernels(self, body: dict, **how: float) -> None:  # noqa: N802
        self.page("kernels", [{"ref": ref} for ref in self.server.notebooks], body, **how)

    def _DeleteKernel(self, body: dict, **how: float) -> None:  # noqa: N802
        if self.notebook(body):
            del self.server.notebooks[self.kernel(body)]
            self.say({}, **how)

    def _CreateCodeSubmission(self, body: dict, **how: float) -> None:  # noqa: N802
        found = self.server.notebooks[f"{body['kernelOwner']}/{body['kernelSlug']}"]
        assert body["kernelVersion"] == found.version
        self.submitted(body, found.ended.files[body["fileName"]], **how)

    def _GetAcceleratorQuotaStatistics(self, body: dict, **how: float) -> None:  # noqa: N802
        self.say({"gpuQuota": {"timeUsed": "63000s", "totalTimeAllowed": "108000s"}}, **how)

    # Shared functions

    def sent(self, body: dict) -> dict[str, Blob]:
        """Returns the files of a new version: those sent with it, and no others."""
        server = self.server
        return {server.names[each["token"]]: server.uploads[each["token"]] for each in body["files"]}

    def notebook(self, body: dict) -> HostedNotebook | None:
        found, label = self.server.notebooks.get(self.kernel(body)), body.get("versionLabel")
        if found is None:
            self.error(403, "Permission 'kernels.get' was denied")
        while found and label and label != f"v{found.version}":
            found = found.before
            if found is None:
                self.error(404, "Not found")
        return found

    def page(self, key: str, rows: list[dict], body: dict, **how: float) -> None:
        start = int(body.get("pageToken") or 0)
        token = str(start + 1) if start + 1 < len(rows) else ""
        self.say({key: rows[start : start + 1], "nextPageToken": token}, **how)

    @staticmethod
    def ref(body: dict) -> str:
        return f"{body['ownerSlug']}/{body['datasetSlug']}"

    @staticmethod
    def kernel(body: dict) -> str:
        return f"{body['userName']}/{body['kernelSlug']}"
