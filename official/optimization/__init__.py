"""How weights are updated: optimizers, learning-rate schedules, clipping."""

from official.optimization.adam_weight_decay import AdamW, AdamWeightDecay
from official.optimization.clipping import clip_by_global_norm
from official.optimization.lamb import Lamb
from official.optimization.layerwise import layerwise_scales
from official.optimization.moving_average import MovingAverage
from official.optimization.schedules import LinearDecayWithWarmup

# By the names that --optimizer has for them.
OPTIMIZERS = {"adamw_bert": AdamWeightDecay, "adamw": AdamW, "lamb": Lamb}

__all__ = [
    "OPTIMIZERS",
    "AdamW",
    "AdamWeightDecay",
    "Lamb",
    "LinearDecayWithWarmup",
    "MovingAverage",
    "clip_by_global_norm",
    "layerwise_scales",
]
