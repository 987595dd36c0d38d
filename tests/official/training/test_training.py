"""Training steps against PyTorch's, on one device and on two; checkpoints, resumption and how a run ends."""

import functools
import gc
import json
import os
import pathlib
import signal

import numpy as np
import pytest
import tensorflow as tf

from official.errors import InputError, Stopped
from official.layers import Dropout, dropout_seed
from official.models.bert import PRESETS, Bert, BertConfig
from official.objectives.bert_pretraining import bert_pretraining
from official.optimization import AdamWeightDecay, LinearDecayWithWarmup
from official.progress import format_seconds
from official.training.checkpoint import TrainState, restore_weights
from official.training.evaluation import Evaluation
from official.training.logs import MetricsLog
from official.training.loop import Schedule, device_iterator, train
from official.training.step import TrainLoop
from official.training.strategy import make_strategy
from tests.golden import seeded

GOLDEN = json.loads((pathlib.Path(__file__).parents[2] / "golden" / "bert_training.json").read_text())
SHAPE = GOLDEN["shape"]
BATCH = seeded.batch(SHAPE, **GOLDEN["batch"])


@functools.cache
def mirrored():
    """One for all tests: TensorFlow mixes up the collectives of two in a process, whose numbers start anew."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


class Run:
    """The golden run, or a variation of it."""

    def __init__(
        self, strategy=None, dropout=0.0, batch=BATCH, rate=GOLDEN["learning_rate"], directory=None, **options
    ):
        self.strategy = strategy or make_strategy("one_device")
        rates = {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
        with self.strategy.scope():
            self.model = Bert(BertConfig(**SHAPE, **rates), heads=("mlm", "nsp"))
            self.weights = {v.path.split("/", 1)[1]: v.value for v in self.model.trainable_variables}
            self.optimizer = AdamWeightDecay(self.weights)
            self.step = tf.Variable(0, dtype=tf.int64, trainable=False)
            self.position = tf.Variable([0, 0], dtype=tf.int64, trainable=False)
        for name, value in seeded.weights(SHAPE, GOLDEN["weights_seed"]).items():
            self.weights[name].assign(value)
        schedule = LinearDecayWithWarmup(rate, GOLDEN["num_train_steps"], GOLDEN["num_warmup_steps"])
        self.loop = TrainLoop(
            self.strategy, self.model, bert_pretraining, self.optimizer, schedule, self.step, seed=1, **options
        )
        self.batch = batch
        if directory is not None:
            self.state = TrainState(
                str(directory), self.weights, self.optimizer.slots, self.step, self.position, keep=2
            )

    def iterator(self):
        columns = {name: tf.constant(values) for name, values in self.batch.items()}
        columns["position"] = tf.zeros([len(columns["input_ids"]), 2], tf.int64)
        numbers = tf.data.Dataset.range(int(self.step.numpy()), 10_000)
        batches = numbers.map(lambda n: columns | {"position": columns["position"] + tf.stack([0, n + 1])})
        rows = len(columns["input_ids"]) // self.strategy.num_replicas_in_sync
        return device_iterator(self.strategy, lambda context: batches.rebatch(rows))

    def train(self, tmp_path, steps=GOLDEN["num_train_steps"], save_every=5, **options):
        schedule = Schedule(num_train_steps=steps, save_checkpoints_steps=save_every, iterations_per_loop=3)
        log = MetricsLog(str(tmp_path), int(self.step.numpy()))
        train(self.loop, self.iterator(), self.state, schedule, log, tokens_per_step=56, **options)


def assert_same_weights(first, second, **tolerance):
    for name, value in first.weights.items():
        np.testing.assert_allclose(value.numpy(), second.weights[name].numpy(), **tolerance, err_msg=name)


@pytest.mark.parametrize("fusion", ["none", "blocks", "step"])
def test_twenty_steps_are_those_of_pytorch_with_the_original_optimizer(fusion):
    run = Run(fusion=fusion)
    iterator = run.iterator()
    for line in GOLDEN["steps"][:-1]:
        result = run.loop.run(iterator, 1)
        measures = dict(zip(run.loop.measure_names, result.sums.numpy(), strict=True))
        mlm, nsp = measures["masked_lm_loss"], measures["next_sentence_loss"]
        np.testing.assert_allclose(mlm[0] / (mlm[1] + 1e-5), line["masked_lm_loss"], atol=2e-5)
        np.testing.assert_allclose(nsp[0] / nsp[1], line["next_sentence_loss"], atol=2e-5)
        np.testing.assert_allclose(result.learning_rate, line["learning_rate"], rtol=1e-6)
        np.testing.assert_allclose(result.gradient_norm, line["gradient_norm"], rtol=1e-4)
    for name, norm in GOLDEN["final_norms"].items():
        np.testing.assert_allclose(np.linalg.norm(run.weights[name]), norm, rtol=1e-4, err_msg=name)


@pytest.mark.parametrize("fusion", ["none", pytest.param("step", marks=pytest.mark.slow)])
def test_two_devices_do_what_one_does_with_the_same_global_batch(fusion):
    one, two = Run(), Run(mirrored(), fusion=fusion)
    assert two.strategy.num_replicas_in_sync == 2
    first, second = one.loop.run(one.iterator(), 10), two.loop.run(two.iterator(), 10)
    np.testing.assert_allclose(first.sums, second.sums, rtol=1e-4)
    np.testing.assert_array_equal(first.position, second.position)
    assert_same_weights(one, two, atol=1e-5)


def test_replicas_draw_different_dropout():
    strategy = mirrored()
    with strategy.scope():
        layer = Dropout(0.5)
        layer.build()
    loop = Run(strategy).loop

    def drop():
        with dropout_seed(loop._dropout_seed(tf.constant(3), tf.distribute.get_replica_context())):
            return layer(tf.ones([100]), training=True)

    first, second = strategy.experimental_local_results(tf.function(lambda: strategy.run(drop))())
    assert (first.numpy() != second.numpy()).any()


def test_how_steps_are_grouped_into_calls_changes_no_bit():
    one, other = Run(dropout=0.1), Run(dropout=0.1)
    iterator = one.iterator()
    for count in (1, 2, 4, 1, 2):
        one.loop.run(iterator, count)
    other.loop.run(other.iterator(), 10)
    assert_same_weights(one, other, rtol=0, atol=0)


def test_a_resumed_run_ends_where_the_uninterrupted_one_does_bit_for_bit(tmp_path):
    whole = Run(dropout=0.1, directory=tmp_path / "whole")
    whole.train(tmp_path / "a")
    first = Run(dropout=0.1, directory=tmp_path / "parts")
    first.train(tmp_path / "b", steps=11)
    second = Run(dropout=0.1, directory=tmp_path / "parts")
    assert second.state.restore() and int(second.step.numpy()) == 11
    np.testing.assert_array_equal(second.position.numpy(), [0, 11])
    second.train(tmp_path / "b")
    assert_same_weights(whole, second, rtol=0, atol=0)
    for name, slot in whole.optimizer.slots.items():
        np.testing.assert_array_equal(slot.numpy(), second.optimizer.slots[name].numpy())


def test_the_log_holds_each_step_once_after_a_resumption(tmp_path):
    run = Run(directory=tmp_path / "checkpoints")
    run.train(tmp_path, steps=10)
    path = tmp_path / "metrics.jsonl"
    later = '{"step": 12, "kind": "train", "loss": 1.0}\n{"step": 13, "ki'  # Written just before a kill.
    path.write_text(path.read_text() + later)
    run.train(tmp_path, evaluate=lambda: {"loss": 2.0})
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["step"] for line in lines if line["kind"] == "train"] == list(range(1, 21))
    assert [line["step"] for line in lines if line["kind"] == "eval"] == [15, 20]
    assert {"loss", "masked_lm_loss", "learning_rate", "gradient_norm", "tokens_per_second"} <= set(lines[0])


def test_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_checkpoint(tmp_path):
    run = Run(directory=tmp_path / "checkpoints")
    run.train(tmp_path, steps=5)
    run.batch = not_finite(BATCH)
    with pytest.raises(InputError, match=r"not finite at step 6 \(learning rate .*ckpt-5"):
        run.train(tmp_path)
    assert run.state.latest.endswith("ckpt-5")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_the_run_and_leaves_with_its_status(tmp_path, number):
    run = Run(directory=tmp_path / "checkpoints")
    handler = signal.getsignal(number)

    def interrupt():
        os.kill(os.getpid(), number)
        return {}

    with pytest.raises(Stopped) as stopped:
        run.train(tmp_path, evaluate=interrupt)
    assert stopped.value.status == 128 + number
    step = int(run.step.numpy())
    assert 5 < step < 20 and run.state.latest.endswith(f"ckpt-{step}")
    assert signal.getsignal(number) == handler


def test_checkpoint_of_another_model_is_refused(tmp_path):
    run = Run(directory=tmp_path)
    run.state.save()
    other = tf.Variable(tf.zeros([3, 3]))
    state = TrainState(str(tmp_path), {"bert/embeddings/word_embeddings": other}, {}, run.step, run.position)
    with pytest.raises(InputError, match="is not a checkpoint of this model"):
        state.restore()
    with pytest.raises(InputError, match="is not a checkpoint of this model"):
        restore_weights(str(tmp_path), {"bert/embeddings/word_embeddings": other})


def test_a_checkpoint_that_cannot_be_written_is_one_line_and_the_one_before_stays(tmp_path, monkeypatch):
    run = Run(directory=tmp_path)
    before = run.state.save()

    def disk_full(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(run.state._manager, "save", disk_full)
    run.step.assign(7)
    (tmp_path / "ckpt-7.data-00000-of-00001").write_text("half of it")
    with pytest.raises(InputError, match=f"step 7 could not be saved: no space left on the disk.*{before}"):
        run.state.save()
    assert run.state.latest == before
    assert not list(tmp_path.glob("ckpt-7*"))


def flip_a_byte(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGES = {
    "a flipped bit": flip_a_byte,
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-50]),
    "empty": lambda path: path.write_bytes(b""),
    "gone": lambda path: path.unlink(),
}


@pytest.mark.parametrize("part", ["data-00000-of-00001", "index"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path, capsys, damage, part):
    run = Run(directory=tmp_path)
    for step in (5, 10):
        run.step.assign(step)
        run.state.save()
    DAMAGES[damage](tmp_path / f"ckpt-10.{part}")
    other = Run(directory=tmp_path)
    assert other.state.restore() and int(other.step.numpy()) == 5
    assert_same_weights(run, other, rtol=0, atol=0)
    assert other.state.latest.endswith("ckpt-5")
    told = capsys.readouterr().err
    warning, going_on = told.strip().splitlines()
    assert "ckpt-10: can't be read" in warning and going_on.startswith("going on from")
    assert restore_weights(str(tmp_path), other.weights) == 5
    once_more = Run(directory=tmp_path)  # As if the run were killed before it has saved again.
    assert once_more.state.restore() and int(once_more.step.numpy()) == 5


def test_a_damaged_remote_checkpoint_gives_way_to_the_one_before(capsys):
    directory = "ram://damaged/checkpoints"
    run = Run(directory=directory)
    for step in (5, 10):
        run.step.assign(step)
        run.state.save()
    with tf.io.gfile.GFile(f"{directory}/ckpt-10.index", "wb") as file:
        file.write(b"half of it")
    other = Run(directory=directory)
    assert other.state.restore() and other.state.latest == f"{directory}/ckpt-5"
    assert_same_weights(run, other, rtol=0, atol=0)
    assert "ckpt-10: can't be read" in capsys.readouterr().err
    assert restore_weights(directory, other.weights) == 5


def test_a_damaged_checkpoint_is_left_where_nothing_is_to_be_written(tmp_path):
    run = Run(directory=tmp_path)
    for step in (5, 10):
        run.step.assign(step)
        run.state.save()
    flip_a_byte(tmp_path / "ckpt-10.index")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    other = Run(directory=tmp_path)
    assert other.state.restore(repair=False) and int(other.step.numpy()) == 5
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_without_any_checkpoint_that_is_whole_the_run_does_not_start_over(tmp_path):
    run = Run(directory=tmp_path)
    run.state.save()
    flip_a_byte(tmp_path / "ckpt-0.data-00000-of-00001")
    with pytest.raises(InputError, match="none of the 1 checkpoints can be read"):
        Run(directory=tmp_path).state.restore()


def not_finite(batch):
    broken = {name: values.copy() for name, values in batch.items()}
    broken["masked_lm_weights"][0, 0] = np.inf
    return broken


def test_a_step_that_is_not_finite_changes_nothing_and_is_skipped_where_that_is_allowed():
    run, other = Run(max_skipped_steps=1), Run()
    good, bad = ({name: tf.constant(values) for name, values in batch.items()} for batch in (BATCH, not_finite(BATCH)))
    position = {"position": tf.zeros([len(BATCH["input_ids"]), 2], tf.int64)}
    batches = [good, bad, good, bad, bad, good]
    results = [run.loop.run(iter([batch | position]), 1, 0) for batch in batches[:3]]
    assert [int(result.skipped) for result in results] == [0, 1, 0]
    assert int(run.step.numpy()) == 2
    other.loop.run(other.iterator(), 2)
    assert_same_weights(run, other, rtol=0, atol=0)
    skipped = 0
    for batch in batches[3:]:
        skipped = int(run.loop.run(iter([batch | position]), 1, skipped).skipped)
    assert skipped == 3  # Two were not finite; by then nothing is applied any more.
    assert_same_weights(run, other, rtol=0, atol=0)


def test_the_loss_average_of_the_original_on_tpus_is_that_of_each_replicas_own_mean():
    """Weights of 1 on one replica and many on the other tell the two averages apart."""
    uneven = {name: values.copy() for name, values in BATCH.items()}
    uneven["masked_lm_weights"][2:, 1:] = 0.0
    run = Run(mirrored(), batch=uneven, loss_average="replica")
    run.loop.run(run.iterator(), 1)
    slot = "bert/embeddings/word_embeddings/adam_m"
    halves = []
    for rows in (slice(0, 2), slice(2, 4)):
        half = Run(batch={name: values[rows] for name, values in uneven.items()})
        halves.append(gradient_of(half))
    mean = {name: (halves[0][name] + halves[1][name]) / 2 for name in halves[0]}
    norm = np.sqrt(sum((value**2).sum() for value in mean.values()))
    expected = 0.1 * mean["bert/embeddings/word_embeddings"] * min(1.0, 1.0 / norm)
    np.testing.assert_allclose(run.optimizer.slots[slot], expected, atol=1e-7)


def gradient_of(run):
    """By name, of the mean over the run's whole batch."""
    batch = {name: tf.constant(values) for name, values in run.batch.items()}
    with tf.GradientTape() as tape:
        losses, _ = bert_pretraining(run.model, batch, training=True)
        loss = tf.add_n([mean.total / (mean.weight + mean.epsilon) for mean in losses.values()])
    gradients = tape.gradient(loss, list(run.weights.values()))
    return {name: tf.convert_to_tensor(value).numpy() for name, value in zip(run.weights, gradients, strict=True)}


