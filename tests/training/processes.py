"""Trainings in processes of their own, which can be killed."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent


def start(
    settings: dict[str, Any] | list[dict[str, Any]], replicas: int = 1, cluster: str = ""
) -> subprocess.Popen:
    """Starts a training of `tests.training.tiny`; what it says comes through its pipes.

    Args:
        settings: Of `tfvfi.training.settings.Settings`; or of several trainings, one after the
            other.
        replicas: Logical devices.
        cluster: The value of TF_CONFIG.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("TF_CONFIG", None)
    if cluster:
        environment["TF_CONFIG"] = cluster
    return subprocess.Popen(
        [sys.executable, ROOT / "tests/training/tiny.py", str(replicas), json.dumps(settings)],
        env=environment,
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def start_workers(settings: list[dict[str, Any]]) -> list[subprocess.Popen]:
    """Starts workers on this machine, one for each settings."""
    with_ports = [f"localhost:{port}" for port in _free_ports(len(settings))]
    return [
        start(
            {**each, "strategy": "multi_worker"},
            cluster=json.dumps(
                {"cluster": {"worker": with_ports}, "task": {"type": "worker", "index": index}}
            ),
        )
        for index, each in enumerate(settings)
    ]


def finish(process: subprocess.Popen, seconds: float = 300) -> str:
    """Waits until it is done, and gives what it said; it must have gone well."""
    said, complaint = process.communicate(timeout=seconds)
    assert process.returncode == 0, f"{said}\n{complaint}"
    return said


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("localhost", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
