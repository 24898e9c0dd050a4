"""Load the entries of this version, and work out by which texts each is found."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from django.db import transaction

from backend.questions.models import Entry, EntryText, Topic
from backend.questions.retrieval.index import Role
from backend.questions.retrieval.meaning import meaning_there
from backend.questions.retrieval.terms import terms
from backend.questions.services.meanings import has_stored_vector, text_vectors

log = structlog.get_logger(__name__)

FOLDER = Path(__file__).resolve().parent.parent / "entries"
LANGUAGES = ("ko", "en")


@dataclass(frozen=True)
class Loaded:
    """How many entries came, changed, went, and were left alone because an admin had changed them."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    kept: int = 0
    texts: int = 0  #: that were prepared for the search

    def __str__(self) -> str:
        meaning = "" if meaning_there() else "; words alone are searched, as the model of meaning is not installed"
        return (
            f"{self.added} added, {self.changed} changed, {self.removed} removed, {self.kept} left as edited; "
            f"{self.texts} texts prepared{meaning}"
        )


def entries_load(folder: Path = FOLDER) -> Loaded:
    """Bring the rows to what the files say; again, nothing changes. What an admin edited stays."""
    wanted = {row["key"]: row for row in _read(folder)}
    added = changed = kept = 0
    with transaction.atomic():
        there = {entry.key: entry for entry in Entry.objects.select_for_update()}
        gone = [entry.pk for key, entry in there.items() if key not in wanted and not entry.edited]
        Entry.objects.filter(pk__in=gone).delete()
        for key, row in wanted.items():
            entry = there.get(key)
            if entry is None:
                Entry.objects.create(**row)
                added += 1
            elif entry.edited:
                kept += 1
            elif any(getattr(entry, name) != value for name, value in row.items()):
                for name, value in row.items():
                    setattr(entry, name, value)
                entry.save()
                changed += 1
    texts = sum(entry_texts_write(entry) for entry in Entry.objects.prefetch_related("texts"))
    loaded = Loaded(added, changed, len(gone), kept, texts)
    log.info("questions_loaded", said=str(loaded))
    return loaded


def entry_texts_write(entry: Entry) -> int:
    """Work out the texts of an entry that are new, or lack a meaning that can be had; drop others. How many were."""
    wanted = set(_texts(entry))
    kept, stale = set(), []
    for row in entry.texts.all():
        known = (row.role, row.language, row.text)
        if (
            known not in wanted
            or known in kept
            or (row.vector is None and (has_stored_vector(row.text) or meaning_there()))
        ):
            stale.append(row.pk)
        else:
            kept.add(known)
    new = sorted(wanted - kept)
    vectors = text_vectors([text for _role, _language, text in new])
    with transaction.atomic():
        EntryText.objects.filter(pk__in=stale).delete()
        EntryText.objects.bulk_create(
            EntryText(entry=entry, role=role, language=language, text=text, terms=" ".join(terms(text)), vector=vector)
            for (role, language, text), vector in zip(new, vectors, strict=True)
        )
        if new or stale:
            entry.save(update_fields=["changed_at"])
    return len(new)


def _texts(entry: Entry) -> Iterator[tuple[str, str, str]]:
    """Role, language and text of each."""
    for language in LANGUAGES:
        question, answer = getattr(entry, f"question_{language}"), getattr(entry, f"answer_{language}")
        for phrase in [question, *getattr(entry, f"also_{language}").splitlines()]:
            if phrase.strip():
                yield Role.PHRASE.value, language, phrase.strip()
        if answer:
            yield Role.ANSWER.value, language, f"{question} {answer}"


def _read(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.toml")):
        read = tomllib.loads(path.read_text("utf-8"))
        for entry in read.get("entry", []):
            row = {name: entry[name] for name in ("key", "reviewed", "source")}
            for language in LANGUAGES:
                said = entry[language]
                row |= {f"question_{language}": said["question"], f"answer_{language}": said["answer"]}
                row[f"also_{language}"] = "\n".join(said["also"])
            yield {"topic": Topic(path.stem).value, **row}
        for topic, word in ((Topic.DECOY, "decoy"), (Topic.RED_FLAG, "flag")):
            for asked in read.get(word, []):
                ways = {f"also_{language}": "\n".join(asked[language]) for language in LANGUAGES}
                yield {"topic": topic.value, "key": asked["key"], **ways}
