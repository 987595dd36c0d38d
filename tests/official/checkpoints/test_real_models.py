"""Published weights against PyTorch (tests/golden/make_real_models.py), on real sentences and chemical reactions."""

import numpy as np
import pytest

from official import checkpoints
from official.tokenization.wordpiece import WordPieceTokenizer
from tests.golden import real_models

BATCH, MAX_LENGTH = 50, 128


def answer(model, ids, mask, segments=None):
    inputs = {"input_ids": ids, "input_mask": mask}
    return model(inputs if segments is None else inputs | {"segment_ids": segments})


def assert_close(ours, theirs, name=""):
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5, err_msg=name)


def assert_logits_close(ours, theirs, name, worst=1e-5):
    """To PyTorch's float64, and on the whole as close as PyTorch's float32.

    Logits are as large as 20, where the last place of float32 is worth 2e-6, and are sums over hundreds of products:
    PyTorch's own float32 is up to 1.6e-5 from its float64.
    """
    np.testing.assert_allclose(ours, theirs[name], rtol=1e-6, atol=worst, err_msg=name)
    assert real_models.root_mean_square(ours - theirs[name]) < 1.2 * theirs[f"{name}_float32_error"]


def assert_layers_close(outputs, mask, theirs):
    ours = real_models.kept(outputs["hidden_states"], outputs["attention_probs"], mask)
    for name, values in ours.items():
        for layer, (some, expected) in enumerate(zip(values, theirs[name], strict=True)):
            assert_close(some, expected, f"{name} {layer}")


@pytest.fixture(scope="module")
def golden(repository):
    return lambda name: np.load(repository / "tests" / "golden" / f"real_{name}.npz")


# MiniLM: English sentences


class Encoder:
    """MiniLM with its tokenizer, both ours."""

    def __init__(self, directory):
        self.model = checkpoints.load(str(directory))
        self.tokenizer = WordPieceTokenizer.from_file(str(directory / "vocab.txt"))

    def batch(self, rows):
        """Ids, mask and segments of rows of one or two texts, [B, T] each."""
        ids, segments = [], []
        for texts in rows:
            parts = [[*self.tokenizer.encode(text)[: MAX_LENGTH - 2], self.tokenizer.sep_id] for text in texts]
            ids.append([self.tokenizer.cls_id, *sum(parts, [])])
            segments.append([0] + [segment for segment, part in enumerate(parts) for _ in part])
        ids, mask = real_models.padded(ids)
        return ids, mask, real_models.padded(segments)[0]

    def vectors(self, sentences):
        """Mean-pooled vectors of length 1: [len(sentences), H]."""
        # Sentences of about one length share a batch, which then is little but tokens.
        order = sorted(range(len(sentences)), key=lambda index: len(sentences[index]))
        vectors = np.zeros((len(sentences), self.model.config.hidden_size), np.float32)
        for start in range(0, len(order), BATCH):
            chosen = order[start : start + BATCH]
            ids, mask, _ = self.batch([(sentences[index],) for index in chosen])
            vectors[chosen] = real_models.mean_vectors(answer(self.model, ids, mask)["sequence_output"].numpy(), mask)
        return vectors


@pytest.fixture(scope="module")
def encoder(minilm):
    return Encoder(minilm)


def test_minilm_gets_the_ids_that_its_own_tokenizer_gives(encoder, golden):
    theirs = golden("minilm")
    ids, _, segments = encoder.batch(real_models.TEXTS)
    np.testing.assert_array_equal(ids, theirs["input_ids"])
    np.testing.assert_array_equal(segments, theirs["segment_ids"])


def test_minilm_answers_as_in_pytorch(encoder, golden):
    theirs = golden("minilm")
    ids, mask, segments = encoder.batch(real_models.TEXTS)
    outputs = answer(encoder.model, ids, mask, segments)
    assert_layers_close(outputs, mask, theirs)
    assert_close(outputs["pooled_output"], theirs["pooled_output"])


def test_sentence_vectors_are_as_similar_as_the_documentation_prints(encoder):
    vectors = encoder.vectors(real_models.CARD_SENTENCES)
    np.testing.assert_array_equal(np.round(vectors @ vectors.T, 4), np.float32(real_models.CARD_COSINES))


@pytest.mark.slow
def test_sentence_vectors_of_a_thousand_pairs_are_as_similar_as_in_pytorch(encoder, golden, shared):
    questions, sentences = zip(*real_models.minilm_pairs(shared / "data" / "glue" / "QNLI" / "dev.tsv"))
    cosines = (encoder.vectors(questions) * encoder.vectors(sentences)).sum(-1)
    theirs = golden("minilm")["cosines"]
    assert len(theirs) == 1_000 and theirs.std() > 0.1
    assert_close(cosines, theirs)


# rxnfp: chemical reactions


def reaction_rows(directory):
    return [real_models.reaction_ids(reaction, directory / "vocab.txt") for reaction in real_models.reactions()]


