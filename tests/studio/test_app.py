"""The routes, with a real worker behind them: facts, plans, uploads, files, and what is refused."""

import io
import re
import shutil
import time
import zipfile
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tfvfi.studio.app import PAGE, create_app
from tfvfi.studio.folders import Folders
from tfvfi.studio.jobs import Job
from tfvfi.studio.state import Studio

SAMPLE = Path(__file__).parents[2] / "samples" / "clip.mp4"
TOKEN = "a-secret-of-the-test"
MODEL = {"name": "flow_interpolation", "options": {}, "weights": None}
PLAN = {"inputs": ["{place}/clip.mp4"], "order": {"model": MODEL}}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chosen")
    shutil.copy(SAMPLE, folder / "clip.mp4")
    (folder / "broken.mp4").write_bytes(b"no video at all")
    return folder


@pytest.fixture(scope="module")
def studio(place):
    return Studio(Folders([place]))


@pytest.fixture(scope="module")
def page(studio):
    app = create_app(studio, TOKEN, "127.0.0.1", 8765)
    with TestClient(app, "http://127.0.0.1:8765") as browser:
        browser.get("/", params={"token": TOKEN})
        yield browser


def ask(page, action, **given):
    answer = page.post(f"/api/{action}", json=given)
    assert answer.status_code in (200, 400), answer.text
    return answer.json()


def clip(place):
    return [str(place / "clip.mp4")]


def test_the_page_and_all_that_it_loads_is_here(page):
    html = page.get("/").text
    for address in re.findall(r'(?:src|href)="([^"#]+)"', html):
        assert address.startswith("/page/") and page.get(address).status_code == 200
    for script in PAGE.glob("*.js"):
        answer = page.get(f"/page/{script.name}")
        assert answer.headers["content-type"].startswith("text/javascript")
        for imported in re.findall(r"from '\./(\S+)'", answer.text):
            assert (PAGE / imported).is_file()
    assert "<script>" not in html and "<style" not in html and " style=" not in html
    assert not re.search(r"\son\w+=", html)


def test_no_file_of_the_page_makes_html_or_asks_a_network():
    for path in PAGE.iterdir():
        text = path.read_text()
        assert "innerHTML" not in text and "insertAdjacentHTML" not in text, path
        addresses = set(re.findall(r"https?://[^\s'\"]+", text))
        assert addresses <= {"http://www.w3.org/2000/svg"}, path


@pytest.mark.parametrize("name", ["..%2fapp.py", "%2e%2e/app.py", "__init__.py", "index.html", ""])
def test_only_files_of_the_page_are_served(page, name):
    assert page.get(f"/page/{name}").status_code == 404


def test_facts_and_scan_of_a_video(page, place):
    facts = ask(page, "facts", inputs=clip(place))
    assert (facts["width"], facts["height"], facts["rate"]) == (640, 360, "30000/1001")
    assert facts["name"] == "clip" and facts["sound"][0]["channels"] == 2
    end = time.monotonic() + 30
    while not (status := ask(page, "scan", inputs=clip(place)))["result"]:
        assert time.monotonic() < end
        time.sleep(0.05)
    found = status["result"]
    assert (found["frames"], found["cuts"], found["repeats"]) == (31, [], 0)
    again = ask(page, "facts", inputs=clip(place))
    assert again["seconds"] == found["seconds"] == "31031/30000"


def test_a_damaged_video_is_shown_as_far_as_it_goes(page, place):
    whole = SAMPLE.read_bytes()
    path = place / "damaged.mp4"
    # In the middle of the pictures; where frames are is told elsewhere.
    path.write_bytes(whole[:70_000] + bytes(9000) + whole[79_000:])
    facts = ask(page, "facts", inputs=[str(path)])
    assert facts["frames"] == 31
    found = ask(page, "pair", inputs=[str(path)], seconds=0.1)
    assert found["time0"] < 0.11
    cut = place / "cut.mkv"
    cut.write_bytes(matroska(SAMPLE)[:40_000])
    facts = ask(page, "facts", inputs=[str(cut)])
    assert "bytes are missing" in facts["damage"]
    order = {"model": MODEL, "treatment": {"damaged": "keep"}}
    assert "--damaged=keep" in ask(page, "plan", inputs=[str(cut)], order=order)["command"]


