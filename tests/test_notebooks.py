# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The notebooks: built from their sources, alike in both languages, small, and run from top to bottom."""

import ast
import importlib.util
import json
import re
import sys
from pathlib import Path

import numpy as np
import paddle
import pytest
from tiny_world import CLIP, tiny_generator, tiny_measurements

from ppstyleclip import notebook
from ppstyleclip.errors import MissingExtra, UserError
from ppstyleclip.models.clip import CLIP_CONFIGS, build_clip
from ppstyleclip.zoo import clips

HERE = Path(__file__).resolve().parents[1] / "notebooks"
MOST_BYTES = 5_000_000  # of the whole folder


def _loaded():
    spec = importlib.util.spec_from_file_location("notebooks_build", HERE / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build = _loaded()
NAMES = build.names()


def cells(path, kind):
    made = json.loads((HERE / path).read_text("utf-8"))
    return ["".join(cell["source"]) for cell in made["cells"] if cell["cell_type"] == kind]


@pytest.mark.parametrize("name", NAMES)
def test_files_are_what_their_source_gives(name):
    for path, text in build.build(name).items():
        assert (HERE / path).read_text("utf-8") == text, f"run: python notebooks/build.py ({path} is stale)"


@pytest.mark.parametrize("name", NAMES)
def test_two_languages_and_one_code(name):
    english, chinese = (f"{folder}/{name}.ipynb" for folder in build.FOLDERS.values())
    assert cells(english, "code") == cells(chinese, "code") and len(cells(english, "code")) > 4
    texts = [cells(path, "markdown") for path in (english, chinese)]
    assert len(texts[0]) == len(texts[1])
    assert not any(re.search(r"[\u4e00-\u9fff]", text) for text in texts[0])
    assert all(re.search(r"[\u4e00-\u9fff]", text) for text in texts[1])


@pytest.mark.parametrize("name", NAMES)
def test_code_parses_and_imports_what_is_there(name):
    code = "\n".join(re.sub(r"(?m)^!.*$", "", cell) for cell in cells(f"en_US/{name}.ipynb", "code"))
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "ppstyleclip":
            module = importlib.import_module(node.module)
            assert not [alias.name for alias in node.names if not hasattr(module, alias.name)]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_notebook_keeps_is_no_error_and_alike_in_both_languages(name):
    english, chinese = (
        [cell["outputs"] for cell in json.loads((HERE / f"{folder}/{name}.ipynb").read_text("utf-8"))["cells"]
         if cell["cell_type"] == "code"]
        for folder in build.FOLDERS.values()
    )  # fmt: skip
    assert english == chinese
    assert not [one for row in english for one in row if one["output_type"] == "error"]


def test_the_folder_is_small_and_names_no_machine():
    files = [path for path in HERE.rglob("*") if path.suffix in (".ipynb", ".md", ".py")]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    for path in HERE.rglob("*.ipynb"):
        text = "".join(line for line in path.read_text("utf-8").splitlines() if '"image/' not in line)
        assert not re.search(r"/(?:work|root|home|tmp)/\w", text), path


def test_only_the_first_cell_installs_and_never_a_second_paddle():
    for name in NAMES:
        first, *rest = cells(f"en_US/{name}.ipynb", "code")
        assert 'find_spec("paddle") is None' in first and "paddlepaddle-gpu" not in first
        assert not [cell for cell in rest if "pip" in cell.replace("pipelines", "")]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_from_top_to_bottom(name, tmp_path, monkeypatch):
    for module in ("nbclient", "nbformat", "ipykernel"):
        pytest.importorskip(module, reason=f"{module}, which runs notebooks, is not installed")
    if name.startswith("07"):
        pytest.importorskip("dlib", reason="dlib, which finds faces, is not installed")
    monkeypatch.setenv("PYTHONPATH", str(HERE.parent))
    monkeypatch.setenv("PPSTYLECLIP_OFFLINE", "1")
    source = (HERE / "source" / f"{name}.md").read_text("utf-8")
    setup = (HERE / "source" / "setup.py").read_text("utf-8").split("# ---- code\n")[1]
    shown = build.execute(build.parse(source, setup), str(tmp_path))
    assert sum("image/jpeg" in one.get("data", {}) for row in shown.values() for one in row) >= 2


FFHQ = "stylegan2-ffhq-config-f"


@pytest.fixture
def mounted(monkeypatch, tmp_path):
    """A folder of files under their published names, as of a mounted data set: tiny and random."""
    generator = tiny_generator()
    small = {**CLIP_CONFIGS["ViT_B_32"], **CLIP, "name": "ViT_B_32", "vocabulary": None}
    monkeypatch.setitem(clips.CLIP_CONFIGS, "ViT_B_32", small)
    stats, relevance = tiny_measurements(generator.layout)
    layers = {
        word: [paddle.to_tensor(part) for part in generator.layout.unflatten(getattr(stats, word))]
        for word in ("mean", "std")
    }
    folder = tmp_path / "data"
    folder.mkdir()
    for name, value in {
        FFHQ: generator.state_dict(),
        f"{FFHQ}-styleclip-stats": layers,
        f"{FFHQ}-styleclip-global-directions": paddle.to_tensor(relevance),
        "ViT-B-32": build_clip(small).net.state_dict(),
    }.items():
        paddle.save(value, str(folder / f"{name}.pdparams"))
    monkeypatch.setenv("PPSTYLECLIP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PPSTYLECLIP_OFFLINE", "1")
    monkeypatch.setenv("PPSTYLECLIP_PATH", "")
    monkeypatch.chdir(tmp_path)
    return folder


def test_one_cell_switches_to_published_weights_of_a_mounted_data_set(mounted, display):
    space, shown = {}, []
    for code in cells("en_US/01_first_edit.ipynb", "code"):
        code = code.replace('MODEL = "portrait"', 'MODEL = "ffhq-config-f"')
        code = code.replace('WEIGHTS = ""', f"WEIGHTS = {str(mounted)!r}")
        *body, end = ast.parse(code).body
        exec(compile(ast.Module(body, []), "cell", "exec"), space)
        shown.append(_value(end, space))
    assert space["editor"].bundle.name == "ffhq-config-f" and space["IS_FFHQ"]
    assert space["editor"].bundle.generator.size == 16  # that of the folder
    assert len([one for one in shown if hasattr(one, "format")]) == 5


def _value(node, space):
    """The value of a cell's last line."""
    if isinstance(node, ast.Expr):
        return eval(compile(ast.Expression(node.value), "cell", "eval"), space)
    exec(compile(ast.Module([node], []), "cell", "exec"), space)
    return None


# ---- the builder


def test_a_source_is_split_into_cells():
    text = "<!-- en -->\nOne\n<!-- zh -->\n一\n```python\na = 1\n\n# <!-- en -->\n```\n<!-- setup: [x] -->\n"
    assert build.parse(text, 'E = "@EXTRAS@"\n') == [
        ("en", "One"),
        ("zh", "一"),
        ("code", "a = 1\n\n# <!-- en -->"),
        ("code", 'E = "[x]"'),
    ]


@pytest.mark.parametrize(
    "text", ["Text", "<!-- en -->\nOne\n```python\na\n```", "<!-- zh -->\n一\n<!-- en -->\nOne"]
)
def test_text_in_one_language_only_is_refused(text):
    with pytest.raises(ValueError, match="language|English"):
        build.parse(text)


# ---- what cells show with


def size_of(shown):
    from io import BytesIO

    from PIL import Image

    with Image.open(BytesIO(shown.data)) as picture:
        return picture.size


@pytest.fixture
def display(monkeypatch):
    """IPython's Image, where it is not installed."""

    class Module:
        class Image:
            def __init__(self, data, format):
                self.data, self.format = data, format

    monkeypatch.setitem(sys.modules, "IPython", Module)
    monkeypatch.setitem(sys.modules, "IPython.display", Module)


def test_pictures_are_shown_small(display):
    pictures = np.zeros([3, 1024, 1024, 3], np.uint8)
    assert size_of(notebook.show(pictures[0, :300, :200])) == (200, 300)
    assert size_of(notebook.show(pictures)) == (3 * 256 + 8, 256 + 4)
    assert size_of(notebook.show(list(pictures), columns=2)) == (2 * 256 + 6, 2 * 256 + 6)
    width, height = size_of(notebook.show(pictures, ["a", "b", "c"]))
    assert width > 3 * 256 and 256 < height < 320
    assert size_of(notebook.show_curves({"loss": [3, 2, 1]}))[0] > 500


@pytest.mark.parametrize(
    "pictures, labels, words",
    [
        (np.zeros([2, 4, 4]), None, "uint8 of one size, got"),
        ([np.zeros([4, 4, 3], np.uint8), np.zeros([5, 4, 3], np.uint8)], None, "of one size"),
        (np.zeros([2, 4, 4, 3], np.uint8), ["a"], "2 pictures and 1 labels"),
    ],
)
def test_what_cannot_be_shown_is_one_line(display, pictures, labels, words):
    with pytest.raises(UserError, match=words):
        notebook.show(pictures, labels)


def test_without_ipython_the_command_is_named(monkeypatch):
    def absent(name):
        raise ImportError(f"No module named '{name}'")

    monkeypatch.setattr(notebook.importlib, "import_module", absent)
    with pytest.raises(MissingExtra, match="run: pip install ipython"):
        notebook.show(np.zeros([4, 4, 3], np.uint8))
