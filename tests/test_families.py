"""BERT's descendants through the same scripts: fine-tuned for each shape of task, and served as they predict."""

import json

import numpy as np
import pytest

from tests import scripts
from tests.official.serving import programs
from tests.official.serving.programs import strings

SHAPE = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 130,
}
CONTEXT = (
    "Norwich, in Norfolk, was the second city of England until the 17th century. Its castle (built about 1100) stands "
    "on a mound; the café beside it opened in 1958."
)
QUESTIONS = {"What stands on a mound?": "castle", "Where is Norwich?": "Norfolk", "What opened in 1958?": "café"}
WORDS = "Anna met Tom Brown in New York , near the river .".split()
TAGS = "B-PER O B-PER I-PER O B-LOC I-LOC O O O O O".split()
PAIRS = [
    ("a man eats", "somebody has a meal", "yes"),
    ("a man eats", "nobody eats", "no"),
    ("it rains", "it is wet", "yes"),
]
LINES = [CONTEXT, *QUESTIONS, " ".join(WORDS), *(text for *pair, _ in PAIRS for text in pair)] * 4


@pytest.fixture(scope="session")
def session():
    return programs.session()


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A directory with a new small model of each family, and the tokenizer that goes with it."""
    from collections import Counter

    from data_prep import byte_level_bpe, sentence_piece_vocabulary
    from official import checkpoints
    from official.models import albert, distilbert, electra, roberta
    from official.tokenization.sentence_piece import SentencePieceTokenizer
    from official.tokenization.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

    words = Counter(" " + word for line in LINES for word in line.split())
    letters = sorted({letter for line in LINES for letter in line.lower()} - {" "})
    pieces = [*SPECIAL_TOKENS, *letters, *(f"##{letter}" for letter in letters), "the", "castle", "opened"]
    wordpiece = WordPieceTokenizer.from_tokens(pieces)
    learnt = sentence_piece_vocabulary.learn_model(LINES, 120)
    tokenizers = {
        "roberta": byte_level_bpe.learn_from_counts(words, 400, 1),
        "albert": SentencePieceTokenizer(learnt.model),
        "electra": wordpiece,
        "distilbert": wordpiece,
    }
    configs = {
        "roberta": lambda size: roberta.RobertaConfig(vocab_size=size, **SHAPE),
        "albert": lambda size: albert.AlbertConfig(vocab_size=size, embedding_size=8, **SHAPE),
        "electra": lambda size: electra.ElectraConfig(vocab_size=size, embedding_size=8, **SHAPE),
        "distilbert": lambda size: distilbert.DistilBertConfig(vocab_size=size, **SHAPE),
    }
    from official.models import registry

    root = tmp_path_factory.mktemp("models")
    for family, tokenizer in tokenizers.items():
        model = registry.build(configs[family](tokenizer.vocab_size))
        checkpoints.save(model, str(root / family), tokenizer=tokenizer)
    return root


def run(script, models, family, directory, *flags, **values):
    """Trains, predicts and exports; answers with where the exported model is."""
    given = {
        "init_checkpoint": models / family,
        "output_dir": directory / "out",
        "export_dir": directory / "export",
        "model_name": "served",
        "batch_sizes": 1,
        "train_batch_size": 4,
        "num_train_epochs": 20,
        "learning_rate": 3e-3,
        "max_seq_length": 100,
    } | values
    done = scripts.run(script, "--do_train", "--do_predict", *flags, *scripts.flags_of(given))
    assert done.returncode == 0, done.stderr[-3_000:]
    return directory / "export" / "served" / "1"


def families(first):
    """Each, half a minute long; the first of them is tried by CI too."""
    others = [family for family in ("roberta", "albert", "electra", "distilbert") if family != first]
    return [
        pytest.param(first, marks=pytest.mark.slow),
        *(pytest.param(each, marks=pytest.mark.long) for each in others),
    ]


@pytest.mark.parametrize("family", families("distilbert"))
def test_pairs_of_texts_are_classified_and_served_alike(models, session, tmp_path, family):
    rows = "a\tb\tlabel\n" + "".join("\t".join(pair) + "\n" for pair in PAIRS * 4)
    (tmp_path / "train.tsv").write_text(rows)
    columns = {"task_name": "tsv", "text_a_column": "a", "text_b_column": "b", "label_column": "label"}
    files = {"train_file": tmp_path / "train.tsv", "predict_file": tmp_path / "train.tsv"}
    served = run("run_classifier.py", models, family, tmp_path, **columns, **files)
    texts = {f"text_{side}": strings(*(pair[place] for pair in PAIRS)) for place, side in enumerate("ab")}
    (answers,) = session(served, [("serving_default", texts)])
    predicted = np.loadtxt(tmp_path / "out" / "test_results.tsv", delimiter="\t", ndmin=2)[: len(PAIRS)]
    np.testing.assert_allclose(answers["probabilities"], predicted, atol=1e-5)


@pytest.mark.parametrize("family", families("roberta"))
def test_questions_are_answered_out_of_the_context_and_served_alike(models, session, tmp_path, family):
    questions = [
        {"id": str(n), "question": question, "answers": [{"text": answer, "answer_start": CONTEXT.index(answer)}]}
        for n, (question, answer) in enumerate(QUESTIONS.items())
    ]
    data = {"version": "1.1", "data": [{"title": "", "paragraphs": [{"context": CONTEXT, "qas": questions * 4}]}]}
    (tmp_path / "train.json").write_text(json.dumps(data))
    files = {"train_file": tmp_path / "train.json", "predict_file": tmp_path / "train.json"}
    lengths = {"max_query_length": 24, "doc_stride": 20, "max_seq_length": 64}
    served = run("run_squad.py", models, family, tmp_path, **files, **lengths)
    predicted = json.loads((tmp_path / "out" / "predictions.json").read_text())
    asked = {"question": strings(*QUESTIONS), "context": strings(*[CONTEXT] * len(QUESTIONS))}
    (answers,) = session(served, [("serving_default", asked)])
    assert [text.decode() for text in answers["answer"]] == [predicted[str(n)] for n in range(len(QUESTIONS))]
    assert all(" ".join(text.split()) in " ".join(CONTEXT.split()) for text in predicted.values())


@pytest.mark.parametrize("family", families("albert"))
def test_words_are_tagged_and_served_alike(models, session, tmp_path, family):
    lines = "".join(f"{word}\t{tag}\n" for word, tag in zip(WORDS, TAGS)) + "\n"
    (tmp_path / "train.conll").write_text(lines * 8)
    files = {"train_file": tmp_path / "train.conll", "predict_file": tmp_path / "train.conll"}
    served = run("run_ner.py", models, family, tmp_path, **files, token_column=0, label_column=1)
    predictions = (tmp_path / "out" / "test_predictions.txt").read_text().splitlines()
    predicted = [line.split()[-1] for line in predictions[: len(WORDS)]]
    (answers,) = session(served, [("serving_default", {"text": strings(" ".join(WORDS))})])
    assert [tag.decode() for tag in np.ravel(answers["labels"])] == predicted
