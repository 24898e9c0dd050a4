"""GET /api/v1/products/, GET analyses/ID/products/, POST products/ID/click/, and their admin"""

from __future__ import annotations

import csv
import io
import re
import uuid
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import models
from django.test import Client
from django.utils import timezone

from backend.analyses.services.control import analysis_erase
from backend.products.models import Click, Product, Show
from tests.api.contract import ContractClient, address, published_schema, validator
from tests.products.catalog import product
from tests.support.analyses import queued, succeeded

pytestmark = [pytest.mark.database, pytest.mark.django_db, pytest.mark.usefixtures("broker")]

PRODUCTS = "/api/v1/products/"
OILY = (0, 2, 0, 0, 1, 0)


def click(api: ContractClient, made: Product | int, analysis: Any) -> Any:
    key = made if isinstance(made, int) else made.pk
    given = {"analysis": str(analysis)} if analysis is not None else {}
    return api.post(f"{PRODUCTS}{key}/click/", given, content_type="application/json")


def test_the_calls_are_described() -> None:
    paths = published_schema()["paths"]
    assert set(paths["/api/v1/products/"]) == {"get"}
    assert set(paths["/api/v1/products/{product_id}/click/"]) == {"post"}
    assert set(paths["/api/v1/analyses/{analysis_id}/products/"]) == {"get"}


def test_the_catalog_is_told_by_kind_and_name_or_for_one_type(api: ContractClient) -> None:
    product("나", name_en="B", avoid_signs=["dandruff"])
    product("가", name_en="A", sample=True, suits_types=["dry"])
    product("closed", active=False)
    product("brush", kind="tool")
    told = api.get(PRODUCTS).json()
    validator("#/components/schemas/ProductsSchema").validate(told)
    assert [one["name"] for one in told["products"]] == ["A", "B", "brush"]
    assert [one["sample"] for one in told["products"]] == [True, False, False]
    assert told["products"][1]["avoid"] == "Signs: Dandruff"
    for skin in ("dry", "건성"):
        assert [one["name"] for one in api.get(PRODUCTS, {"skin": skin}).json()["products"]] == ["A"]
    for skin in ("greasy", ""):
        answer = api.get(PRODUCTS, {"skin": skin})
        assert (answer.status_code, answer.json()["code"]) == (422, "query_invalid")


def test_suggestions_come_with_why_and_count_as_shown(api: ContractClient) -> None:
    for number in range(5):
        product(f"product {number}")
    analysis = succeeded(OILY)
    told = api.get(address(analysis, "products")).json()
    assert told["doctor"] == ""
    assert len(told["products"]) == 4
    assert told["products"][0]["why"].startswith("Chosen for the oily scalp type")
    assert api.get(address(analysis, "products")).json() == told, "the same order again"
    assert [row.shows for row in Show.objects.all()] == [1] * 4
    assert api.head(address(analysis, "products")).status_code == 200


def test_where_a_doctor_comes_first_that_is_told_before_products(api: ContractClient) -> None:
    product("one", suits_types=["combined"])
    severe = api.get(address(succeeded((0, 1, 0, 3, 0, 0), demo=False), "products")).json()
    assert "Follicular redness and pustules (severe)" in severe["doctor"]
    assert severe["products"] == []
    told = api.get(address(succeeded((0, 2, 0, 0, 0, 2), demo=False), "products")).json()
    assert list(told) == ["doctor", "products"]
    assert "Hair loss (moderate)" in told["doctor"]
    assert len(told["products"]) == 1


def test_no_doctor_comes_first_by_a_grade_of_demo_weights(api: ContractClient) -> None:
    product("one", suits_types=["combined"])
    for grades, products in (((0, 3, 0, 0, 1, 0), 0), ((0, 2, 0, 0, 0, 2), 1)):
        told = api.get(address(succeeded(grades), "products")).json()
        assert (told["doctor"], len(told["products"])) == ("", products)


def test_suggestions_are_there_with_a_report_alone(api: ContractClient) -> None:
    assert api.get(address(queued(), "products")).json()["code"] == "no_report_yet"
    assert api.get(address(uuid.uuid4(), "products")).json()["code"] == "analysis_unknown"
    analysis = succeeded(OILY)
    analysis_erase(analysis.pk)
    assert api.get(address(analysis, "products")).json()["code"] == "analysis_erased"


def test_a_click_counts_once_and_the_answer_does_not_tell_whether(api: ContractClient) -> None:
    made = product("one")
    analysis = succeeded(OILY)
    assert click(api, made, analysis.pk).status_code == 204
    assert not Click.objects.exists(), "it was shown to no one"
    api.get(address(analysis, "products"))
    for _ in range(3):
        assert click(api, made, analysis.pk).status_code == 204
    assert Click.objects.count() == 1


