"""The drawn scalps of the first page: drawn from their seeds, marked as drawn, and known by key alone."""

from __future__ import annotations

import io

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from backend.analyses.models import Analysis
from backend.analyses.pages.sample_photos import SAMPLE_PHOTOS, SamplePhoto, sample_photo
from tests.samples import COMMENT, draw_sample
from tests.support.visitors import send


@pytest.mark.parametrize("sample", SAMPLE_PHOTOS, ids=lambda sample: sample.key)
def test_a_sample_is_what_its_seed_draws_and_says_that_it_is_drawn(sample: SamplePhoto) -> None:
    data = sample_photo(sample.key)
    assert data
    assert COMMENT in data
    assert len(data) < 100_000
    kept = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=float)
    drawn = np.asarray(draw_sample(sample), dtype=float)
    assert np.abs(kept - drawn).mean() < 4, "draw them again: python -m tests.samples"


@pytest.mark.parametrize("key", [None, "", "../img/mark", "calm.jpg", "unknown"])
def test_no_other_key_names_a_file(key: str | None) -> None:
    assert sample_photo(key) is None


@pytest.mark.django_db(transaction=True)
def test_a_form_may_name_a_sample_instead_of_bringing_a_photo(visitor: Client) -> None:
    assert send(visitor, None, sample="calm").status_code == 303
    assert send(visitor, None, sample="unknown").status_code == 422
    with_both = send(visitor, sample="calm", key="both")
    with_photo = send(visitor, key="both")
    assert with_both["Location"] == with_photo["Location"], "a photo of one's own counts"
    assert Analysis.objects.count() == 2
