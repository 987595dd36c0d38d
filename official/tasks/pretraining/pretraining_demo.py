"""A pretraining run that shows what it has learnt: held-out text before and after, and guesses for hidden words."""

import numpy as np
import tensorflow as tf

from official import files
from official.inputs import pretraining as records_of
from official.inputs import records
from official.tasks.eval_results import write_eval_results
from official.tasks.pretraining import masked_words
from official.tasks.pretraining.pretraining import Pretraining, PretrainingRun
from official.tokenization.vocabulary_files import read_vocabulary_file

SENTENCES_SHOWN = 8


def pretrain_and_show(run: PretrainingRun, strategy: tf.distribute.Strategy, held_out_text: str) -> None:
    """Evaluates, trains, evaluates again, and prints the difference.

    Args:
        run: has a vocabulary and evaluation records.
        strategy: on what devices.
        held_out_text: file of sentences that were not trained on; some get a word hidden.
    """
    pretraining = Pretraining(run, strategy)
    parameters = pretraining.model.count_params()
    print(f"A BERT of {run.config.num_hidden_layers} layers, {run.config.hidden_size} wide: {parameters:,} parameters.")
    before = pretraining.evaluate()
    pretraining.train(held_out=True)
    directory = pretraining.write_model()
    after = pretraining.evaluate()
    write_eval_results(run.output_dir, after, run.num_train_steps)
    tokenizer = read_vocabulary_file(run.vocab_file, lower_case=run.do_lower_case)
    print(_comparison(before, after, _scores_without_reading(run, tokenizer)))
    print(_guesses(pretraining.model, tokenizer, held_out_text))
    print(f"\nThe model is in {directory}; `tensorboard --logdir {run.output_dir}/logs` shows its curves.")


def _scores_without_reading(run, tokenizer):
    """What always giving the commonest answer would score on the evaluation records: one line for each accuracy."""
    parse = records.parse_example(records_of.static_features(run.max_seq_length, run.max_predictions_per_seq))
    words, labels = np.zeros(tokenizer.vocab_size), np.zeros(2)
    for batch in records.evaluation_batches(run.eval_input_files, parse, 64, repeat=False).as_numpy_iterator():
        np.add.at(words, batch["masked_lm_ids"], batch["masked_lm_weights"])
        np.add.at(labels, batch["next_sentence_labels"][:, 0], 1)
    label = ("follows", "does not follow")[labels.argmax()]
    return {
        "masked_lm_accuracy": f"always '{tokenizer.tokens[words.argmax()]}': {words.max() / words.sum():.1%}",
        "next_sentence_accuracy": f"always '{label}': {labels.max() / labels.sum():.1%}",
    }


def _comparison(before, after, without_reading):
    rows = [
        ("masked words, loss", "masked_lm_loss", "{:.3f}"),
        ("masked words, accuracy", "masked_lm_accuracy", "{:.1%}"),
        ("next sentence, loss", "next_sentence_loss", "{:.3f}"),
        ("next sentence, accuracy", "next_sentence_accuracy", "{:.1%}"),
    ]
    lines = [f"\n{'On text held out':26}{'before':>9}{'after':>9}   without reading"]
    for title, name, form in rows:
        note = without_reading.get(name, "")
        lines.append(f"{title:26}{form.format(before[name]):>9}{form.format(after[name]):>9}   {note}".rstrip())
    return "\n".join(lines)


def _guesses(model, tokenizer, held_out_text):
    with files.open_file(held_out_text) as file:
        sentences = [line.strip() for line in file if line.strip()]
    gaps = masked_words.hide_words(sentences, tokenizer, SENTENCES_SHOWN, seed=1)
    lines = ["\nIts guesses for a word hidden in sentences that it has not seen"]
    for gap, guesses in zip(gaps, masked_words.guess_words(model, tokenizer, gaps), strict=True):
        shown = ", ".join(f"{guess.token} {guess.probability:.0%}" for guess in guesses)
        lines += [f"  {gap.before}[MASK]{gap.after}", f"      hidden: {gap.word}; guessed: {shown}"]
    return "\n".join(lines)