def matroska(path):
    """The video of a file, in a container that knows how long it is."""
    import av

    made = io.BytesIO()
    with av.open(str(path)) as source, av.open(made, "w", format="matroska") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    return made.getvalue()


def test_frames_are_pictures(page, place):
    found = ask(page, "pair", inputs=clip(place), seconds=0.5)
    assert found["time0"] <= 0.5 < found["time1"]
    for name in ("frame0", "frame1"):
        picture = page.get(found[name])
        assert picture.headers["content-type"] == "image/png"
        assert picture.content.startswith(b"\x89PNG")
    last = ask(page, "pair", inputs=clip(place), seconds=1000)
    assert last["time1"] == pytest.approx(30 * 1001 / 30000)
    assert page.get("/api/pictures/unknown").status_code == 404


def test_a_plan_is_a_sentence_and_a_command(page, place):
    order = {"model": MODEL, "treatment": {"factor": 2}, "encoding": {}, "ending": ".mp4"}
    plan = ask(page, "plan", inputs=clip(place), order=order, seconds_each=1.0)
    assert "become 62 frames" in plan["sentence"] and plan["time"].startswith("About ")
    assert plan["command"].startswith("tfvfi interpolate --input=")
    assert plan["output"] == "clip smooth.mp4"


@pytest.mark.parametrize(
    ("action", "given", "said"),
    [
        ("facts", {"inputs": ["{place}/broken.mp4"]}, "cannot be read as a video"),
        ("facts", {"inputs": ["/etc/passwd"]}, "not in a folder that was given"),
        ("facts", {"inputs": ["{place}/../../../etc/passwd"]}, "not in a folder that was given"),
        ("facts", {}, "choose a video"),
        ("facts", {"inputs": ["{place}"]}, "at least two pictures are needed"),
        ("browse", {"path": "/etc"}, "not in a folder that was given"),
        ("pair", {"inputs": ["{place}/clip.mp4"], "seconds": "x"}, "a position is a number"),
        ("pair", {"inputs": ["{place}/clip.mp4"], "seconds": -1}, "a position is a number"),
        ("preview", {"inputs": ["{place}/clip.mp4"], "model": {"name": "x"}}, "no model 'x'"),
        ("preview", {"inputs": ["{place}/clip.mp4"], "model": {"name": "ifrnet"}}, "ifrnet"),
        ("plan", {**PLAN, "seconds_each": "x"}, "seconds_each is a number"),
        ("plan", {**PLAN, "seconds_each": -1}, "seconds_each is a number"),
        ("plan", {**PLAN, "seconds_each": True}, "seconds_each is a number"),
        ("plan", {**PLAN, "order": {"model": MODEL, "treatment": {"fps": "0"}}}, "is a rate"),
        ("add", {"inputs": ["{place}/clip.mp4"], "order": {"model": {"name": "x"}}}, "no model"),
        ("tune", {"inputs": ["{place}/clip.mp4"], "model": MODEL}, "no weights to train"),
        ("cancel", {"id": "unknown"}, "no such job"),
        ("forget_upload", {"path": "{place}/clip.mp4"}, "is no upload"),
    ],
)
def test_mistakes_are_the_sentences_of_the_commands(page, place, action, given, said):
    if "inputs" in given:
        given = {**given, "inputs": [each.format(place=place) for each in given["inputs"]]}
    if "path" in given:
        given = {**given, "path": given["path"].format(place=place)}
    answer = page.post(f"/api/{action}", json=given)
    assert answer.status_code == 400 and said in answer.json()["error"]
    assert "Traceback" not in answer.text and "\n" not in answer.json()["error"]


@pytest.mark.parametrize("body", ["", "{", "[]", "3", "[" * 100_000, '{"inputs": "x"}', "\xff"])
def test_requests_of_any_form_are_answered(page, body):
    headers = {"content-type": "application/json"}
    answer = page.post("/api/facts", content=body.encode("latin1"), headers=headers)
    assert answer.status_code == 400 and answer.json()["error"]


