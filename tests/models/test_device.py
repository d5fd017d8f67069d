"""Precision of the computation, by the GPU."""

from medfold.models.device import resolve_precision


def test_auto_precision_depends_on_gpu_capability(monkeypatch):
    import tensorflow as tf

    assert resolve_precision("bfloat16") == "bfloat16"
    for capability, expected in (((7, 5), "float16"), ((6, 1), "float32")):
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])
        details = {"compute_capability": capability}
        monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device, details=details: details)
        assert resolve_precision("auto") == expected
