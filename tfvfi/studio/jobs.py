"""The queue of jobs: one at a time, kept on the disk, continued after whatever happened."""

import base64
import dataclasses
import json
import logging
import os
import secrets
import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfvfi.errors import InputError
from tfvfi.media import storage
from tfvfi.studio.worker import StoppedError, Worker
from tfvfi.video.writing.segments import parts_folder

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"
INTERPOLATE, TUNE = "interpolate", "tune"
logger = logging.getLogger(__name__)
# The most warnings kept for a job, and the seconds between records of its progress.
MOST_NOTICES, EVERY = 20, 5


@dataclass
class Job:
    """A piece of work for the queue.

    Attributes:
        kind: The name of its task: "interpolate" or "tune".
        title: What the page calls it.
        arguments: What the task is called with.
        output: What will be written.
        command: The command line that does the same.
        id: A random name.
        state: "queued", "running", "done", "failed" or "cancelled".
        message: Why it failed.
        stage: What it is doing just now.
        done: Frames or steps that are finished.
        total: All of them; None if unknown.
        rate: Frames or steps a second, measured in this attempt.
        spent: Seconds that all attempts took.
        notices: Warnings.
        curve: Points of a training.
        result: What the task returned.
    """

    kind: str
    title: str
    arguments: dict[str, Any]
    output: str
    command: str
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    state: str = QUEUED
    message: str = ""
    stage: str = ""
    done: int = 0
    total: int | None = None
    rate: float | None = None
    spent: float = 0.0
    notices: list[str] = field(default_factory=list)
    curve: list[dict[str, float]] = field(default_factory=list)
    result: dict[str, Any] | None = None

    @property
    def folder(self) -> Path | None:
        """Where a training keeps its records, checkpoints and pictures."""
        return Path(self.arguments["folder"]) if self.kind == TUNE else None


