"""What drf-spectacular can't tell from a view: summaries, examples, and the codes of errors."""

from __future__ import annotations

import json
import re
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from drf_spectacular.openapi import AutoSchema

from backend.config.errors import COMMON, error_codes

#: By operation: `request`, and one example for each status of an answer in JSON.
_EXAMPLES_FILE = Path(__file__).with_name("api_examples.json")


class OperationSchema(AutoSchema):
    def get_summary(self) -> str:
        """The first sentence of the view's docstring."""
        return re.split(r"[.;:](?:\s|$)", self.get_description(), maxsplit=1)[0]


def add_error_codes(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Hook: list every code that a problem may have."""
    code = result["components"]["schemas"]["ProblemSchema"]["properties"]["code"]
    code["enum"] = list(error_codes())
    return result


def add_examples(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Hook: give every body in JSON an example."""
    for path, operations in result["paths"].items():
        for operation in operations.values():
            examples = _examples().get(operation["operationId"], {})
            for content in operation.get("requestBody", {}).get("content", {}).values():
                if "request" in examples:
                    content["example"] = examples["request"]
            for status, response in operation["responses"].items():
                content = response.get("content", {})
                if "application/json" in content and status in examples:
                    content["application/json"]["example"] = examples[status]
                if "application/problem+json" in content:
                    content["application/problem+json"]["example"] = _problem_example(int(status), path)
    return result


@cache
def _examples() -> dict[str, dict[str, Any]]:
    return dict(json.loads(_EXAMPLES_FILE.read_text(encoding="utf-8")))


def _problem_example(status: int, path: str) -> dict[str, Any]:
    own = next((code, text) for code, (number, text) in error_codes().items() if number == status)
    code, detail = COMMON.get(status, own)
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": str(detail),
        "instance": path,
    }
