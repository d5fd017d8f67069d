"""What the machine has: cores and GPUs, asked without importing TensorFlow."""

import os
import shutil
import subprocess

THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")


def cores() -> int:
    """The cores that this process may use; of several trainings side by side, those of its share."""
    share = os.environ.get(THREADS[0], "")
    if share.isdigit() and int(share) > 0:
        return int(share)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpus() -> int:
    """How many GPUs there are to use."""
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        return len([each for each in os.environ["CUDA_VISIBLE_DEVICES"].split(",") if each.strip() not in ("", "-1")])
    if shutil.which("nvidia-smi") is None:
        return 0
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines()) if listed.returncode == 0 else 0