class Queue:
    """A queue of jobs, kept in a file.

    Args:
        path: The file that they are kept in.
        worker: Does them.

    Example:
        >>> import tempfile
        >>> queue = Queue(Path(tempfile.mkdtemp()) / "jobs.json", Worker())
        >>> queue.jobs()
        []
    """

    def __init__(self, path: Path, worker: Worker):
        self._path = path
        self._worker = worker
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._closed = False
        self._jobs = self._read()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins to work, with what was interrupted first."""
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stops; a running job is continued by the next start."""
        self._closed = True
        self._wake.set()
        self._worker.close()
        if self._thread is not None:
            self._thread.join()

    def jobs(self) -> list[dict[str, Any]]:
        """All jobs as JSON can hold them."""
        with self._lock:
            return [dataclasses.asdict(job) for job in self._jobs]

    def outputs(self) -> list[Path]:
        """What all jobs write."""
        with self._lock:
            return [Path(job.output) for job in self._jobs]

    def find(self, name: str) -> Job:
        """The job of that id."""
        with self._lock:
            for job in self._jobs:
                if job.id == name:
                    return job
        raise InputError("there is no such job any more")

    def add(self, job: Job) -> Job:
        """Puts a job at the end."""
        with self._lock:
            self._jobs.append(job)
            try:
                self._keep()
            except InputError:
                self._jobs.remove(job)
                raise
        self._wake.set()
        return job

    def cancel(self, name: str) -> None:
        """Stops a job; what it finished is kept, and `again` continues from there."""
        with self._lock:
            job = self.find(name)
            was, job.state = job.state, CANCELLED if job.state in (QUEUED, RUNNING) else job.state
            self._keep()
        if was == RUNNING:
            self._worker.stop()

    def again(self, name: str) -> None:
        """Queues a job that failed or was cancelled."""
        with self._lock:
            job = self.find(name)
            if job.state not in (FAILED, CANCELLED):
                raise InputError(f"the job is {job.state}; only one that was stopped can continue")
            job.state, job.message, job.rate = QUEUED, "", None
            self._keep()
        self._wake.set()

    def remove(self, name: str) -> None:
        """Forgets a job and its unfinished parts; a finished result stays where it is."""
        self.cancel(name)
        with self._lock:
            job = self.find(name)
            self._jobs.remove(job)
            self._keep()
        if job.state != DONE:
            shutil.rmtree(parts_folder(Path(job.output)), ignore_errors=True)
        if job.folder is not None:
            shutil.rmtree(job.folder, ignore_errors=True)

    def _work(self) -> None:
        while not self._closed:
            with self._lock:
                job = next((each for each in self._jobs if each.state == QUEUED), None)
                if job is not None:
                    job.state, job.stage = RUNNING, "Starting"
                    self._keep_if_possible()
            if job is None:
                self._wake.wait()
                self._wake.clear()
            else:
                self._do(job)

    def _do(self, job: Job) -> None:
        result: dict[str, Any] = {}
        began = kept = time.monotonic()
        listener, state, message = Listener(job), DONE, ""

        def listen(report: dict[str, Any]) -> None:
            nonlocal kept
            listener(report)
            if time.monotonic() - kept > EVERY:
                kept = time.monotonic()
                self._keep_if_possible()

        try:
            if job.kind == INTERPOLATE and Path(job.output).exists():
                # An earlier attempt finished it but was killed before it could record that.
                result = {"frames": job.total}
            else:
                result = self._worker.run(
                    job.kind, job.arguments, listen, unless=lambda: job.state != RUNNING
                )
        except StoppedError:
            # It may have been cancelled and queued again since.
            state = QUEUED if self._closed else job.state
        except InputError as error:
            state, message = FAILED, str(error)
        with self._lock:
            job.spent += time.monotonic() - began
            job.state, job.message, job.stage = state, message, ""
            if state == DONE:
                job.result = result
                job.total = result["frames"] or job.total
                job.done = job.total or 0
            self._keep_if_possible()

    def _keep(self) -> None:
        """Writes everything down, at once."""
        try:
            text = json.dumps({"jobs": self.jobs()}, indent=1)
            storage.write_bytes(self._path, text.encode())
        except OSError as error:
            raise InputError(f"{self._path} cannot be written: {error.strerror}") from None

    def _keep_if_possible(self) -> None:
        """Writes everything down, unless the disk is full: then the queue goes on in memory."""
        try:
            self._keep()
        except InputError as error:
            logger.warning("%s", error)

    def _read(self) -> list[Job]:
        """The jobs that were written down; those that ran then are to be continued."""
        try:
            kept = json.loads(self._path.read_text())["jobs"]
            jobs = [Job(**each) for each in kept]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, LookupError, TypeError):
            aside = self._path.with_suffix(f".{time.time_ns()}.unreadable")
            os.replace(self._path, aside)
            logger.warning("%s cannot be read and was put aside as %s", self._path, aside.name)
            return []
        for job in jobs:
            if job.state == RUNNING:
                job.state, job.rate = QUEUED, None
        return jobs


class Listener:
    """Takes what a task reports into its job."""

    def __init__(self, job: Job):
        self._job = job
        self._first: tuple[float, int] | None = None

    def __call__(self, report: dict[str, Any]) -> None:
        """Takes one report."""
        job = self._job
        if "done" in report:
            self._advance(report["done"], report["total"])
        if "stage" in report:
            job.stage = report["stage"]
        if "notice" in report and report["notice"] not in job.notices:
            job.notices = [*job.notices, report["notice"]][-MOST_NOTICES:]
        if "point" in report:
            point = report["point"]
            # A resumed training repeats step 0, which the curve already has.
            kept = [each for each in job.curve if each["step"] < point["step"] or not point["step"]]
            job.curve = kept if kept and not point["step"] else [*kept, point]
        if "picture" in report and job.folder is not None:
            path = job.folder / f"{report['picture']['role']}.png"
            try:
                storage.write_bytes(path, base64.b64decode(report["picture"]["png"]))
            except OSError as error:
                raise InputError(f"{path} cannot be written: {error.strerror}") from None

    def _advance(self, done: int, total: int | None) -> None:
        job, now = self._job, time.monotonic()
        job.done, job.total = done, total
        if job.kind == INTERPOLATE:
            job.stage = ""
        # The time before the first report includes compiling the network, so it does not count.
        if self._first is None:
            self._first = now, done
        elif now > self._first[0]:
            job.rate = (done - self._first[1]) / (now - self._first[0])
