"""Hugging Face's BertForPreTraining with seeded weights: the independent implementation behind the goldens.

Names are translated by `pytorch_names`, not by official.checkpoints, which the goldens are to judge.
"""

import numpy as np
import torch
import transformers
from pytorch_names import pytorch_name

ACTIVATIONS = {"gelu": "gelu_new", "gelu_erf": "gelu", "relu": "relu"}


def model(shape: dict, weights: dict[str, np.ndarray]) -> tuple[torch.nn.Module, dict[str, torch.nn.Parameter]]:
    """The model without dropout, and its parameters by the original's names; kernels are transposed ones."""
    config = transformers.BertConfig(
        **shape | {"hidden_act": ACTIVATIONS[shape["hidden_act"]]},
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        attn_implementation="eager",
    )
    bert = transformers.BertForPreTraining(config).eval()
    parameters = dict(bert.named_parameters())
    by_name = {name: parameters.pop(pytorch_name(name)) for name in weights}
    assert not parameters, f"not filled: {list(parameters)}"
    with torch.no_grad():
        for name, values in weights.items():
            by_name[name].copy_(torch.from_numpy(values.T if name.endswith("kernel") else values))
    return bert, by_name


def forward(bert: torch.nn.Module, batch: dict[str, np.ndarray]):
    """Its outputs on a batch with the original's feature names."""
    return bert(
        input_ids=torch.from_numpy(batch["input_ids"]).long(),
        attention_mask=torch.from_numpy(batch["input_mask"]).long(),
        token_type_ids=torch.from_numpy(batch["segment_ids"]).long(),
        output_hidden_states=True,
        output_attentions=True,
    )
