"""GET /api/v1/clinics/, clinics/ID/ and clinics/map/"""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from django.test import Client

from backend.clinics.models import Clinic
from backend.clinics.sources import Source
from tests.api.contract import ContractClient, validator
from tests.support.clinics import clinic

pytestmark = [pytest.mark.database, pytest.mark.django_db]

CLINICS = "/api/v1/clinics/"


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200
    return [found["name"] for found in answer.json()["clinics"]]


def test_clinics_are_found_by_words_of_name_address_and_district(api: ContractClient) -> None:
    clinic("가나피부과", district="강남구")
    clinic("다라피부과", district="해운대구", address="부산 해운대구 예시로 9")
    assert names(api.get(CLINICS)) == ["가나피부과", "다라피부과"]
    assert names(api.get(CLINICS, {"q": "해운대"})) == ["다라피부과"]
    assert names(api.get(CLINICS, {"q": "예시로 9 다라"})) == ["다라피부과"]
    assert names(api.get(CLINICS, {"q": "가나 해운대"})) == []
    assert names(api.get(CLINICS, {"q": "100% _"})) == []
    assert names(api.get(CLINICS, {"q": "가나\0피부과"})) == ["가나피부과"]


def test_a_box_of_degrees_holds_what_lies_in_it(api: ContractClient) -> None:
    clinic("in", longitude=127.0, latitude=37.5)
    clinic("out", longitude=129.0, latitude=35.1)
    assert names(api.get(CLINICS, {"bbox": "126.5,37,127.5,38"})) == ["in"]


@pytest.mark.parametrize("bbox", ["1,2,3", "a,b,c,d", "nan,1,2,3", "1,2,3,inf", "1,2,3,4,5"])
def test_a_box_that_is_none_is_refused(api: ContractClient, bbox: str) -> None:
    answer = api.get(CLINICS, {"bbox": bbox})
    assert (answer.status_code, answer.json()["code"]) == (422, "query_invalid")


@pytest.mark.parametrize("query", [{"specialist": "yes"}, {"booking": ""}, {"offset": "-5"}, {"offset": "1e9"}])
def test_a_query_that_makes_no_sense_is_refused(api: ContractClient, query: dict[str, str]) -> None:
    answer = api.get(CLINICS, query)
    assert (answer.status_code, answer.json()["code"]) == (422, "query_invalid")


def test_specialists_and_booking_can_be_asked_for(api: ContractClient) -> None:
    clinic("neither", specialists=0)
    clinic("doctor", specialists=2)
    clinic("booking", booking_url="https://book.example/")
    assert names(api.get(CLINICS, {"specialist": "true"})) == ["doctor"]
    assert names(api.get(CLINICS, {"booking": "true"})) == ["booking"]


def test_nothing_that_could_be_bought_moves_a_clinic_up(api: ContractClient, client: Client) -> None:
    for name in ("나", "가", "다"):
        clinic(name)
    before = [names(api.get(CLINICS)), [row[3] for row in packed(client)]]
    last = Clinic.objects.get(name="다")
    last.booking_url, last.website = "https://book.example/", "https://pays.example/"
    last.specialists, last.kind, last.source = 9, "종합병원", Source.HIRA
    last.save()
    assert [names(api.get(CLINICS)), [row[3] for row in packed(client)]] == before == [["가", "나", "다"]] * 2


def test_an_answer_holds_at_most_a_hundred_and_says_how_many_there_are(api: ContractClient) -> None:
    for number in range(120):
        clinic(f"clinic {number:03}")
    first, second = api.get(CLINICS).json(), api.get(CLINICS, {"offset": "100"}).json()
    assert (first["count"], len(first["clinics"]), len(second["clinics"])) == (120, 100, 20)
    assert second["clinics"][0]["name"] == "clinic 100"


def test_one_clinic_is_told_in_full_and_a_sample_says_what_it_is(api: ContractClient) -> None:
    made = clinic("예시", source=Source.SAMPLE, specialists=1)
    told = api.get(f"{CLINICS}{made.pk}/").json()
    validator("#/components/schemas/ClinicSchema").validate(told)
    assert (told["name"], told["sample"], told["specialists"], told["booking_url"]) == ("예시", True, 1, "")
    assert api.get(f"{CLINICS}{made.pk + 1}/").json()["code"] == "clinic_unknown"


def packed(client: Client) -> list[list[Any]]:
    answer = client.get(f"{CLINICS}map/")
    assert answer["Content-Encoding"] == "gzip"
    document = json.loads(gzip.decompress(answer.content))
    validator("#/components/schemas/PackedClinicsSchema").validate(document)
    assert document["columns"][:4] == ["id", "latitude", "longitude", "name"]
    return list(document["clinics"])


def test_the_map_gets_all_of_them_at_once_and_nothing_twice(client: Client) -> None:
    made = [clinic(f"clinic {number:03}", specialists=number % 2) for number in range(150)]
    rows = packed(client)
    assert [row[0] for row in rows] == [one.pk for one in made]
    etag = client.get(f"{CLINICS}map/")["ETag"]
    again = client.get(f"{CLINICS}map/", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    Clinic.objects.filter(pk=made[0].pk).delete()
    assert client.get(f"{CLINICS}map/", headers={"If-None-Match": etag}).status_code == 200
    assert len(packed(client)) == 149
    made[1].booking_url = "https://book.example/"
    made[1].save()
    assert packed(client)[0][-2:] == [True, False]
