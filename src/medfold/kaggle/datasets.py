"""The user's own data sets on Kaggle: private, with versions identified by content."""

import tempfile
from pathlib import Path
from typing import Any

from medfold.errors import UserError
from medfold.kaggle import client
from medfold.kaggle.client import SITE, new_object
from medfold.kaggle.download import dataset_files
from medfold.kaggle.session import ContentVersion, KaggleSession
from medfold.system.waiting import GrowingPause
from medfold.terminal.console import format_duration
from medfold.terminal.progress import progress_bar, spinner

LICENCE = "other"  # Kaggle asks for one; the data set is private
MAX_UNPACKING_WAIT = 1800  # seconds to wait until Kaggle has unpacked a data set
UNUSABLE_STATES = ("failed", "deleted")  # final states of a data set that cannot be attached


class KaggleDatasets:
    """The user's own data sets.

    Args:
        session: connection to Kaggle, with credentials.

    Example:
        `KaggleDatasets(session).upload("x-rays-weights", [Path("net.weights.h5")], content_id="0123456789ab")`
    """

    def __init__(self, session: KaggleSession):
        self.session = session

    def version(self, name: str) -> ContentVersion | None:
        """Returns the newest version of a data set; None if there is none of that name.

        Raises:
            UserError: the data set is not private.
        """
        ref = self._ref(name)
        answer = self.session.find(name, "datasets", "get_dataset", owner_slug=self.session.user, dataset_slug=name)
        if answer is None:
            return None
        link = f"{SITE}/datasets/{ref}"
        if not answer.is_private:
            fix = f"Make it private, or delete it: {link}/settings"
            raise UserError("this data set is public, and would publish your folds", ref, fix)
        return ContentVersion(ref, answer.current_version_number or 1, link)

    def has_content(self, name: str, content_id: str) -> bool:
        """Returns True if the newest version of a data set has this content; waits until Kaggle has unpacked it.

        Args:
            name: name of the data set, without its owner.
            content_id: id of the content that was given to `upload`.
        """
        if self._state(name) in UNUSABLE_STATES:
            return False
        self._wait_until_ready(name, None)
        return self._lists_content(name, content_id)

    def upload(self, name: str, files: list[Path], content_id: str) -> ContentVersion:
        """Uploads files as the first or the next version of a private data set.

        A version holds only the files that are sent with it, none of earlier versions.

        Args:
            name: name of the data set, without its owner.
            files: paths of the files; their names differ.
            content_id: identifies this version for `has_content`: it is in the name of one more file.

        Returns:
            The version that was made.

        Raises:
            UserError: a failed upload, or Kaggle's reason to refuse; nothing is changed then.
        """
        previous = self.version(name)
        ref = self._ref(name)
        uploaded = self._upload_files(files, content_id)

        def send() -> Any:
            api = self.session.api
            owner = self.session.user
            if previous is None:
                fields = {"title": name, "license_name": LICENCE, "is_private": True, "files": uploaded}
                return client.call(api, "datasets", "create_dataset", owner_slug=owner, slug=name, **fields)
            notes = f"medfold {content_id}"
            body = new_object("datasets", "ApiCreateDatasetVersionRequestBody", version_notes=notes, files=uploaded)
            fields = {"owner_slug": owner, "dataset_slug": name, "body": body}
            return client.call(api, "datasets", "create_dataset_version", **fields)

        def find() -> ContentVersion | None:
            newest = self.version(name)
            return newest if newest and (previous is None or newest.version > previous.version) else None

        answer, _ = self.session.send_once(f"data set {ref}", send, find)
        if answer and (answer.error or (answer.status or "").lower() == "error"):
            what = f"Kaggle refuses the data set: {answer.error or 'reason unknown'}"
            raise UserError(what, ref, "Nothing else was uploaded: run the same command again, later if it repeats")
        self._wait_until_ready(name, content_id)
        uploaded_version = self.version(name)
        if uploaded_version is None:
            raise UserError("the data set was created, but Kaggle does not list it", ref, "Run the same command again")
        return uploaded_version

    def _upload_files(self, files: list[Path], content_id: str) -> list[Any]:
        """Uploads files and a marker file named by the content id; returns them as request objects."""
        with tempfile.TemporaryDirectory() as extra:
            marker = Path(extra) / _marker(content_id)
            marker.write_text(f"medfold {content_id}\n", encoding="utf-8")
            paths = [*files, marker]
            uploaded = []
            with progress_bar("upload", sum(path.stat().st_size for path in paths), "bytes") as bar:
                for path in paths:
                    uploaded.append(self._upload_file(path))
                    bar.advance(path.stat().st_size)
        return uploaded

    def _upload_file(self, path: Path) -> Any:
        api = self.session.api
        with self.session.errors(path.name):
            answer = client.start_dataset_upload(api, path)
        api.upload_complete(str(path), answer.create_url, quiet=True)
        return new_object("datasets", "ApiDatasetNewFile", token=answer.token)

    def _wait_until_ready(self, name: str, content_id: str | None) -> None:
        """Waits until a data set can be attached and, if a content id is given, lists the version of that content.

        Raises:
            UserError: Kaggle could not unpack it, or has not in half an hour.
        """

        def is_ready(state: str) -> bool:
            return state == "ready" and (content_id is None or self._lists_content(name, content_id))

        if is_ready(self._state(name)):
            return
        waited = 0.0
        growing = GrowingPause(first=2, factor=1.5, longest=20)
        with spinner("waiting until Kaggle has unpacked the data set"):
            while True:
                state = self._state(name)
                if state in UNUSABLE_STATES:
                    what = f"Kaggle could not unpack the data set ({state})"
                    raise UserError(what, self._ref(name), "Run the same command again to upload it again")
                if is_ready(state):
                    return
                if waited >= MAX_UNPACKING_WAIT:
                    what = f"the data set is not ready after {format_duration(waited)} ({state})"
                    raise UserError(what, self._ref(name), "Run the same command again later; it is not uploaded again")
                waited += growing.seconds
                growing.pause()

    def _lists_content(self, name: str, content_id: str) -> bool:
        return _marker(content_id) in dataset_files(self.session, self._ref(name))

    def _state(self, name: str) -> str:
        # A data set that was created a moment ago may not be listed yet.
        fields = {"owner_slug": self.session.user, "dataset_slug": name}
        answer = self.session.find(name, "datasets", "get_dataset_status", **fields)
        with self.session.errors(name):
            return answer.status.name.lower() if answer else "not listed yet"

    def _ref(self, name: str) -> str:
        return f"{self.session.user}/{name}"


def _marker(content_id: str) -> str:
    return f"version-{content_id}.txt"