def test_only_the_last_checkpoints_are_kept(tmp_path):
    run = Run(directory=tmp_path / "checkpoints")
    run.train(tmp_path, save_every=4)
    names = {path.name for path in (tmp_path / "checkpoints").glob("*.index")}
    assert names == {"ckpt-16.index", "ckpt-20.index"}


def test_evaluation_weighs_every_prediction_and_averages_loss_over_batches():
    run = Run()
    halves = [{name: values[rows] for name, values in BATCH.items()} for rows in (slice(0, 1), slice(1, 4))]
    evaluation = Evaluation(tf.distribute.get_strategy(), run.model, bert_pretraining)
    single = [evaluation.run(tf.data.Dataset.from_tensors(half)) for half in halves]
    batches = tf.data.Dataset.from_tensors(halves[0]).concatenate(tf.data.Dataset.from_tensors(halves[1]))
    both = evaluation.run(batches)
    weights = [half["masked_lm_weights"].sum() for half in halves]
    expected = np.average([result["masked_lm_loss"] for result in single], weights=weights)
    assert both["masked_lm_loss"] == pytest.approx(expected, rel=1e-5)
    assert both["next_sentence_loss"] == pytest.approx(
        np.average([result["next_sentence_loss"] for result in single], weights=[1, 3]), rel=1e-5
    )
    assert both["loss"] == pytest.approx(np.mean([result["loss"] for result in single]), rel=1e-5)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (61.9, "1:01"), (3600, "1:00:00"), (36_125, "10:02:05")])
