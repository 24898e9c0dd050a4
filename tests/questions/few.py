"""A folder with a few of the entries, as loading all of them takes seconds."""

from __future__ import annotations

import re
from pathlib import Path

from backend.questions.services.loading import ENTRIES_FOLDER

KEYS = ("doctor-when", "doctor-cost", "doctor-find", "doctor-hair-loss", "care-sebum", "drug-dosing", "weather", "life")


def few_entries(folder: Path) -> Path:
    """Copies of the files, of which nothing is left but `KEYS`."""
    for path in ENTRIES_FOLDER.glob("*.toml"):
        blocks = re.split(r"^(?=\[\[)", path.read_text("utf-8"), flags=re.M)
        kept = [block for block in blocks if (key := re.search(r'^key = "(.+)"', block, re.M)) and key[1] in KEYS]
        if kept:
            (folder / path.name).write_text("".join(kept), "utf-8")
    return folder
