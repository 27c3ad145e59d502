# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""A name that a file states never becomes a path: nothing elsewhere is written, and nothing is removed."""

import json
from pathlib import Path

import pytest
from tiny_world import live_in, save_tiny_pack, tiny_generator, tiny_parts

from ppstyleclip.cli.main import run_command
from ppstyleclip.errors import UserError
from ppstyleclip.files import read_safetensors, write_safetensors
from ppstyleclip.jobs.folder import JobFolder
from ppstyleclip.zoo import Bundle, load_bundle, load_pack, save_generator
from ppstyleclip.zoo.pack import GENERATOR, RELEVANCE

NAMES = ["/../../victim", "../victim", "..", "a/b", "a\\b", "\x1b[2Jwrote x", "a\nwrote /etc", "x" * 400, ""]
COMMANDS = [
    ["statistics", "--num_samples", "20"],
    ["statistics", "--num_samples", "20", "--restart"],
    ["relevance", "--num_images", "2"],
    ["relevance", "--num_images", "2", "--restart"],
]


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(autouse=True)
def embedded(pack, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)
    Path("out").mkdir()


def named_generator(path, name):
    """A generator's file whose metadata state any name."""
    save_generator(path, tiny_generator(), name="tiny")
    tensors, metadata = read_safetensors(path)
    write_safetensors(path, tensors, {**metadata, "name": name})
    return str(path)


def victims():
    """What the names of the public report overwrote and removed: a file, and another folder's job."""
    Path("victim-styleclip-stats.safetensors").write_bytes(b"precious")
    for folder in ("victim-styleclip-stats-job", "victim-styleclip-job", "out/stylegan2-"):
        job = JobFolder(Path(folder), {"kind": "statistics"})
        job.write_manifest()
        (job.path / "block-00000.safetensors").write_bytes(b"precious")
    return tree()


def tree():
    return {path: path.read_bytes() for path in Path.cwd().rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_ends_every_command_in_one_line(name, capsys):
    weights = named_generator("evil.safetensors", name)
    before = victims()
    for command, *argv in COMMANDS:
        assert run_command(command, ["--weight_path", weights, "--output_path", "out", *argv]) == 2
        said = capsys.readouterr()
        assert said.err.splitlines()[-1].startswith("error: evil.safetensors is damaged: name is ")
        assert said.err.splitlines()[-1].isprintable()
        assert tree() == before
    with pytest.raises(UserError, match="evil.safetensors is damaged: name is"):
        load_bundle(weight_path=weights)


def test_a_bundles_parts_with_hostile_names_are_refused(pack):
    parts = {path.name: path.read_bytes() for path in Path(pack).iterdir()}
    Path("mine").mkdir()
    for part, field in ((GENERATOR, "name"), (RELEVANCE, "name"), (RELEVANCE, "clip_name")):
        for name, data in parts.items():
            Path("mine", name).write_bytes(data)
        tensors, metadata = read_safetensors(Path("mine", part))
        write_safetensors(Path("mine", part), tensors, {**metadata, field: "/../../victim\n"})
        with pytest.raises(UserError, match=f"{part} is damaged: {field} is "):
            load_pack("mine").relevance  # noqa: B018  what is deferred is loaded


def test_the_name_of_a_clip_in_a_file_is_no_path(pack, tmp_path):
    """A relevance that names a file as its CLIP does not make anybody read that file."""
    for path in Path(pack).iterdir():
        Path("out", path.name).write_bytes(path.read_bytes())
    clip = Path("out", "clip.safetensors").rename("clip.safetensors")
    tensors, metadata = read_safetensors(Path("out", RELEVANCE))
    write_safetensors(Path("out", RELEVANCE), tensors, {**metadata, "clip_name": str(clip.resolve())})
    with pytest.raises(UserError, match="give the file of that CLIP with --clip"):
        load_pack("out").clip  # noqa: B018
    with pytest.raises(UserError, match="give the file of that CLIP with --clip"):
        load_bundle(direction_path=Path("out", RELEVANCE))
    assert load_bundle(direction_path=Path("out", RELEVANCE), clip=str(clip)).clip.dim == 16


@pytest.mark.parametrize("name", [*NAMES, None, 3])
def test_no_bundle_has_such_a_name(name):
    generator, layout, stats, relevance, clip = tiny_parts()
    with pytest.raises(UserError, match="this model: name is "):
        Bundle(name, generator, layout, stats, relevance, clip)


def test_a_file_gives_its_own_name_where_it_states_none(tmp_path):
    folder = tmp_path / "a \x1b[2J b"
    folder.mkdir()
    save_generator(folder / "my model.safetensors", tiny_generator(), name="x")
    tensors, metadata = read_safetensors(folder / "my model.safetensors")
    del metadata["name"]
    write_safetensors(folder / "my model.safetensors", tensors, metadata)
    assert load_bundle(weight_path=folder / "my model.safetensors").name == "my model"
    write_safetensors(folder / GENERATOR, tensors, metadata)
    assert load_pack(folder).name == "a _[2J b"


def test_convert_takes_names_and_no_paths(capsys):
    weights = named_generator("mine.safetensors", "tiny")
    assert run_command("convert", [weights, "out/a.safetensors", "--name", "../b"]) == 2
    assert "--name: name is '../b'; allowed: " in capsys.readouterr().err
    assert run_command("convert", [weights, "out/a.safetensors"]) == 0
    assert read_safetensors("out/a.safetensors")[1]["name"] == "mine"
    assert json.loads(read_safetensors("out/a.safetensors")[1]["config"])["family"] == "stylegan2"