def test_a_form_of_another_page_is_no_request(page):
    answer = page.post("/api/jobs", content="{}", headers={"content-type": "text/plain"})
    assert answer.status_code == 400
    assert page.get("/api/jobs").status_code == 405
    assert page.post("/api/nonsense", json={}).status_code == 404


def test_a_long_request_is_refused(page):
    answer = page.post("/api/facts", json={"inputs": ["x" * 2**21]})
    assert answer.status_code == 400 and "too long" in answer.json()["error"]


def test_an_upload_is_opened_by_its_path(page, studio):
    name = "<img src=x onerror=alert(1)>.mp4"
    answer = page.put("/api/upload", params={"name": name}, content=SAMPLE.read_bytes())
    path = Path(answer.json()["path"])
    assert path.parent == studio.folders.uploads and path.read_bytes() == SAMPLE.read_bytes()
    assert ask(page, "facts", inputs=[str(path)])["frames"] == 31
    (listed,) = ask(page, "uploads")["media"]
    assert listed["path"] == str(path)
    ask(page, "forget_upload", path=str(path))
    assert not path.exists()


def test_an_upload_is_limited(page, studio):
    before, studio.folders.largest_upload = studio.folders.largest_upload, 100
    answer = page.put("/api/upload", params={"name": "large.mp4"}, content=b"x" * 101)
    studio.folders.largest_upload = before
    assert answer.status_code == 400 and "larger than" in answer.json()["error"]
    refused = page.put("/api/upload", params={"name": "page.html"}, content=b"<script>")
    assert refused.status_code == 400


def test_pictures_that_are_uploaded_together_are_one_source(page, clip_frames):
    import cv2

    for number in (0, 1):
        data = cv2.imencode(".png", clip_frames[number][::8, ::8, ::-1])[1].tobytes()
        given = {"name": f"{number}.png", "group": "pair"}
        folder = page.put("/api/upload", params=given, content=data).json()["folder"]
    facts = ask(page, "facts", inputs=[folder])
    assert (facts["kind"], facts["frames"], facts["has_clock"]) == ("pictures", 2, False)


def test_a_source_is_played_in_ranges_and_runs_nothing(page, place):
    address = f"/api/media?path={place / 'clip.mp4'}"
    part = page.get(address, headers={"range": "bytes=10-19"})
    assert part.status_code == 206 and part.content == SAMPLE.read_bytes()[10:20]
    assert part.headers["content-type"] == "video/mp4"
    assert page.get("/api/media?path=/etc/passwd").status_code == 400
    assert page.get("/api/media").status_code == 400


def test_results_are_downloaded(page, studio):
    video, pictures = (studio.folders.results / name for name in ("made.mp4", "pictures"))
    video.write_bytes(b"video")
    pictures.mkdir()
    for number in range(3):
        (pictures / f"{number}.png").write_bytes(bytes([number]) * 3000)
    jobs = [
        Job("interpolate", path.name, {}, str(path), "", state="done") for path in (video, pictures)
    ]
    for job in jobs:
        studio.queue.add(job)
    answer = page.get(f"/api/results/{jobs[0].id}?download=1")
    assert answer.content == b"video" and "attachment" in answer.headers["content-disposition"]
    assert answer.headers["content-type"] == "application/octet-stream"
    archive = zipfile.ZipFile(io.BytesIO(page.get(f"/api/results/{jobs[1].id}").content))
    assert archive.testzip() is None and archive.namelist() == ["0.png", "1.png", "2.png"]
    assert archive.read("2.png") == b"\2" * 3000
    for job in jobs:
        ask(page, "remove", id=job.id)


def test_a_result_that_became_a_link_out_is_refused(page, studio, tmp_path):
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"secret")
    path = studio.folders.results / "linked.mp4"
    path.symlink_to(secret)
    job = studio.queue.add(Job("interpolate", "linked.mp4", {}, str(path), "", state="done"))
    answer = page.get(f"/api/results/{job.id}")
    assert answer.status_code == 400 and b"secret" not in answer.content
    ask(page, "remove", id=job.id)
