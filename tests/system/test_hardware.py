"""CPU cores, GPUs and the Keras backend of this machine."""

import os
import subprocess

import pytest

from medfold.system import hardware


def test_num_cores_is_the_share_of_a_parallel_training(monkeypatch):
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "3")
    assert hardware.num_cores() == 3
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    for text in ("", "0", "many"):
        monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", text)
        assert hardware.num_cores() == usable


@pytest.mark.parametrize(
    ("content", "backend"),
    [(None, "tensorflow"), ('{"backend": "jax"}', "jax"), ("{}", "tensorflow"), ("{not json", "tensorflow")],
)
def test_keras_backend_is_read_from_keras_json(tmp_path, monkeypatch, content, backend):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    if content is not None:
        (tmp_path / "keras.json").write_text(content)
    assert hardware.keras_backend() == backend
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert hardware.keras_backend() == "torch"


@pytest.mark.parametrize(("value", "devices"), [("0, 2", ["0", "2"]), ("-1", []), ("", []), ("GPU-ab", ["GPU-ab"])])
def test_cuda_devices_follow_cuda_visible_devices(monkeypatch, value, devices):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert hardware.cuda_devices() == devices


@pytest.mark.parametrize(
    ("code", "output", "devices"),
    [
        (0, "GPU 0: A (UUID: GPU-1)\n  MIG 1g\nGPU 1: A (UUID: GPU-2)\n", ["0", "1"]),
        (9, "GPU 0: A\n", []),  # the driver does not answer
        (0, "", []),
    ],
)
def test_cuda_devices_are_counted_by_nvidia_smi(monkeypatch, code, output, devices):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(hardware.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(
        hardware.subprocess, "run", lambda command, **how: subprocess.CompletedProcess(command, code, output)
    )
    assert hardware.cuda_devices() == devices
