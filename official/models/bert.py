"""BERT (Devlin et al. 2019, arXiv:1810.04805): config, released shapes, encoder and heads.

Its descendants are classes of their own that say what they do otherwise.
"""

import dataclasses
import json
from collections.abc import Sequence

import keras
import tensorflow as tf

from official import layers
from official.errors import InputError
from official.models.config import Config


@dataclasses.dataclass(frozen=True, kw_only=True)
class BertConfig(Config):
    """The shape of a BERT, with the fields and defaults of the original's `bert_config.json` (modeling.py:30-80)."""

    title = "BERT"
    model_type = "bert"
    assumed = {"type_vocab_size": 2}
    computed_with = {
        "add_cross_attention": False,
        "is_decoder": False,
        "position_embedding_type": "absolute",
        "pruned_heads": {},
    }

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3_072  # 4 × hidden_size in every released model
    hidden_act: str = "gelu"  # the tanh form, as in the original; `gelu_erf` is the exact one
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 16  # the original's default; 2 in every released config
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12  # fixed in the original; a field of its descendants

    def to_json(self) -> str:
        """The config as the original writes it: what it has no field for is left out where it is as in the original."""
        values = dataclasses.asdict(self)
        if self.layer_norm_eps == BertConfig.layer_norm_eps:
            del values["layer_norm_eps"]
        return json.dumps(values, indent=2, sort_keys=True) + "\n"


def _shape(num_layers: int, hidden_size: int, vocab_size: int = 30_522) -> BertConfig:
    """A released shape: heads of 64, feed-forward of 4 × hidden_size, two token types."""
    return BertConfig(
        vocab_size=vocab_size,
        hidden_size=hidden_size,
        num_hidden_layers=num_layers,
        num_attention_heads=hidden_size // 64,
        intermediate_size=4 * hidden_size,
        type_vocab_size=2,
    )


# The 24 small models (Turc et al. 2019, arXiv:1908.08962) under the names of their release, and the shapes with names.
PRESETS: dict[str, BertConfig] = {
    f"uncased_L-{num_layers}_H-{hidden_size}_A-{hidden_size // 64}": _shape(num_layers, hidden_size)
    for num_layers in (2, 4, 6, 8, 10, 12)
    for hidden_size in (128, 256, 512, 768)
} | {
    "bert-tiny": _shape(2, 128),
    "bert-mini": _shape(4, 256),
    "bert-small": _shape(4, 512),
    "bert-medium": _shape(8, 512),
    "bert-base": _shape(12, 768),
    "bert-large": _shape(24, 1024),
    "bert-base-cased": _shape(12, 768, vocab_size=28_996),
    "bert-large-cased": _shape(24, 1024, vocab_size=28_996),
    "bert-base-multilingual-cased": _shape(12, 768, vocab_size=119_547),
    "bert-base-chinese": _shape(12, 768, vocab_size=21_128),
    # Students (Jiao et al. 2020, arXiv:1909.10351; Wang et al. 2020, arXiv:2002.10957): BERTs of other shapes.
    "tinybert-4": dataclasses.replace(_shape(4, 768), hidden_size=312, intermediate_size=1_200),
    "tinybert-6": _shape(6, 768),
    "minilm-l12-h384": dataclasses.replace(_shape(12, 384), num_attention_heads=12),
    "minilm-l6-h384": dataclasses.replace(_shape(6, 384), num_attention_heads=12),
    "minilm-l6-h768": _shape(6, 768),
}


# Of the classifiers, whatever hidden_dropout_prob is (run_classifier.py:604).
CLASSIFIER_DROPOUT = 0.1


