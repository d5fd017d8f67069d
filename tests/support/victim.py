"""A user with a token, files and programs that nothing hostile may read, change or start; make targets run there."""

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import psutil

TOKEN = "KGAT_" + "5e" * 16
DIARY = "This is the diary of the user, which is nobody's business."
PROGRAMS = ("gs", "convert", "wget", "curl", "ssh")  # none is needed by medfold
MAX_MEMORY = 2 * 10**9  # bytes above an honest command


@dataclass(frozen=True)
class Ended:
    """How a make target ended.

    Args:
        code: exit code.
        said: standard output.
        errors: standard error, without the line of make itself.
        memory: the most that the command and its processes had at a time, in bytes.
    """

    code: int
    said: str
    errors: str
    memory: int


class Victim:
    """A clone of the repository with the competition `clinic`, in a home with planted files.

    Args:
        folder: folder to fill; it gets home/, outside/, bin/ and `my clone`/.
        template: a clone to copy.
    """

    def __init__(self, folder: Path, template: Path):
        self.clone, self.outside, self.home, self._bin = (
            folder / name for name in ("my clone", "outside", "home", "bin")
        )
        shutil.copytree(template, self.clone)
        self.given = self.clone / "given"
        self.facts_file = self.clone / "competition" / "clinic" / "competition.yaml"
        (self.home / ".kaggle").mkdir(parents=True)
        (self.home / ".kaggle" / "access_token").write_text(TOKEN)
        (self.home / ".netrc").write_text(f"machine 127.0.0.1 login user password {TOKEN}\n")
        self.outside.mkdir()
        (self.outside / "diary.txt").write_text(DIARY)
        self._bin.mkdir()
        for name in PROGRAMS:
            (self._bin / name).write_text(f"#!/bin/sh\ntouch '{self._bin}/{name} was started'\n")
            (self._bin / name).chmod(0o755)
        self.max_memory = 0
        self.environment: dict[str, str] = {}  # variables of the make targets, beside those of this process
        self.plant()

    def plant(self) -> None:
        """Remembers the planted files as they are now."""
        self._planted = self._state_of_planted_files()

    def files_of(self, *folders: str) -> dict[str, bytes]:
        """The contents of the files below folders of the clone, by path; members of wheels and archives, too."""
        found = {}
        for path in (path for name in folders for path in sorted((self.clone / name).rglob("*")) if path.is_file()):
            name = path.relative_to(self.clone).as_posix()
            found[name] = path.read_bytes()
            if zipfile.is_zipfile(path):
                with zipfile.ZipFile(path) as archive:
                    found |= {f"{name}/{member}": archive.read(member) for member in archive.namelist()}
        return found

    def change_facts(self, old: str, new: str) -> None:
        """Replaces a part of the competition.yaml."""
        text = self.facts_file.read_text()
        assert old in text
        self.facts_file.write_text(text.replace(old, new))

    def make(self, target: str, *variables: str) -> Ended:
        """Runs a make target for the competition, and checks that no harm was done."""
        command = ["make", "-C", str(self.clone), "--no-print-directory", target, f"PYTHON={sys.executable}"]
        if not any(word.startswith("COMPETITION=") for word in variables):
            command.append("COMPETITION=clinic")
        environment = {**os.environ, "HOME": str(self.home), "PATH": f"{self._bin}:{os.environ['PATH']}"}
        for name in ("PYTHONPATH", "KAGGLE_API_TOKEN", "KAGGLE_CONFIG_DIR"):
            environment.pop(name, None)
        environment |= self.environment
        process = subprocess.Popen(
            [*command, *variables], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        memory = _MemoryWatch(process.pid)
        said, errors = process.communicate()
        errors = "".join(line for line in errors.splitlines(keepends=True) if not line.startswith("make: "))
        ended = Ended(process.returncode, said, errors, memory.stop())
        print(ended.said, ended.errors)  # shown if the test fails
        self._check_unharmed(ended)
        return ended

    def refuse(self, target: str, *variables: str) -> str:
        """Runs a make target that must be refused in one line with exit code 2; returns the line."""
        ended = self.make(target, *variables)
        assert ended.code == 2, ended
        lines = ended.errors.strip().splitlines()
        assert len(lines) == 1, ended.errors
        assert lines[0].startswith("medfold: ")
        return lines[0]

    def _check_unharmed(self, ended: Ended) -> None:
        now = self._state_of_planted_files()
        changed = sorted(path for path in now.keys() | self._planted.keys() if now.get(path) != self._planted.get(path))
        assert not changed, changed
        assert not list(self._bin.glob("* was started"))
        assert "Traceback" not in ended.said + ended.errors
        for secret in (TOKEN, DIARY):
            assert secret not in ended.said + ended.errors
            for path in self.clone.rglob("*"):
                if path.is_file() and not path.is_symlink() and path.suffix not in (".py", ".pyc"):
                    assert secret.encode() not in path.read_bytes(), path
        if self.max_memory:
            assert ended.memory < self.max_memory + MAX_MEMORY

    def _state_of_planted_files(self) -> dict[str, tuple[str, int]]:
        paths = (path for folder in (self.home, self.outside) for path in sorted(folder.rglob("*")) if path.is_file())
        return {
            str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
            for path in paths
            if not {".cache", ".keras", ".config", ".rustup"} & set(path.parts)  # of libraries and pip, in a new home
        }


class _MemoryWatch:
    """Measures the memory of a process and of all that it starts, until `stop`."""

    def __init__(self, process: int):
        self._most, self._over = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(psutil.Process(process),))
        self._thread.start()

    def _watch(self, root: psutil.Process) -> None:
        while not self._over.is_set():
            taken = 0
            try:
                for process in (root, *root.children(recursive=True)):
                    try:
                        taken += process.memory_info().rss
                    except psutil.Error:
                        continue
            except psutil.Error:
                return
            self._most = max(self._most, taken)
            time.sleep(0.05)

    def stop(self) -> int:
        self._over.set()
        self._thread.join()
        return self._most
