"""A photo through web, database, broker, worker and models, all of them real processes."""

from __future__ import annotations

import pytest
import requests

from ml.labels import MODEL_KEYS, SYMPTOMS, scalp_type
from tests.support.stack import Stack

pytestmark = [pytest.mark.processes, pytest.mark.database]


def test_a_photo_comes_back_with_six_findings_and_one_human(stack: Stack) -> None:
    answer = stack.submit(sex="male", age="80s")
    assert answer.status_code == 202
    ended = stack.wait(answer.json()["id"])

    assert ended["status"] == "succeeded"
    assert ended["models_done"] == len(MODEL_KEYS)
    result = ended["result"]
    assert [finding["symptom"] for finding in result["findings"]] == [symptom.key for symptom in SYMPTOMS]
    assert (result["skin"], result["pred"]) == scalp_type([finding["grade"] for finding in result["findings"]])
    assert all(abs(sum(finding["probabilities"]) - 1) < 0.001 for finding in result["findings"])
    assert result["demo"] is True
    human = stack.rows(f"list(Human.objects.filter(analysis='{ended['id']}').values('sex', 'age', 'skin', 'pred'))")
    assert human == [{"sex": "남", "age": "80대 이상", "skin": result["skin"], "pred": result["pred"]}]


def test_the_service_says_that_seven_models_are_resident(stack: Stack) -> None:
    ready = requests.get(f"{stack.url}/readyz", timeout=5)
    assert ready.status_code == 200
    told = {"ready": True, "workers": 1, "models_resident": 7, "bundle": "demo@1.0.0"}
    assert ready.json() == {**told, "reasons": [], "warnings": []}
    assert stack.log("model").read_text().count("7 models resident") == stack.starts["model"]
