"""Files: nothing outside of the chosen folders, uploads streamed and limited."""

import asyncio
import os

import pytest

from tfvfi.errors import InputError
from tfvfi.studio.folders import Folders, safe_name


@pytest.fixture
def places(tmp_path):
    """A chosen folder, and one beside it that is not."""
    chosen, outside = tmp_path / "chosen", tmp_path / "outside"
    chosen.mkdir()
    outside.mkdir()
    (chosen / "clip.mp4").write_bytes(b"video")
    (chosen / ".hidden.mp4").write_bytes(b"video")
    (outside / "secret.mp4").write_bytes(b"secret")
    return Folders([chosen]), chosen, outside


async def chunks(*parts):
    for part in parts:
        yield part


def receive(folders, name, *parts, group=None, length=None):
    return asyncio.run(folders.receive(name, group, length, chunks(*parts)))


def test_what_is_chosen_is_found(places):
    folders, chosen, _ = places
    assert folders.sources([str(chosen / "clip.mp4")]) == [chosen / "clip.mp4"]
    names = [entry["name"] for entry in folders.listing(str(chosen))["entries"]]
    assert names == ["clip.mp4", "tfvfi-studio"]


@pytest.mark.parametrize(
    "path",
    [
        "{outside}/secret.mp4",
        "{chosen}/../outside/secret.mp4",
        "{chosen}/missing.mp4",
        "{chosen}/.hidden.mp4",
        "{chosen}/tfvfi-studio/.token",
        "clip.mp4",
        "../outside/secret.mp4",
        "{chosen}/clip.mp4\0",
        "/etc/passwd",
        "",
    ],
)
def test_paths_that_lead_out_are_refused(places, path):
    folders, chosen, outside = places
    (folders.work / ".token").write_text("secret")
    text = path.format(chosen=chosen, outside=outside)
    for ask in (folders.resolve, lambda each: folders.sources([each])):
        with pytest.raises(InputError, match="not in a folder that was given"):
            ask(text)


def test_links_that_lead_out_are_refused_and_not_listed(places):
    folders, chosen, outside = places
    (chosen / "link.mp4").symlink_to(outside / "secret.mp4")
    (chosen / "folder").symlink_to(outside)
    for name in ("link.mp4", "folder/secret.mp4", "folder"):
        with pytest.raises(InputError, match="not in a folder that was given"):
            folders.resolve(str(chosen / name))
    names = [entry["name"] for entry in folders.listing(str(chosen))["entries"]]
    assert "link.mp4" not in names and "folder" not in names


def test_a_link_in_place_of_the_studio_folder_is_refused(tmp_path):
    chosen, outside = tmp_path / "chosen", tmp_path / "outside"
    chosen.mkdir()
    outside.mkdir()
    (chosen / "tfvfi-studio").symlink_to(outside)
    with pytest.raises(InputError):
        Folders([chosen])


@pytest.mark.parametrize("given", [None, [], "clip.mp4", [None], [3], [["/etc"]]])
def test_what_is_no_list_of_paths_is_refused(places, given):
    with pytest.raises(InputError):
        places[0].sources(given)


def test_other_files_are_no_media(places):
    folders, chosen, _ = places
    (chosen / "notes.txt").write_text("private")
    with pytest.raises(InputError, match="neither a video nor a picture"):
        folders.sources([str(chosen / "notes.txt")])


def test_an_upload_appears_when_it_is_complete(places):
    folders = places[0]
    path = receive(folders, "my clip.mp4", b"one", b"two", length=6)
    assert path == folders.uploads / "my clip.mp4" and path.read_bytes() == b"onetwo"
    again = receive(folders, "my clip.mp4", b"other")
    assert again.name == "my clip 2.mp4" and path.read_bytes() == b"onetwo"


@pytest.mark.parametrize(
    "name", ["../../escaped.mp4", "/etc/escaped.mp4", "..\\escaped.mp4", ".escaped.mp4"]
)
def test_the_name_of_an_upload_leads_nowhere(places, name):
    assert receive(places[0], name, b"x") == places[0].uploads / "escaped.mp4"
    assert receive(places[0], "a.png", b"x", group="../../out").parent.parent == places[0].uploads


@pytest.mark.parametrize("name", ["page.html", "run.sh", "picture.svg", "mp4", "", ".."])
def test_what_is_no_media_is_not_taken(places, name):
    with pytest.raises(InputError, match="neither a video nor a picture"):
        receive(places[0], name, b"x")


@pytest.mark.parametrize("length", [None, 11])
def test_an_upload_is_limited_whatever_it_announces(places, length):
    folders = places[0]
    folders.largest_upload = 10
    with pytest.raises(InputError, match="larger than"):
        receive(folders, "large.mp4", b"123456", b"78901", length=length)
    assert list(folders.uploads.iterdir()) == []


def test_an_upload_that_breaks_off_leaves_nothing(places):
    folders = places[0]
    with pytest.raises(InputError, match="only 3 of 6 bytes"):
        receive(folders, "short.mp4", b"one", length=6)

    async def broken():
        yield b"one"
        raise ConnectionError

    with pytest.raises(InputError, match="cannot be kept"):
        asyncio.run(folders.receive("short.mp4", None, None, broken()))
    assert list(folders.uploads.iterdir()) == []


def test_an_upload_that_does_not_fit_is_refused_first(places, monkeypatch):
    full = os.statvfs(places[0].uploads)
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 2**28 + 5}))
    assert full
    with pytest.raises(InputError, match="does not fit: the disk has room for 0 MiB"):
        receive(places[0], "clip.mp4", b"123456", length=6)


def test_only_uploads_can_be_deleted(places):
    folders, chosen, _ = places
    path = receive(folders, "mine.mp4", b"x")
    folders.forget_upload(str(path))
    assert not path.exists()
    for other in (chosen / "clip.mp4", folders.uploads, folders.results, chosen):
        with pytest.raises(InputError, match="is no upload"):
            folders.forget_upload(str(other))
        assert other.exists()


@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>.mp4", "a\nb\u202e.mp4", "é" * 300])
def test_names_are_safe_for_files(name):
    safe = safe_name(name)
    assert not set(safe) & set('<>:"|?*/\\\n') and len(safe) <= 150
