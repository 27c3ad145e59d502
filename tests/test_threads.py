# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Any thread, task or forked process may edit, and gets what one thread alone does."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from itertools import count

import numpy as np
import paddle
import pytest
from engine_world import in_threads
from tiny_encoder import save_with_encoder
from tiny_mappers import save_mappers
from tiny_world import live_in, tiny_parts

from ppstyleclip import worker, zoo
from ppstyleclip.editor import Edit, Editor, Session
from ppstyleclip.engine import networks, program_cache, submit
from ppstyleclip.methods import inversion, optimization
from ppstyleclip.methods.global_directions import (
    RelevanceConfig,
    StatisticsConfig,
    collect_statistics,
    compute_relevance,
)
from ppstyleclip.methods.mapper import text_set
from ppstyleclip.models.parameters import describe_network
from ppstyleclip.pipelines import check_picture, editing, mapper_edit, mapper_training, quality, sampling
from ppstyleclip.pipelines import optimization as optimization_pipeline
from ppstyleclip.pipelines.presets import read_training_preset
from ppstyleclip.pipelines.records import result_of
from ppstyleclip.pipelines.split import split_faces
from ppstyleclip.progress import last
from ppstyleclip.text import text_direction
from ppstyleclip.zoo import Bundle, Deferred

THREADS, SECONDS = 50, 120.0
TARGETS = ("happy face", "sad face")
FACES = 3


def edited(editor, k):
    """(before, after) of the k-th of FACES faces and TARGETS, again and again."""
    return editor.edit(editor.sample(k % FACES), Edit("face", TARGETS[k % len(TARGETS)]))


@pytest.fixture(scope="module")
def expected():
    """What one thread draws, without a compiled program: one for each face and text."""
    editor = Editor.from_pretrained()
    return [np.stack(edited(editor, k)) for k in range(FACES * len(TARGETS))]


@pytest.fixture
def editor(tmp_path, monkeypatch):
    """Of the embedded world; its first picture is drawn by a program that is compiled for it."""
    monkeypatch.setattr(program_cache, "cache_home", lambda: tmp_path)
    monkeypatch.setattr(networks, "EAGER_PIXELS", 0)
    return Editor.from_pretrained()


def assert_right(pictures, expected):
    for k, picture in enumerate(pictures):
        assert not isinstance(picture, BaseException), picture
        wanted = expected[k % len(expected)]
        assert np.abs(np.stack(picture).astype(int) - wanted.astype(int)).max() <= 1, k


# ---- many threads


COLD = """
import sys, threading, traceback
results, lock, editors, start = {}, threading.Lock(), [], threading.Barrier(THREADS)

def edit(k):
    try:
        start.wait(60)
        from ppstyleclip import Edit, Editor  # Paddle is imported by whichever thread is first
        with lock:
            if not editors or k % 10 == 0:
                editors.append(Editor.from_pretrained())
        face = editors[0].sample(k % FACES)
        results[k] = editors[0].edit(face, Edit("face", TARGETS[k % len(TARGETS)]))
    except BaseException:
        traceback.print_exc()

threads = [threading.Thread(target=edit, args=(k,)) for k in range(THREADS)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
import numpy as np
np.save(sys.argv[1], np.array([results[k] for k in range(THREADS)]))
"""


