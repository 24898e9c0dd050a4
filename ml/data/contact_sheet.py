"""Contact sheets: pictures of several sets on one sheet, in labeled rows that alternate, to compare by eye."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

#: Width and height of a picture on the sheet, and the height of the band with a row's label, in pixels.
TILE = (320, 240)
BAND = 24
_GAP = 4
_BACKGROUND, _INK = (24, 24, 24), (235, 235, 235)


def draw_contact_sheet(sets: Mapping[str, Sequence[Image.Image]], columns: int) -> Image.Image:
    """An RGB sheet of these pictures, given by the label of their set; the rows of the sets alternate.

    All pictures are resized to 4:3, the format of AI Hub's. Raises ValueError without pictures or columns.
    """
    longest = max(map(len, sets.values()), default=0)
    if not longest or columns < 1:
        raise ValueError("a contact sheet needs at least one picture and one column")
    rows = [
        (label, pictures[start : start + columns])
        for start in range(0, longest, columns)
        for label, pictures in sets.items()
        if start < len(pictures)
    ]
    height = BAND + TILE[1] + _GAP
    sheet = Image.new("RGB", (columns * (TILE[0] + _GAP) + _GAP, len(rows) * height), _BACKGROUND)
    canvas, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for row, (label, pictures) in enumerate(rows):
        canvas.text((_GAP + 2, row * height + BAND / 2), label, fill=_INK, font=font, anchor="lm")
        for column, picture in enumerate(pictures):
            tile = picture.convert("RGB").resize(TILE, Image.Resampling.LANCZOS)
            sheet.paste(tile, (_GAP + column * (TILE[0] + _GAP), row * height + BAND))
    return sheet
