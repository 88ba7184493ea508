"""Damaged files by the hundred: each is interpolated, or refused in one sentence.

    python -m tests.video.hostile --videos=500 --pictures=500 --seed=21

A worker process takes one file after another. The process that watches it counts traces, crashes,
files that take more than a minute, words on standard error and what is left behind.
"""

import argparse
import json
import logging
import queue
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

import cv2

from tests.video.clips import Fade
from tests.video.mutants import frames, is_readable, mutants, whole_pictures, whole_videos
from tfvfi.errors import InputError
from tfvfi.video import Encoding, interpolate_video

SECONDS = 60
DONE, REFUSED = "done", "refused"


def outcome(inputs: list[str], output: str, damaged: str) -> list[str]:
    """What becomes of one file, as a word and an explanation."""
    encoding = Encoding(preset="ultrafast") if output.endswith(".mp4") else None
    try:
        count = interpolate_video(
            inputs, output, Fade(), damaged=damaged, encoding=encoding, progress=False
        )
        return [DONE, str(count)]
    except InputError as error:
        said = str(error)
        is_sentence = said and "\n" not in said and len(said) < 1000 and "Error(" not in said
        return [REFUSED if is_sentence else "odd words", said]
    except Exception as error:
        return ["trace", f"{type(error).__name__}: {error}"]


def work() -> None:
    """The worker: a line of JSON for each line of JSON."""
    logging.getLogger("tfvfi").addHandler(logging.NullHandler())
    logging.getLogger("tfvfi").propagate = False
    for line in sys.stdin:
        print(json.dumps(outcome(**json.loads(line))), flush=True)


class Worker:
    """A process that can be replaced when it crashes or hangs."""

    def __init__(self, errors: Path):
        self.errors = errors
        self.process: subprocess.Popen | None = None
        self.answers: queue.Queue[str] = queue.Queue()

    def ask(self, **task: object) -> list[str]:
        """What becomes of one file."""
        if self.process is None:
            self._start()
        assert self.process is not None and self.process.stdin is not None
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        try:
            answer = self.answers.get(timeout=SECONDS)
        except queue.Empty:
            self.stop()
            return ["hang", f"more than {SECONDS} seconds"]
        if not answer:
            code = self.process.wait()
            self.process = None
            return ["crash", f"exit code {code}"]
        return json.loads(answer)

    def _start(self) -> None:
        self.answers = queue.Queue()
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.video.hostile", "--worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        threading.Thread(target=self._read, args=(self.process, self.answers), daemon=True).start()

    def _read(self, process: subprocess.Popen, answers: "queue.Queue[str]") -> None:
        for line in process.stdout:
            answers.put(line)
        answers.put("")

    def stop(self) -> None:
        """Ends the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def run(kind: str, count: int, seed: int, folder: Path, keep: Path | None = None) -> Counter:
    """Tries as many damaged files and counts what became of them.

    Args:
        kind: "videos" or "pictures".
        count: How many.
        seed: Determines the damage.
        folder: For all files.
        keep: Where those go that were not treated well.
    """
    found: Counter = Counter()
    (folder / "out").mkdir()
    errors = folder / "errors"
    errors.touch()
    worker = Worker(errors)
    whole = (whole_videos if kind == "videos" else whole_pictures)(folder)
    other = folder / "other.png"
    cv2.imwrite(str(other), frames()[1])
    for number, (ending, data) in enumerate(mutants(whole, count, seed)):
        hurt = folder / f"hurt{ending}"
        hurt.write_bytes(data)
        pictures = kind == "pictures"
        output = folder / "out" / ("pictures" if pictures else "video.mp4")
        inputs = [str(hurt), str(other)] if pictures else [str(hurt)]
        damaged = ("stop", "keep")[number % 2]
        word, said = worker.ask(inputs=inputs, output=str(output), damaged=damaged)
        left = sorted(path.name for path in (folder / "out").iterdir())
        if left != ([output.name] if word == DONE else []):
            word, said = "litter", ", ".join(left)
        elif word == DONE and not pictures and not is_readable(output):
            word = "unreadable output"
        if words := errors.read_text(errors="replace").strip():
            word, said = "standard error", words
            errors.write_text("")
        found[word] += 1
        if word not in (DONE, REFUSED):
            print(f"{kind} {number}{ending} ({damaged}): {word}: {said}")
            if keep is not None:
                keep.mkdir(exist_ok=True)
                (keep / f"{kind}{number}{ending}").write_bytes(data)
        for path in (folder / "out").iterdir():
            subprocess.run(["rm", "-r", str(path)], check=True)
    worker.stop()
    return found


def main() -> None:
    """Tries damaged files and prints what became of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=500)
    parser.add_argument("--pictures", type=int, default=500)
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("--keep", type=Path, help="where files go that were not treated well")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    flags = parser.parse_args()
    if flags.worker:
        work()
        return
    for kind in ("videos", "pictures"):
        if count := getattr(flags, kind):
            with tempfile.TemporaryDirectory() as folder:
                found = run(kind, count, flags.seed, Path(folder), flags.keep)
            print(f"{kind}, seed {flags.seed}: {dict(sorted(found.items()))}")


if __name__ == "__main__":
    main()
