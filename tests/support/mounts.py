"""Commands that see their own mounts, by a mount namespace of Linux."""

import shutil
import subprocess

import pytest


def in_mount_namespace(script: str, argument: str, *command: str) -> list[str]:
    """Returns a command that mounts something first; skips the test where mounting is not allowed.

    Args:
        script: shell commands that mount; `$0` is the argument.
        argument: options or a folder for the script.
        command: the command to run then.
    """
    words = ["unshare", "--mount", "sh", "-c", f'{script} && exec "$@"', argument]
    if not shutil.which("unshare") or subprocess.run([*words, "true"], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    return [*words, *command]
