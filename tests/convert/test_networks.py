# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Encoders, mappers, face features, VGG16, LPIPS and CLIPs: recognised, converted, refused."""

import numpy as np
import pytest
from edges import slow
from foreign_weights import (
    WIDE,
    assert_same_state,
    drawn,
    encoder_checkpoint,
    flat,
    mapper_checkpoint,
    nest,
    rosinality,
)

from ppstyleclip.convert import convert, recognise
from ppstyleclip.convert.encoders import Structure
from ppstyleclip.convert.networks import arcface_parameters, irse50_parameters, vgg16_parameters
from ppstyleclip.errors import UserError
from ppstyleclip.files import fingerprint
from ppstyleclip.formats import SavedModule
from ppstyleclip.models.encoders import PUBLISHED

LEVELS = ("course_mapping", "medium_mapping", "fine_mapping")


CASES = [
    ("GradualStyleEncoder", Structure("irse50", "gradual", 3, 6), "psp"),
    ("BackboneEncoderUsingLastLayerIntoW", Structure("irse50", "w", 3, 1), "psp"),
    ("BackboneEncoderUsingLastLayerIntoWPlus", Structure("irse50", "w_plus", 3, 6), "psp"),
    ("Encoder4Editing", Structure("irse50", "gradual", 3, 6), "e4e"),
    ("BackboneEncoder", Structure("irse50", "flat", 6, 6), "restyle"),
    ("ProgressiveBackboneEncoder", Structure("irse50", "flat", 6, 6), "restyle"),
    ("GradualStyleEncoder", Structure("irse50", "gradual", 6, 6), "restyle"),
    ("ResNetBackboneEncoder", Structure("resnet34", "flat", 6, 6), "restyle"),
    ("ResNetProgressiveBackboneEncoder", Structure("resnet34", "flat", 6, 6), "restyle"),
    ("ResNetGradualStyleEncoder", Structure("resnet34", "gradual", 6, 6), "restyle"),
]

# Each head is among the quick ones.
QUICK = [case if k in (0, 2, 3, 4, 9) else slow(case) for k, case in enumerate(CASES)]


def test_every_encoder_that_is_known_is_tried():
    assert {name for name, _, _ in CASES} == set(PUBLISHED)


@pytest.mark.parametrize("name, structure, kind", QUICK)
def test_encoders_are_told_by_their_opts(name, structure, kind):
    converted = convert(encoder_checkpoint(structure, name, global_step=3))
    assert converted.kind == kind and converted.config["encoder"] == structure._asdict()
    assert converted.config["encoder_type"] == name and converted.config["generator"]["size"] == 16
    assert converted.extras["latent_avg"].shape == (1, 6, 512) and converted.opts["exp_dir"] == "x"
    first, _, _ = next(iter(converted.state)).partition(".")
    assert first == "encoder" and "decoder.input.input" in converted.state
    assert not [key for key in converted.state if "running_" in key or "num_batches" in key]
    assert {"global_step", "decoder.convs.0.conv.blur.kernel"} < set(converted.ignored)


def test_linear_layers_of_encoders_are_turned():
    content = encoder_checkpoint(CASES[1][1], CASES[1][0])
    content["state_dict"]["encoder.linear.weight"] = drawn((512, 512))
    converted = convert(content)
    assert (converted.state["encoder.linear.weight"] == drawn((512, 512)).T).all()
    decoder = {key: value for key, value in converted.state.items() if key.startswith("decoder.")}
    alone = convert(rosinality(WIDE)).state
    assert_same_state(decoder, {f"decoder.{key}": value for key, value in alone.items()})


def test_paddlegans_psp_is_what_a_converted_one_is():
    converted = convert(encoder_checkpoint(*CASES[0][1::-1]))
    again = convert({**converted.state, **converted.extras, "opts": converted.opts})
    assert (again.kind, again.config) == (converted.kind, converted.config)
    assert_same_state(again.state, converted.state)
    assert_same_state(again.extras, converted.extras)


