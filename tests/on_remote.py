"""Runs a script on a folder that it reaches through TensorFlow alone.

python tests/on_remote.py FOLDER ROOT SCRIPT FLAG…: where ROOT is `ram://…`, in the memory of this process, what is in
FOLDER is moved there and moved back in the end. Whoever touches a path of ROOT's scheme by other means than TensorFlow
is named, and the status is then 99.
"""

import glob
import os
import pathlib
import runpy
import shutil
import sys

import tensorflow as tf

TOUCHED_OTHERWISE = 99


def move_there(folder: pathlib.Path, root: str) -> None:
    """Moves everything in `folder` to `root`."""
    for path in sorted(folder.rglob("*")):
        there = f"{root}/{path.relative_to(folder)}"
        if path.is_dir():
            tf.io.gfile.makedirs(there)
        else:
            with tf.io.gfile.GFile(there, "wb") as file:
                file.write(path.read_bytes())
    shutil.rmtree(folder)


def move_back(folder: pathlib.Path, root: str) -> None:
    """Writes everything that is in `root` to `folder`."""
    for directory, _, names in tf.io.gfile.walk(root):
        local = folder / directory.removeprefix(root).strip("/")
        local.mkdir(parents=True, exist_ok=True)
        for name in names:
            with tf.io.gfile.GFile(f"{directory}/{name}", "rb") as file:
                (local / name).write_bytes(file.read())


def watch(scheme: bytes) -> list[str]:
    """A list that grows when Python's own functions are given a path with this in it."""
    found = []

    def note(event, arguments):
        is_of_files = event == "open" or event.startswith(("os.", "shutil.", "glob.", "tempfile."))
        if is_of_files and any(isinstance(each, str | bytes) and scheme in os.fsencode(each) for each in arguments):
            if "/tensorflow/python/checkpoint/" not in caller():  # It counts the bytes of local checkpoints so.
                found.append(f"{event}{arguments}")

    def caller():
        frame = sys._getframe(2)
        while frame.f_code.co_filename.startswith((glob.__file__, os.__file__)):
            frame = frame.f_back
        return frame.f_code.co_filename

    sys.addaudithook(note)
    return found


def main(folder: pathlib.Path, root: str, script: str, *flags: str) -> None:
    in_memory = root.startswith("ram://")
    if in_memory:
        move_there(folder, root)
    sys.argv = [script, *flags]
    found, status = watch(root.partition("//")[0].encode()), 0
    try:
        runpy.run_path(str(pathlib.Path(__file__).parent.parent / script), run_name="__main__")
    except SystemExit as end:
        status = end.code
    if found:
        print("touched otherwise:", *dict.fromkeys(found), sep="\n", file=sys.stderr)
        status = TOUCHED_OTHERWISE
    if in_memory:
        move_back(folder, root)
    sys.exit(status)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), *sys.argv[2:])
