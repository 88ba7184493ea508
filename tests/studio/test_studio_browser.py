"""The studio in a real browser, from a dropped clip to a downloaded result.

It needs Chromium or Chrome and the package selenium, as the report's test does.
"""

import json
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import av
import cv2
import pytest

from tests.evaluation.test_report_browser import DESKTOP, PHONE, all_of, one, start, until

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
FRAMES, FACTOR = 150, 4
# A file name that would be a script if it ever became HTML.
NAME = "<img src=x onerror=alert(1)> clip.mp4"


def write_clip(path, clip_frames):
    """The sample clip there and back again, small, so that a job is long enough to be killed."""
    there = [cv2.resize(frame, (96, 54), interpolation=cv2.INTER_AREA) for frame in clip_frames]
    both = there + there[-2:0:-1]
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 96, 54, "yuv420p"
        for number in range(FRAMES):
            image = both[number % len(both)]
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(stream.encode(None))
    return path


class Server:
    """A studio in a process of its own."""

    def __init__(self, folder, port=0):
        self.folder, self.process = folder, None
        self.results = folder / "tfvfi-studio" / "results"
        self.port = port
        self.start()

    def start(self):
        command = [sys.executable, str(ROOT / "tools" / "studio.py"), f"--folder={self.folder}"]
        command += [f"--port={self.port}", "--no_browser"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        line = self.process.stdout.readline()
        self.address = re.search(r"http://\S+", line).group()
        self.port = int(re.search(r":(\d+)/", self.address).group(1))

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "chosen"
    folder.mkdir()
    made = Server(folder)
    yield made
    made.kill()


def opened(server, *how):
    browser = start(*how)
    browser.get(server.address)
    until(lambda: browser.execute_script("return 'ready' in document.documentElement.dataset"), 30)
    return browser


def console(browser):
    return [line for line in browser.get_log("browser") if line["level"] != "DEBUG"]


def drop(browser, path):
    """Drops a file onto the page, as a file manager does."""
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        event = {"type": kind, "x": 300, "y": 300, "data": data}
        browser.execute_cdp_cmd("Input.dispatchDragEvent", event)


def text(browser, selector):
    """What is read there; found and read at once, because rows of the queue are made anew."""
    script = "return document.querySelector(arguments[0])?.innerText ?? ''"
    return browser.execute_script(script, selector)


def job_button(browser, word):
    """Presses a button of the newest job as soon as it is there."""
    script = """const button = document.querySelector(arguments[0]);
      button?.click();
      return button !== null;"""
    selector = f".job button[aria-label^='{word}']"
    until(lambda: browser.execute_script(script, selector))


def choose(browser, name, value):
    one(browser, f'input[name="{name}"][value="{value}"]').click()


def jobs(browser):
    script = """const done = arguments[0];
      const headers = {'content-type': 'application/json'};
      fetch('/api/jobs', {method: 'POST', headers, body: '{}'})
        .then((answer) => answer.json()).then((answer) => done(answer.jobs), () => done([]));"""
    return browser.execute_async_script(script)


def test_a_clip_is_dropped_previewed_run_cancelled_killed_resumed_played_downloaded(
    server, clip_frames, tmp_path
):
    clip = write_clip(tmp_path / NAME, clip_frames)
    browser = opened(server, *DESKTOP)
    browser.set_script_timeout(30)
    try:
        assert "token" not in browser.current_url
        drop(browser, clip)
        until(lambda: "half-way" in text(browser, "#preview-status"), 120)
        assert text(browser, "#source-title") == "img src=x onerror=alert(1) clip"
        assert "96 \u00d7 54" in text(browser, "#facts") and "25 frames a second" in text(
            browser, "#facts"
        )
        until(lambda: "no cuts" in text(browser, "#facts"), 60)
        sizes = browser.execute_script(
            "return [...document.querySelectorAll('#stage img')].map((image) => image.naturalWidth)"
        )
        assert sizes == [96, 96]

        choose(browser, "quality", "fast")
        choose(browser, "factor", str(FACTOR))
        until(lambda: f"become {FRAMES * FACTOR} frames" in text(browser, "#sentence"))
        until(lambda: text(browser, "#estimate").startswith("About "), 120)
        command = one(browser, "#command").get_property("textContent")
        assert (
            command.startswith("tfvfi interpolate")
            and "--model=flow_interpolation,flow=dis_quick,scale=0.5" in command
        )

        one(browser, "#start").click()
        until(lambda: text(browser, ".job .state") == "Running")
        until(lambda: jobs(browser)[0]["done"] > 3, 120)
        job_button(browser, "Cancel")
        until(lambda: text(browser, ".job .state") == "Cancelled")
        assert server_has_no_job_running(browser)
        job_button(browser, "Continue")
        until(lambda: text(browser, ".job .state") == "Running")
        # Parts of 240 frames are finished one by one, and sooner where work is slow.
        until(lambda: jobs(browser)[0]["done"] > 250, 300)
        assert console(browser) == []

        server.kill()
        until(lambda: "does not answer" in text(browser, "#trouble"), 20)
        assert list(server.results.glob(".*.parts/*.packets"))
        refused = console(browser)
        assert refused and all("ERR_CONNECTION_REFUSED" in line["message"] for line in refused)
        server.start()
        until(lambda: text(browser, "#trouble") == "", 20)
        console(browser)
        # A rate is that of this attempt: its first frames follow those that are finished.
        until(lambda: jobs(browser)[0]["rate"] is not None, 120)
        assert jobs(browser)[0]["done"] > 240
        until(lambda: text(browser, ".job .state") == "Done", 300)
        (job,) = jobs(browser)
        assert job["result"] == {"frames": FRAMES * FACTOR}

        job_button(browser, "Play")
        videos = all_of(browser, "#player video")
        until(lambda: all(video.get_property("readyState") >= 2 for video in videos), 20)
        one(browser, "#play").click()
        until(lambda: videos[0].get_property("currentTime") > 0.5, 20)
        source, result = browser.execute_script(
            "return [...document.querySelectorAll('#player video')].map((each) => each.currentTime)"
        )
        assert abs(source - result) < 0.2
        one(browser, "#play").click()
        assert all(video.get_property("paused") for video in videos)

        browser.execute_cdp_cmd(
            "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
        )
        one(browser, "#player-download").click()
        downloaded = tmp_path / Path(job["output"]).name
        until(downloaded.exists, 20)
        assert downloaded.read_bytes() == Path(job["output"]).read_bytes()
        with av.open(str(downloaded)) as made:
            assert sum(1 for _ in made.decode(video=0)) == FRAMES * FACTOR

        assert console(browser) == []
        assert only_this_server_was_asked(browser, server)
    finally:
        browser.quit()
    assert server.stop() in (0, 130)
    assert [path.name for path in server.results.iterdir()] == [downloaded.name]


def server_has_no_job_running(browser):
    return all(job["state"] != "running" for job in jobs(browser))


def only_this_server_was_asked(browser, server):
    for line in browser.get_log("performance"):
        message = json.loads(line["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            address = message["params"]["request"]["url"]
            assert address.startswith((f"http://127.0.0.1:{server.port}/", "data:")), address
    return True


@pytest.mark.parametrize("how", [DESKTOP, PHONE], ids=["desktop light", "phone dark"])
def test_it_fits_has_its_colours_and_is_labelled(server, how):
    shutil.copy(ROOT / "samples" / "clip.mp4", server.folder / "clip.mp4")
    browser = opened(server, *how)
    try:
        one(browser, "#browse").click()
        until(lambda: all_of(browser, "#browser-list button.video"))
        one(browser, "#browser-list button.video").click()
        until(lambda: "half-way" in text(browser, "#preview-status"), 120)
        for page in ("interpolate", "tune"):
            one(browser, f'nav a[data-page="{page}"]').click()
            for summary in all_of(browser, "summary"):
                if summary.is_displayed():
                    summary.click()
            width, ink = browser.execute_script(
                "return [document.documentElement.scrollWidth,"
                " getComputedStyle(document.body).color]"
            )
            # The width of the device: what is too wide would make the viewport wider.
            assert width <= how[0]
            assert (sum(map(int, ink[4:-1].split(","))) > 382) == (how is PHONE)
            assert unnamed(browser) == []
        button = one(browser, "#theme")
        seen = [button.text]
        for _ in range(3):
            button.click()
            seen.append(button.text)
        assert seen == [f"Theme: {name}" for name in ("system", "light", "dark", "system")]
        assert console(browser) == []
    finally:
        browser.quit()


def unnamed(browser):
    """Controls that a screen reader could not name."""
    tree = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = {"button", "textbox", "combobox", "slider", "radio", "checkbox", "link", "spinbutton"}
    return [
        node
        for node in tree
        if not node.get("ignored")
        and node.get("role", {}).get("value") in roles
        and not node.get("name", {}).get("value")
    ]


def test_the_keyboard_is_enough(server):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    shutil.copy(ROOT / "samples" / "clip.mp4", server.folder / "clip.mp4")
    browser = opened(server, *DESKTOP)

    def press(key):
        ActionChains(browser).send_keys(key).perform()

    def tab_to(selector):
        for _ in range(60):
            if browser.execute_script(
                "return document.activeElement.matches(arguments[0])", selector
            ):
                return
            press(Keys.TAB)
        raise AssertionError(f"{selector} is not reached by the tabulator")

    try:
        tab_to("#browse")
        press(Keys.ENTER)
        until(lambda: all_of(browser, "#browser-list button.video"))
        tab_to("#browser-list button.video")
        press(Keys.ENTER)
        until(lambda: "half-way" in text(browser, "#preview-status"), 120)
        tab_to("#stage .split")
        press(Keys.ARROW_RIGHT)
        assert "49.5%" in one(browser, "#stage .left").value_of_css_property("clip-path")
        tab_to("#position")
        before = text(browser, "#clock")
        press(Keys.ARROW_RIGHT * 3)
        assert text(browser, "#clock") != before
        tab_to('input[name="factor"]')
        press(Keys.ARROW_RIGHT)
        until(lambda: "become 93 frames" in text(browser, "#sentence"))
        tab_to("#start")
        press(Keys.ENTER)
        until(lambda: text(browser, ".job .state") in ("Running", "Waiting"))
        tab_to(".job button")
        press(Keys.ENTER)
        until(lambda: text(browser, ".job .state") == "Cancelled")
        assert console(browser) == []
    finally:
        browser.quit()


def test_mistakes_are_sentences_on_the_page(server, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video at all")
    shutil.copy(ROOT / "samples" / "clip.mp4", server.folder / "clip.mp4")
    browser = opened(server, *DESKTOP)
    try:
        drop(browser, tmp_path / "broken.mp4")
        until(lambda: "cannot be read as a video" in text(browser, "#trouble"), 60)
        one(browser, "#browse").click()
        until(lambda: all_of(browser, "#browser-list button.video"))
        one(browser, "#browser-list button.video").click()
        until(lambda: "half-way" in text(browser, "#preview-status"), 120)
        assert text(browser, "#trouble") == ""
        choose(browser, "motion", "rate")
        field = one(browser, "#fps")
        field.clear()
        field.send_keys("many")
        until(lambda: "is a rate such as 60" in text(browser, "#sentence"))
        assert not one(browser, "#start").is_enabled()
        choose(browser, "motion", "smooth")
        until(lambda: one(browser, "#start").is_enabled())
        choose(browser, "quality", "own")
        one(browser, '#network option[value="ifrnet"]').click()
        until(lambda: "comes without weights" in text(browser, "#preview-status"), 180)
        # The browser itself notes answers that are no success.
        assert all("400 (Bad Request)" in line["message"] for line in console(browser))
    finally:
        browser.quit()


def test_a_running_studio_refuses_strangers(server):
    base = server.address.partition("?")[0]
    token = server.address.partition("token=")[2]
    cases = {
        "no token": (f"{base}api/jobs", {}),
        "foreign origin": (
            f"{base}api/jobs",
            {"X-Studio-Token": token, "Origin": "http://evil.example"},
        ),
        "rebound host": (f"{base}api/jobs", {"X-Studio-Token": token, "Host": "evil.example"}),
        "escaping path": (f"{base}api/media?path=/etc/passwd", {"X-Studio-Token": token}),
        "escaping page": (f"{base}page/..%2fapp.py", {"X-Studio-Token": token}),
    }
    answers = {}
    for name, (address, headers) in cases.items():
        data = b"{}" if address.endswith("jobs") else None
        headers = {**headers, "Content-Type": "application/json"}
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(address, data, headers), timeout=20)
        answers[name] = caught.value.code
    assert answers == {
        **{"no token": 403, "foreign origin": 403, "rebound host": 403},
        **{"escaping path": 400, "escaping page": 404},
    }
