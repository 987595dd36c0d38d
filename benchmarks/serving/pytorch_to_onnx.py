"""Converts a model of transformers to ONNX: python -m benchmarks.serving.pytorch_to_onnx DIRECTORY FILE."""

import sys

import torch
from transformers import AutoModel

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class Encoder(torch.nn.Module):
    """Answers with the last states alone."""

    def __init__(self, model: torch.nn.Module):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        outputs = self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)
        return outputs.last_hidden_state


def convert(directory: str, path: str) -> None:
    model = Encoder(AutoModel.from_pretrained(directory, attn_implementation="sdpa").eval())
    sample = tuple(torch.ones([2, 7], dtype=torch.int64) for _ in INPUTS)
    axes = {0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.DYNAMIC}
    program = torch.onnx.export(
        model,
        sample,
        input_names=INPUTS,
        output_names=["last_hidden_state"],
        dynamic_shapes=dict.fromkeys(INPUTS, axes),
        dynamo=True,
    )
    program.save(path, external_data=False)


if __name__ == "__main__":
    convert(*sys.argv[1:])
