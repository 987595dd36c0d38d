"""What a student is, and what it starts from."""

import dataclasses
import json

import numpy as np
import pytest

from official import checkpoints
from official.checkpoints.loading import variables_by_name
from official.errors import InputError
from official.models.bert import BertConfig
from official.objectives.distilled_tasks import DistilledClassification, Imitation
from official.tasks.distillation.student import Student, read_student
from official.tasks.distillation.teacher import Teacher
from official.training.strategy import make_strategy
from tests.official.tasks.distillation.conftest import CONFIG, LETTERS, SPECIAL, WORDS, write_model


def student_of(run, distillation):
    teacher = Teacher(run, distillation)
    encoder = read_student(run, distillation, teacher)
    objective = DistilledClassification(Imitation())
    arguments = run, make_strategy("one_device"), "sequence_classification", ("bad", "good"), objective, encoder
    return Student(teacher, distillation.student_layers, *arguments)


def test_it_starts_from_layers_of_the_teacher_with_embeddings_and_head(run, distillation, teacher):
    student = student_of(run, dataclasses.replace(distillation, student_layers=(2, 0)))
    student.initialize(new_head=True)
    whole = variables_by_name(checkpoints.load(teacher))
    ours = variables_by_name(student.model)
    assert student.config == dataclasses.replace(CONFIG, num_hidden_layers=2)
    for name, variable in ours.items():
        theirs = name.replace("layer_1/", "layer_0/") if "layer_1/" in name else name.replace("layer_0/", "layer_2/")
        np.testing.assert_array_equal(variable.numpy(), whole[theirs].numpy(), err_msg=name)
    assert {name for name in ours if "layer" not in name} == {name for name in whole if "layer_" not in name}


@pytest.mark.parametrize("layers", [(0, 3), (1, 1)])
def test_layers_that_the_teacher_lacks_are_refused(layers, run, distillation):
    with pytest.raises(InputError, match=r"--student_layers=.*: different numbers from 0 to 2, layers of the teacher"):
        student_of(run, dataclasses.replace(distillation, student_layers=layers))


def test_a_preset_has_the_tokens_of_the_teacher(run, distillation):
    new = dataclasses.replace(distillation, student_layers=None)
    student = student_of(dataclasses.replace(run, bert_config_file="bert-tiny"), new)
    assert student.config.vocab_size == len(SPECIAL) + len(WORDS) and student.config.hidden_size == 128
    assert student.tokenizer.tokens == [*SPECIAL, *WORDS]


def test_weights_bring_their_own_vocabulary(run, distillation, tmp_path):
    config = dataclasses.replace(CONFIG, vocab_size=len(SPECIAL) + 2 * len(LETTERS), num_hidden_layers=1)
    letters = [*LETTERS, *(f"##{letter}" for letter in LETTERS)]
    start = write_model(tmp_path / "start", config, heads=("mlm",), labels=(), tokens=letters)
    new = dataclasses.replace(distillation, student_layers=None)
    student = student_of(dataclasses.replace(run, init_checkpoint=start), new)
    assert student.config == config and student.tokenizer.tokens == [*SPECIAL, *letters]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"vocab_size": 7}, "config.json: vocab_size is 7, the teacher's vocabulary has 19 tokens; --vocab_file names"),
        ({"vocab_size": 30, "max_position_embeddings": 16}, "--max_seq_length is 24: the student has max_position_"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(values, message, run, distillation, tmp_path):
    config = dataclasses.asdict(BertConfig(**{"hidden_size": 8, "num_attention_heads": 1, "vocab_size": 30} | values))
    (tmp_path / "config.json").write_text(json.dumps(config))
    new = dataclasses.replace(distillation, student_layers=None)
    with pytest.raises(InputError, match=message):
        student_of(dataclasses.replace(run, bert_config_file=str(tmp_path / "config.json")), new)


def test_something_has_to_say_which_model_it_is(run, distillation):
    with pytest.raises(InputError, match="neither --init_checkpoint nor --bert_config_file says which to take"):
        student_of(run, dataclasses.replace(distillation, student_layers=None))
