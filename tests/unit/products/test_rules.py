"""Which product fits a report, and when a doctor comes first."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from backend.analyses.judgment import SignJudgment, SignState, Urgency
from backend.products.rules import NO_PRODUCT_FROM, SEVERE, SIGNS, SIGNS_OF_TYPE, TYPES, ReportFacts, Uses, fit
from backend.products.words import doctor_text, reason_text


def seen(skin: str | None = "oily", **grades: int | None) -> ReportFacts:
    signs = {sign: judged(sign, grade) for sign, grade in (dict.fromkeys(SIGNS, 0) | grades).items()}
    return ReportFacts(skin, signs, [sign for sign, one in signs.items() if one.urgency == Urgency.SOON])


def judged(sign: str, grade: int | None) -> SignJudgment:
    if grade is None:
        return SignJudgment(sign, SignState.UNRATED, None, None, (0, 1, 2, 3), "unsure")
    return SignJudgment(sign, SignState.RATED if grade else SignState.ABSENT, grade, grade, (grade,))


def uses(*, types: str = "", signs: str = "", avoid_types: str = "", avoid_signs: str = "") -> Uses:
    return Uses(*(frozenset(words.split()) for words in (types, signs, avoid_types, avoid_signs)))


OILY = seen(excess_sebum=2, dandruff=1)


def test_a_product_fits_by_type_by_sign_or_by_both_and_better_by_both() -> None:
    both, skin, sign = (
        fit(one, OILY)
        for one in (uses(types="oily", signs="excess_sebum dandruff"), uses(types="oily"), uses(signs="dandruff"))
    )
    assert both
    assert skin
    assert sign
    assert (both.skin, both.signs, both.score) == ("oily", ("excess_sebum", "dandruff"), 1.0)
    assert (skin.skin, skin.signs) == ("oily", ())
    assert (sign.skin, sign.signs) == (None, ("dandruff",))
    assert both.score > skin.score > sign.score > 0
    assert fit(uses(types="dry", signs="hair_loss"), OILY) is None


def test_the_more_marked_sign_weighs_more() -> None:
    scores = [fit(uses(signs=sign), OILY) for sign in ("excess_sebum", "dandruff")]
    assert scores[0]
    assert scores[1]
    assert scores[0].score == 2 * scores[1].score


@pytest.mark.parametrize(
    "avoided", [{"avoid_types": "oily"}, {"avoid_signs": "dandruff"}, {"avoid_signs": "hair_loss dandruff"}]
)
def test_what_is_to_be_avoided_is_not_suggested_however_well_it_fits(avoided: dict[str, str]) -> None:
    assert fit(uses(types="oily", signs="excess_sebum"), OILY)
    assert fit(uses(types="oily", signs="excess_sebum", **avoided), OILY) is None


def test_what_was_held_back_speaks_for_nothing_and_may_be_there() -> None:
    unknown = seen(excess_sebum=2, dandruff=None)
    assert fit(uses(signs="dandruff"), unknown) is None
    assert fit(uses(signs="excess_sebum", avoid_signs="dandruff"), unknown) is None
    no_type = seen(None, excess_sebum=2)
    assert fit(uses(types=" ".join(TYPES)), no_type) is None
    assert fit(uses(signs="excess_sebum", avoid_types="sensitive"), no_type) is None
    assert fit(uses(signs="excess_sebum"), no_type)


@pytest.mark.parametrize("sign", SIGNS)
def test_with_any_severe_sign_nothing_new_is_suggested(sign: str) -> None:
    severe = seen(**{"excess_sebum": 1, sign: SEVERE})
    assert severe.severe
    assert sign in severe.without_product
    assert fit(uses(types=" ".join(TYPES), signs=" ".join(SIGNS)), severe) is None


@pytest.mark.parametrize("sign", ["follicular_erythema_pustules", "hair_loss"])
def test_pustules_and_hair_loss_from_moderate_on_have_no_products(sign: str) -> None:
    moderate = seen("combined", **{sign: 2, "dandruff": 1})
    assert moderate.without_product == (sign,)
    assert moderate.for_doctor == ((sign,) if sign == "hair_loss" else ())
    assert not moderate.severe
    assert fit(uses(signs=sign), moderate) is None
    other = fit(uses(signs=f"{sign} dandruff"), moderate)
    assert other
    assert other.signs == ("dandruff",)
    [skin] = [key for key, signs in SIGNS_OF_TYPE.items() if signs == (sign,)]
    assert fit(uses(types=skin), seen(skin, **{sign: 2})) is None, "the type is that sign"
    assert not seen(skin, **{sign: 1}).for_doctor


def test_a_sign_between_two_grades_counts_as_the_judgment_says() -> None:
    between = {
        sign: SignJudgment(sign, SignState.BETWEEN, lowest, lowest + 1, (lowest, lowest + 1))
        for sign, lowest in (("dandruff", 0), ("excess_sebum", 1), ("hair_loss", 2))
    }
    facts = ReportFacts(None, seen().signs | between, ["hair_loss"])
    assert (facts.grades["dandruff"], facts.grades["excess_sebum"], facts.grades["hair_loss"]) == (None, 1, 3)
    assert facts.for_doctor == ("hair_loss",)
    with override("en"):
        assert "Hair loss (moderate to severe)" in doctor_text(facts)


def test_every_type_and_sign_has_its_rule() -> None:
    assert set(NO_PRODUCT_FROM) == set(SIGNS)
    assert set(SIGNS_OF_TYPE) == set(TYPES) - {"good", "combined"}


def test_the_reason_names_the_type_and_the_signs_with_their_grades() -> None:
    found = fit(uses(types="oily", signs="excess_sebum dandruff"), OILY)
    assert found
    with override("en"):
        assert reason_text(found, OILY) == (
            "Chosen for the oily scalp type and for what was seen: Excess sebum (moderate), Dandruff (mild)."
        )
    with override("ko"):
        assert "지성 두피" in reason_text(found, OILY)
        assert "피지과다 (중등도), 비듬 (경증)" in reason_text(found, OILY)


def test_the_doctor_is_said_with_the_sign_and_what_it_means_for_products() -> None:
    with override("en"):
        assert doctor_text(OILY) == ""
        assert "Hair loss (moderate). No product is suggested for that sign." in doctor_text(seen(hair_loss=2))
        assert "try anything new on your scalp" in doctor_text(seen(dandruff=3, hair_loss=2))