@pytest.mark.slow
def test_fifty_threads_of_a_new_process_edit_at_once(expected, tmp_path):
    """Nothing is imported, loaded or compiled before; on the way the program is."""
    words = f"THREADS, FACES, TARGETS = {THREADS}, {FACES}, {TARGETS}\n"
    environment = {**os.environ, "PPSTYLECLIP_HOME": str(tmp_path / "cold"), "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    command = [sys.executable, "-c", words + COLD, str(tmp_path / "pictures.npy")]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS)
    assert ended.returncode == 0 and "Traceback" not in ended.stderr, ended.stderr[-2000:]
    assert_right(np.load(tmp_path / "pictures.npy"), expected)
    assert len(list((tmp_path / "cold" / "engine").iterdir())) == 2  # both halves of it were compiled, once


def test_threads_that_edit_at_once_compile_one_program(tiny_editor, monkeypatch, tmp_path):
    wanted = [np.stack(edited(tiny_editor, k)) for k in range(FACES * len(TARGETS))]  # without a program
    monkeypatch.setattr(program_cache, "cache_home", lambda: tmp_path)
    monkeypatch.setattr(networks, "EAGER_PIXELS", 0)
    editor = Editor(tiny_editor.bundle)
    assert_right(in_threads(8, lambda k: edited(editor, k)), wanted)
    assert len(list((tmp_path / "engine").iterdir())) == 1


@pytest.mark.slow
@pytest.mark.parametrize("edits, width", [(8, 8), (THREADS, 1), (THREADS, THREADS)])
def test_new_threads_edit_one_after_another_and_at_once(editor, expected, edits, width):
    pictures = []
    for start in range(0, edits, width):
        pictures += in_threads(width, lambda k, start=start: edited(editor, start + k))
    assert_right(pictures, expected)


@pytest.mark.slow
def test_editors_that_are_made_and_dropped_in_threads(expected):
    pictures = in_threads(8, lambda k: edited(Editor.from_pretrained(), k))
    assert_right(pictures, expected)


# ---- asyncio


@pytest.mark.slow
def test_asyncio_edits_in_threads_and_by_futures(editor, expected):
    async def main():
        threads = [asyncio.to_thread(edited, editor, k) for k in range(THREADS)]
        futures = [asyncio.wrap_future(submit(edited, editor, k)) for k in range(THREADS)]
        return await asyncio.gather(*threads), await asyncio.gather(*futures)

    for pictures in asyncio.run(asyncio.wait_for(main(), SECONDS)):
        assert_right(pictures, expected)


# ---- fork


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "register_at_fork") or sys.platform == "darwin", reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_forked_processes_edit_while_their_parent_does(editor, expected):
    edited(editor, 0)
    is_over, beside = threading.Event(), [[], []]

    def go_on(pictures):
        for k in count():
            if is_over.is_set():
                return
            pictures.append(edited(editor, k))

    threads = [threading.Thread(target=go_on, args=(pictures,), daemon=True) for pictures in beside]
    for thread in threads:
        thread.start()
    try:
        with multiprocessing.get_context("fork").Pool(2, _keep, (editor,)) as pool:
            pictures = pool.map_async(_edited_kept, range(12)).get(SECONDS)
    finally:
        is_over.set()
        for thread in threads:
            thread.join(SECONDS)
    for some in (pictures, *beside):
        assert some
        assert_right(some, expected)


def _keep(editor):
    global _kept
    _kept = editor


def _edited_kept(k):
    return edited(_kept, k)


# ---- parts of a bundle


def test_a_deferred_part_is_loaded_once_and_on_the_worker():
    loaded = []

    def load():
        loaded.append(worker.is_worker())
        time.sleep(0.05)
        return clip

    generator, layout, stats, relevance, clip = tiny_parts()
    bundle = Bundle("tiny", generator, layout, stats, relevance, Deferred(load))
    assert all(found is clip for found in in_threads(20, lambda _: bundle.clip))
    assert loaded == [True]


def test_others_draw_while_the_files_of_a_part_are_fetched():
    generator, layout, stats, relevance, clip = tiny_parts()
    has_begun, may_end, threads = threading.Event(), threading.Event(), []

    def fetch():
        threads.append(worker.is_worker())
        has_begun.set()
        assert may_end.wait(SECONDS)

    bundle = Bundle("tiny", generator, layout, stats, relevance, Deferred(lambda: clip, fetch))
    editor, edit = Editor(bundle), Edit("face", "happy face", beta=0.0)
    waiting = threading.Thread(target=editor.edit, args=(editor.sample(0), edit))
    waiting.start()
    try:
        assert has_begun.wait(SECONDS)
        assert editor.render(editor.sample(1)).shape == (1, 16, 16, 3)
    finally:
        may_end.set()
        waiting.join()
    assert threads == [False]


def test_a_deferred_part_that_fails_is_asked_again_and_does_not_stop_the_others():
    attempts = []

    def load():
        attempts.append(1)
        raise OSError("not there")

    generator, layout, stats, relevance, _ = tiny_parts()
    bundle = Bundle("tiny", generator, layout, stats, relevance, Deferred(load))
    assert all(isinstance(found, OSError) for found in in_threads(3, lambda _: bundle.clip))
    assert len(attempts) == 3 and bundle.stats is stats


# ---- nothing computes elsewhere


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pack")
    save_with_encoder(folder)
    save_mappers(folder)
    return folder


@pytest.fixture
def elsewhere(monkeypatch, pack, tmp_path):
    """Names of what computed in another thread than the worker."""
    live_in(pack, monkeypatch, tmp_path)
    found = set()

    def watch(owner, name):
        original = getattr(owner, name)

        def watched(*args, **kwargs):
            if not worker.is_worker():
                found.add(f"{owner.__name__}.{name}")
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, watched)

    for owner, names in {
        paddle: (
            "to_tensor",
            "concat",
            "stack",
            "matmul",
            "mean",
            "clip",
            "seed",
            "set_rng_state",
            "grad",
            "isfinite",
        ),
        paddle.nn.Layer: ("__call__", "create_parameter", "state_dict"),
        paddle.Tensor: ("__getitem__", "__add__", "__mul__", "set_value", "reshape", "astype", "backward"),
    }.items():
        for name in names:
            watch(owner, name)
    return found


