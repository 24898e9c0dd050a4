"""Synthetic pictures, drawn from a seed: the same seed gives the same picture, byte for byte.

They imitate the scalp-scope pictures of AI Hub's set of scalp images by type (유형별 두피 이미지, dataSetSn 216),
which may not be passed on. `draw_scalp` draws each symptom at a wanted grade, `draw_head` and `draw_non_scalp`
what the gate has to reject, and `dataset` writes a whole set in the layout of the real one. `scalp_picture` is cruder
and shows no symptom on purpose: the statistics of seeded networks are taken on it.
"""

from ml.data.synthetic.crude import scalp_picture
from ml.data.synthetic.heads import draw_head
from ml.data.synthetic.others import draw_non_scalp
from ml.data.synthetic.scalp import draw_scalp
from ml.data.synthetic.texture import SIZE

__all__ = ["SIZE", "draw_head", "draw_non_scalp", "draw_scalp", "scalp_picture"]