@pytest.mark.parametrize(
    "shape, kept",
    [((512,), (1, 512)), ((1, 512), (1, 512)), ((6, 512), (1, 6, 512)), ((1, 6, 512), (1, 6, 512))],
)
def test_mean_latents_of_any_form(shape, kept):
    content = encoder_checkpoint(*CASES[1][1::-1], latent_avg=drawn(shape))
    assert convert(content).extras["latent_avg"].shape == kept


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda c: c["opts"].clear(), "encoder_type of no name"),
        (lambda c: c.pop("opts"), "encoder_type of no name"),
        (
            lambda c: c["opts"].update(encoder_type="Wonder"),
            "encoder_type 'Wonder'.*known: GradualStyleEncoder",
        ),
        (
            lambda c: c["opts"].update(encoder_type="BackboneEncoder"),
            "state BackboneEncoder, but its tensors",
        ),
        (lambda c: c.update(latent_avg=drawn((5, 512))), r"latent_avg is \[5, 512\]"),
        (lambda c: c.update(pickle="x"), "holds pickle, which is unknown"),
        (
            lambda c: c["state_dict"].update({"other.x": drawn(3)}),
            r"other.x is unknown; encoder.\* and decoder",
        ),
        (lambda c: c["state_dict"].update({"encoder.more": drawn(3)}), "more is unknown"),
        (lambda c: c["state_dict"].pop("encoder.linear.bias"), "no known kind"),
        (lambda c: c["state_dict"].update({"decoder.synthesis.input.freqs": drawn(3)}), "StyleGAN3"),
    ],
)
def test_encoders_that_are_not_whole(change, words):
    content = encoder_checkpoint(*CASES[1][1::-1])
    change(content)
    with pytest.raises(UserError, match=words):
        convert(content)


def test_styles_must_be_as_many_as_the_generator_takes():
    with pytest.raises(UserError, match="makes 5 styles of 512, its generator takes 6"):
        recognise(encoder_checkpoint(Structure("irse50", "flat", 6, 5), "BackboneEncoder"))


def test_no_mean_latent_is_said():
    content = encoder_checkpoint(*CASES[1][1::-1])
    del content["latent_avg"]
    assert "no latent_avg" in convert(content).notes[0]


# -- mappers


@pytest.mark.parametrize(
    "names, kind, levels",
    [
        (["mapping"], "single", None),
        (LEVELS, "levels", {"course": [0, 4], "medium": [4, 8], "fine": [8, 18]}),
        (LEVELS[:2], "levels", {"course": [0, 4], "medium": [4, 8]}),
    ],
)
def test_official_mappers(names, kind, levels):
    content = mapper_checkpoint(names, [512] * 5, decoder={}, description="a smile", latents_train_path="x")
    converted = convert(content)
    assert (converted.kind, converted.config["type"], converted.config["form"]) == ("mapper", kind, "plain")
    assert converted.config.get("levels") == levels and converted.config["scale"] == 0.1
    assert converted.config["description"] == "a smile" and "latents_train_path" not in converted.config
    key = f"{names[-1]}.mapping.3.weight"
    np.testing.assert_array_equal(converted.state[key], content["state_dict"][f"mapper.{key}"].T)
    assert len(converted.state) == 8 * len(names)


def test_a_mapper_names_the_generator_it_was_made_for():
    converted = convert(mapper_checkpoint(["mapping"], [512] * 5))
    assert all(key.startswith("decoder.") for key in converted.ignored) and converted.config["layers"] == 6
    assert converted.config["generator"] == fingerprint(convert(rosinality()).state)


def test_style_space_mappers():
    content = {"state_dict": {}, "opts": {}}
    for layer, width in ((0, 12), (2, 12), (3, 5)):
        one = mapper_checkpoint([f"mapper_{layer}"], [width] * 5, decoder={})
        content["state_dict"].update(one["state_dict"])
    converted = convert(content)
    assert converted.config["type"] == "styles" and converted.config["styles"] == [0, 2, 3]
    assert converted.state["mapper_3.mapping.4.weight"].shape == (5, 5)


@pytest.mark.parametrize(
    "form, widths", [("sum", [512] * 9), ("cat", [1024] * 8 + [512]), ("multi", [512] + [1024] * 9 + [512])]
)
def test_mappers_of_text2image_manipulation(form, widths):
    opts = {"data_mode": "hair", "text_embed_mode": "clip_encoder"}
    converted = convert(mapper_checkpoint(LEVELS[:1], widths, decoder={}, **opts))
    assert converted.config["form"] == form and converted.config["data_mode"] == "hair"
    assert converted.state[f"course_mapping.mapping.{len(widths) - 1}.weight"].shape == (widths[-2], 512)


def test_a_mapper_that_was_pickled_whole():
    state = {
        f"{group}_mapper.mapper.{k}.{part}": drawn((512, 512) if part == "weight" else (512,), k)
        for group in ("coarse", "medium", "fine")
        for k in range(1, 5)
        for part in ("weight", "bias")
    }
    module = nest(state)
    module = SavedModule("src.mapper.mapper.LatentMapper", {}, {}, module.children, {})
    converted = convert(module)
    assert converted.config["levels"] == {"course": [0, 5], "medium": [5, 8], "fine": [8, 16]}
    assert converted.config["scale"] == 1.0
    np.testing.assert_array_equal(converted.state["course_mapping.mapping.2.weight"], drawn((512, 512), 2).T)
    odd = SavedModule("src.mapper.mapper.LatentMapper", {"x": drawn(3)}, {}, module.children, {})
    with pytest.raises(UserError, match="x is unknown"):
        convert(odd)


