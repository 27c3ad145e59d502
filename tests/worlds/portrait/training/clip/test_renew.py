# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""New words in packs: relevance names the new CLIP, and another side of pictures is refused."""

from __future__ import annotations

import pytest
from tiny_mappers import LEVELS, made
from tiny_world import save_tiny_pack

from ppstyleclip.cli.run import run_cli
from ppstyleclip.errors import UserError
from ppstyleclip.files import fingerprint, read_safetensors, write_safetensors
from ppstyleclip.worlds.portrait.training.clip import renew
from ppstyleclip.zoo import load_mapper, load_pack, save_mapper


@pytest.fixture
def pack(tmp_path):
    return save_tiny_pack(tmp_path / "pack")


def changed(pack, name):
    """The pack's CLIP with another array of a name, written beside the pack."""
    arrays, about = read_safetensors(pack / "clip.safetensors")
    arrays[name] = arrays[name] + 1
    path = pack.parent / "new.safetensors"
    write_safetensors(path, arrays, {**about, "fingerprint": fingerprint(arrays)})
    return path


def test_relevance_and_mappers_name_the_clip_of_new_words(pack, capsys):
    before = load_pack(pack)
    made_for = {"generator": "0123456789abcdef", "clip": before.fingerprints["clip"]}
    save_mapper(pack / "mapper_one.safetensors", made(LEVELS, made_for=made_for))
    rows = before.relevance.rows
    new = changed(pack, "text_projection")
    renew.main(["--clip", str(new), "--packs", str(pack)])
    after = load_pack(pack)
    assert after.fingerprints["clip"] != before.fingerprints["clip"]
    assert after.fingerprints["clip"] in capsys.readouterr().out
    assert (after.relevance.rows == rows).all() and after.clip is not None  # which checks both fingerprints
    assert after.defaults == before.defaults
    mapper = load_mapper(pack / "mapper_one.safetensors")
    assert mapper.made_for == {**made_for, "clip": after.fingerprints["clip"]}


def test_another_side_of_pictures_is_refused_and_nothing_written(pack):
    new, whole = changed(pack, "visual.proj"), {path.name: path.read_bytes() for path in pack.iterdir()}
    with pytest.raises(UserError, match="measure relevance again"):
        renew.renew(new, [pack])
    assert {path.name: path.read_bytes() for path in pack.iterdir()} == whole


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("other", ("nowhere", "garbage"))
def test_packs_stay_as_they_are_where_one_cannot_be_read(other, pack, tmp_path, capsys):
    new = changed(pack, "text_projection")
    save_tiny_pack(tmp_path / "garbage")
    (tmp_path / "garbage" / "mapper_one.safetensors").write_bytes(b"a text")
    whole = contents(tmp_path)
    packs = [str(pack), str(tmp_path / other)]
    assert run_cli(renew.main, ["--clip", str(new), "--packs", *packs]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and contents(tmp_path) == whole


def test_a_file_that_is_no_clip_is_refused(pack):
    with pytest.raises(UserError, match="a ppstyleclip clip is needed, .*holds 'ppstyleclip relevance'"):
        renew.renew(pack / "relevance.safetensors", [pack])


def test_a_packs_own_clip_changes_nothing(pack):
    whole = contents(pack)
    renew.renew(pack / "clip.safetensors", [pack])
    assert contents(pack) == whole
