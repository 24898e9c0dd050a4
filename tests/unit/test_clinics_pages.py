"""The pages of clinics without a script, and the page for the doctor."""

from __future__ import annotations

import re
import uuid

import pytest
from django.test import Client

from backend.clinics.sources import Source
from tests.support.clinics import clinic
from tests.support.visitors import finish, sent

pytestmark = pytest.mark.django_db(transaction=True)


def test_without_a_script_the_list_is_searched_by_the_form_page_by_page(visitor: Client) -> None:
    for number in range(40):
        clinic(f"clinic {number:03}", district="강남구" if number % 2 else "해운대구")
    page = visitor.get("/clinics/", {"q": "해운대"}).content.decode()
    assert "20 clinics" in page
    assert page.count('class="clinic"') == 20 + 1, "twenty, and the template"
    second = visitor.get("/clinics/", {"page": "2"}).content.decode()
    assert "clinic 035" in second
    assert "clinic 005" not in second
    assert "Nothing was found" in visitor.get("/clinics/", {"q": "nowhere at all"}).content.decode()
    assert visitor.get("/clinics/", {"page": "nonsense"}).status_code == 200


def test_one_clinic_has_its_number_its_ways_and_its_booking_page(visitor: Client) -> None:
    made = clinic("가,나 피부과", booking_url="https://book.example/a", latitude=37.5, longitude=127.25)
    page = visitor.get(f"/clinics/{made.pk}/").content.decode()
    assert 'href="tel:02-000-0000"' in page
    assert "https://map.kakao.com/link/to/%EA%B0%80%20%EB%82%98%20%ED%94%BC%EB%B6%80%EA%B3%BC,37.5,127.25" in page
    assert "https://www.google.com/maps/dir/?api=1&amp;destination=37.5%2C127.25" in page
    assert "elng=127.25&amp;elat=37.5" in page
    assert "https://book.example/a" in page
    foreign = re.findall(r'<a[^>]+href="https://[^>]+>', page)
    assert foreign
    assert all('rel="noopener noreferrer' in link for link in foreign)
    assert visitor.get(f"/clinics/{made.pk + 1}/").status_code == 404
    assert re.findall(r'<a href="([^"]+)"\s+aria-current="true">', page) == ["/clinics/"], "it belongs to the clinics"


def test_samples_are_called_samples_wherever_they_are_shown(visitor: Client) -> None:
    clinic("real")
    assert "invented" not in visitor.get("/clinics/").content.decode()
    sample = clinic("예시 피부과", source=Source.SAMPLE)
    assert "These are samples." in visitor.get("/clinics/").content.decode()
    assert "This clinic is a sample." in visitor.get(f"/clinics/{sample.pk}/").content.decode()


def test_tiles_come_from_nowhere_by_default(visitor: Client) -> None:
    page = visitor.get("/clinics/")
    assert "data-tiles" not in page.content.decode()
    assert "img-src 'self' data: blob:" in page["Content-Security-Policy"]


def test_the_doctor_s_page_lists_findings_and_says_it_is_not_a_diagnosis(visitor: Client) -> None:
    analysis = sent(visitor)
    assert visitor.get(f"/analyses/{analysis}/doctor/").status_code == 409
    finish(analysis, (0, 1, 2, 3, 0, 0))
    answer = visitor.get(f"/analyses/{analysis}/doctor/")
    page = answer.content.decode()
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Referrer-Policy"] == "no-referrer"
    assert "not a diagnosis" in page
    assert re.search(r'scope="row">Follicular redness and pustules</th>\s*<td>\s*3 ·', page)
    assert "What the doctor may ask" in page
    assert visitor.get(f"/analyses/{uuid.uuid4()}/doctor/").status_code == 404


def test_the_report_leads_to_clinics_and_to_the_page_for_the_doctor(visitor: Client) -> None:
    analysis = sent(visitor)
    finish(analysis, (0, 1, 2, 3, 0, 0))
    page = visitor.get(f"/analyses/{analysis}/").content.decode()
    assert 'href="/clinics/"' in page
    assert f'href="/analyses/{analysis}/doctor/"' in page
    assert "/doctor/" not in visitor.get("/sample/").content.decode()
