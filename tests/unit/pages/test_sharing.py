"""A link to a report for others: what it shows, how it ends, and what it never gives away."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from backend.analyses.models import Share
from backend.analyses.services.control import analysis_erase
from tests.support.visitors import reported, sent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def report(visitor: Client) -> uuid.UUID:
    return reported(visitor)


def shared(visitor: Client, analysis: uuid.UUID) -> str:
    """Make a link; the address that the report then shows."""
    page = visitor.post(f"/analyses/{analysis}/share/", follow=True).content.decode()
    found = re.search(r'href="(/shared/[0-9a-f-]{36}/)"', page)
    assert found
    return found[1]


def test_a_link_shows_the_report_and_neither_its_address_nor_a_way_to_act(visitor: Client, report: uuid.UUID) -> None:
    page = visitor.get(shared(visitor, report))
    html = page.content.decode()
    assert html.count('id="sign-') == 6
    assert "Someone shared this report with you" in html
    assert str(report) not in html
    assert report.hex not in html
    assert "/erase/" not in html
    assert (page["Cache-Control"], page["Referrer-Policy"]) == ("private, no-store", "no-referrer")


def test_a_second_press_makes_no_second_link(visitor: Client, report: uuid.UUID) -> None:
    assert shared(visitor, report) == shared(visitor, report)
    assert Share.objects.count() == 1


def test_a_link_that_was_taken_back_shows_nothing_and_the_next_is_another(visitor: Client, report: uuid.UUID) -> None:
    link = shared(visitor, report)
    page = visitor.post(f"/analyses/{report}/share/end/", follow=True).content.decode()
    assert "Create a link" in page
    gone = visitor.get(link)
    assert gone.status_code == 410
    assert "its owner stopped sharing" in gone.content.decode()
    assert shared(visitor, report) != link


def test_a_link_ends_by_itself(visitor: Client, report: uuid.UUID) -> None:
    link = shared(visitor, report)
    Share.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert visitor.get(link).status_code == 410
    assert "Create a link" in visitor.get(f"/analyses/{report}/").content.decode()
    assert shared(visitor, report) != link


def test_a_link_ends_with_its_report(visitor: Client, report: uuid.UUID) -> None:
    link = shared(visitor, report)
    analysis_erase(report)
    assert visitor.get(link).status_code == 410
    assert not Share.objects.exists()


def test_a_link_that_never_was_is_answered_like_one_that_ended(visitor: Client) -> None:
    answer = visitor.get(f"/shared/{uuid.uuid4()}/")
    assert answer.status_code == 410
    assert re.search(r"<h1>\s*This link has ended\s*</h1>", answer.content.decode())


def test_what_has_no_report_is_not_shared(visitor: Client) -> None:
    page = visitor.post(f"/analyses/{sent(visitor)}/share/", follow=True).content.decode()
    assert "There is no report yet at this address" in page
    assert not Share.objects.exists()
    assert visitor.post(f"/analyses/{uuid.uuid4()}/share/").status_code == 404
