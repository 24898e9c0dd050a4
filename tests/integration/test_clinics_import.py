"""import_clinics: lists as they are published, with all that is wrong with them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from backend.clinics.models import Clinic
from backend.clinics.services.importing import clinics_import
from tests.support.registers import (
    DEGREES,
    HIRA_HEAD,
    LOCALDATA_HEAD,
    METERS,
    hira_row,
    localdata_row,
    write_csv,
    write_xlsx,
)

pytestmark = [pytest.mark.database, pytest.mark.django_db]

DEPARTMENTS = ("암호화요양기호", "요양기관명", "진료과목코드", "진료과목코드명", "과목별 전문의수")
LONG_KEY = "JDQ4MTg4MSM1MSMkMSMkMCMkODkkMzgxMzUxIzExIyQxIyQzIyQ5OSQyNjEyMjIjNjEjJDEjJDIjJDgz"


def told(*arguments: object) -> str:
    out = io.StringIO()
    call_command("import_clinics", *map(str, arguments), stdout=out)
    return out.getvalue()


def every_trap(path: Path) -> Path:
    """A list of HIRA in which each row has another fault, the head in the second line."""
    rows = [
        hira_row(LONG_KEY, "가 피부과의원"),
        hira_row("swapped", "나피부과의원", "37.4979", "127.0276"),
        hira_row("meters", "다피부과의원", *METERS),
        hira_row("blank", "라피부과의원", "", ""),
        hira_row("zero", "마피부과의원", "0", "0"),
        hira_row("words", "바피부과의원", "동경", "북위"),
        hira_row("abroad", "사피부과의원", "139.69", "35.68"),
        hira_row("twice", "아피부과의원", phone=""),
        hira_row("twice", "아피부과의원", phone="(02) 123 4567", website="www.example.com"),
        hira_row("bones", "자정형외과의원"),
        hira_row("nameless", ""),
        hira_row("long", "차피부과의원", address="서울 " * 200),
        ("",) * len(HIRA_HEAD),
        hira_row("dash", "카피부과의원", 127.0276, 37.4979, phone="-", website="-"),
    ]
    return write_xlsx(path, HIRA_HEAD, rows, title="2026년 9월 병원정보서비스")


def test_a_file_with_every_trap_is_taken_over_and_told_of(tmp_path: Path) -> None:
    report = told(every_trap(tmp_path / "hira.xlsx"))
    assert report.splitlines() == [
        "13 rows of Health Insurance Review & Assessment Service: 6 clinics added, 0 changed, 0 unchanged, 0 removed.",
        "Corrected: 1 with swapped longitude and latitude (line 4)",
        "Corrected: 1 in meters, converted to degrees (line 5)",
        "Corrected: 1 with a text that is longer than its column (line 14)",
        "Merged: 1 with the key of another row (line 11)",
        "Skipped: 2 without coordinates (line 6, 7)",
        "Skipped: 1 with coordinates that are not numbers (line 8)",
        "Skipped: 1 with coordinates outside Korea (line 9)",
        "Skipped: 1 that do not treat skin (line 12)",
        "Skipped: 1 without a name (line 13)",
    ]
    assert Clinic.objects.get(name="가 피부과의원").key == f"hira:{LONG_KEY}"
    swapped, meters = Clinic.objects.get(name="나피부과의원"), Clinic.objects.get(name="다피부과의원")
    assert (swapped.longitude, swapped.latitude) == (127.0276, 37.4979)
    assert (meters.longitude, meters.latitude) == pytest.approx(DEGREES, abs=0.0003)
    merged = Clinic.objects.get(name="아피부과의원")
    assert (merged.phone, merged.website) == ("02-123-4567", "http://www.example.com")
    bare = Clinic.objects.get(name="카피부과의원")
    assert (bare.phone, bare.website, bare.specialists) == ("", "", None)


def test_a_second_run_doubles_nothing_and_leaves_what_admins_set(tmp_path: Path) -> None:
    path = every_trap(tmp_path / "hira.xlsx")
    told(path)
    Clinic.objects.filter(key="hira:dash").update(booking_url="https://book.example/")
    before = list(Clinic.objects.values_list("id", "key", "changed_at", "booking_url").order_by("id"))
    assert "0 clinics added, 0 changed, 6 unchanged, 0 removed" in told(path)
    assert list(Clinic.objects.values_list("id", "key", "changed_at", "booking_url").order_by("id")) == before


def test_changed_rows_are_updated_and_removed_ones_stay_unless_asked(tmp_path: Path) -> None:
    first = write_csv(
        tmp_path / "a.csv", HIRA_HEAD, [hira_row("a", "가피부과"), hira_row("b", "나피부과", "126.9", "35.1")]
    )
    told(first)
    second = write_csv(tmp_path / "b.csv", HIRA_HEAD, [hira_row("a", "가피부과", phone="02-999-9999")])
    report = clinics_import(second)
    assert (report.changed, report.missing, report.removed) == (1, 1, 0)
    assert Clinic.objects.get(key="hira:a").phone == "02-999-9999"
    assert clinics_import(second, replace_all=True).removed == 1
    assert list(Clinic.objects.values_list("key", flat=True)) == ["hira:a"]


@pytest.mark.parametrize("encoding", ["cp949", "utf-8", "utf-8-sig"])
def test_with_the_file_of_departments_it_is_the_department_that_decides(tmp_path: Path, encoding: str) -> None:
    path = write_csv(
        tmp_path / "hira.csv",
        HIRA_HEAD,
        [hira_row("a", "가의원"), hira_row("b", "나피부과의원"), hira_row("c", "다의원", "126.9", "35.1")],
        encoding,
    )
    departments = write_csv(
        tmp_path / "departments.csv",
        DEPARTMENTS,
        [
            ("a", "가의원", "14", "피부과", "2"),
            ("b", "나피부과의원", "08", "성형외과", "1"),
            ("c", "다의원", "14", "피부과", "0"),
        ],
        encoding,
    )
    report = clinics_import(path, departments)
    assert dict(Clinic.objects.values_list("name", "specialists")) == {"가의원": 2, "다의원": 0}
    assert report.skipped["not_skin"] == [3]


def test_a_license_list_leaves_the_closed_out_and_takes_them_off_the_list(tmp_path: Path) -> None:
    rows = [
        localdata_row("PHMA1", "가피부과의원"),
        localdata_row("PHMA2", "나의원", subjects="내과, 피부과", x="389420.1", y="186390.4"),
        localdata_row("PHMA3", "다피부과의원", state="폐업"),
        localdata_row("PHMA4", "라내과의원"),
        localdata_row("PHMA1", "마피부과의원", office="6260000", x="389420.1", y="186390.4"),
    ]
    report = clinics_import(write_csv(tmp_path / "a.csv", LOCALDATA_HEAD, rows))
    assert (report.added, dict(report.skipped)) == (3, {"closed": [4], "not_skin": [5]})
    assert len(report.corrected["projected"]) == 3
    found = Clinic.objects.get(name="가피부과의원")
    assert (found.province, found.district, found.phone) == ("서울특별시", "강남구", "02-000-0000")
    assert (found.longitude, found.latitude) == pytest.approx(DEGREES, abs=0.0003)
    rows[0] = localdata_row("PHMA1", "가피부과의원", state="폐업")
    assert clinics_import(write_csv(tmp_path / "b.csv", LOCALDATA_HEAD, rows)).removed == 1
    assert not Clinic.objects.filter(name="가피부과의원").exists()


def test_the_same_clinic_of_two_registers_is_one(tmp_path: Path) -> None:
    clinics_import(write_csv(tmp_path / "hira.csv", HIRA_HEAD, [hira_row("a", "가 피부과의원", *DEGREES)]))
    rows = [localdata_row("1", "가피부과의원"), localdata_row("2", "가피부과의원", x="389420.1", y="186390.4")]
    report = clinics_import(write_csv(tmp_path / "licenses.csv", LOCALDATA_HEAD, rows))
    assert (report.added, report.merged["place"]) == (1, [2])


def test_a_list_kept_by_hand_is_taken_as_it_is(tmp_path: Path) -> None:
    head = ("Name", "Latitude", "Longitude", "Phone", "Specialists")
    path = write_csv(tmp_path / "own.csv", head, [("Clinic of mine", "37.4979", "127.0276", "02-000-0000", "3")])
    told(path)
    clinic = Clinic.objects.get()
    assert (clinic.name, clinic.specialists, clinic.source) == ("Clinic of mine", 3, "csv")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xff\xfe\x00\x01\x80", "neither xlsx nor text"),
        ("이름,주소\n가,나\n".encode(), "no known list"),
        (b"name,latitude,longitude\n", "no rows below its header"),
        (b"PK\x05\x06" + bytes(18), "not an xlsx workbook"),
    ],
)
def test_what_is_no_list_is_refused_with_a_sentence_and_changes_nothing(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=said):
        told(path)
    with pytest.raises(CommandError, match="No such file"):
        told(tmp_path / "nowhere.csv")
    assert not Clinic.objects.exists()


def test_samples_are_there_once_marked_and_give_way_to_real_ones(tmp_path: Path) -> None:
    for _ in range(2):
        call_command("sample_clinics", stdout=io.StringIO())
    assert Clinic.objects.count() == 20_000
    assert not Clinic.objects.exclude(source="sample").exists()
    assert all("예시" in name for name in Clinic.objects.values_list("name", flat=True))
    real = write_csv(tmp_path / "hira.csv", HIRA_HEAD, [hira_row("a", "가피부과")])
    assert "20,000 invented clinics were removed" in told(real)
    call_command("sample_clinics", "--unless-any", stdout=io.StringIO())
    assert list(Clinic.objects.values_list("name", flat=True)) == ["가피부과"]