@pytest.fixture(scope="module")
def hidden_reactions(rxnfp):
    """Reactions with tokens hidden, where they were, and what they were."""
    rows = reaction_rows(rxnfp / "bert_pretrained")
    mask_id = real_models.reaction_ids("[MASK]", rxnfp / "bert_pretrained" / "vocab.txt")[1]
    hidden, places = real_models.hide(rows, mask_id)
    return hidden, places, np.concatenate([np.array(row)[chosen] for row, chosen in zip(rows, places)])


@pytest.fixture(scope="module")
def pretrained(rxnfp):
    return checkpoints.load(str(rxnfp / "bert_pretrained"))


def test_a_bert_with_both_pretraining_heads_answers_as_in_pytorch(pretrained, hidden_reactions, golden):
    theirs = golden("rxnfp_pretrained")
    ids, mask = real_models.padded(real_models.compared(hidden_reactions[0]))
    outputs = answer(pretrained, ids, mask)
    assert set(pretrained.heads) == {"mlm", "nsp"}
    assert_layers_close(outputs, mask, theirs)
    assert_close(outputs["pooled_output"], theirs["pooled_output"])
    assert_close(outputs["nsp_logits"], theirs["nsp_logits"])
    some = real_models.sample(outputs["mlm_logits"].numpy()[mask == 1], seed=0)
    assert_logits_close(some, theirs, "mlm_logits")


def test_masked_tokens_of_reactions_are_restored_as_often_as_in_pytorch(pretrained, hidden_reactions, golden):
    rows, places, truth = hidden_reactions
    theirs = golden("rxnfp_pretrained")
    logits = []
    for start in range(0, len(rows), BATCH):
        outputs = answer(pretrained, *real_models.padded(rows[start : start + BATCH]))["mlm_logits"].numpy()
        logits += [outputs[row, chosen] for row, chosen in enumerate(places[start : start + BATCH])]
    logits = np.concatenate(logits)  # [M, V]
    guesses = np.argsort(-logits, axis=-1)[:, : real_models.TOP]
    np.testing.assert_array_equal(guesses, theirs["guesses"])
    assert_logits_close(np.take_along_axis(logits, guesses, axis=-1), theirs, "guess_logits")
    restored = (guesses[:, 0] == truth).mean()
    assert restored == (theirs["guesses"][:, 0] == truth).mean() > 0.85


def test_an_encoder_without_prefix_answers_as_in_pytorch(rxnfp, golden):
    theirs = golden("rxnfp_encoder")
    ids, mask = real_models.padded(real_models.compared(reaction_rows(rxnfp / "bert_ft")))
    model = checkpoints.load(str(rxnfp / "bert_ft"))
    outputs = answer(model, ids, mask)
    assert model.heads == ()
    assert_layers_close(outputs, mask, theirs)
    assert_close(outputs["pooled_output"], theirs["pooled_output"])
    fingerprints = outputs["sequence_output"][:, 0]
    assert_close(fingerprints, theirs["fingerprints"])
    assert_close(fingerprints[0, :5], real_models.PUBLISHED_FINGERPRINT)


def test_a_classifier_whose_config_counts_its_labels_in_two_ways_answers_as_in_pytorch(rxnfp, golden):
    theirs = golden("rxnfp_classifier")
    ids, mask = real_models.padded(real_models.compared(reaction_rows(rxnfp / "bert_ft_10k_25s")))
    model = checkpoints.load(str(rxnfp / "bert_ft_10k_25s"))
    outputs = answer(model, ids, mask)
    assert model.heads == ("sequence_classification",)
    assert len(model.labels) == 50
    assert_layers_close(outputs, mask, theirs)
    assert_logits_close(outputs["logits"], theirs, "logits")


# rxnmapper: an ALBERT on chemical reactions


def test_masked_tokens_are_restored_by_a_real_albert_as_in_pytorch(rxnmapper, golden):
    theirs = golden("rxnmapper")
    rows = reaction_rows(rxnmapper)
    mask_id = real_models.reaction_ids("[MASK]", rxnmapper / "vocab.txt")[1]
    hidden, places = real_models.hide(rows, mask_id)
    model = checkpoints.load(str(rxnmapper))
    assert model.heads == ("mlm",)
    ids, mask = real_models.padded(real_models.compared(hidden))
    outputs = answer(model, ids, mask)
    assert_layers_close(outputs, mask, theirs)
    some = real_models.sample(outputs["mlm_logits"].numpy()[mask == 1], seed=0)
    # Twelve times the same weights: PyTorch's float32 is up to 6.8e-5 from its float64.
    assert_logits_close(some, theirs, "mlm_logits", worst=6.8e-5)
    logits = []
    for start in range(0, len(hidden), BATCH):
        answers = answer(model, *real_models.padded(hidden[start : start + BATCH]))["mlm_logits"].numpy()
        logits += [answers[row, chosen] for row, chosen in enumerate(places[start : start + BATCH])]
    logits = np.concatenate(logits)  # [M, V]
    guesses = np.argsort(-logits, axis=-1)[:, : real_models.TOP]
    np.testing.assert_array_equal(guesses, theirs["guesses"])
    assert_logits_close(np.take_along_axis(logits, guesses, axis=-1), theirs, "guess_logits", worst=6.8e-5)
