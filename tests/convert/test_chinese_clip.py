# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Chinese-CLIP: what Hugging Face's code computes with the same drawn weights, of both forms of files."""

import json
from pathlib import Path

import numpy as np
import paddle
import pytest
from oracles.seeded_weights import drawn_clip_state

from ppstyleclip.convert import convert, recognise
from ppstyleclip.convert.clips import _their_block
from ppstyleclip.errors import MissingFile, UserError
from ppstyleclip.files import write_safetensors
from ppstyleclip.models.word_pieces import VOCABULARY, WordPieces, split_words
from ppstyleclip.text import text_direction
from ppstyleclip.zoo.clips import load_clip, save_clip
from ppstyleclip.zoo.converted import save_converted
from ppstyleclip.zoo.foreign import convert_file

ORACLE = Path(__file__).parents[1] / "oracles" / "convert_chinese.npz"
CLOSE = 1e-4  # of the largest value


@pytest.fixture(scope="module")
def wanted():
    with np.load(ORACLE) as file:
        found = {name: file[name] for name in file.files}
    return {**found, **{name: json.loads(found[name].tobytes()) for name in ("shapes", "pieces", "prompts")}}


@pytest.fixture(scope="module")
def hugging_face(wanted):
    return drawn_clip_state(wanted["shapes"])


@pytest.fixture(scope="module")
def ofa(hugging_face):
    """The same network as OFA's training saves it (facts of its published keys), behind `module.`."""
    names = {
        "vision_model.embeddings.class_embedding": "visual.class_embedding",
        "vision_model.embeddings.position_embedding.weight": "visual.positional_embedding",
        "vision_model.embeddings.patch_embedding.weight": "visual.conv1.weight",
        "logit_scale": "logit_scale",
    }
    norms = {"pre_layrnorm": "ln_pre", "post_layernorm": "ln_post"}
    state = {}
    for key, value in hugging_face.items():
        if key.startswith("text_model."):
            state[key.replace("text_model.", "bert.")] = value
        elif key in names:
            state[names[key]] = value
        elif key in ("visual_projection.weight", "text_projection.weight"):
            state["visual.proj" if key[0] == "v" else "text_projection"] = value.T
        elif ".layers." not in key:
            _, name, last = key.split(".")
            state[f"visual.{norms[name]}.{last}"] = value
    for n in range(2):
        block = f"visual.transformer.resblocks.{n}"
        theirs = {
            part: {last: hugging_face[_their_block(f"{block}.{part}.{last}")] for last in ("weight", "bias")}
            for part in (
                "attn.q_proj",
                "attn.k_proj",
                "attn.v_proj",
                "attn.out_proj",
                "ln_1",
                "ln_2",
                "mlp.c_fc",
                "mlp.c_proj",
            )
        }
        for last in ("weight", "bias"):
            joint = [
                theirs.pop(f"attn.{one}_proj")[last] if last == "bias" else theirs[f"attn.{one}_proj"][last]
                for one in "qkv"
            ]
            state[f"{block}.attn.in_proj_{last}"] = np.concatenate(joint)
        for part, arrays in theirs.items():
            state.update(
                {
                    f"{block}.{part}.{last}": array
                    for last, array in arrays.items()
                    if "_proj" not in part or "out" in part or "c_" in part
                }
            )
    state["bert.pooler.dense.weight"] = np.zeros((128, 128), np.float32)
    half = {
        f"module.{key}": value.astype(np.float16) if "mlp" in key else value for key, value in state.items()
    }
    return {"epoch": 1, "step": 2, "name": "job", "state_dict": half}


@pytest.fixture
def folder(tmp_path, wanted):
    """A folder with the words of the model."""
    (tmp_path / VOCABULARY).write_text("\n".join(wanted["pieces"]) + "\n", encoding="utf-8")
    return tmp_path


def check_features(clip, wanted, close=CLOSE):
    with paddle.no_grad():
        image = clip.encode_view(paddle.to_tensor(wanted["pixels"])).numpy()
    text = clip.encode_text(wanted["prompts"]).numpy()
    np.testing.assert_allclose(image, wanted["image"], atol=close * np.abs(wanted["image"]).max())
    np.testing.assert_allclose(text, wanted["text"], atol=close * np.abs(wanted["text"]).max())
    np.testing.assert_allclose(clip.logit_scale.numpy(), wanted["logit_scale"].reshape(1), rtol=1e-6)


