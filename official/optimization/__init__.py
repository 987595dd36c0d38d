"""How weights are updated: optimizers, learning-rate schedules, clipping."""

from official.optimization.adam_weight_decay import AdamW, AdamWeightDecay
from official.optimization.clipping import clipping_factor
from official.optimization.lamb import AlbertLamb, Lamb
from official.optimization.layerwise import layerwise_scales
from official.optimization.moving_average import MovingAverage
from official.optimization.schedules import (
    LinearDecayAfterWarmup,
    LinearDecayTimesWarmup,
    LinearDecayWithWarmup,
)

# By the names that --optimizer has for them.
OPTIMIZERS = {"adamw_bert": AdamWeightDecay, "adamw": AdamW, "lamb": Lamb, "lamb_albert": AlbertLamb}
# By the names that --learning_rate_schedule has for them.
SCHEDULES = {
    "bert": LinearDecayWithWarmup,
    "electra": LinearDecayTimesWarmup,
    "roberta": LinearDecayAfterWarmup,
}

__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "AdamW",
    "AdamWeightDecay",
    "Lamb",
    "LinearDecayWithWarmup",
    "MovingAverage",
    "clipping_factor",
    "layerwise_scales",
]