class BertEncoder(keras.layers.Layer):
    """Embeddings, a stack of blocks, a pooler: everything under `bert/` in a checkpoint."""

    def __init__(
        self,
        config: BertConfig,
        pooler: bool,
        use_one_hot_embeddings: bool,
        embeddings: layers.Embeddings | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.config = config
        self.embeddings = embeddings or layers.Embeddings(
            vocab_size=config.vocab_size,
            hidden_size=config.embedding_width,
            max_position_embeddings=config.max_position_embeddings,
            type_vocab_size=config.type_vocab_size,
            dropout_rate=config.hidden_dropout_prob,
            initializer_range=config.initializer_range,
            use_one_hot_embeddings=use_one_hot_embeddings,
            layer_norm_eps=config.layer_norm_eps,
            name="embeddings",
        )
        self.projection = self.make_projection()
        self.encoder = self.make_blocks()
        self.pooler = layers.Pooler(config.hidden_size, config.initializer_range, name="pooler") if pooler else None

    def make_projection(self) -> keras.layers.Layer | None:
        """What brings embeddings to the width of the blocks."""
        return None

    def make_blocks(self) -> keras.layers.Layer:
        """What is called with embeddings, a bias on the scores and `training`, and answers as `layers.Transformer`."""
        config = self.config
        return layers.Transformer(
            num_layers=config.num_hidden_layers,
            num_heads=config.num_attention_heads,
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            hidden_act=config.hidden_act,
            hidden_dropout=config.hidden_dropout_prob,
            attention_dropout=config.attention_probs_dropout_prob,
            initializer_range=config.initializer_range,
            layer_norm_eps=config.layer_norm_eps,
            name="encoder",
        )

    def build(self, input_shape=None):
        if not self.embeddings.built:
            self.embeddings.build()
        if self.projection is not None:
            self.projection.build((None, None, self.config.embedding_width))
        self.encoder.build((None, None, self.config.hidden_size))
        if self.pooler is not None:
            self.pooler.build((None, None, self.config.hidden_size))

    @property
    def first_position(self) -> int:
        """The row of the table of positions that is the first token's."""
        return 0

    def positions(self, input_ids):
        """The row of the table of positions for each token, int32 [B, T]; None where they are counted from 0."""
        del input_ids
        return None

    def call(self, input_ids, input_mask, segment_ids, packing=None, training=False):
        if packing is None:
            positions, bias = self.positions(input_ids), layers.attention_bias(input_mask)
        else:
            positions, bias = packing.positions + self.first_position, packing.attention_bias()
        x = self.embeddings(input_ids, segment_ids, positions, training=training)  # [B, T, E]
        if self.projection is not None:
            x = self.projection(x)  # [B, T, H]
        return self.encoder(x, bias, training=training)


class Bert(keras.Model):
    """BERT with the heads that are asked for.

    Called with a dict of `input_ids`, and optionally `input_mask` (default: all real), `segment_ids` (default: all 0),
    each int32 [B, T], and `masked_lm_positions` int32 [B, P]. Answers with a dict:

    - `sequence_output` [B, T, H], `pooled_output` [B, H] (with a pooler);
    - for the heads of pretraining, `mlm_logits` [B, P, V], or [B, T, V] without positions, and `nsp_logits` [B, 2];
    - `logits` [B, labels] for `sequence_classification`, [B, T, labels] for `token_classification`, and `start_logits`
      and `end_logits` [B, T] for `question_answering`;
    - `hidden_states`, a list of L + 1 tensors [B, T, H], `attention_probs`, L tensors [B, N, T, T] before dropout, and
      `attended`, what these came from (`layers.Attended`), when `output_hidden_states`, `output_attention_probs` and
      `output_attended` ask for them.

    Where rows hold several examples, `input_ids` and `segment_ids` are of rows, [R, L], and what `layers.Packing` asks
    for says where each example is; what is answered is [B, …] as ever, but for `attention_probs` and `attended`.

    The path of a variable, without the model's own name, is its name in a checkpoint of the original.

    A head is an attribute of its name and two methods, `make_<head>` and `call_<head>`: a layer, and what it answers of
    the outputs so far.

    Args:
        config: the shape.
        heads: some of `HEADS`; no two that both answer with `logits`.
        labels: names of the classes of `sequence_classification` or `token_classification`.
        label_type: whether a text has one label (`single`), any number of them (`multi`) or is given a number
            (`regression`); None if that is not known. It changes nothing here and travels with the model.
        pooler: whether there is one, in a family that has it; the heads of `WITH_POOLER` need it.
        use_one_hot_embeddings: look words up by a matrix product, as the original does on TPUs.
        embeddings: those of another model, where two have them in common.
    """

    ENCODER = BertEncoder
    SCOPE = "bert"  # The start of the names of the encoder's variables.
    HEADS = ("mlm", "nsp", "sequence_classification", "token_classification", "question_answering")
    WITH_LABELS = frozenset({"sequence_classification", "token_classification"})
    WITH_POOLER = frozenset({"nsp", "sequence_classification"})
    HAS_POOLER = True  # Whether there is such a thing in this family.
    MLM_ACT: str | None = None  # Of the masked LM head, where it is not that of the blocks.

    def __init__(
        self,
        config: BertConfig,
        heads: Sequence[str] = (),
        *,
        labels: Sequence[str] = (),
        label_type: str | None = None,
        pooler: bool = True,
        output_hidden_states: bool = False,
        output_attention_probs: bool = False,
        output_attended: bool = False,
        use_one_hot_embeddings: bool = False,
        embeddings: layers.Embeddings | None = None,
        name: str = "model",
    ):
        super().__init__(name=name)
        pooler = pooler and self.HAS_POOLER
        self._check_heads(set(heads), labels, pooler)
        self.config = config
        self.heads = tuple(heads)
        self.labels, self.label_type = tuple(labels), label_type
        self.output_hidden_states = output_hidden_states
        self.output_attention_probs = output_attention_probs
        self.output_attended = output_attended
        self.encoder = self.ENCODER(config, pooler, use_one_hot_embeddings, embeddings, name=self.SCOPE)
        for head in self.HEADS:
            setattr(self, head, getattr(self, f"make_{head}")() if head in heads else None)
        self.build()

    def _check_heads(self, heads: set[str], labels: Sequence[str], pooler: bool) -> None:
        if unknown := heads - set(self.HEADS):
            raise ValueError(f"heads {sorted(unknown)}: some of {self.HEADS} were expected")
        if not pooler and heads & self.WITH_POOLER:
            raise ValueError(f"the heads {sorted(heads & self.WITH_POOLER)} need a pooler")
        if len(heads & self.WITH_LABELS) > 1:
            raise ValueError(f"only one of {sorted(self.WITH_LABELS)} can answer with `logits`")
        if bool(heads & self.WITH_LABELS) != bool(labels):
            raise ValueError(f"heads {sorted(heads)} with {len(labels)} labels")

    def with_config(self, config: BertConfig) -> "Bert":
        """A model with another config and otherwise the same arguments, newly initialised."""
        return type(self)(
            config,
            self.heads,
            labels=self.labels,
            label_type=self.label_type,
            pooler=self.encoder.pooler is not None,
            output_hidden_states=self.output_hidden_states,
            output_attention_probs=self.output_attention_probs,
            output_attended=self.output_attended,
            use_one_hot_embeddings=self.encoder.embeddings.use_one_hot_embeddings,
            name=self.name,
        )

    def build(self, input_shape=None):
        self.encoder.build()
        with keras.name_scope("cls"):
            for name in self.HEADS:
                if (head := getattr(self, name)) is not None and not head.built:
                    head.build((None, None, self.config.hidden_size))
        self.built = True

    def call(self, inputs, training=False):
        input_ids = inputs["input_ids"]
        self._check_length(input_ids.shape[1])
        input_mask = inputs.get("input_mask")
        segment_ids = inputs.get("segment_ids")
        packing = layers.Packing.of(inputs)
        hidden_states, attended = self.encoder(
            input_ids,
            tf.ones_like(input_ids) if input_mask is None else input_mask,
            tf.zeros_like(input_ids) if segment_ids is None else segment_ids,
            packing,
            training=training,
        )
        if packing is not None:
            hidden_states = [packing.unpacked(states) for states in hidden_states]  # [B, T, H] each
        outputs = {"sequence_output": hidden_states[-1]}
        if self.encoder.pooler is not None:
            outputs["pooled_output"] = self.encoder.pooler(hidden_states[-1])
        for name in self.HEADS:
            if (head := getattr(self, name)) is not None:
                outputs |= getattr(self, f"call_{name}")(head, outputs, inputs, training)
        if self.output_hidden_states:
            outputs["hidden_states"] = hidden_states
        if self.output_attention_probs:
            outputs["attention_probs"] = [None if each is None else each.probs() for each in attended]
        if self.output_attended:
            outputs["attended"] = attended
        return outputs

    def make_mlm(self):
        config = self.config
        return layers.MaskedLMHead(
            config.embedding_width,
            config.vocab_size,
            self.MLM_ACT or config.hidden_act,
            config.initializer_range,
            config.layer_norm_eps,
            name="predictions",
        )

    def call_mlm(self, head, outputs, inputs, training):
        word_embeddings = self.encoder.embeddings.word_embeddings
        return {"mlm_logits": head(outputs["sequence_output"], word_embeddings, inputs.get("masked_lm_positions"))}

    def make_nsp(self):
        return layers.ClassificationHead(2, self.config.initializer_range, name="seq_relationship")

    def call_nsp(self, head, outputs, inputs, training):
        return {"nsp_logits": head(outputs["pooled_output"])}

    def make_sequence_classification(self):
        # With the model's name, and built outside of its scope: the original has these at the root of its graph.
        head = layers.ClassificationHead(
            len(self.labels), self.config.initializer_range, CLASSIFIER_DROPOUT, name=self.name
        )
        head.build((None, self.config.hidden_size))
        return head

    def call_sequence_classification(self, head, outputs, inputs, training):
        return {"logits": head(outputs["pooled_output"], training=training)}

    def make_token_classification(self):
        return layers.ClassificationHead(
            len(self.labels), self.config.initializer_range, CLASSIFIER_DROPOUT, name="tagging"
        )

    def call_token_classification(self, head, outputs, inputs, training):
        return {"logits": head(outputs["sequence_output"], training=training)}

    def make_question_answering(self):
        return layers.ClassificationHead(2, self.config.initializer_range, name="squad")

    def call_question_answering(self, head, outputs, inputs, training):
        logits = head(outputs["sequence_output"], training=training)  # [B, T, 2]
        if layers.Packing.of(inputs) is not None:  # Padding competes with the answer, but of this there are no states.
            logits = tf.where(tf.expand_dims(inputs["input_mask"], -1) > 0, logits, layers.MASKED_OUT)
        start_logits, end_logits = tf.unstack(logits, axis=-1)  # [B, T]
        return {"start_logits": start_logits, "end_logits": end_logits}

    def _check_length(self, length: int | None) -> None:
        longest = self.config.longest_sequence
        if length is not None and length > longest:
            raise InputError(f"sequences of {length} tokens: this model has positions for {longest}")
