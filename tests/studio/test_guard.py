"""Strangers are refused: without the token, from other origins, by other host names."""

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from tfvfi.studio.guard import HEADERS, Guard

TOKEN = "a-secret-of-the-test"
PORT = 8765
HERE = f"http://127.0.0.1:{PORT}"


def client(host="127.0.0.1", base=HERE):
    return TestClient(Guard(PlainTextResponse("inside"), TOKEN, host, PORT), base)


@pytest.fixture
def known():
    """A browser that has opened the printed address."""
    browser = client()
    assert browser.get("/", params={"token": TOKEN}).text == "inside"
    return browser


def test_the_printed_address_opens_the_studio_and_leaves_a_cookie(known):
    assert known.get("/").text == "inside"
    assert known.post("/api/jobs", headers={"origin": HERE}).text == "inside"


def test_the_cookie_is_kept_from_scripts_and_other_sites():
    answer = client().get("/", params={"token": TOKEN})
    cookie = answer.headers["set-cookie"]
    assert f"tfvfi_studio_{PORT}={TOKEN}" in cookie
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/api/jobs", "/api/media?path=/etc/passwd"])
@pytest.mark.parametrize("given", [None, "", "wrong", TOKEN + "x", TOKEN[:-1]])
def test_without_the_token_nothing_is_answered(path, given):
    stranger = client()
    if given is not None:
        stranger.cookies.set(f"tfvfi_studio_{PORT}", given)
    answer = stranger.get(path)
    assert answer.status_code == 403 and "token" in answer.text
    assert "set-cookie" not in answer.headers


def test_the_token_in_the_query_opens_the_first_page_only():
    assert client().get("/api/jobs", params={"token": TOKEN}).status_code == 403
    assert client().get("/", params={"token": "wrong"}).status_code == 403


def test_programs_send_the_token_in_a_header():
    assert client().post("/api/jobs", headers={"x-studio-token": TOKEN}).text == "inside"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": f"http://localhost:{PORT}"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
    ],
)
def test_other_origins_are_refused_even_with_the_cookie(known, headers):
    for answer in (known.post("/api/jobs", headers=headers), known.get("/api/x", headers=headers)):
        assert answer.status_code == 403 and "its own page only" in answer.text


def test_the_printed_address_may_be_a_link_on_another_page():
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client().get("/", params={"token": TOKEN}, headers=headers).text == "inside"


@pytest.mark.parametrize("host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1.evil.example"])
def test_a_rebound_host_name_is_refused(known, host):
    answer = known.get("/", headers={"host": host})
    assert answer.status_code == 403 and "host name" in answer.text


@pytest.mark.parametrize("host", ["localhost", f"LOCALHOST:{PORT}", f"[::1]:{PORT}", "127.0.0.1"])
def test_names_of_this_machine_are_taken(known, host):
    assert known.get("/", headers={"host": host, "x-studio-token": TOKEN}).text == "inside"


def test_on_the_network_addresses_are_taken_and_foreign_names_are_not():
    browser = client("0.0.0.0")
    headers = {"x-studio-token": TOKEN}
    assert browser.get("/", headers={**headers, "host": "192.168.1.7:8765"}).text == "inside"
    assert browser.get("/", headers={**headers, "host": "evil.example"}).status_code == 403


def test_every_answer_has_the_security_headers(known):
    for answer in (known.get("/"), client().get("/")):
        assert all(answer.headers[name] == value for name, value in HEADERS.items())
    policy = HEADERS["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy


def test_web_sockets_are_closed(known):
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), known.websocket_connect("/"):
        pass
