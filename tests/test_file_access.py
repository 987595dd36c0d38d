"""Files are reached through `official.files` alone, so that every path that a user gives may be remote."""

import ast
import pathlib

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
SOURCES = sorted(
    path for pattern in ("*.py", "official/**/*.py", "data_prep/**/*.py") for path in REPOSITORY.glob(pattern)
)
# Names that reach the file system of this machine, whatever the path.
OF_OS = "chmod,link,listdir,makedirs,mkdir,open,remove,removedirs,rename,replace,rmdir,scandir,stat,symlink,unlink,walk"
OF_OS_PATH = "exists,getmtime,getsize,isdir,isfile,islink,lexists,realpath,samefile"
LOCAL_ONLY = (
    {
        "open",
        "io.open",
        "codecs.open",
        "gzip.open",
        "h5py.File",
        "zipfile.ZipFile",
        "mmap.mmap",
        "safetensors.safe_open",
    }
    | {f"os.{name}" for name in OF_OS.split(",")}
    | {f"os.path.{name}" for name in OF_OS_PATH.split(",")}
    | {f"{module}.{name}" for module in ("np", "numpy") for name in ("fromfile", "load", "loadtxt", "memmap", "save")}
)
LOCAL_MODULES = {"glob", "pathlib", "shutil", "tempfile"}
TENSORFLOW = {"tf.io.gfile"}  # Reaches remote files, but its errors are not ours.
ALLOWED = {
    "official/files.py": "where local and remote paths part",
    "official/remote_files.py": "TensorFlow's side of it",
    "official/command_line.py": "a temporary file for what is held back from stderr",
    "official/checkpoints/storage/hdf5.py": "libhdf5 writes a local file, which is then copied to where it belongs",
    "official/serving/deployment.py": "the package's own templates",
    "official/training/strategy.py": "/proc/cpuinfo",
    "official/training/output_dir.py": "a worker's own copy, on its machine",
    "official/training/checkpoint.py": "tf.train.CheckpointManager's files, by gfile as it does itself",
    "data_prep/build_vocab.py": "the script's own place",
    "data_prep/create_pretraining_data.py": "the script's own place",
    "data_prep/runner_flags.py": "/dev/null",
    "data_prep/compiled.py": "the package's own modules, and where numba keeps what it made of them",
    "data_prep/python_documentation.py": "the packages that are installed",
    "data_prep/pretraining_data.py": "temporary files, in a directory that must be local",
    "data_prep/row_shuffle.py": "temporary files",
    "data_prep/token_store.py": "temporary files, which are memory-mapped",
    "data_prep/on_beam/running.py": "the script's own place",
}


def name_of(path: pathlib.Path) -> str:
    return str(path.relative_to(REPOSITORY))


def reaching(source: str) -> list[str]:
    """The uses in a module of what reaches files, as `line: name`."""
    tree = ast.parse(source)
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute):
            names = [ast.unparse(node)]
        elif isinstance(node, ast.Name) and id(node) not in inner:
            names = [node.id] if isinstance(node.ctx, ast.Load) else []
        else:
            continue
        found += [f"{node.lineno}: {name}" for name in names if is_of_files(name)]
    return found


def is_of_files(name: str) -> bool:
    return name in LOCAL_ONLY | TENSORFLOW or name.split(".")[0] in LOCAL_MODULES


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_files_are_reached_through_one_module(path):
    found = reaching(path.read_text("utf-8"))
    if name_of(path) in ALLOWED:
        assert found, "needs no exception: take it out of ALLOWED"
    else:
        assert not found


def test_every_exception_is_a_module_that_is_there():
    assert ALLOWED.keys() <= {name_of(path) for path in SOURCES}


@pytest.mark.parametrize(
    "source",
    [
        "with open(path) as file: pass",
        "read = map(open, paths)",
        "os.path.exists(path)",
        "sizes = sum(map(os.path.getsize, paths))",
        "from os.path import isdir",
        "from os import replace as move",
        "import glob\nglob.glob('*')",
        "from pathlib import Path",
        "pathlib.Path(path).read_text()",
        "shutil.copyfileobj(a, b)",
        "with h5py.File(path) as file: pass",
        "np.fromfile(path)",
        "tf.io.gfile.exists(path)",
    ],
)
def test_whatever_reaches_files_is_seen(source):
    assert reaching(source)


@pytest.mark.parametrize(
    "source", ["files.open_file(path)", "os.path.join(a, b)", "self.open(path)", "text.replace(a, b)"]
)
def test_names_that_reach_nothing_are_let_be(source):
    assert not reaching(source)