def test_prompts_are_cut_as_berts_tokenizer_cuts_them(wanted):
    cut = WordPieces(wanted["pieces"], 52)
    np.testing.assert_array_equal(cut.tokenize(wanted["prompts"]), wanted["tokens"])
    with pytest.raises(UserError, match="13 word pieces, this CLIP reads at most 8"):
        WordPieces(wanted["pieces"], 10).tokenize(["脸" * 13])
    assert split_words("Ünïcode-TEXT\t微笑") == ["unicode", "-", "text", "微", "笑"]


def test_hugging_faces_file_computes_what_its_code_does_and_is_kept(hugging_face, wanted, folder):
    write_safetensors(folder / "model.safetensors", hugging_face)
    clip, mark = load_clip(folder / "model.safetensors")
    assert clip.name == "chinese-clip" and clip.languages == ("zh",) and clip.dim == 24
    check_features(clip, wanted)
    (folder / "ours").mkdir()
    assert save_clip(folder / "ours" / "clip.safetensors", clip) == mark
    again, same = load_clip(folder / "ours" / "clip.safetensors")  # its words are in it
    assert same == mark
    check_features(again, wanted)


def test_ofas_checkpoint_is_the_same_network(ofa, hugging_face, wanted, folder):
    converted, other = convert(ofa), convert(hugging_face)
    assert converted.config == other.config and list(converted.state) == list(other.state)
    for key, value in other.state.items():
        np.testing.assert_allclose(converted.state[key], value, atol=2e-3, err_msg=key)
    assert list(converted.ignored) == ["bert.pooler.dense.weight"]
    assert recognise(ofa).description.startswith("Chinese-CLIP (OFA's keys), 2 blocks of 128")


def test_the_converter_puts_the_words_in(hugging_face, wanted, folder):
    write_safetensors(folder / "model.safetensors", hugging_face)
    found, converted = convert_file(folder / "model.safetensors")
    assert "BERT with 2 layers of 128" in found.description
    target = folder / "out" / "clip.safetensors"
    save_converted(target, converted, name="clip", about={"source": "model.safetensors"})
    check_features(load_clip(target)[0], wanted)
    with pytest.raises(UserError, match="PaddleGAN has no Chinese-CLIP"):
        save_converted(folder / "clip.pdparams", converted, name="clip", about={"source": "x"})


def test_without_its_words_or_with_others_one_line_says_what_to_do(hugging_face, folder):
    write_safetensors(folder / "model.safetensors", hugging_face)
    (folder / VOCABULARY).write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n")
    with pytest.raises(UserError, match="vocab.txt has 4 lines, .* has 21 pieces"):
        load_clip(folder / "model.safetensors")
    (folder / VOCABULARY).write_text("a\nb\n")
    with pytest.raises(UserError, match=r"no list of word pieces: \[PAD\] is not in it"):
        load_clip(folder / "model.safetensors")
    (folder / VOCABULARY).unlink()
    with pytest.raises(MissingFile, match="put vocab.txt of the same model .21 lines"):
        load_clip(folder / "model.safetensors")


def test_networks_that_cannot_be_built_are_refused(hugging_face, ofa):
    with pytest.raises(UserError, match="with a ResNet"):
        convert(
            {**ofa["state_dict"], "module.visual.attnpool.positional_embedding": np.zeros((2, 2), np.float32)}
        )
    wide = {
        **hugging_face,
        "vision_model.embeddings.patch_embedding.weight": np.zeros((1280, 3, 16, 16), np.float32),
    }
    with pytest.raises(UserError, match="heads are 80 wide"):
        convert(wide)
    lacking = {key: value for key, value in hugging_face.items() if "layer.1.output.dense.bias" not in key}
    with pytest.raises(UserError, match="text_model.encoder.layer.1.output.dense.bias is missing"):
        convert(lacking)


def test_a_text_direction_is_found_with_chinese_sentences(hugging_face, folder):
    write_safetensors(folder / "model.safetensors", hugging_face)
    clip = load_clip(folder / "model.safetensors")[0]
    dt = text_direction(clip, "脸", "微笑的脸")
    assert dt.shape == (24,) and np.linalg.norm(dt) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(dt, text_direction(clip, "脸", "微笑的脸", templates="chinese"), atol=1e-6)
