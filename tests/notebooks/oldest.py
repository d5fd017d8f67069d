"""Runs the notebook tests with the oldest packages that requirements.txt allows.

make test-all
"""

import os
import subprocess
import sys
import venv
from importlib.metadata import distributions
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
KERNEL = "ipykernel>=6.29"


def main() -> int:
    """Makes .venv-oldest if it is missing, runs the tests, and returns their exit code."""
    folder = REPOSITORY / ".venv-oldest"
    if not folder.is_dir():
        venv.create(folder, with_pip=True, symlinks=True)
    oldest = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--resolution", "lowest-direct"]
    interpreter = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    print("Installing the oldest packages into .venv-oldest, without a lock", flush=True)
    command = [*oldest, "--python", str(interpreter), "-r", "requirements.txt", KERNEL]
    subprocess.run(command, cwd=REPOSITORY, check=True)
    (packages,) = folder.glob("[Ll]ib/python*/site-packages" if os.name != "nt" else "Lib/site-packages")
    versions = {each.name: each.version for each in distributions(path=[str(packages)])}
    print(
        ", ".join(f"{name} {versions[name]}" for name in ("tensorflow", "keras", "numpy", "pandas", "pydantic")),
        flush=True,
    )
    tests = [sys.executable, "-m", "pytest", "-q", "tests/notebooks/test_notebook_file_executed.py"]
    environment = {**os.environ, "MEDFOLD_OTHER_PACKAGES": str(packages)}
    return subprocess.run(tests, cwd=REPOSITORY, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
