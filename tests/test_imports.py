"""The rules of the source tree: imports point one way, and some things are not used at all."""

import ast
import pathlib
import subprocess
import sys

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
GROUND = {"errors", "files", "remote_files", "progress"}  # Which all may use.
MAY_IMPORT = {
    "layers": set(),
    "tokenization": set(),
    "optimization": set(),
    "models": {"layers"},
    "objectives": {"layers"},
    "inputs": {"objectives"},
    "tasks": {"models", "tokenization", "layers", "objectives", "inputs", "optimization", "training", "checkpoints"},
    "checkpoints": {"models", "tokenization", "layers"},
    "serving": {"models", "tokenization", "layers", "checkpoints", "tasks"},
    "training": {"layers", "optimization"},  # Told what to train: it knows no model, task, text or weights.
    "command_line": set(),
}
# TensorFlow 1 lives on where its files are read, a served model is exported, and one is run as a server does.
MAY_USE_COMPAT_V1 = ("official/checkpoints/", "official/serving/", "benchmarks/serving/")
NEVER = {"tf_keras", "pickle", "cPickle", "dill", "cloudpickle", "joblib"}
SOURCES = sorted(
    path
    for pattern in ("*.py", "official/**/*.py", "data_prep/**/*.py", "studies/**/*.py", "benchmarks/**/*.py")
    for path in REPOSITORY.glob(pattern)
)


def name_of(path: pathlib.Path) -> str:
    return str(path.relative_to(REPOSITORY))


def package_of(path: pathlib.Path) -> str:
    """`official/layers/dropout.py` → `layers`, `official/files.py` → `files`."""
    parts = path.relative_to(REPOSITORY / "official").parts
    return parts[0].removesuffix(".py")


def imported_modules(path: pathlib.Path) -> set[str]:
    """Full names of everything that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name_of(path)}:{node.lineno}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def dotted_names(path: pathlib.Path) -> set[str]:
    """Every `a.b.c` that a file reads, and the name of every keyword argument."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    attributes = {ast.unparse(node) for node in nodes if isinstance(node, ast.Attribute)}
    return attributes | {node.arg for node in nodes if isinstance(node, ast.keyword) and node.arg}


def packages_imported(path: pathlib.Path) -> set[str]:
    return {name.split(".")[1] for name in imported_modules(path) if name.startswith("official.")}


def test_there_is_something_to_judge():
    assert len(SOURCES) > 20


@pytest.mark.parametrize("path", [path for path in SOURCES if "official" in path.parts], ids=name_of)
def test_imports_point_one_way(path):
    package = package_of(path)
    if package in GROUND | {"__init__"}:
        allowed = GROUND
    else:
        assert package in MAY_IMPORT, f"official/{package} has no rule: add one to MAY_IMPORT"
        allowed = MAY_IMPORT[package] | GROUND | {package}
    if path.stem == "__main__":  # A script, at home in the package that it is the command line of.
        allowed = allowed | {"command_line"}
    assert packages_imported(path) <= allowed


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_scripts_are_not_imported_by_the_package_and_tests_by_nobody(path):
    imported = {name.split(".")[0] for name in imported_modules(path)}
    scripts = {script.stem for script in REPOSITORY.glob("*.py")}
    forbidden = {"tests"} | (scripts | {"data_prep", "studies", "benchmarks"} if "official" in path.parts else set())
    assert not imported & forbidden


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_nothing_outlived_or_unsafe_is_used(path):
    used = imported_modules(path) | dotted_names(path)
    assert not {name for name in used if name.split(".")[0] in NEVER}
    assert "allow_pickle" not in used
    if not name_of(path).startswith(MAY_USE_COMPAT_V1):
        assert not {name for name in used if "compat.v1" in name}


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_modules_can_be_read_in_one_sitting(path):
    assert len(path.read_text("utf-8").splitlines()) <= 400
    assert path.stem not in {"utils", "util", "helpers", "misc", "common"}


def loaded_after(statement: str) -> set[str]:
    """The top-level modules that an interpreter has loaded after a statement."""
    program = f"{statement}\nimport sys\nprint(*sorted(sys.modules))"
    result = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, check=True, capture_output=True, text=True)
    return {name.split(".")[0] for name in result.stdout.split()}


@pytest.mark.parametrize(
    "statement",
    [
        "import official",
        "import official.tokenization",
        "import official.files, official.command_line",
        "import official.checkpoints.__main__",
    ],
)
def test_reading_text_needs_no_tensorflow(statement):
    assert not loaded_after(statement) & {"tensorflow", "tensorflow_text", "keras", "torch"}


@pytest.mark.parametrize("script", sorted(REPOSITORY.glob("*.py")), ids=name_of)
def test_a_script_shows_its_help_without_loading_tensorflow(script):
    program = f"import runpy, sys; sys.argv = [{script.name!r}]; runpy.run_path({str(script)!r}, run_name='imported')"
    assert not loaded_after(program) & {"tensorflow", "tensorflow_text", "keras"}
