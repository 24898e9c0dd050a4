"""import_products: lists with all that can be wrong with them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from backend.products.kinds import ProductKind
from backend.products.models import Click, Product
from backend.products.rules import SIGNS, TYPES
from backend.products.services.importing import REASON_TEXTS, products_import
from tests.products.catalog import product
from tests.support.registers import write_csv, write_xlsx

pytestmark = [pytest.mark.database, pytest.mark.django_db]

HEAD = (
    "key",
    "name",
    "name_en",
    "maker",
    "kind",
    "types",
    "symptoms",
    "avoid_types",
    "avoid",
    "ingredients",
    "link",
    "closed",
)


def row(key: str, **cells: str) -> tuple[str, ...]:
    given = {
        "name": f"제품 {key}", "kind": "shampoo", "types": "지성", "symptoms": "피지과다", "link": f"https://shop.example/{key}",
    }  # fmt: skip
    known = {"key": key, **given, **cells}
    return tuple(known.get(column, "") for column in HEAD)


def told(*arguments: object) -> str:
    out = io.StringIO()
    call_command("import_products", *map(str, arguments), stdout=out)
    return out.getvalue()


def listed(path: Path, rows: Sequence[Sequence[object]], head: Sequence[str] = HEAD, encoding: str = "utf-8") -> Path:
    return write_csv(path / "products.csv", head, rows, encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_a_list_in_any_encoding_is_imported_and_repeating_it_is_harmless(tmp_path: Path, encoding: str) -> None:
    types, signs = "지성; oily, Seborrheic|지루성", "모낭홍반/농포;DANDRUFF"
    rows = [
        row("a", kind="샴푸", types=types, symptoms=signs, avoid_types="민감성"),
        row(
            "b",
            name="둘",
            name_en="Two",
            maker="제조사",
            kind="Scalp tonic",
            avoid="상처에는 쓰지 마세요.",
            ingredients="물",
        ),
    ]
    path = listed(tmp_path, rows, encoding=encoding)
    said = told(path)
    assert "line 2: added a\nline 3: added b\n2 products added, 0 changed" in said
    first, second = Product.objects.order_by("key")
    assert (first.kind, first.suits_types) == (ProductKind.SHAMPOO, ["oily", "seborrheic"])
    assert first.suits_signs == ["follicular_erythema_pustules", "dandruff"]
    assert (first.avoid_types, first.url, first.active, first.sample) == (
        ["sensitive"],
        "https://shop.example/a",
        True,
        False,
    )
    assert (second.name, second.name_en, second.maker, second.kind) == ("둘", "Two", "제조사", ProductKind.TONIC)
    assert (second.avoid, second.ingredients) == ("상처에는 쓰지 마세요.", "물")
    before = list(Product.objects.values())
    assert told(path).strip() == "0 products added, 0 changed, 0 closed, 2 unchanged, 0 skipped."
    assert list(Product.objects.values()) == before


def test_a_workbook_with_korean_heads_is_taken_over_too(tmp_path: Path) -> None:
    head = ("제품번호", "제품명", "종류", "두피유형", "증상", "링크", "성분")
    path = write_xlsx(
        tmp_path / "a.xlsx", head, [(7, "일곱", "두피 에센스", "", "미세각질", "http://shop.example/7", "물")]
    )
    assert "line 2: added 7" in told(path)
    assert Product.objects.get().suits_signs == ["fine_scaling"]


#: A line for each reason to skip it.
TRAPS = {
    "key": row("", name="이름"),
    "name": row("n", name=""),
    "kind": row("k", kind="의약외품"),
    "word": row("w", types="지성;기름진"),
    "url": row("u", link="javascript:alert(1)"),
    "long": row("l", maker="가" * 81),
    "claims": row("c", name="탈모 치료 샴푸"),
    "suits": row("s", types="", symptoms=""),
    "contradicts": row("d", avoid_types="지성"),
    "closed": row("o", closed="perhaps"),
    "twice": row("good", name="둘째"),
}


def test_wrong_lines_are_skipped_with_a_reason_and_the_rest_imported(tmp_path: Path) -> None:
    assert set(TRAPS) == set(REASON_TEXTS)
    said = told(listed(tmp_path, [row("good"), *TRAPS.values()])).splitlines()
    for line, (code, trap) in enumerate(TRAPS.items(), 3):
        assert any(
            text.startswith(f"line {line}: skipped {trap[0] or '–'}, because it {REASON_TEXTS[code]}") for text in said
        ), code
    assert "line 2: added good" in said
    assert said[-1] == f"1 products added, 0 changed, 0 closed, 0 unchanged, {len(TRAPS)} skipped."
    assert [one.name for one in Product.objects.all()] == ["제품 good"]


@pytest.mark.parametrize(
    "link",
    [
        "", "shop.example", "//shop.example/", "ftp://shop.example/", "data:text/html,x", "JavaScript:alert(1)",
        "https://", "https://shop.example@evil.example/", "https://shop.example/\t\nx y", "file:///etc/passwd",
        "https://[::1", f"https://shop.example/{'a' * 300}",
    ],
)  # fmt: skip
def test_only_addresses_of_the_web_are_links(tmp_path: Path, link: str) -> None:
    assert "0 products added" in told(listed(tmp_path, [row("a", link=link)]))
    assert not Product.objects.exists()


def test_what_has_changed_is_changed_and_said_and_what_admins_set_stays(tmp_path: Path) -> None:
    head = ("key", "name", "kind", "types", "link")
    told(listed(tmp_path, [("a", "이름", "shampoo", "지성", "https://shop.example/a")], head))
    made = Product.objects.get()
    made.name_en, made.active = "Name", False
    made.save()
    said = told(listed(tmp_path, [("a", "새 이름", "tonic", "지성", "https://shop.example/a")], head))
    assert "line 2: changed a, name, kind" in said
    made.refresh_from_db()
    assert (made.name, made.kind, made.name_en, made.active) == ("새 이름", "tonic", "Name", False)


def test_a_product_closed_by_column_or_replace_keeps_its_clicks(tmp_path: Path) -> None:
    told(listed(tmp_path, [row("a"), row("b"), row("c")]))
    kept = Product.objects.get(key="a")
    Click.objects.create(product=kept, skin="지성", pred="경증", sex="여", age="30대", at="2026-01-01T00:00Z")
    assert "line 2: closed a" in told(listed(tmp_path, [row("a", closed="단종"), row("b"), row("c")]))
    assert "1 products are not in this file and stay" in told(listed(tmp_path, [row("b")]))
    assert "not in the file: closed c" in told("--replace", listed(tmp_path, [row("b")]))
    assert dict(Product.objects.values_list("key", "active")) == {"a": False, "b": True, "c": False}
    assert Click.objects.count() == 1
    assert "line 2: changed a, active" in told(listed(tmp_path, [row("a"), row("b")]))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xff\xfe\x00\x01\x80", "neither xlsx nor text"),
        ("이름,주소\n가,나\n".encode(), "lacks columns: key/번호/제품번호, "),
        (b"key,name,kind,link\n", "no rows below its header"),
    ],
)
def test_what_is_no_list_is_refused_with_a_sentence_and_changes_nothing(
    tmp_path: Path, content: bytes, said: str
) -> None:
    call_command("sample_products", stdout=io.StringIO())
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=said):
        told(path)
    with pytest.raises(CommandError, match="No such file"):
        told(tmp_path / "nowhere.csv")
    assert Product.objects.filter(sample=True).count() == Product.objects.count() > 0


def test_samples_are_there_once_marked_and_give_way_to_real_ones(tmp_path: Path) -> None:
    for _ in range(2):
        call_command("sample_products", stdout=io.StringIO())
    samples = list(Product.objects.all())
    assert 12 <= len(samples) <= 16
    assert all(one.sample and one.name.startswith("예시 ") and one.name_en.startswith("Sample ") for one in samples)
    assert all(one.url.startswith("https://products.example/") for one in samples)
    assert {key for one in samples for key in one.suits_types} == set(TYPES)
    assert {key for one in samples for key in one.suits_signs} == set(SIGNS) - {"follicular_erythema_pustules"}
    for one in samples:
        one.full_clean()
    assert f"{len(samples)} invented products were removed" in told(listed(tmp_path, [row("a")]))
    call_command("sample_products", "--unless-any", stdout=io.StringIO())
    assert [one.key for one in Product.objects.all()] == ["a"]


def test_a_list_of_nothing_but_mistakes_leaves_the_samples(tmp_path: Path) -> None:
    product("예시", sample=True)
    report = products_import(listed(tmp_path, [TRAPS["url"]]))
    assert (report.skipped, report.samples, Product.objects.count()) == (1, 0, 1)
