"""Where a training runs: on one device, on all devices of this machine, or on several machines."""

import contextlib
import json
import os
import re
from collections.abc import Iterator
from typing import Any

import keras

from tfvfi.errors import InputError


def open_strategy(name: str) -> Any:
    """Returns the strategy of tf.distribute of that name; None for "one", which needs none.

    "mirrored" uses all GPUs of this machine, or all logical CPU devices if there is no GPU.
    """
    if name == "one":
        return None
    if keras.backend.backend() != "tensorflow":
        raise InputError(
            f"`strategy='{name}'` needs Keras on TensorFlow. Received: {keras.backend.backend()}"
        )
    import tensorflow as tf

    if name == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    _check_cluster()
    return tf.distribute.MultiWorkerMirroredStrategy()


def scope(strategy: Any) -> contextlib.AbstractContextManager:
    """Returns a context in which variables are created for every replica."""
    return strategy.scope() if strategy else contextlib.nullcontext()


def replicas(strategy: Any) -> int:
    """Returns the number of replicas that compute each step together."""
    return strategy.num_replicas_in_sync if strategy else 1


def worker(strategy: Any) -> tuple[int, int]:
    """Returns the number of this process and the total number of workers."""
    if strategy is None:
        return 0, 1
    import tensorflow as tf

    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return 0, 1
    cluster = strategy.cluster_resolver
    return cluster.task_id, len(cluster.cluster_spec().as_dict()["worker"])


def check_agreement(strategy: Any, step: int) -> None:
    """Raises an error if workers would continue from different steps."""
    if strategy is None or worker(strategy)[1] == 1:
        return
    import tensorflow as tf

    def gathered() -> tf.Tensor:
        return tf.distribute.get_replica_context().all_gather(tf.constant([step]), axis=0)

    with lost_workers(strategy):
        found = strategy.experimental_local_results(strategy.run(gathered))[0]
    steps = sorted(set(found.numpy().tolist()))
    if len(steps) > 1:
        raise InputError(
            f"the workers would continue from different steps ({', '.join(map(str, steps))}); "
            "`output` must be one folder that all of them see"
        )


@contextlib.contextmanager
def lost_workers(strategy: Any) -> Iterator[None]:
    """Turns the loss of another worker into an error of one sentence."""
    if strategy is None or worker(strategy)[1] == 1:
        yield
        return
    import tensorflow as tf

    # The errors of a failed call to another machine.
    lost = (
        tf.errors.UnavailableError,
        tf.errors.AbortedError,
        tf.errors.CancelledError,
        tf.errors.DeadlineExceededError,
    )
    try:
        yield
    except tf.errors.OpError as error:
        found = re.search("Collective ops is aborted by: (.*)", error.message)
        if found is None and not isinstance(error, lost):
            raise
        reason = found.group(1) if found else type(error).__name__
        raise InputError(
            "another worker is gone, so this one stops; start all of them again with the same "
            f"commands and the run continues from its last checkpoint ({reason})"
        ) from None


def _check_cluster() -> None:
    try:
        config = json.loads(os.environ["TF_CONFIG"])
        workers, task = config["cluster"]["worker"], config["task"]
        valid = task["type"] == "worker" and 0 <= task["index"] < len(workers)
    except (KeyError, TypeError, ValueError):
        valid = False
    if not valid:
        raise InputError(
            "`strategy='multi_worker'` needs TF_CONFIG on every machine, as in "
            '{"cluster": {"worker": ["host1:12345", "host2:12345"]}, '
            '"task": {"type": "worker", "index": 0}}'
        )
