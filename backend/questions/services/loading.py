"""Loads the entries of this version, and prepares the texts by which they are found."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from django.db import transaction

from backend.questions.models import TEXT_COLUMNS, Entry, EntryText, Topic
from backend.questions.retrieval.embedding import model_is_installed
from backend.questions.retrieval.index import Role
from backend.questions.retrieval.terms import terms
from backend.questions.services.embeddings import embed_texts, has_stored_embedding

log = structlog.get_logger(__name__)

ENTRIES_FOLDER = Path(__file__).resolve().parent.parent / "entries"
LANGUAGES = ("ko", "en")


@dataclass(frozen=True)
class LoadReport:
    """How many entries were added, changed, removed, and kept because an admin had edited them."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    kept: int = 0
    texts: int = 0  #: prepared for the search

    def __str__(self) -> str:
        note = "" if model_is_installed() else "; search by words only: the embedding model is not installed"
        return (
            f"{self.added} added, {self.changed} changed, {self.removed} removed, {self.kept} kept as edited; "
            f"{self.texts} texts prepared{note}"
        )


def entries_load(folder: Path = ENTRIES_FOLDER) -> LoadReport:
    """Update the rows to what the files say; a second time, nothing changes. Entries that an admin edited are kept."""
    rows = {row["key"]: row for row in _read_entries(folder)}
    added = changed = kept = 0
    with transaction.atomic():
        existing = {entry.key: entry for entry in Entry.objects.select_for_update()}
        removed = [entry.pk for key, entry in existing.items() if key not in rows and not entry.edited]
        Entry.objects.filter(pk__in=removed).delete()
        for key, row in rows.items():
            entry = existing.get(key)
            if entry is None:
                Entry.objects.create(**row)
                added += 1
            elif entry.edited:
                kept += 1
            elif changes := {name: value for name, value in row.items() if getattr(entry, name) != value}:
                for name, value in changes.items():
                    setattr(entry, name, value)
                if TEXT_COLUMNS & changes.keys():
                    entry.remove_review()
                entry.save()
                changed += 1
    texts = sum(entry_texts_write(entry) for entry in Entry.objects.prefetch_related("texts"))
    report = LoadReport(added, changed, len(removed), kept, texts)
    log.info("questions_loaded", result=str(report))
    return report


def entry_texts_write(entry: Entry) -> int:
    """Replace the outdated search texts of an entry, and embed those that lack an embedding; returns how many."""
    wanted = set(_search_texts(entry))
    kept, stale = set(), []
    for row in entry.texts.all():
        known = (row.role, row.language, row.text)
        if (
            known not in wanted
            or known in kept
            or (row.vector is None and (has_stored_embedding(row.text) or model_is_installed()))
        ):
            stale.append(row.pk)
        else:
            kept.add(known)
    new = sorted(wanted - kept)
    vectors = embed_texts([text for _role, _language, text in new])
    with transaction.atomic():
        EntryText.objects.filter(pk__in=stale).delete()
        EntryText.objects.bulk_create(
            EntryText(entry=entry, role=role, language=language, text=text, terms=" ".join(terms(text)), vector=vector)
            for (role, language, text), vector in zip(new, vectors, strict=True)
        )
        if new or stale:
            entry.save(update_fields=["changed_at"])
    return len(new)


def _search_texts(entry: Entry) -> Iterator[tuple[str, str, str]]:
    """Role, language and text of each text by which the entry is found."""
    for language in LANGUAGES:
        question, answer = getattr(entry, f"question_{language}"), getattr(entry, f"answer_{language}")
        for phrase in [question, *getattr(entry, f"also_{language}").splitlines()]:
            if phrase.strip():
                yield Role.PHRASE.value, language, phrase.strip()
        if answer:
            yield Role.ANSWER.value, language, f"{question} {answer}"


def _read_entries(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.toml")):
        document = tomllib.loads(path.read_text("utf-8"))
        for entry in document.get("entry", []):
            row = {name: entry[name] for name in ("key", "edited_on", "source")}
            for language in LANGUAGES:
                texts = entry[language]
                row |= {f"question_{language}": texts["question"], f"answer_{language}": texts["answer"]}
                row[f"also_{language}"] = "\n".join(texts["also"])
            yield {"topic": Topic(path.stem).value, **row}
        for topic, table in ((Topic.DECOY, "decoy"), (Topic.RED_FLAG, "flag")):
            for entry in document.get(table, []):
                phrases = {f"also_{language}": "\n".join(entry[language]) for language in LANGUAGES}
                yield {"topic": topic.value, "key": entry["key"], **phrases}
