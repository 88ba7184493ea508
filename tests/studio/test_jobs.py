"""The queue: in order, stopped, continued, and there again after a kill."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tfvfi.errors import InputError
from tfvfi.studio.jobs import Job, Queue
from tfvfi.studio.worker import StoppedError, Worker

CLIP = str(Path(__file__).parents[2] / "samples" / "clip.mp4")


class Pretending:
    """A worker whose tasks end when they are told to."""

    def __init__(self):
        self.begun, self.end, self.stopped = [], threading.Event(), False
        self.mistake = None

    def run(self, task, arguments, report, unless):
        if unless():
            raise StoppedError
        self.begun.append(arguments["number"])
        self.stopped = False
        report({"stage": "Working"})
        report({"done": 3, "total": 8})
        report({"notice": "a warning"})
        assert self.end.wait(20)
        if self.stopped:
            self.end.clear()
            raise StoppedError
        if self.mistake:
            raise InputError(self.mistake)
        return {"frames": 8}

    def stop(self):
        self.stopped = True
        self.end.set()

    close = stop


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@pytest.fixture
def worker():
    return Pretending()


@pytest.fixture
def queue(tmp_path, worker):
    made = Queue(tmp_path / "jobs.json", worker)
    made.start()
    yield made
    made.close()


def job(tmp_path, number=0):
    name = f"out{number}.mp4"
    return Job("interpolate", name, {"number": number}, str(tmp_path / name), "tfvfi ...")


def states(queue):
    return [each["state"] for each in queue.jobs()]


def kept(tmp_path):
    return [each["state"] for each in json.loads((tmp_path / "jobs.json").read_text())["jobs"]]


def test_jobs_are_done_in_order_and_written_down(tmp_path, queue, worker):
    for number in range(3):
        queue.add(job(tmp_path, number))
    until(lambda: states(queue) == ["running", "queued", "queued"])
    until(lambda: queue.jobs()[0]["done"] == 3)
    assert kept(tmp_path) == ["running", "queued", "queued"]
    worker.end.set()
    until(lambda: states(queue) == ["done"] * 3)
    assert worker.begun == [0, 1, 2] and kept(tmp_path) == ["done"] * 3
    first = queue.jobs()[0]
    assert (first["done"], first["total"], first["notices"]) == (8, 8, ["a warning"])


def test_a_cancelled_job_stops_and_can_continue(tmp_path, queue, worker):
    made = queue.add(job(tmp_path))
    until(lambda: worker.begun == [0])
    queue.cancel(made.id)
    until(lambda: not worker.end.is_set())
    assert states(queue) == ["cancelled"] == kept(tmp_path)
    queue.again(made.id)
    until(lambda: worker.begun == [0, 0])
    worker.end.set()
    until(lambda: states(queue) == ["done"])
    with pytest.raises(InputError, match="the job is done"):
        queue.again(made.id)


def test_a_job_that_is_cancelled_before_its_task_begins_does_not_run(tmp_path):
    worker = Worker()
    with pytest.raises(StoppedError):
        worker.run("facts", {"inputs": [CLIP]}, unless=lambda: True)
    assert worker._process is None


def test_continuing_at_once_after_cancelling_is_not_lost(tmp_path, queue, worker):
    made = queue.add(job(tmp_path))
    until(lambda: worker.begun == [0])
    # Both before the task has ended.
    worker.stop = lambda: None
    queue.cancel(made.id)
    queue.again(made.id)
    Pretending.stop(worker)
    until(lambda: worker.begun == [0, 0])
    worker.end.set()
    until(lambda: states(queue) == ["done"])


def test_a_mistake_is_its_sentence(tmp_path, queue, worker):
    worker.mistake = "there is no file clip.mp4"
    queue.add(job(tmp_path))
    worker.end.set()
    until(lambda: states(queue) == ["failed"])
    assert queue.jobs()[0]["message"] == "there is no file clip.mp4"


def test_removing_takes_unfinished_parts_and_leaves_results(tmp_path, queue, worker):
    parts = tmp_path / ".out0.mp4.parts"
    parts.mkdir()
    made = queue.add(job(tmp_path))
    until(lambda: worker.begun == [0])
    queue.remove(made.id)
    assert states(queue) == [] and not parts.exists()
    until(lambda: not worker.end.is_set())
    other = queue.add(job(tmp_path, 1))
    worker.end.set()
    until(lambda: states(queue) == ["done"])
    (tmp_path / "out1.mp4").touch()
    queue.remove(other.id)
    assert (tmp_path / "out1.mp4").exists()
    with pytest.raises(InputError, match="no such job"):
        queue.find(other.id)


def test_what_ran_when_the_server_was_killed_is_queued_again(tmp_path):
    script = f"""
