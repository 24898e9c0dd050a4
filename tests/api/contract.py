"""A client that holds every answer of the API against the schema that the API itself publishes."""

from __future__ import annotations

import functools
import io
import re
from typing import Any
from urllib.parse import quote
from uuid import UUID

from django.test import Client
from jsonschema import Draft202012Validator

from backend.analyses.models import Analysis
from tests.support.analyses import ANSWERS, PHOTO

ANALYSES = "/api/v1/analyses/"

ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

#: What an address may answer beside what its operation documents: these belong to HTTP, not to an operation.
ANYWHERE = {404, 405, 406}


@functools.cache
def published_schema() -> dict[str, Any]:
    """The OpenAPI document as it is served."""
    return dict(Client().get("/api/schema/?format=json").json())


@functools.cache
def validator(reference: str) -> Draft202012Validator:
    return Draft202012Validator(
        {"$ref": reference, "components": published_schema()["components"]},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def documented(method: str, path: str) -> dict[str, Any] | None:
    """The documented answers of an operation by status; None if there is no such operation."""
    for template, operations in published_schema()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", ID, template), path):
            operation = operations.get("get" if method == "HEAD" else method.lower())
            return operation and dict(operation["responses"])
    return None


def hold_to_contract(method: str, path: str, response: Any) -> None:
    """Fail unless status, media type, headers and body are what the schema and RFC 9457 promise.

    `response`: of Django's client or of `requests`.
    """
    said = f"{method} {path} → {response.status_code}"
    media_type, _, _ = response.headers.get("Content-Type", "").partition(";")
    answers = documented(method, path)
    status = response.status_code
    assert status < 500 or status == 503, said
    if answers is not None and status not in ANYWHERE:
        assert str(status) in answers, f"{said} is not documented"
    if status >= 400:
        assert media_type == "application/problem+json", said
        if method != "HEAD":
            problem = response.json()
            validator("#/components/schemas/ProblemSchema").validate(problem)
            assert problem["status"] == status, said
            assert problem["instance"] == quote(path.encode("latin-1"), safe="/:@&+$,-_.!~*'()"), said
    elif answers is not None and status not in {204, 304} and method != "HEAD":
        content = answers[str(status)]["content"]
        assert media_type in content, said
        if media_type == "application/json":
            validator(content[media_type]["schema"]["$ref"]).validate(response.json())
    if re.search(ID, path) and method != "OPTIONS":
        assert response.headers["Cache-Control"] == "private, no-store", said
        assert response.headers["Referrer-Policy"] == "no-referrer", said
    if media_type.endswith("json"):
        assert "Accept-Language" in response.headers["Vary"], said
        assert response.headers["Content-Language"] in {"ko", "en"}, said


class ContractClient(Client):
    """Django's client, which goes through every middleware, speaking the words of the API.

    Asks for English unless told otherwise. An unhandled error is an answer of 500 here, as for any other client.
    """

    def __init__(self) -> None:
        super().__init__(raise_request_exception=False, headers={"Accept-Language": "en"})

    def request(self, **request: Any) -> Any:
        response = super().request(**request)
        if request["PATH_INFO"].startswith("/api/v1/"):
            hold_to_contract(request["REQUEST_METHOD"], request["PATH_INFO"], response)
        return response

    def submit(
        self, photo: Any = PHOTO, *, without: str = "", headers: dict[str, str] | None = None, **answers: Any
    ) -> Any:
        """Send a photo (bytes, a file, or None for none) with good answers, except as told."""
        form: dict[str, Any] = {**ANSWERS, **answers}
        if photo is not None:
            form["photo"] = named("IMG_0001.jpg", photo) if isinstance(photo, bytes) else photo
        form.pop(without, None)
        return self.post(ANALYSES, form, headers=headers)

    def status(self, analysis: Analysis, **headers: str) -> Any:
        """Poll; headers by name with underscores."""
        return self.get(address(analysis), headers={name.replace("_", "-"): value for name, value in headers.items()})


def named(name: str, content: bytes) -> io.BytesIO:
    """A file of this name to upload."""
    file = io.BytesIO(content)
    file.name = name
    return file


def address(analysis: Analysis | UUID, action: str = "") -> str:
    """The address of an analysis, or of an action on it."""
    key = analysis.pk if isinstance(analysis, Analysis) else analysis
    return f"{ANALYSES}{key}/" + (f"{action}/" if action else "")