def test_time_is_written_as_a_clock_shows_it(seconds, text):
    assert format_seconds(seconds) == text


def test_batches_of_one_device_come_from_the_dataset_itself_whose_options_say_that_it_ends_at_once():
    numbers = tf.data.Dataset.range(3)
    iterator = device_iterator(make_strategy("one_device"), lambda context: numbers)
    assert isinstance(iterator, tf.data.Iterator) and [int(number) for number in iterator] == [0, 1, 2]


def loops_in_memory():
    gc.collect()
    return sum(type(found).__name__ == "FuncGraph" and found.name == "_run_steps" for found in gc.get_objects())


@pytest.mark.parametrize("fusion", ["none", "blocks", "step"])
def test_nothing_of_a_finished_run_stays_in_memory(fusion):
    def make_a_step():
        run = Run(fusion=fusion)
        run.loop.run(run.iterator(), 1)
        assert loops_in_memory() == before + 1

    before = loops_in_memory()
    make_a_step()
    assert loops_in_memory() == before


@pytest.mark.slow
def test_a_loop_with_micro_batches_is_called_again_with_a_model_whose_sums_grappler_would_merge():
    config = PRESETS["bert-mini"]
    model = Bert(config, heads=("mlm", "nsp"))
    weights = {variable.path: variable.value for variable in model.trainable_variables}
    step, strategy = tf.Variable(0, dtype=tf.int64), make_strategy("one_device")
    schedule = LinearDecayWithWarmup(1e-4, 100, 1)
    loop = TrainLoop(
        strategy, model, bert_pretraining, AdamWeightDecay(weights), schedule, step, 1, gradient_accumulation_steps=4
    )
    batch = {name: np.repeat(values, 8, axis=0) for name, values in BATCH.items()}
    columns = batch | {"position": np.zeros([len(batch["input_ids"]), 2], np.int64)}
    iterator = iter(tf.data.Dataset.from_tensors(columns).repeat())
    for _ in range(3):
        loop.run(iterator, 1)
    assert step.numpy() == 3