def use_editor(tmp_path):
    editor = Editor.from_pretrained()
    pixels = editor.render(editor.mean_w_plus())
    editor.invert(pixels)
    face, edit = editor.sample([1]), Edit("face", "happy face")
    editor.direction(Edit("face", "sad face", pull=0.5))
    editor.synthesize(editor.apply(face, edit, [1.0, 2.0]))
    session = Session(editor, editor.styles(face))
    session.preview(edit)
    session.accept(edit)
    session.picture()
    editor.edit(session.s, edit)
    editor.save_pretrained(tmp_path / "saved")
    Editor.from_pretrained(bundle=tmp_path / "saved").check_face(face)


def use_zoo(tmp_path):
    bundle = zoo.load_bundle(weight_path=zoo.registry.PACK / "generator.safetensors")
    describe_network(lambda: paddle.nn.Linear(2, 2))
    bundle = zoo.load_bundle(bundle=zoo.registry.PACK, clip="portrait").with_parts(generator=bundle.generator)
    zoo.save_encoder(tmp_path / "encoder", bundle.encoder, generator="0" * 16)
    zoo.load_encoder(tmp_path / "encoder")
    zoo.save_clip(tmp_path / "clip.safetensors", bundle.clip)
    zoo.load_clip(tmp_path / "clip.safetensors")[0].encode_text("sad face")
    mapper = zoo.load_mapper(zoo.registry.PACK / "mappers" / "any.safetensors")
    mapper.step(np.zeros([1, 6, 12]), mapper.text_vector("long hair", bundle.clip))
    zoo.save_mapper(tmp_path / "mapper.safetensors", mapper)


def use_methods(tmp_path):
    generator, layout, stats, relevance, clip = tiny_parts()
    stats = last(collect_statistics(generator, StatisticsConfig(num_samples=8, batch_size=4))).stats
    s = np.tile(stats.mean, [2, 1])
    config = RelevanceConfig(channels=(0, 1, 2), batch_size=2)
    last(compute_relevance(generator, clip, stats, config, s_base=s))
    image = np.zeros([1, 3, 16, 16], np.float32)
    latent = np.zeros([1, 6, 12], np.float32)
    last(inversion.fit_latents(generator, image, latent, inversion.FittingConfig(steps=1)))
    last(inversion.tune_generator(generator, image, latent, inversion.TuningConfig(steps=1)))
    config = optimization.OptimizationConfig(steps=1, neighbours=1)
    texts = text_direction(clip, "face", "happy face")[None, None]
    last(optimization.optimize(generator, clip, latent, texts, config))


def use_pipelines(tmp_path):
    editor = Editor.from_pretrained()
    faces = mapper_training.sample_latents(editor, 4, 0)
    check_picture.draw_faces(editor.bundle.generator)
    result_of(editing.edit_face(editor, faces[:1], Edit("face", "sad face"), [1.0, 2.0]))
    measures = quality.load_measures(editor.bundle)
    pictures = editor.render(faces[:1])
    quality.measure(measures, pictures, pictures)
    result_of(sampling.sample_sheets(editor, sampling.SheetConfig(1, 2, 0)))
    last(split_faces(editor, faces, ["happy face", "sad face"]))
    chain = mapper_edit.open_chain(editor, ["any", "style"], ["happy face"], folder=zoo.registry.PACK)
    last(mapper_edit.map_faces(editor, faces, chain))
    aim = optimization.ObjectiveConfig(directional_strength=1.0)
    config = optimization.OptimizationConfig("w", steps=1, objective=aim)
    start = optimization_pipeline.mean_start(editor, config.space)
    last(optimization_pipeline.optimize_faces(editor, start, ["happy face"], config))


def use_mapper_training(tmp_path):
    editor = Editor.from_pretrained()
    latents = mapper_training.sample_latents(editor, 6, 0)
    small = {"steps": 1, "batch_size": 2, "validate_every": 1, "identity": 0.0}
    config = read_training_preset("official", small)[0]
    texts = text_set(["happy face"])
    task = mapper_training.prepare_training(editor.bundle, texts, (latents[:4], latents[4:]), config)
    last(mapper_training.run_training(task, pictures_every=1))
    task.load_state(*task.state())
    task.load_weights(task.mapper(is_copy=True))


@pytest.mark.parametrize("use", [use_editor, use_zoo, use_methods, use_pipelines, use_mapper_training])
def test_everything_is_computed_by_the_worker(use, elsewhere, tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "tiny_parts", worker.on_worker(tiny_parts))  # networks of the test itself
    use(tmp_path)
    assert not elsewhere
