"""run_squad.py gives what the original gives, learns, scores, and answers lines of standard input."""

import json
import subprocess

import pytest

from official.tasks.squad.squad_files import read_squad
from official.tasks.squad.squad_scores import score_v1, score_v2
from tests import scripts

ANIMALS, THINGS = ("fox", "dog", "cat", "hen"), ("log", "mat", "box", "nest")
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "sat", "on", "who", "where", "why", ".", "?"]
CONFIG = {
    "vocab_size": len(TOKENS) + 8,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 32,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}


def article(version_2: bool) -> dict:
    """Who sat, and where: sixteen contexts, each with two questions or, of v2.0, a third without answer."""
    paragraphs = []
    for animal in ANIMALS:
        for thing in THINGS:
            context = f"The {animal} sat on the {thing}."
            answers = {"who": animal, "where": f"the {thing}"}
            asked = [
                {
                    "id": f"{word}-{animal}-{thing}",
                    "question": f"{word}?",
                    "answers": [{"text": text, "answer_start": context.index(text)}],
                }
                | ({"is_impossible": False} if version_2 else {})
                for word, text in answers.items()
            ]
            if version_2:
                asked.append({"id": f"why-{animal}-{thing}", "question": "why?", "answers": [], "is_impossible": True})
            paragraphs.append({"context": context, "qas": asked})
    return {"version": "2", "data": [{"title": "where they sat", "paragraphs": paragraphs}]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("squad")
    (folder / "vocab.txt").write_text("\n".join([*TOKENS, *ANIMALS, *THINGS]) + "\n")
    (folder / "bert_config.json").write_text(json.dumps(CONFIG))
    for version in (1, 2):
        (folder / f"v{version}.json").write_text(json.dumps(article(version == 2)))
    return folder


def run_squad(**flags):
    return scripts.run("run_squad.py", *scripts.flags_of(flags))


def read(path):
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def trained(folder):
    """A run on the file of v2.0, with the best threshold."""
    done = run_squad(
        bert_config_file=folder / "bert_config.json",
        vocab_file=folder / "vocab.txt",
        output_dir=folder / "out",
        train_file=folder / "v2.json",
        predict_file=folder / "v2.json",
        do_train=True,
        do_eval=True,
        do_predict=True,
        version_2_with_negative=True,
        null_score_diff_threshold="best",
        max_seq_length=16,
        max_query_length=4,
        train_batch_size=16,
        learning_rate=3e-3,
        num_train_epochs=40,
        save_checkpoints_steps=1000,
        fusion="none",
    )
    assert done.returncode == 0, done.stderr
    return folder / "out", done


@pytest.mark.parametrize("version", [1, 2])
def test_predictions_are_those_of_the_original(golden_bert, tmp_path, version):
    done = run_squad(
        bert_config_file=golden_bert / "ckpt" / "bert_config.json",
        vocab_file=golden_bert / "ckpt" / "vocab.txt",
        init_checkpoint=golden_bert / "ckpt_squad" / "model.ckpt",
        predict_file=golden_bert / f"squad_v{version}.json",
        version_2_with_negative=version == 2,
        max_seq_length=64,
        doc_stride=24,
        max_query_length=20,
        do_predict=True,
        output_dir=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    golden = {path.name: path for path in golden_bert.glob(f"squad_v{version}_*.json")}
    assert (tmp_path / "predictions.json").read_bytes() == golden[f"squad_v{version}_predictions.json"].read_bytes()
    ours, theirs = read(tmp_path / "nbest_predictions.json"), read(golden[f"squad_v{version}_nbest_predictions.json"])
    assert list(ours) == list(theirs)
    for name, candidates in theirs.items():
        assert [candidate["text"] for candidate in ours[name]] == [candidate["text"] for candidate in candidates]
        for candidate, expected in zip(ours[name], candidates, strict=True):
            assert list(candidate) == list(expected)
            for field, limit in (("probability", 1e-6), ("start_logit", 1e-5), ("end_logit", 1e-5)):
                assert candidate[field] == pytest.approx(expected[field], abs=limit)
    if version == 2:
        odds = read(golden["squad_v2_null_odds.json"])
        assert list(read(tmp_path / "null_odds.json")) == list(odds)
        assert read(tmp_path / "null_odds.json") == pytest.approx(odds, abs=1e-4)
    else:
        assert not (tmp_path / "null_odds.json").exists()


def test_a_model_learns_to_answer_and_when_not_to(folder, trained):
    out, done = trained
    predictions = read(out / "predictions.json")
    assert predictions["who-fox-mat"] == "fox" and predictions["where-hen-box"] == "the box"
    assert predictions["why-dog-nest"] == ""
    assert "all questions" in done.stdout and "without answer" in done.stdout
    assert {path.name for path in out.iterdir()} >= {"model", "checkpoints", "eval_results.txt", "squad_scores.json"}


def test_the_scores_that_are_written_are_those_of_the_predictions_that_are_written(folder, trained):
    out, _ = trained
    found = read(out / "squad_scores.json")
    questions = read_squad(str(folder / "v2.json")).questions
    expected = score_v2(questions, read(out / "predictions.json"), read(out / "null_odds.json"))
    assert {name: found[name] for name in expected} == expected
    assert found["f1"] == pytest.approx(found["best_null_score_diff_threshold_f1"]) and found["f1"] > 95
    assert f"f1 = {found['f1']}"[:8] in (out / "eval_results.txt").read_text()


def test_the_model_that_was_written_answers_alone_with_the_threshold_that_was_found(folder, trained, tmp_path):
    out, _ = trained
    done = run_squad(
        init_checkpoint=out / "model",
        output_dir=tmp_path,
        predict_file=folder / "v2.json",
        do_predict=True,
        version_2_with_negative=True,
        null_score_diff_threshold="best",
        max_seq_length=16,
        max_query_length=4,
    )
    assert done.returncode == 0, done.stderr
    assert read(tmp_path / "predictions.json") == read(out / "predictions.json")


def test_version_1_is_scored_by_its_own_rules(folder, trained, tmp_path):
    flags = dict(predict_file=folder / "v1.json", do_eval=True, max_seq_length=16, max_query_length=4)
    done = run_squad(init_checkpoint=trained[0] / "model", output_dir=tmp_path, group_by_length=True, **flags)
    assert done.returncode == 0, done.stderr
    questions = read_squad(str(folder / "v1.json")).questions
    expected = score_v1(questions, read(tmp_path / "predictions.json"))
    assert read(tmp_path / "squad_scores.json") == expected and expected["f1"] > 95


def test_lines_of_standard_input_are_answered_at_once(trained, tmp_path):
    flags = scripts.flags_of(
        {
            "init_checkpoint": trained[0] / "model",
            "output_dir": tmp_path,
            "predict_file": "-",
            "do_predict": True,
            "version_2_with_negative": True,
            "null_score_diff_threshold": "best",
            "max_seq_length": 16,
            "max_query_length": 4,
        }
    )
    process = scripts.start("run_squad.py", *flags, stdin=subprocess.PIPE)

    def ask(line):
        process.stdin.write(line + "\n")
        process.stdin.flush()
        return process.stdout.readline().removesuffix("\n")

    assert ask("who?\tThe hen sat on the log.") == "hen"
    assert ask("why?\tThe hen sat on the log.") == ""
    assert ask("no tab here") == ""
    assert ask("who?\t") == ""
    answer = json.loads(ask('{"question": "where?", "context": "The cat sat on the box."}'))
    assert answer["answer"] == "the box" and 0 < answer["probability"] < 1 and "null_odds" in answer
    _, errors = process.communicate()
    assert process.returncode == 0 and "error: line 3: 'no tab here' has no tab" in errors


def test_an_answer_that_the_terminal_can_not_spell_is_escaped(trained, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    flags = {"init_checkpoint": trained[0] / "model", "output_dir": tmp_path, "max_seq_length": 16}
    flags |= {"predict_file": "-", "do_predict": True, "max_query_length": 4}
    process = scripts.start("run_squad.py", *scripts.flags_of(flags), stdin=subprocess.PIPE)
    out, errors = process.communicate("who?\t\u00e9\n")
    assert (process.returncode, out) == (0, "\\xe9\n"), errors


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, "at least one of --do_train, --do_eval, --do_predict"),
        ({"do_train": True}, "--train_file must be given"),
        ({"do_predict": True}, "--predict_file must be given"),
        ({"do_predict": True, "max_seq_length": 67}, "a window must hold more than a question"),
        ({"do_predict": True, "null_score_diff_threshold": "high"}, "a number or 'best' was expected"),
        ({"do_predict": True, "null_score_diff_threshold": "best"}, "nothing without --version_2_with_negative"),
        ({"do_eval": True, "predict_file": "-"}, "standard input has no answers"),
        ({"do_train": True, "keep_best": True}, "--do_train and --do_eval must be given"),
    ],
)
def test_bad_flags_end_with_one_line_and_status_2(tmp_path, changes, message):
    done = run_squad(output_dir=tmp_path / "out", **changes)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"predict_file": "vocab.txt"}, "vocab.txt: not JSON"),
        ({"null_score_diff_threshold": "best", "version_2_with_negative": True}, "--do_eval finds the best threshold"),
    ],
)
def test_bad_input_ends_with_one_line_and_status_1(folder, trained, tmp_path, changes, message):
    (tmp_path / "model").symlink_to(trained[0] / "model")  # Away from the scores of its run.
    flags = {"predict_file": "v1.json", "do_predict": True, "max_seq_length": 16, "max_query_length": 4} | changes
    flags["predict_file"] = folder / flags["predict_file"]
    done = run_squad(init_checkpoint=tmp_path / "model", output_dir=tmp_path / "out", **flags)
    assert done.returncode == 1 and message in done.stderr.splitlines()[-1] and "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "predictions.json").exists()
