"""Writes what TF Serving reads: `EXPORT/NAME/VERSION/`, whole or not at all."""

import errno
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from official import files
from official.errors import InputError
from official.serving.servable import PREDICT, Servable, Signature
from official.serving.variants import write_variants
from official.serving.warmup import write_warmup

GRAPH = "saved_model.pb"
EXTRA = "assets.extra"  # Files that the runtime leaves alone.


def write_saved_model(
    servable: Servable,
    directory: str,
    *,
    version: int | None = None,
    batch_sizes: tuple[int, ...] = (1,),
    variants: Sequence[str] = (),
    vocabulary: tuple[str, ...] = (),
    about: Mapping[str, Any],
) -> str:
    """Writes a version of a model, with warm-up requests, vocabulary and labels.

    Args:
        servable: the model.
        directory: `EXPORT/NAME`; its name is the model's.
        version: a whole number of at least 1; by default one more than the newest there.
        batch_sizes: of the warm-up requests.
        variants: some of `VARIANTS`, written to `assets.extra`, which a server does not look at.
        vocabulary: the tokens, for `assets.extra/vocab.txt`.
        about: what `export.json` says of it.

    Returns:
        The path of the version.

    Raises:
        InputError: that version is there already, or can't be written.
    """
    require_room(directory, version)
    signatures = servable.signatures()
    with _new_directory(directory) as incomplete:
        tf.saved_model.save(servable, incomplete, {name: _concrete(each) for name, each in signatures.items()})
        _set_methods(os.path.join(incomplete, GRAPH), signatures)
        extra = os.path.join(incomplete, EXTRA)
        files.make_directory(extra)
        write_warmup(extra, os.path.basename(directory), signatures, batch_sizes)
        write_variants(servable, extra, variants)
        _write_lines(os.path.join(extra, "vocab.txt"), vocabulary)
        if labels := getattr(servable, "labels", ()):
            _write_json(os.path.join(extra, "labels.json"), list(labels))
        _write_json(os.path.join(incomplete, "export.json"), about)
        return _give_number(incomplete, directory, version)


def require_room(directory: str, version: int | None, dry_run: bool = False) -> None:
    """Makes sure that a version can be written: what takes hours is to know it before.

    Args:
        directory: of the model's versions.
        version: None for the next.
        dry_run: write nothing, not even to try it; then less is found out.

    Raises:
        InputError: it is there already, or nothing can be written there.
    """
    (files.check_directory if dry_run else files.try_to_write)(directory)
    if version is not None and files.exists(path := os.path.join(directory, str(version))):
        raise _taken(path)


def _taken(path: str) -> InputError:
    return InputError(f"{path}: is there already; a server that has loaded a version does not look at it again")


def versions(directory: str) -> list[int]:
    """The versions of a model that are there."""
    return sorted(int(name) for name in files.list_directory(directory) if name.isascii() and name.isdecimal())


@contextmanager
def _new_directory(directory: str) -> Iterator[str]:
    """A directory to be filled, which a server does not take for a version."""
    incomplete = files.temporary_name(os.path.join(directory, "version"))
    try:
        yield incomplete
    except (OSError, tf.errors.OpError) as error:
        reason = files.describe_os_error(error) if isinstance(error, OSError) else error.message
        raise InputError(f"{directory}: can't be written: {reason}") from error
    finally:
        files.remove_directory_if_there(incomplete)


def _give_number(incomplete: str, directory: str, version: int | None) -> str:
    """The path under which it is served. Where another export took the next number meanwhile, the one after that."""
    while True:
        path = os.path.join(directory, str(version or 1 + max(versions(directory), default=0)))
        try:
            files.publish_directory(incomplete, path, last=GRAPH)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            if version is not None:
                raise _taken(path) from error
        else:
            return path


def _concrete(signature: Signature) -> Callable:
    names = [spec.name for spec in signature.inputs]

    # Called by name, and only by it: the names of arguments are those that clients write.
    def by_name(**tensors):
        return signature.function(*(tensors[name] for name in names))

    return tf.function(by_name, autograph=False).get_concrete_function(**{spec.name: spec for spec in signature.inputs})


def _set_methods(path: str, signatures: Mapping[str, Signature]) -> None:
    """Says which API answers each signature: TensorFlow 2 writes the same for all."""
    saved_model = saved_model_pb2.SavedModel()
    with files.open_file(path, "rb") as file:
        saved_model.ParseFromString(file.read())
    for name, signature in signatures.items():
        if signature.method != PREDICT:
            saved_model.meta_graphs[0].signature_def[name].method_name = signature.method
    with files.write_whole(path, "wb") as file:
        file.write(saved_model.SerializeToString(deterministic=True))


def _write_lines(path: str, lines: tuple[str, ...]) -> None:
    with files.write_whole(path) as file:
        file.writelines(f"{line}\n" for line in lines)


def _write_json(path: str, value: Any) -> None:
    with files.write_whole(path) as file:
        file.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
