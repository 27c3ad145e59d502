# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""New words in packs: relevance names the new CLIP, and another side of pictures is refused."""

from __future__ import annotations

import pytest
from tiny_mappers import LEVELS, made
from tiny_world import save_tiny_pack

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
