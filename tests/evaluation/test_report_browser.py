"""The report in a real browser: sort, slide, flip, play, by keyboard, wide and narrow.

It needs Chromium or Chrome and the package selenium. `make test-all` installs selenium, which
fetches a browser and its driver where none is installed.
"""

import shutil
import time

import pytest

pytestmark = pytest.mark.slow

# Width, height, color scheme.
DESKTOP, PHONE = (1280, 900, "light"), (390, 844, "dark")


def start(width, height, scheme):
    """A headless browser; reduced motion keeps pictures still until they are told to move."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
    )
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.add_argument(f"--window-size={width},{height}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
    driver.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": name, "value": value} for name, value in features.items()]},
    )
    return driver


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop light", "phone dark"])
def browser(request, evaluated):
    driver = start(*request.param)
    try:
        driver.get((evaluated / "index.html").as_uri())
        yield driver
        assert [line for line in driver.get_log("browser") if line["level"] != "DEBUG"] == []
        requests = [line["message"] for line in driver.get_log("performance")]
        assert not [line for line in requests if "requestWillBeSent" in line and '"http' in line]
    finally:
        driver.quit()


def all_of(browser, selector):
    return browser.find_elements("css selector", selector)


def one(browser, selector):
    return browser.find_element("css selector", selector)


def column(browser, number):
    cells = all_of(browser, f"#samples tbody tr > :nth-child({number})")
    return [cell.text for cell in cells]


def open_first(browser):
    one(browser, "#samples tbody button").click()
    until(lambda: one(browser, "#left").get_property("complete"))


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def test_it_fits_and_is_in_its_colors(browser, request):
    width, ink = browser.execute_script(
        "return [document.documentElement.scrollWidth - innerWidth,"
        " getComputedStyle(document.body).color]"
    )
    assert width <= 0
    dark = "phone" in request.node.callspec.id
    assert (sum(map(int, ink[4:-1].split(","))) > 382) == dark
    button = one(browser, "#theme")
    seen = [button.text]
    for _ in range(3):
        button.click()
        seen.append(button.text)
    assert seen == [f"Theme: {name}" for name in ("system", "dark", "light", "system")]
    assert len(all_of(browser, "#means tbody tr")) == 2
    one(browser, "#definitions summary").click()
    assert "Gaussian window 11 x 11" in one(browser, "#definitions").text


def test_samples_are_sorted_by_any_column(browser):
    worst_first = [float(text) for text in column(browser, 2)]
    assert worst_first == sorted(worst_first) and len(worst_first) == 3
    buttons = all_of(browser, "#samples thead button")
    # Sorting makes the buttons anew.
    for number, key in enumerate([each.get_attribute("data-key") for each in buttons], start=1):
        values = {}
        for _ in range(2):
            one(browser, f'#samples button[data-key="{key}"]').click()
            cell = one(browser, f'#samples button[data-key="{key}"]').find_element("xpath", "..")
            values[cell.get_attribute("aria-sort")] = column(browser, number)
        assert values["ascending"] == values["descending"][::-1]
        if number > 1:
            assert values["ascending"] == sorted(values["ascending"], key=float)
    assert "<b>two/000" in column(browser, 1)


def test_another_network_has_other_numbers(browser):
    before = column(browser, 2)
    browser.execute_script(
        "const s = document.getElementById('network'); s.value = 'ifrnet_s_fresh';"
        "s.dispatchEvent(new Event('change'));"
    )
    assert column(browser, 2) != before
    open_first(browser)
    assert one(browser, "#left-tag").text == "ifrnet_s_fresh"


def test_a_sample_is_slid_flipped_and_played(browser):
    open_first(browser)
    dialog = one(browser, "#viewer")
    assert browser.execute_script("return arguments[0].open", dialog)
    fits = browser.execute_script(
        "return arguments[0].scrollWidth <= arguments[0].clientWidth", dialog
    )
    assert fits
    sizes = browser.execute_script(
        "return ['left', 'right'].map((id) => document.getElementById(id).naturalWidth)"
    )
    assert sizes == [96, 96]

    # Slide by keyboard, then by dragging.
    split = one(browser, "#split")
    split.send_keys("\ue014" * 4)  # right arrow
    assert float(split.get_property("value")) == 52
    assert one(browser, "#left").value_of_css_property("clip-path") == "inset(0px 48% 0px 0px)"
    from selenium.webdriver import ActionChains

    stack = one(browser, "#slider .stack")
    ActionChains(browser).move_to_element(stack).click_and_hold().move_by_offset(
        -stack.size["width"] // 4, 0
    ).release().perform()
    assert 20 < float(split.get_property("value")) < 30

    # The flip stands still for those who want no motion, steps, and moves when asked.
    tags = []
    for _ in range(3):
        tags.append(one(browser, "#flip-tag").text)
        one(browser, "#step").click()
    assert tags == ["flow_interpolation, time 0.5", "second frame", "first frame"] or (
        tags[1:] == ["second frame", "first frame"] and tags[0].startswith("flow_interpolation")
    )
    now = one(browser, "#flip-tag").text
    one(browser, "#play").click()
    until(lambda: one(browser, "#flip-tag").text != now)
    one(browser, "#play").click()

    assert one(browser, "#error img").get_property("naturalWidth") == 96
    assert "of 255" in one(browser, "#error figcaption").text
    assert one(browser, "#flow img").get_property("naturalWidth") == 96

    videos = all_of(browser, "#playback video")
    assert len(videos) == 2
    until(lambda: all(video.get_property("readyState") >= 2 for video in videos))
    one(browser, "#play-both").click()
    until(lambda: all(video.get_property("currentTime") > 0 for video in videos))
    one(browser, "#play-both").click()
    assert all(video.get_property("paused") for video in videos)


def test_the_keyboard_is_enough(browser):
    from selenium.webdriver import ActionChains
    from selenium.webdriver.common.keys import Keys

    def press(key):
        ActionChains(browser).send_keys(key).perform()

    def focused(script="id"):
        return browser.execute_script(f"return document.activeElement.{script}")

    for _ in range(40):
        press(Keys.TAB)
        if focused("closest('#samples tbody') !== null"):
            break
    name = focused("textContent")
    press(Keys.ENTER)
    until(lambda: one(browser, "#viewer-title").text == name)
    press(Keys.ARROW_RIGHT)
    assert one(browser, "#viewer-title").text != name
    press(Keys.ARROW_LEFT)
    assert one(browser, "#viewer-title").text == name
    press(Keys.ESCAPE)
    until(lambda: not browser.execute_script("return document.getElementById('viewer').open"))
    assert focused("textContent") == name
