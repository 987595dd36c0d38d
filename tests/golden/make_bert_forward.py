"""Makes bert_forward_<n>.npz: what PyTorch's BertForPreTraining answers, for each shape in `seeded.SHAPES`.

Run in an environment with torch and transformers, from this directory: python make_bert_forward.py
"""

import os

import numpy as np
import pytorch_bert
import seeded
import torch

HERE = os.path.dirname(os.path.abspath(__file__))


def golden(number: int, shape: dict) -> dict[str, np.ndarray]:
    bert, _ = pytorch_bert.model(shape, seeded.weights(shape, seed=number))
    batch = seeded.batch(shape, seed=number)
    labels = np.full_like(batch["input_ids"], -100)
    for row, position, word, used in zip(*_predictions(batch), strict=True):
        if used:
            labels[row, position] = word
    with torch.no_grad():
        outputs = pytorch_bert.forward(bert, batch)
        pooled = bert.bert.pooler(outputs.hidden_states[-1])
        mlm_loss = cross_entropy(outputs.prediction_logits.flatten(0, 1), labels)
        nsp_loss = cross_entropy(outputs.seq_relationship_logits, batch["next_sentence_labels"])
    return {
        "hidden_states": np.stack(outputs.hidden_states),
        "attention_probs": np.stack(outputs.attentions),
        "pooled_output": pooled.numpy(),
        "mlm_logits": outputs.prediction_logits.numpy(),
        "nsp_logits": outputs.seq_relationship_logits.numpy(),
        "masked_lm_loss": mlm_loss,
        "next_sentence_loss": nsp_loss,
    }


def cross_entropy(logits: torch.Tensor, labels: np.ndarray) -> np.ndarray:
    """The mean over the labels that are not -100."""
    return torch.nn.functional.cross_entropy(logits, torch.from_numpy(labels).long().flatten()).numpy()


def _predictions(batch):
    positions = batch["masked_lm_positions"]
    rows = np.repeat(np.arange(len(positions)), positions.shape[1])
    return rows, positions.flatten(), batch["masked_lm_ids"].flatten(), batch["masked_lm_weights"].flatten()


def main():
    for number, shape in enumerate(seeded.SHAPES):
        np.savez_compressed(os.path.join(HERE, f"bert_forward_{number}.npz"), **golden(number, shape))


if __name__ == "__main__":
    main()
