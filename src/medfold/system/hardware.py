"""CPU cores, GPUs and Keras backend of this machine, found without importing TensorFlow."""

import json
import os
import shutil
import subprocess
from pathlib import Path

THREAD_VARIABLES = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")


def num_cores() -> int:
    """Returns the number of cores that this process may use; training runs in parallel share the cores."""
    share = os.environ.get(THREAD_VARIABLES[0], "")
    if share.isdigit() and int(share) > 0:
        return int(share)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def keras_backend() -> str:
    """Returns the backend that Keras would use, without importing Keras. Defaults to `tensorflow`."""
    if name := os.environ.get("KERAS_BACKEND"):
        return name
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        return json.loads((home / "keras.json").read_text(encoding="utf-8")).get("backend", "tensorflow")
    except (OSError, ValueError):
        return "tensorflow"


def cuda_devices() -> list[str]:
    """Returns the usable GPUs, by the names that CUDA_VISIBLE_DEVICES takes."""
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        names = [name.strip() for name in os.environ["CUDA_VISIBLE_DEVICES"].split(",")]
        return [name for name in names if name not in ("", "-1")]
    if shutil.which("nvidia-smi") is None:
        return []
    result = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    gpus = [line for line in result.stdout.splitlines() if line.startswith("GPU ")] if result.returncode == 0 else []
    return [str(number) for number in range(len(gpus))]
