"""From the index to the erasure with the client that openapi-python-client generates."""

import sys
from http import HTTPStatus
from io import BytesIO
from pathlib import Path

from generated_client import Client
from generated_client.api.analyses import (
    analysis_erase,
    analysis_export,
    analysis_feedback,
    analysis_share,
    analysis_status,
    analysis_submit,
)
from generated_client.api.default import index
from generated_client.models import (
    AgeEnum,
    AnalysisSchema,
    ConsentEnum,
    ExportSchema,
    FeedbackSchema,
    OpinionEnum,
    ProblemSchema,
    ProblemSchemaCode,
    ResultSchema,
    SexEnum,
    ShareSchema,
    StatusEnum,
    SubmissionSchema,
)
from generated_client.types import File
from httpx import Timeout

url, path = sys.argv[1:]
photo = Path(path).read_bytes()

with Client(base_url=url, headers={"Accept-Language": "en"}, timeout=Timeout(60)) as client:
    start = index.sync(client=client)
    assert start is not None
    assert len(photo) < start.limits.photo_max_bytes
    print(f"{start.name} {start.version}; consent of {start.consent.version}")

    answers = SubmissionSchema(
        photo=File(BytesIO(photo), "scalp.jpg", "image/jpeg"),
        sex=SexEnum.FEMALE,
        age=AgeEnum.VALUE_2,
        consent=ConsentEnum.TRUE,
    )
    analysis = analysis_submit.sync(client=client, body=answers)
    while isinstance(analysis, AnalysisSchema) and analysis.status in {StatusEnum.QUEUED, StatusEnum.RUNNING}:
        analysis = analysis_status.sync(analysis.id, client=client, prefer="wait=20")
    assert isinstance(analysis, AnalysisSchema), analysis
    assert isinstance(analysis.result, ResultSchema), analysis
    result = analysis.result
    print(f"{result.report.headline}: {len(result.judgment.signs)} signs, {result.type_label=}, {result.degree=}")
    assert analysis.age == AgeEnum.VALUE_2
    assert isinstance(analysis.photo_url, str)
    assert client.get_httpx_client().get(analysis.photo_url).headers["Content-Type"] == "image/jpeg"

    opinion = FeedbackSchema(symptom=result.findings[0].symptom, opinion=OpinionEnum.MORE)
    answer = analysis_feedback.sync_detailed(analysis.id, client=client, body=opinion)
    assert answer.status_code == HTTPStatus.NO_CONTENT
    assert isinstance(analysis_share.sync(analysis.id, client=client), ShareSchema)
    export = analysis_export.sync(analysis.id, client=client)
    assert isinstance(export, ExportSchema)
    assert export.feedback[0].symptom == result.findings[0].symptom

    assert analysis_erase.sync_detailed(analysis.id, client=client).status_code == HTTPStatus.NO_CONTENT
    gone = analysis_status.sync(analysis.id, client=client)
    assert isinstance(gone, ProblemSchema)
    assert gone.code == ProblemSchemaCode.ANALYSIS_ERASED
    print(f"Erased: {gone.detail}")
