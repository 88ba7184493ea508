"""Starting: the printed address, the token, one studio a folder, and what stands in the way."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests import signals
from tfvfi.errors import InputError
from tfvfi.studio.server import kept_token, serve

TOOL = Path(__file__).parents[2] / "tools" / "studio.py"


def started(folder, *flags):
    command = [sys.executable, str(TOOL), f"--folder={folder}", "--no_browser", *flags]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, preexec_fn=signals.heard)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_printed_address_works_at_once_and_a_signal_ends_it(tmp_path, number):
    process = started(tmp_path, "--port=0")
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+/\?token=\S{43}", process.stdout.readline())[0]
        with urllib.request.urlopen(address, timeout=20) as answer:
            assert b"tfvfi studio" in answer.read()
        second = started(tmp_path, "--port=0")
        assert second.wait(30) == 1
        assert "another process" in second.stderr.read()
    finally:
        process.send_signal(number)
        code = process.wait(30)
    assert code in (0, 128 + number)
    assert "Traceback" not in process.stderr.read()


def test_a_taken_port_is_a_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=rf"cannot listen at 127.0.0.1, port {port}"):
            serve([tmp_path], port=port, browser=False)


def test_a_missing_folder_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        serve([tmp_path / "missing"], port=0, browser=False)


def test_the_token_is_kept_for_its_owner_alone(tmp_path):
    path = tmp_path / ".token"
    token = kept_token(path)
    assert len(token) == 43 and path.stat().st_mode & 0o777 == 0o600
    assert kept_token(path) == token
    path.chmod(0o644)
    assert kept_token(path) != token


def test_a_token_that_is_a_link_is_replaced(tmp_path):
    known = tmp_path / "known"
    known.write_text("x" * 43)
    os.chmod(known, 0o600)
    (tmp_path / ".token").symlink_to(known)
    assert kept_token(tmp_path / ".token") != "x" * 43
    assert known.read_text() == "x" * 43
