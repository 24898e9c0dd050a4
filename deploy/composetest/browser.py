"""An HTTP client with cookies, forms and file uploads that follows no redirects and raises no error for a status."""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode

TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Response:
    status: int
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


class Browser:
    def __init__(self, origin: str) -> None:
        """`origin` is like http://127.0.0.1:8000."""
        self.origin = origin
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies), _NoRedirect
        )

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Response:
        """Sends a request and returns the response, whatever its status. Raises OSError if there is none."""
        request = urllib.request.Request(self.origin + path, body, headers or {}, method=method)  # noqa: S310
        try:
            response = self._opener.open(request, timeout=TIMEOUT_SECONDS)
        except urllib.error.HTTPError as refused:
            response = refused
        with response:
            return Response(response.status, response.headers, response.read())

    def get(self, path: str, headers: dict[str, str] | None = None) -> Response:
        return self.ask("GET", path, headers=headers)

    def submit(self, path: str, fields: dict[str, str]) -> Response:
        """Posts a Django form as the page at `path` would: with its CSRF token and from its origin."""
        self.get(path)
        token = next(cookie.value for cookie in self.cookies if cookie.name == "csrftoken")
        body = urlencode({"csrfmiddlewaretoken": token, **fields}).encode()
        return self.ask("POST", path, body, {"Origin": self.origin, "Referer": self.origin + path})

    def send_photo(self, path: str, fields: dict[str, str], photo: bytes) -> Response:
        """Posts `fields` and `photo` as multipart/form-data."""
        boundary = secrets.token_hex(16)
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="photo"; filename="photo.jpg"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        )
        body = "".join(parts).encode() + photo + f"\r\n--{boundary}--\r\n".encode()
        return self.ask("POST", path, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})
