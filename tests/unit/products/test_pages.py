"""The pages of products, and the way out of them."""

from __future__ import annotations

import re
import uuid

import pytest
from django.test import Client

from backend.analyses.services.control import analysis_erase
from backend.products.models import Click, Product, Show
from ml.labels import ABSTENTIONS, Abstention
from tests.products.catalog import product
from tests.support.visitors import Unrated, finish, sent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("broker")]

OILY = (0, 2, 0, 0, 1, 0)


def report(
    visitor: Client, grades: tuple[int, ...] = OILY, *, abstaining: Unrated = (), demo: bool = True
) -> uuid.UUID:
    analysis = sent(visitor)
    finish(analysis, grades, abstaining=abstaining, demo=demo)
    return analysis


def shown(visitor: Client, analysis: uuid.UUID, **headers: str) -> str:
    answer = visitor.get(f"/analyses/{analysis}/products/", headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_four_products_come_with_reasons_ingredients_and_what_to_avoid(visitor: Client) -> None:
    for number in range(6):
        product(f"product {number}", avoid="상처에는 쓰지 마세요.", avoid_en="Not on broken skin.")
    product("for others", suits_types=["dry"], suits_signs=["hair_loss"])
    page = shown(visitor, report(visitor))
    assert page.count('<article class="product">') == 4
    assert page.count("Chosen for the oily scalp type and for what was seen: Excess sebum (moderate).") == 4
    assert page.count("Not on broken skin.") == 4
    assert page.count("</b> Water") == 4
    assert "for others" not in page
    assert "https://shop.example" not in page, "the way leads through the counting"


def test_it_is_private_like_the_report_and_there_with_a_report_alone(visitor: Client) -> None:
    analysis = sent(visitor)
    address = f"/analyses/{analysis}/products/"
    assert visitor.get(address).status_code == 409
    finish(analysis, OILY)
    answer = visitor.get(address)
    assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("private, no-store", "no-referrer")
    assert not answer.cookies.keys() - {"csrftoken"}
    assert visitor.get(f"/analyses/{uuid.uuid4()}/products/").status_code == 404
    analysis_erase(analysis)
    assert visitor.get(address).status_code == 410
    assert visitor.post(address).status_code == 405


def test_a_severe_sign_leaves_the_doctor_and_no_product(visitor: Client) -> None:
    product("one")
    page = shown(visitor, report(visitor, (0, 2, 0, 3, 0, 0), demo=False))
    assert "See a doctor first" in page
    assert "See a dermatologist first: Follicular redness and pustules (severe)." in page
    assert 'class="product"' not in page
    assert 'href="/clinics/"' in page
    [lede] = re.findall(r'<p class="lede">\s*(.*?)\s*</p>', page, re.S)
    assert lede == "Nothing is suggested while a sign looks severe. The report says when to see a doctor."
    assert not Show.objects.exists()


def test_a_doctor_who_comes_first_stands_before_the_products(visitor: Client) -> None:
    product("one", suits_types=["combined"])
    page = shown(visitor, report(visitor, (0, 2, 0, 0, 0, 2), demo=False))
    assert page.index("See a doctor first") < page.index('class="product"')
    assert "No product is suggested for that sign." in page
    assert "See a doctor first" not in shown(visitor, report(visitor))


@pytest.mark.parametrize("reason", ABSTENTIONS)
def test_what_is_not_rated_suggests_nothing(visitor: Client, reason: Abstention) -> None:
    product("one")
    page = shown(visitor, report(visitor, OILY, abstaining={1: reason}))
    assert "Nothing in the catalog fits" in page
    assert "Not rated: Excess sebum." in page


def test_a_demo_sends_nobody_to_a_doctor_and_sells_nothing_for_it(visitor: Client) -> None:
    product("one", suits_types=["combined"])
    page = shown(visitor, report(visitor, (0, 2, 0, 0, 3, 0)))
    assert "See a doctor first" not in page
    assert "dermatologist" not in page
    assert "Nothing is suggested while a sign looks severe." in page
    assert 'class="product"' not in page
    moderate = shown(visitor, report(visitor, (0, 2, 0, 2, 0, 0)))
    assert "See a doctor first" not in moderate
    assert moderate.count("Excess sebum (moderate)") == 1
    assert "pustules (moderate)" not in moderate


def test_a_link_leads_to_the_stored_address_and_counts_once(visitor: Client) -> None:
    made = product("one", url="https://shop.example/a?b=c&d=e")
    analysis = report(visitor)
    [way] = re.findall(r'href="(/analyses/[^"]+/go/)"', shown(visitor, analysis))
    for _ in range(2):
        answer = visitor.get(f"{way}?next=https://evil.example/&url=https://evil.example/")
        assert (answer.status_code, answer["Location"]) == (302, "https://shop.example/a?b=c&d=e")
        assert (answer["Cache-Control"], answer["Referrer-Policy"]) == ("private, no-store", "no-referrer")
    assert [(click.product, click.skin) for click in Click.objects.all()] == [(made, "지성")]


def test_a_browser_that_fetches_ahead_or_looks_at_the_head_is_nobody(visitor: Client) -> None:
    product("one")
    analysis = report(visitor)
    visitor.head(f"/analyses/{analysis}/products/")
    shown(visitor, analysis, **{"Sec-Purpose": "prefetch;prerender"})
    assert not Show.objects.exists()
    way = re.findall(r'href="(/analyses/[^"]+/go/)"', shown(visitor, analysis))[0]
    assert Show.objects.get().shows == 1
    assert visitor.get(way, headers={"Sec-Purpose": "prefetch"}).status_code == 302
    assert visitor.head(way).status_code == 302
    assert not Click.objects.exists()


def test_a_way_that_somebody_makes_up_leads_nowhere_or_counts_nothing(visitor: Client) -> None:
    made, closed = product("one"), product("closed", active=False)
    foreign = product("for others", suits_types=["dry"], suits_signs=[])
    analysis = report(visitor)
    shown(visitor, analysis)
    for path, status in (
        (f"/analyses/{uuid.uuid4()}/products/{made.pk}/go/", 404),
        (f"/analyses/{analysis}/products/{closed.pk}/go/", 404),
        (f"/analyses/{analysis}/products/{foreign.pk + 1}/go/", 404),
        (f"/analyses/{analysis}/products/{'9' * 15}/go/", 404),
        (f"/analyses/{analysis}/products/{foreign.pk}/go/", 302),
    ):
        assert visitor.get(path).status_code == status, path
    assert not Click.objects.exists()


def test_one_who_clicks_too_much_is_led_on_all_the_same(visitor: Client) -> None:
    product("one")
    for _ in range(3):
        way = re.findall(r'href="(/analyses/[^"]+/go/)"', shown(visitor, report(visitor)))[0]
        assert visitor.get(way)["Location"] == "https://shop.example/3"
    assert Click.objects.count() == 1


def test_the_catalog_is_sorted_by_kind_and_name_regardless_of_clicks(visitor: Client) -> None:
    for name in ("나", "가", "다"):
        product(name)
    product("토닉", kind="tonic")
    product("weg", active=False)

    def order() -> list[str]:
        return re.findall(r"<h[23][^>]*>([^<]+)</h[23]>", visitor.get("/products/").content.decode())

    before = order()
    assert before == ["Shampoo", "가", "나", "다", "Scalp tonic", "토닉"]
    last = Product.objects.get(name="다")
    last.maker, last.url = "Rich", "https://pays.example/"
    last.save()
    Show.objects.create(product=last, skin="지성", day="2026-01-01", shows=9)
    assert order() == before
    links = re.findall(r'<a[^>]+href="https://[^>]+>', visitor.get("/products/").content.decode())
    assert len(links) == 4
    assert all('rel="noopener noreferrer nofollow"' in link for link in links)


def test_types_and_signs_are_named_as_such_on_a_line_each(visitor: Client) -> None:
    product(
        "one", suits_types=["dandruff", "combined"], suits_signs=["fine_scaling", "dandruff"],
        avoid_types=["oily", "seborrheic"], avoid_signs=["hair_loss"], avoid="상처에는 쓰지 마세요.",
    )  # fmt: skip

    def lines(name: str) -> list[str]:
        page = visitor.get("/products/", headers={"Accept-Language": "ko"}).content.decode()
        [paragraph] = re.findall(rf'<p class="{name}">\s*<b>[^<]+</b>(.*?)</p>', page, re.S)
        return [line.strip() for line in paragraph.split("<br>")]

    assert lines("suits") == ["두피 유형: 비듬성, 복합성", "징후: 미세각질, 비듬"]
    assert lines("avoid") == ["상처에는 쓰지 마세요.", "두피 유형: 지성, 지루성", "징후: 탈모"]


def test_names_and_ingredients_are_told_in_the_reader_s_language(visitor: Client) -> None:
    product("이름", name_en="Name")
    assert "Name" in visitor.get("/products/").content.decode()
    korean = visitor.get("/products/", headers={"Accept-Language": "ko"}).content.decode()
    assert "이름" in korean
    assert "정제수" in korean


def test_samples_are_called_samples_wherever_they_are_shown(visitor: Client) -> None:
    made = product("예시", sample=True)
    assert "These are samples." in visitor.get("/products/").content.decode()
    assert "These are samples." in shown(visitor, report(visitor))
    made.sample = False
    made.save()
    assert "samples" not in visitor.get("/products/").content.decode()
    assert "samples" not in shown(visitor, report(visitor))


def test_the_report_leads_to_the_products_and_a_shared_one_does_not(visitor: Client) -> None:
    analysis = report(visitor)
    link = f'href="/analyses/{analysis}/products/"'
    assert link in visitor.get(f"/analyses/{analysis}/").content.decode()
    page = visitor.get("/sample/").content.decode()
    assert 'href="/products/"' in page
    assert "/products/" not in page.replace('href="/products/"', "")
