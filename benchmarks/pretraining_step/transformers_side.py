"""Steps of transformers in PyTorch, where every position is projected; `--variant=compile` compiles them."""

import argparse

import torch
from transformers import BertConfig, BertForPreTraining

from benchmarks.pretraining_step import work

NOT_MASKED = -100


def labels_of(batch: dict) -> torch.Tensor:
    """The masked words at their places, NOT_MASKED elsewhere: [B, T]."""
    labels = torch.full(batch["input_ids"].shape, NOT_MASKED)
    positions, words = (torch.tensor(batch[name]).long() for name in ("masked_lm_positions", "masked_lm_ids"))
    return labels.scatter_(1, positions, words)


def make(arguments: argparse.Namespace):
    """A function that makes a number of steps."""
    model = BertForPreTraining(BertConfig(**work.read_config(arguments))).train()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4, weight_decay=0.01, fused=True)
    batch = work.random_batch(model.config.vocab_size, arguments)
    columns = {
        "input_ids": torch.tensor(batch["input_ids"]).long(),
        "attention_mask": torch.tensor(batch["input_mask"]).long(),
        "token_type_ids": torch.tensor(batch["segment_ids"]).long(),
        "labels": labels_of(batch),
        "next_sentence_label": torch.tensor(batch["next_sentence_labels"][:, 0]).long(),
    }
    called = torch.compile(model) if arguments.variant == "compile" else model

    def run(steps: int) -> None:
        for _ in range(steps):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16, enabled=arguments.precision == "bfloat16"):
                loss = called(**columns).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()

    return run


def main():
    arguments = work.parse_arguments(__doc__)
    torch.set_num_threads(arguments.threads)
    work.take_turns(make(arguments), arguments.steps)


if __name__ == "__main__":
    main()
