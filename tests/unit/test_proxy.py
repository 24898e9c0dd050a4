"""What the proxy answers by itself while no backend is behind it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.support.environment import ROOT

PROXY = ROOT / "deploy" / "proxy"
CONFIGURATION = (PROXY / "nginx.conf").read_text()
PAGES = sorted((PROXY / "unavailable").glob("*.html"))
HANGUL = re.compile("[가-힣]")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_speaks_one_language_tries_again_and_needs_nobody_else(page: Path) -> None:
    text = page.read_text()
    assert f'<html lang="{page.stem}">' in text
    assert bool(HANGUL.search(text)) is (page.stem == "ko")
    assert "니다" not in text
    assert '<meta http-equiv="refresh"' in text
    assert not re.search(r"https?:|<script|<style|\sstyle=", text)
    for sheet in re.findall(r'href="/static/([^"]+)"', text):
        assert (ROOT / "frontend" / "static" / sheet).is_file()


def test_there_is_a_page_for_each_language_that_the_proxy_chooses() -> None:
    assert [page.stem for page in PAGES] == ["en", "ko"]
    assert "error_page 502 504 =503 /unavailable/$language.html;" in CONFIGURATION
    assert (
        "COPY deploy/proxy/unavailable /srv/proxy/unavailable"
        in (ROOT / "deploy" / "containers" / "web.Containerfile").read_text()
    )


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("", "", "ko"),
        ("", "ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", "ko"),
        ("", "en-US,en;q=0.9,ko;q=0.8", "en"),
        ("", "fr-FR,fr;q=0.9,en;q=0.8", "en"),
        ("", "de", "ko"),
        ("ko", "en-US,en;q=0.9", "ko"),
        ("en", "ko-KR,ko;q=0.9", "en"),
    ],
)
def test_the_language_is_the_chosen_one_else_the_browser_s(chosen: str, accepted: str, language: str) -> None:
    pattern = re.search(
        r'map "\$cookie_django_language,\$http_accept_language" \$language \{\s*"~\*(.+)" en;', CONFIGURATION
    )
    assert pattern
    assert (re.search(pattern[1], f"{chosen},{accepted}", re.IGNORECASE) is not None) is (language == "en")


def number(pattern: str, text: str) -> int:
    found = re.search(pattern, text)
    assert found, pattern
    return int(found[1])


def test_bodies_that_are_still_coming_fit_into_the_memory_that_they_lie_in() -> None:
    """Slow clients could otherwise fill half of the host's memory, the default size of a tmpfs."""
    proxy = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["proxy"]
    [temporary] = proxy["tmpfs"]
    room = number(r"^/tmp:size=(\d+)m$", temporary) * 1024
    body, buffer = (
        number(rf"{name} (\d+)k;", CONFIGURATION) for name in ("client_max_body_size", "client_body_buffer_size")
    )
    assert number(r"limit_conn large_bodies (\d+);", CONFIGURATION) * body < room
    # Those that are not counted stay in their buffer.
    uncounted = re.search(r'"~(\S+)" "";', CONFIGURATION)
    assert uncounted
    counted = {
        length: not re.match(uncounted[1], length) for length in (":", ":0", ":99999", ":100000", "chunked:", "x:5")
    }
    assert counted == {":": False, ":0": False, ":99999": False, ":100000": True, "chunked:": True, "x:5": True}
    assert buffer * 1024 > 99999
    assert CONFIGURATION.count("error_page 503 @busy;") == CONFIGURATION.count("error_page 413 @too_large;")


def test_what_the_proxy_says_itself_is_in_the_voice_of_the_pages() -> None:
    said = [line for line in CONFIGURATION.splitlines() if HANGUL.search(line)]
    assert said
    assert all("요." in line and "니다" not in line for line in said)


# What the proxy keeps inside, and what it says for browsers


def block(head: str) -> str:
    """What stands between the braces of a block."""
    begin = CONFIGURATION.index("{", CONFIGURATION.index(head)) + 1
    depth = 1
    for end in range(begin, len(CONFIGURATION)):
        depth += {"{": 1, "}": -1}.get(CONFIGURATION[end], 0)
        if not depth:
            return CONFIGURATION[begin:end]
    raise AssertionError(f"{head} has no end")


@pytest.mark.parametrize("path", ["/metrics", "/internal/"])
def test_what_is_for_the_inside_is_not_there_for_the_outside(path: str) -> None:
    # ^~ keeps locations given as patterns from being chosen instead.
    assert block(f"location ^~ {path}").split() == ["return", "404;"]
    assert "location ~" not in CONFIGURATION


def test_nobody_gets_to_flower_but_staff() -> None:
    assert "auth_request /staff;" in block("location ^~ /flower/")
    assert "error_page 401 = @staff_login;" in block("location ^~ /flower/")
    assert CONFIGURATION.count("proxy_pass $flower") == 1
    asked = block("location = /staff")
    assert "internal;" in asked
    assert "proxy_pass $web/internal/staff/;" in asked
    assert "proxy_pass_request_body off;" in asked


def test_flower_and_the_data_are_published_to_nobody() -> None:
    services = re.split(r"^  (?=\w+:$)", (ROOT / "docker-compose.yml").read_text(), flags=re.MULTILINE)
    publishing = [service.split(":")[0] for service in services if re.search(r"^    ports:", service, re.MULTILINE)]
    assert publishing == ["proxy"]
    assert "UNAUTHENTICATED" not in (ROOT / "docker-compose.yml").read_text()


def test_the_sender_s_forwarded_for_is_kept_apart_from_the_proxy_s() -> None:
    headers = re.findall(r"proxy_set_header X-Forwarded-For (.+);", CONFIGURATION)
    # Appended on the right, where `client_address` counts from; never what the sender wrote alone.
    assert headers
    assert set(headers) == {"$proxy_add_x_forwarded_for"}


@pytest.mark.parametrize(
    "head", ["location ^~ /static/", "location ^~ /flower/", "location @too_large", "location @unavailable",
             "location ^~ /unavailable/"],
)  # fmt: skip
def test_what_the_proxy_answers_itself_is_guarded_as_well(head: str) -> None:
    said = dict(re.findall(r"add_header (\S+) (.+);", block(head)))
    assert said["X-Content-Type-Options"].startswith("nosniff")
    if head in {"location ^~ /static/", "location ^~ /flower/"}:
        assert said["X-Frame-Options"].startswith("DENY")
        assert said["Cross-Origin-Resource-Policy"].startswith("same-origin")
    if head in {"location ^~ /static/", "location ^~ /unavailable/"}:
        assert said["Content-Security-Policy"].startswith("\"default-src 'none';")


def test_no_address_with_an_id_is_logged() -> None:
    assert "access_log /dev/stdout lines;" in CONFIGURATION
    lines = re.search(r"log_format lines.*?;", CONFIGURATION, re.DOTALL)
    assert lines
    said = set(re.findall(r"\$(\w+)", lines[0]))
    assert "logged_path" in said
    assert not said & {"request", "request_uri", "uri", "args", "remote_addr", "http_user_agent", "http_referer"}