import sys, time
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tests.studio.test_jobs import Pretending, job, states, until
from tfvfi.studio.jobs import Queue
here = Path({str(tmp_path)!r})
queue = Queue(here / "jobs.json", Pretending())
queue.start()
queue.add(job(here, 0))
queue.add(job(here, 1))
until(lambda: states(queue) == ["running", "queued"])
print("ready", flush=True)
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    process.kill()
    process.wait()
    assert kept(tmp_path) == ["running", "queued"]
    worker = Pretending()
    queue = Queue(tmp_path / "jobs.json", worker)
    assert states(queue) == ["queued", "queued"]
    worker.end.set()
    queue.start()
    until(lambda: states(queue) == ["done", "done"])
    queue.close()


def test_a_result_that_was_finished_just_before_a_kill_is_not_made_again(tmp_path, queue, worker):
    (tmp_path / "out0.mp4").touch()
    queue.add(job(tmp_path))
    until(lambda: states(queue) == ["done"])
    assert worker.begun == []


def test_a_closed_queue_continues_at_the_next_start(tmp_path, worker):
    queue = Queue(tmp_path / "jobs.json", worker)
    queue.start()
    queue.add(job(tmp_path))
    until(lambda: worker.begun == [0])
    queue.close()
    assert kept(tmp_path) == ["queued"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"jobs": [{"kind": 1}]}', '{"jobs": 3}'])
def test_a_list_that_cannot_be_read_is_put_aside(tmp_path, text, caplog):
    (tmp_path / "jobs.json").write_text(text)
    assert Queue(tmp_path / "jobs.json", Pretending()).jobs() == []
    (aside,) = tmp_path.glob("jobs.*.unreadable")
    assert aside.read_text() == text and "put aside" in caplog.text


def test_a_full_disk_is_a_sentence(tmp_path, queue, monkeypatch):
    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tfvfi.media.storage.write_bytes", full)
    with pytest.raises(InputError, match=r"cannot be written: No space left on device"):
        queue.add(job(tmp_path))
    assert states(queue) == []


def test_a_worker_reports_stops_and_starts_again():
    worker, reports = Worker(), []
    try:
        found = worker.run("scan", {"inputs": [CLIP]}, reports.append)
        assert found["frames"] == 31 and reports[-1] == {"done": 31, "total": 31}
        with pytest.raises(InputError, match="there is no file"):
            worker.run("facts", {"inputs": ["missing.mp4"]})
        first = worker._process.pid

        def stop(report):
            threading.Thread(target=worker.stop).start()
            time.sleep(0.3)

        with pytest.raises(StoppedError):
            worker.run("scan", {"inputs": [CLIP]}, stop)
        assert worker.run("facts", {"inputs": [CLIP]})["width"] == 640
        assert worker._process.pid != first
        os.kill(worker._process.pid, signal.SIGKILL)
        with pytest.raises(InputError, match=r"exit code|ended"):
            # The process may die before or after it is given the task.
            worker.run("scan", {"inputs": [CLIP]})
            raise InputError("ended and started again")
    finally:
        worker.close()


def test_workers_end_with_a_killed_server():
    script = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from tfvfi.studio.worker import Worker
worker = Worker()
worker.run("facts", {{"inputs": [{CLIP!r}]}})
print(worker._process.pid, flush=True)
worker.run("scan", {{"inputs": [{CLIP!r}] }}, lambda report: __import__("time").sleep(60))
"""
    server = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    pid = int(server.stdout.readline())
    assert is_there(pid)
    server.kill()
    server.wait()
    until(lambda: not is_there(pid))


def is_there(pid):
    """Whether a process runs: one that ended and whom nobody asked counts as gone."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
