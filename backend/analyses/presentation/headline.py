"""The first sentences of a report: what the photo shows, what it leaves open, and the one thing to do now."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext

from backend.analyses.judgment import GOOD, MILD, Certainty, Judgment, SignState, Urgency
from backend.analyses.presentation.words import join_names, label_word, sign_name, type_name
from ml.labels import GRADES

#: The first sentence names at most this many types; if more are possible, it says that the type is open.
MAX_NAMED_TYPES = 2


def headline(judgment: Judgment) -> str:
    """Type and degree in a few words, or that they are open; HTML that sets the findings off."""
    degree = judgment.degree
    if not judgment.any_rated:
        return gettext("None of the six signs could be rated in this photo")
    if degree.highest is None:
        return gettext("Too few signs could be rated in this photo")
    if judgment.good:
        if all(sign.state == SignState.ABSENT for sign in judgment.signs):
            return _emphasized(gettext("This scalp looks <em>fine</em> in this photo"))
        return _emphasized(gettext("<em>No clear signs</em> in this photo"))
    if degree.lowest == GOOD:
        if degree.highest == MILD:
            return _emphasized(gettext("<em>Mild signs at most</em> in this photo"))
        return _emphasized(gettext("This photo leaves the result <em>open</em>"))
    return format_html("{},<br>{}", _type_part(judgment), _degree_part(judgment))


def _emphasized(text: str) -> SafeString:
    """One of our own texts, whose `<em>` counts as HTML. What is filled in goes through `format_html` instead."""
    return mark_safe(text)  # noqa: S308 - no text of a reader


def _type_part(judgment: Judgment) -> SafeString:
    types = [type_name(key) for key in judgment.type.possible]
    if judgment.type.certainty == Certainty.CERTAIN:
        return format_html(gettext("<em>{type} scalp</em>"), type=types[0])
    if 1 < len(types) <= MAX_NAMED_TYPES:
        either = gettext("{one} or {other}").format(one=types[0], other=types[1].lower())
        return format_html(gettext("<em>{type} scalp</em>"), type=either)
    return _emphasized(gettext("Scalp type <em>open</em>"))


def _degree_part(judgment: Judgment) -> SafeString:
    lowest, highest = judgment.degree.lowest, judgment.degree.highest
    assert lowest is not None, "Only called with a known degree."
    words = [label_word(grade).lower() for grade in GRADES]
    if lowest != highest:
        return format_html(gettext("signs at least <em>{grade}</em>"), grade=words[lowest])
    count = sum(sign.lowest == lowest for sign in judgment.signs)
    looks = ngettext("one sign looks <em>{grade}</em>", "some signs look <em>{grade}</em>", count)
    return format_html(looks, grade=words[lowest])


def lede(judgment: Judgment) -> str:
    """Which signs are seen, which are not rated, and what that leaves open."""
    if not judgment.any_rated:
        return gettext("Each sign below says why.")
    names = {sign.symptom: sign_name(sign.symptom) for sign in judgment.signs}
    seen = [names[sign.symptom] for sign in judgment.signs if sign.seen]
    unrated = [names[sign.symptom] for sign in judgment.signs if sign.state == SignState.UNRATED]
    between = [names[sign.symptom] for sign in judgment.signs if sign.state == SignState.BETWEEN and not sign.seen]
    sentences = []
    if seen:
        sentences.append(gettext("Visible: %(names)s.") % {"names": ", ".join(seen)})
    elif unrated:
        sentences.append(gettext("None of the rated signs is clearly visible."))
    else:
        sentences.append(gettext("None of the six signs is clearly visible."))
    if between:
        sentences.append(gettext("Absent or mild: %(names)s.") % {"names": ", ".join(between)})
    if unrated:
        sentences.append(gettext("Not rated: %(names)s.") % {"names": ", ".join(unrated)})
    deciding = [names[key].lower() for key in judgment.deciding_signs]
    if deciding and judgment.degree.certainty != Certainty.UNKNOWN:
        depends = _depends(judgment)
        sentences.append(depends % {"names": join_names(deciding)})
    return " ".join(sentences)


def _depends(judgment: Judgment) -> str:
    """What depends on the signs that are open."""
    if judgment.degree.certainty == Certainty.CERTAIN:
        return gettext("The scalp type depends on %(names)s, which this photo doesn’t settle.")
    if judgment.type.certainty == Certainty.CERTAIN:
        return gettext("The severity depends on %(names)s, which this photo doesn’t settle.")
    return gettext("Scalp type and severity depend on %(names)s, which this photo doesn’t settle.")


def next_action(judgment: Judgment) -> str:
    """The one thing to do now."""
    if judgment.demo:
        return gettext("This is a demo, so don’t act on it. If something bothers you, see a dermatologist.")
    names = [sign_name(sign.symptom).lower() for sign in judgment.signs if sign.urgency == judgment.urgency]
    if judgment.urgency == Urgency.SOON:
        return gettext("See a dermatologist soon about %(names)s.") % {"names": join_names(names)}
    if judgment.degree.certainty == Certainty.UNKNOWN:
        return gettext("Take another close-up in better light. If something bothers you, see a dermatologist.")
    if judgment.urgency == Urgency.SELF_CARE:
        return gettext("Care at home comes first; the signs below say how. If it doesn’t help, see a dermatologist.")
    reasons = {sign.reason for sign in judgment.signs if sign.state == SignState.UNRATED}
    if judgment.certain and not reasons:
        return gettext("Nothing to do for now. If something bothers you all the same, see a dermatologist.")
    if judgment.certain or reasons == {"unproven"}:
        return gettext("Not every sign could be rated. If something bothers you, see a dermatologist.")
    return gettext("Another close-up may settle what is open. If something bothers you, see a dermatologist.")
