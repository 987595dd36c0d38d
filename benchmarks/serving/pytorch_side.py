"""PyTorch's side: the fast tokenizer and the model of transformers, with its fused attention.

Runs with what pytorch_requirements.txt names, without TensorFlow.
"""

import torch
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging

from benchmarks.serving import timing


def main() -> None:
    arguments = timing.parse_arguments(__doc__)
    logging.set_verbosity_error()
    torch.set_num_threads(arguments.threads)
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    dtype = torch.bfloat16 if arguments.bfloat16 else torch.float32
    model = AutoModel.from_pretrained(arguments.model, attn_implementation="sdpa", dtype=dtype).eval()

    @torch.inference_mode()
    def answer(texts: list[str]) -> torch.Tensor:
        batch = tokenizer(texts, padding=True, truncation=True, max_length=512, return_tensors="pt")
        states = model(**batch).last_hidden_state  # [B, T, H]
        mask = batch["attention_mask"][:, :, None].to(states.dtype)
        return (states * mask).sum(1) / mask.sum(1)  # The mean, as ours gives it.

    timing.measure_all(answer, arguments)


if __name__ == "__main__":
    main()
