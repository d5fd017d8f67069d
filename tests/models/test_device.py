"""Device of the backend: precision, compilation, seeds."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from medfold.models import device
from medfold.models.device import make_deterministic, resolve_compile, resolve_precision


@pytest.fixture
def one_gpu(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])


@pytest.mark.parametrize("precision", ["float32", "float16", "bfloat16"])
def test_chosen_precision_is_kept(one_gpu, precision):
    assert resolve_precision(precision) == precision


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), "float16"), ((7, 0), "float16"), ((6, 1), "float32")])
def test_auto_precision_depends_on_gpu_capability(one_gpu, monkeypatch, capability, expected):
    details = {"compute_capability": capability}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
    assert resolve_precision("auto") == expected


@pytest.mark.parametrize(
    ("cpu_info", "expected"),
    [("flags: avx512f amx_bf16 amx_tile", "bfloat16"), ("flags: avx512f", "float32"), (None, "float32")],
)
def test_auto_precision_without_a_gpu_depends_on_amx(no_gpu, monkeypatch, tmp_path, cpu_info, expected):
    if cpu_info:
        (tmp_path / "cpuinfo").write_text(cpu_info)
    monkeypatch.setattr(device, "Path", lambda path: tmp_path / "cpuinfo")
    assert resolve_precision("auto") == expected


@pytest.mark.parametrize(("backend", "compiles"), [("tensorflow", False), ("jax", True)])
def test_auto_compiles_with_jax_only(monkeypatch, backend, compiles):
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    assert resolve_compile("auto") is compiles
    assert resolve_compile(True) is True
    assert resolve_compile(False) is False


def test_equal_seeds_draw_equal_numbers(no_gpu):
    drawn = []
    for seed in (1, 1, 2):
        make_deterministic(seed)
        drawn.append((np.random.random(), float(keras.random.uniform(()))))
    assert drawn[0] == drawn[1]
    assert drawn[0][0] != drawn[2][0]
    assert drawn[0][1] != drawn[2][1]


@pytest.mark.parametrize(("gpus", "operations", "calls"), [(1, True, 1), (1, False, 0), (0, True, 0)])
def test_operations_are_deterministic_on_gpus_unless_switched_off(monkeypatch, gpus, operations, calls):
    called = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"] * gpus)
    monkeypatch.setattr(tf.config.experimental, "enable_op_determinism", lambda: called.append(True))
    make_deterministic(0, operations=operations)
    assert len(called) == calls
