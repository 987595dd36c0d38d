"""How weights are updated: optimizers, learning-rate schedules, clipping."""

from official.optimization.adam_weight_decay import AdamWeightDecay
from official.optimization.clipping import clip_by_global_norm
from official.optimization.layerwise import layerwise_scales
from official.optimization.schedules import LinearDecayWithWarmup

__all__ = ["AdamWeightDecay", "LinearDecayWithWarmup", "clip_by_global_norm", "layerwise_scales"]
