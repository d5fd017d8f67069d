"""Device of the Keras backend: GPUs, precision, compilation, determinism."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras

logging.getLogger("tensorflow").setLevel(
    logging.ERROR
)  # hides its warning about a new graph per net, which is intended


def gpus() -> list[str]:
    """Returns the names of the GPUs that the backend can use."""
    if keras.backend.backend() == "jax":
        return [device.device_kind for device in _gpu_devices()]
    return [_details(device).get("device_name") or device.name for device in _gpu_devices()]


def resolve_precision(precision: str) -> str:
    """Resolves `training.precision: auto` for this machine; other values are returned unchanged.

    It is float16 on GPUs with tensor cores (compute capability 7 and above), bfloat16 on CPUs with AMX, else float32:
    without such units the other types are slower or no faster.
    """
    if precision != "auto":
        return precision
    if devices := _gpu_devices():
        if keras.backend.backend() == "jax":
            return "float16" if float(getattr(devices[0], "compute_capability", 0)) >= 7 else "float32"
        return "float16" if _details(devices[0]).get("compute_capability", (0, 0)) >= (7, 0) else "float32"
    cpu_info = Path("/proc/cpuinfo")
    return "bfloat16" if cpu_info.is_file() and "amx_bf16" in cpu_info.read_text() else "float32"


def _gpu_devices() -> list:
    """Returns the GPUs as objects of the backend; none for backends other than TensorFlow and JAX."""
    if keras.backend.backend() == "jax":
        import jax

        return [device for device in jax.devices() if device.platform == "gpu"]
    if keras.backend.backend() != "tensorflow":
        return []
    import tensorflow as tf

    return tf.config.list_physical_devices("GPU")


def _details(device) -> dict:
    import tensorflow as tf

    return tf.config.experimental.get_device_details(device)


@contextmanager
def compute_precision(precision: str) -> Iterator[None]:
    """Sets the precision of the computations for nets built within the block; weights and outputs stay float32."""
    previous_policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32" if precision == "float32" else f"mixed_{precision}")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous_policy)


def resolve_compile(setting: bool | str) -> bool:
    """Resolves `training.jit_compile: auto`: compile with JAX, which needs XLA, but not with TensorFlow."""
    return keras.backend.backend() == "jax" if setting == "auto" else bool(setting)


def make_deterministic(seed: int, operations: bool = True) -> None:
    """Seeds Python, NumPy and the backend.

    Args:
        seed: seed of all random generators.
        operations: also make the GPU operations of TensorFlow deterministic, which are slower. Defaults to True.
    """
    keras.utils.set_random_seed(seed)
    if operations and keras.backend.backend() == "tensorflow" and _gpu_devices():
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