def test_a_click_that_makes_no_sense_is_refused(api: ContractClient) -> None:
    made, closed = product("one"), product("closed", active=False)
    analysis = succeeded(OILY)
    for given in (None, "nonsense", "", "\0", [], 5):
        answer = click(api, made, given)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "analysis")
    assert api.post(f"{PRODUCTS}{made.pk}/click/", [1], content_type="application/json").status_code == 422
    assert click(api, closed, analysis.pk).json()["code"] == "product_unknown"
    assert click(api, 10**12, analysis.pk).json()["code"] == "product_unknown"
    assert click(api, made, uuid.uuid4()).json()["code"] == "analysis_unknown"
    assert click(api, made, queued().pk).json()["code"] == "no_report_yet"
    assert not Click.objects.exists()


def test_nothing_of_a_product_can_be_paid_for() -> None:
    columns = {field.name for field in Product._meta.concrete_fields}
    assert columns == {
        "id", "key", "sample", "active", "name", "name_en", "maker", "kind", "ingredients", "ingredients_en",
        "suits_types", "suits_signs", "avoid_types", "avoid_signs", "avoid", "avoid_en", "url",
    }  # fmt: skip
    numbers = [one.name for one in Product._meta.concrete_fields if isinstance(one, models.IntegerField)]
    assert numbers == ["id"], "nothing to sort by but the key of the row"


# The admin


def test_admins_keep_the_catalog(admin: Client) -> None:
    form = {
        "key": "mine", "name": "이름", "kind": "tonic", "url": "https://shop.example/", "active": "on",
        "suits_types": ["oily", "dry"], "avoid_signs": ["dandruff"],
    }  # fmt: skip
    page = admin.post("/admin/products/product/add/", form)
    assert page.status_code == 302, page.context["errors"]
    made = Product.objects.get()
    assert (made.suits_types, made.suits_signs, made.avoid_signs) == (["oily", "dry"], [], ["dandruff"])
    change = f"/admin/products/product/{made.pk}/change/"
    for wrong in (
        {"avoid_types": ["oily"]},
        {"suits_types": []},
        {"url": "javascript:alert(1)"},
        {"suits_types": ["x"]},
    ):
        assert admin.post(change, {**form, **wrong}).status_code == 200, wrong
    assert admin.post(change, {**form, "key": "other", "name": "새 이름"}).status_code == 302
    made.refresh_from_db()
    assert (made.key, made.name) == ("mine", "새 이름")
    assert admin.post(f"/admin/products/product/{made.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("table", ["product", "click", "show"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_each_table_opens_and_can_be_exported(admin: Client, table: str, language: str) -> None:
    made = product("one")
    Show.objects.create(product=made, skin="지성", day="2026-01-01", shows=9)
    Click.objects.create(product=made, skin="지성", pred="경증", sex="여", age="30대", at="2026-01-01T00:00Z")
    page = admin.get(f"/admin/products/{table}/", headers={"Accept-Language": language})
    assert len(page.context["cl"].result_list) == 1
    form = admin.get(f"/admin/products/{table}/export/").context["form"]
    formats = [value for value, name in form.fields["format"].choices if name == "csv"]
    chosen = {name: "on" for name in form.fields if name not in {"format", "resource", "export_items"}}
    answer = admin.post(f"/admin/products/{table}/export/", {"format": formats[0], "resource": "0", **chosen})
    assert len(list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))) == 1


def test_the_page_of_rates_shows_shows_clicks_and_intervals(admin: Client) -> None:
    made, other = product("one"), product("two")
    Show.objects.create(product=made, skin="지성", day=timezone.localdate(), shows=148)
    Show.objects.create(product=other, skin="건성", day=timezone.localdate(), shows=20)
    for _ in range(15):
        Click.objects.create(product=made, skin="지성", pred="경증", sex="여", age="30대", at=timezone.now())
    page = admin.get("/admin/products/rates/").text
    found = re.findall(r"<tr>\s*<th scope=\"row\">\s*<a.*?</tr>", page, re.S)
    rows = [re.sub(r"<[^>]+>", " ", row).split() for row in found]
    assert rows == [
        ["one", "Oily", "148", "15", "10.1", "%", "6.2", "%", "–", "16.0", "%"],
        ["two", "Dry", "20", "0", "0.0", "%", "0.0", "%", "–", "16.1", "%"],
    ]
    assert "two" not in admin.get("/admin/products/rates/", {"skin": "oily"}).text
    assert admin.get("/admin/products/rates/", {"skin": "nonsense"}).status_code == 200
    assert 'href="/admin/products/rates/"' in admin.get("/admin/").text


def test_the_page_of_rates_is_for_those_who_may_look_at_clicks(client: Client, plain_static: None) -> None:
    assert client.get("/admin/products/rates/").status_code == 302
    client.force_login(get_user_model().objects.create_user("doorkeeper", is_staff=True))
    assert client.get("/admin/products/rates/").status_code == 403
