"""Files here and on object stores, whose part TensorFlow's file system in memory plays."""

import pytest

from tests.data import small_videos
from tests.data.making_records import SMALL, here
from tfvfi.data import making
from tfvfi.data.records import Records
from tfvfi.data.samples import Samples
from tfvfi.errors import InputError
from tfvfi.media import storage


@pytest.fixture(params=["here", "remote"])
def folder(request, tmp_path):
    return str(tmp_path) if request.param == "here" else f"ram://{tmp_path.name}"


def test_a_file_appears_when_it_is_complete(folder):
    storage.make_folder(storage.join(folder, "a", "b"))
    path = storage.join(folder, "a", "b", "c.bin")
    with storage.write_aside(path) as file:
        file.write(b"one")
        assert "c.bin" not in storage.names_in(storage.join(folder, "a", "b"))
    assert storage.read_text(path) == "one"
    with pytest.raises(RuntimeError), storage.write_aside(path) as file:
        file.write(b"two")
        raise RuntimeError
    assert storage.read_text(path) == "one"
    assert storage.names_in(storage.join(folder, "a", "b")) == ["c.bin"]
    storage.write_bytes(path, b"three")
    assert storage.read_text(path) == "three"
    storage.remove_folder(storage.join(folder, "a"))
    assert not storage.exists(path)
    assert storage.names_in(storage.join(folder, "a")) == []


def test_what_an_object_store_complains_of_is_like_a_disk(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match="No such file"),
        storage.open_file("ram://nowhere") as file,
    ):
        file.read()
    for complain in (storage.exists, storage.make_folder, storage.names_in):
        with pytest.raises(OSError, match="File system scheme 'none' not implemented"):
            complain("none://bucket/mine")
    with pytest.raises(OSError, match="'none' not"), storage.write_aside("none://b/c") as file:
        file.write(b"")
    videos = small_videos.write(tmp_path, count=1)
    with pytest.raises(InputError, match=r"^none://bucket/mine cannot be read: File system"):
        making.create(str(videos), "none://bucket/mine", SMALL, runner=here)
    with pytest.raises(InputError, match=r"^none://bucket/mine cannot be read: File system"):
        Samples("none://bucket/mine")


def test_only_one_writes(tmp_path):
    with storage.only_one(tmp_path), pytest.raises(InputError), storage.only_one(tmp_path):
        pass
    with storage.only_one(tmp_path):
        pass


def test_records_on_an_object_store_are_those_on_the_disk(tmp_path):
    videos = small_videos.write(tmp_path / "videos", count=2)
    outputs = str(tmp_path / "mine"), "ram://bucket/mine"
    ours, remote = (making.create(str(videos), one, SMALL, runner=here) for one in outputs)
    assert remote.manifest == ours.manifest
    assert remote.differing() == []
    assert storage.names_in(outputs[1]) == storage.names_in(outputs[0])
    assert list(remote.examples()) == list(ours.examples())
    assert len(Samples("ram://bucket/mine")) == len(list(ours.examples()))
    # Again: nothing to do.
    assert making.create(str(videos), outputs[1], SMALL).manifest == ours.manifest
    with pytest.raises(InputError, match=r"no finished records folder"):
        Records("ram://bucket/other")