@pytest.mark.parametrize(
    "content, words",
    [
        (mapper_checkpoint(["other"], [512] * 5), "this mapper has other.mapping"),
        (mapper_checkpoint(["mapper_0", "mapper_24"], [5] * 5), r"networks for the styles \[0, 24\]"),
        (mapper_checkpoint(["mapper_0", "mapper_999"], [5] * 5), "networks for the styles"),
        (mapper_checkpoint(["mapper_0", "mapper_" + 5000 * "9"], [5] * 5), "a single, a levels or"),
        (mapper_checkpoint(LEVELS, [512] * 5), "levels.2. is -2; allowed: a whole number from 1"),
        (mapper_checkpoint(["mapping"], [512] * 4), "layers are"),
        ({**mapper_checkpoint(["mapping"], [512] * 5), "more": 1}, "holds more, which is unknown"),
        ({"state_dict": {"mapper.x": drawn(3)}}, "no layers of the kind"),
    ],
)
def test_other_mappers(content, words):
    with pytest.raises(UserError, match=words):
        convert(content)


# -- faces, perception


def vgg16_with_classifier() -> dict:
    """torchvision's state dict."""
    shapes = {"0": (4096, 512 * 49), "3": (4096, 4096), "6": (1000, 4096)}
    state = flat(vgg16_parameters())
    for index, shape in shapes.items():
        state[f"classifier.{index}.weight"] = np.broadcast_to(np.float32(0.5), shape)
        state[f"classifier.{index}.bias"] = np.broadcast_to(np.float32(0.5), shape[:1])
    return state


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind, content, linear",
    [
        ("irse50", flat(irse50_parameters()), "output_layer.3.weight"),
        ("arcface", flat(arcface_parameters(), "module."), "fc5.weight"),
        ("vgg16", vgg16_with_classifier(), "classifier.3.weight"),
    ],
)
def test_networks_of_one_form(kind, content, linear):
    source = next(key for key in content if key.endswith(linear))
    values = np.broadcast_to(np.arange(content[source].shape[1], dtype=np.float32), content[source].shape)
    converted = convert({**content, source: values})
    assert converted.kind == kind and converted.state[linear].shape == values.shape[::-1]
    assert converted.state[linear][5, 0] == 5.0
    assert set(converted.ignored.values()) <= {"counters of training"}
    assert_same_state(convert(converted.state).state, converted.state)
    del content[source]
    with pytest.raises(UserError, match="is missing|not recognised"):
        convert(content)


def test_arcface_as_this_package_once_wrote_it():
    converted = convert(flat(arcface_parameters(), "module."))
    older = {key.replace("prelu.weight", "prelu._weight"): value for key, value in converted.state.items()}
    assert set(older) != set(converted.state)
    assert_same_state(convert(older).state, converted.state)


def test_vgg16_without_its_classifier():
    converted = convert(flat(vgg16_parameters()))
    assert len(converted.state) == 26 and "without" in recognise(converted.state).description


def test_lpips_heads():
    widths = (64, 128, 256, 512, 512)
    content = {f"lin{k}.model.1.weight": drawn((1, width, 1, 1)) for k, width in enumerate(widths)}
    converted = convert(content)
    assert list(converted.state) == [f"{k}.model.1.weight" for k in range(5)]
    assert_same_state(convert(converted.state).state, converted.state)
    with pytest.raises(UserError, match="lin5.model.1.weight is unknown"):
        convert({**content, "lin5.model.1.weight": drawn((1, 512, 1, 1))})


# -- CLIPs


def test_clips_that_are_not_whole():
    with pytest.raises(UserError, match="CLIP with a ResNet"):
        convert({"visual.attnpool.positional_embedding": drawn((50, 8))})
    with pytest.raises(UserError, match="no usable visual.conv1.weight"):
        convert({"visual.class_embedding": drawn(8)})
    with pytest.raises(UserError, match="no usable text_projection"):
        convert(
            {
                "vision_model.embeddings.class_embedding": drawn(8),
                "vision_model.embeddings.patch_embedding.weight": drawn((8, 3, 4, 4)),
                "vision_model.embeddings.position_embedding.weight": drawn((5, 8)),
                "text_model.embeddings.position_embedding.weight": drawn((5, 8)),
            }
        )
