# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Jobs that end: killed ten times, shared out, joined, refused; both stages, on a pack of random weights.

Seven of the ten kills are simulated within this process; three are SIGKILLs of a real one.
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import paddle
import pytest
from safetensors.numpy import load as load_safetensors
from tiny_world import live_in, save_tiny_pack, tiny_clip, tiny_generator

from ppstyleclip import engine, files, threads
from ppstyleclip.apps import extract as extract_app
from ppstyleclip.apps import prepare, ranks
from ppstyleclip.cli.run import run_cli
from ppstyleclip.errors import UserError
from ppstyleclip.files import read_safetensors, sweep_drafts
from ppstyleclip.methods import relevance
from ppstyleclip.methods.job_folder import JobFolder, read_job
from ppstyleclip.methods.memory import clip_work, parse_memory, plan_memory
from ppstyleclip.methods.relevance import collect_relevance, compute_relevance, split_blocks
from ppstyleclip.methods.relevance_job import merge_jobs, ranges
from ppstyleclip.methods.staged import count_tensors, opened_bytes, work_from
from ppstyleclip.stylespace import build_layout, collect_stats
from ppstyleclip.zoo import load

ROOT = Path(__file__).resolve().parents[1]
DIRECTIONS = "stylegan2-tiny-styleclip-global-directions.safetensors"
STATS, STYLES = "stylegan2-tiny-styleclip-stats.safetensors", "S-tiny.safetensors"
JOB = "stylegan2-tiny-styleclip-job"
OPTIONS = ["--num_images", "3", "--batch_size", "8", "--block_size", "2"]
NUM_BLOCKS = 14  # of the 28 channels


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return save_tiny_pack(tmp_path_factory.mktemp("pack"))


@pytest.fixture(autouse=True)
def embedded(pack, monkeypatch, tmp_path):
    live_in(pack, monkeypatch, tmp_path)
    for name in [name for name in os.environ if name.startswith("PADDLE_")]:
        monkeypatch.delenv(name)


def extract(*argv):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        return run_cli(extract_app.run_extract, [*OPTIONS, *argv])


def getf(*argv):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        return run_cli(prepare.run_getf, ["--num_samples", "60", *argv])


def refuses(command, argv, *words, capsys):
    before = tree()
    assert command(*argv) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("error: ") and all(word in line for word in words), line
    assert tree() == before


def tree():
    return {path: path.read_bytes() for path in Path.cwd().rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def single(pack, tmp_path_factory):
    """The bytes of a run that nothing disturbed."""
    folder, load_pack = tmp_path_factory.mktemp("single"), load.PACK
    load.PACK = pack
    try:
        assert extract("--output_path", str(folder)) == 0
    finally:
        load.PACK = load_pack
    assert [path.name for path in folder.iterdir()] == [DIRECTIONS]
    return (folder / DIRECTIONS).read_bytes()


class Killed(BaseException):
    """What nothing catches, as SIGKILL."""


def kill_at(monkeypatch, place):
    """Let the run die when it moves its `place`-th file into place."""
    moves = []

    def replace(draft, path):
        moves.append(path)
        if len(moves) == place:
            raise Killed
        real(draft, path)

    real = os.replace
    monkeypatch.setattr(files.os, "replace", replace)


def die(monkeypatch, place, *argv, command=extract):
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_at(patch, place)
        command(*argv)


def counted(monkeypatch):
    """The list of blocks that are measured from now on."""
    measured, real = [], relevance._measure

    def measure(job, prefix, block):
        measured.append(block.number)
        return real(job, prefix, block)

    monkeypatch.setattr(relevance, "_measure", measure)
    return measured


def dead_process():
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    return done.pid


# ---- killed and started again


def test_seven_kills_lose_at_most_a_block_each(monkeypatch, single):
    measured, random_ = counted(monkeypatch), random.Random(4)
    for kill in range(7):
        die(monkeypatch, random_.choice([1, 2, 3, 4]))  # 1 is the manifest
        if kill == 3:
            draft = Path(JOB) / f".block-00003.safetensors.{dead_process()}.0123abcd.tmp"
            draft.write_bytes(b"half")
    assert draft.exists() is False and not Path(DIRECTIONS).exists()
    assert extract() == 0
    assert Path(DIRECTIONS).read_bytes() == single
    assert NUM_BLOCKS <= len(measured) <= NUM_BLOCKS + 7
    assert set(measured) == set(range(NUM_BLOCKS))
    assert [path.name for path in Path.cwd().iterdir()] == [DIRECTIONS]  # the job is gone


DRIVER = """
import sys
import time
from pathlib import Path
from ppstyleclip.cli.run import run_cli
from ppstyleclip.apps.extract import run_extract
from ppstyleclip.methods import relevance
from ppstyleclip.zoo import load
load.PACK = Path(sys.argv[1])
draw = relevance._features
def slow(*args):
    time.sleep(float(sys.argv[2]))
    return draw(*args)
relevance._features = slow
codes = [run_cli(run_extract, command.split()) for command in sys.argv[3:]]
raise SystemExit(max(codes))
"""


def driver(pack, pause, *commands):
    Path("driver.py").write_text(DRIVER)
    return ["driver.py", str(pack), str(pause), *(" ".join([*OPTIONS, *words]) for words in commands)]


def environment():
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def by_process(pack, tmp_path_factory):
    """What three SIGKILLs at random moments have left, ended; and a single run of the same process."""
    folder, before, random_ = tmp_path_factory.mktemp("killed"), Path.cwd(), random.Random()
    os.chdir(folder)
    try:
        for kill in range(3):
            process = subprocess.Popen(
                [sys.executable, *driver(pack, 0.03, [])],
                env=environment(),
                stderr=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
            while len(list(folder.glob(f"{JOB}/block-*.safetensors"))) <= 3 * kill:
                assert process.poll() is None, "it ended before it was killed"
                time.sleep(0.005)
            time.sleep(random_.uniform(0, 0.15))
            process.kill()
            assert process.wait() == -signal.SIGKILL
        assert not (folder / DIRECTIONS).exists()
        done = subprocess.run(
            [sys.executable, *driver(pack, 0, [], ["--output_path", "single"])],
            env=environment(),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    finally:
        os.chdir(before)
    return done.stdout, (folder / DIRECTIONS).read_bytes(), (folder / "single" / DIRECTIONS).read_bytes()


def test_three_sigkills_change_no_byte(by_process):
    said, killed, undisturbed = by_process
    assert killed == undisturbed
    finished = int(re.search(r"(\d+) of 14 blocks are done in \S+; going on", said).group(1))
    assert 7 <= finished < NUM_BLOCKS


def launch(processes, script, *, env):
    words = ["-m", "paddle.distributed.launch", "--nproc_per_node", str(processes), "--log_dir", "log"]
    return subprocess.run(
        [sys.executable, *words, *script], env=env, capture_output=True, text=True, timeout=120
    )


def test_two_launched_processes_write_the_same_bytes_though_one_died_first(pack, by_process):
    """Launch ends all when process 1 gets a SIGKILL; the next launch goes on."""
    words = ["--output_path", "out", "--keep_job"]
    dying, text = driver(pack, 0, words), Path("driver.py").read_text()
    kill = "import os, signal; os.environ['PADDLE_TRAINER_ID'] == '1' and os.kill(os.getpid(), 9)"
    Path("driver.py").write_text(text.replace("    time.sleep", f"    {kill}\n    time.sleep"))
    assert launch(2, dying, env=environment()).returncode != 0
    assert not Path("out", DIRECTIONS).exists()
    done = launch(2, driver(pack, 0.01, words), env=environment())
    assert done.returncode == 0, done.stdout + done.stderr
    assert Path("out", DIRECTIONS).read_bytes() == by_process[2]
    logs = [Path(f"log/workerlog.{rank}").read_text() for rank in range(2)]
    assert "wrote out" in logs[0] and "process 1 of 2 has done its share" in logs[1]
    names = sorted(path.name for path in Path("out", JOB).iterdir())
    assert len(names) == NUM_BLOCKS + 1 and names[-1] == "manifest.json"


def test_a_job_keeps_what_it_was_begun_with(monkeypatch, single):
    def plain(*argv):
        return run_cli(extract_app.run_extract, ["--num_images", "3", *argv])

    die(monkeypatch, 4)
    assert plain("--keep_job") == 0
    assert Path(DIRECTIONS).read_bytes() == single
    kept = read_job(JOB).job
    assert (kept["batch_size"], kept["block_size"]) == (8, 2) and len(list(Path(JOB).iterdir())) == 15
    assert plain("--keep_job", "--restart") == 0
    kept = read_job(JOB).job
    assert (kept["batch_size"], kept["block_size"]) == (50, 8)


@pytest.mark.parametrize(
    "argv, words",
    [
        (["--alpha", "3"], ["alpha 5.0, not 3.0"]),
        (["--batch_size", "6"], ["batch_size 8, not 6"]),
        (["--block_size", "3", "--compat", "official"], ["block_size 2, not 3", "compat none, not official"]),
        (["--num_images", "2"], ["num_images 3, not 2", "styles "]),
        (["--stop_at", "8"], ["stop_at none, not 8"]),
        (["--shard", "0/2", "--job_path", JOB], ["shard none, not 0/2"]),
    ],
)
def test_another_wish_than_the_job_is_refused_by_name(argv, words, monkeypatch, single, capsys):
    die(monkeypatch, 4)
    refuses(extract, argv, *words, "--restart", "choose another output folder", capsys=capsys)
    assert extract() == 0
    assert Path(DIRECTIONS).read_bytes() == single


def test_other_networks_and_threads_are_refused_and_restart_helps(monkeypatch, tmp_path, capsys, single):
    die(monkeypatch, 4)
    old = read_job(JOB).job
    for word in ("generator", "clip", "threads"):
        JobFolder(Path(JOB), {**old, word: "0" * 16 if word != "threads" else 99}).write_manifest()
        said = [f"{'threads (OMP_NUM_THREADS)' if word == 'threads' else word} ", "not "]
        refuses(extract, [], *said, "--restart", capsys=capsys)
    (Path(JOB) / "manifest.json").write_text("{")
    refuses(extract, [], "manifest.json is damaged", "--restart", capsys=capsys)
    measured = counted(monkeypatch)
    assert extract("--restart") == 0
    assert Path(DIRECTIONS).read_bytes() == single and len(measured) == NUM_BLOCKS


def test_a_damaged_block_is_measured_again_and_said(monkeypatch, single, capsys):
    die(monkeypatch, 7)
    blocks = sorted(Path(JOB).glob("block-*"))
    assert len(blocks) == 5
    blocks[0].write_bytes(blocks[0].read_bytes()[:-5])
    changed = bytearray(blocks[2].read_bytes())
    changed[-1] ^= 1
    blocks[2].write_bytes(changed)
    measured = counted(monkeypatch)
    capsys.readouterr()
    assert extract() == 0
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: ")]
    assert [line.split()[1] for line in said] == [str(blocks[0]), str(blocks[2])]
    assert all("is damaged" in line for line in said)
    assert sorted(measured) == [0, 2, *range(5, NUM_BLOCKS)]
    assert Path(DIRECTIONS).read_bytes() == single


def test_bad_options_leave_no_job_behind(capsys):
    for argv, words in [
        (["--alpha", "-1"], "alpha must be positive"),
        (["--block_size", "0"], "block_size must be at least 1"),
        (["--stop_at", "12"], "pictures of 4, 8, 16 px on its way; it cannot stop at 12"),
        (["--precision", "bf16", "--engine", "eager"], "bf16 needs the compiled engine"),
        (["--engine", "fast"], "known: auto, compiled, eager"),
        (["--precision", "fp8"], "known: fp32, bf16, fp16"),
        (["--shard", "2/2"], "i from 0 to n - 1"),
        (["--shard", "0/99"], "only 14 blocks"),
        (["--max_memory", "much"], "a size such as 4G"),
        (["--max_memory", "10M"], "is too little"),
        (["--check_channels", "-1"], "must not be negative"),
        (["--merge", "nowhere"], "holds no relevance job"),
    ]:
        refuses(extract, argv, words, capsys=capsys)


def test_a_live_process_keeps_its_draft():
    mine, other = (Path(f".a.{pid}.0123abcd.tmp") for pid in (os.getpid(), dead_process()))
    for draft in (mine, other):
        draft.write_bytes(b"")
    sweep_drafts(".", "b")
    assert other.exists()
    sweep_drafts(".")
    assert mine.exists() and not other.exists()


# ---- blocks and shards


@pytest.mark.parametrize("compat", [None, "official"])
def test_a_row_does_not_depend_on_the_other_channels(compat, monkeypatch):
    """Its bytes are the same because its batches are; small networks round alike in every batch."""
    generator, clip, drawn, real = tiny_generator(), tiny_clip(), [], relevance._features
    layout = build_layout(generator)
    *_, record = collect_stats(generator, layout, num_samples=30, keep=3)

    def features(job, prefix, k, images, columns):
        drawn.append((k, images.tolist(), columns.tolist()))
        return real(job, prefix, k, images, columns)

    def rows(channels=None):
        drawn.clear()
        records = compute_relevance(
            generator,
            clip,
            layout,
            record.stats,
            record.s,
            batch_size=8,
            block_size=3,
            channels=channels,
            compat=compat,
        )
        return collect_relevance(records, layout.num_editable, clip.dim), list(drawn)

    monkeypatch.setattr(relevance, "_features", features)
    whole, batches = rows()
    for some, count in (([1, 9, 20], 5), ([27], 1), ([4, 5], 3)):
        part, of_part = rows(some)
        assert np.array_equal(part.relevance[some], whole.relevance[some])
        assert np.array_equal(part.strength[some], whole.strength[some])
        assert [batch for batch in batches if batch in of_part] == of_part and len(of_part) == count


def test_blocks_start_at_each_layer_and_shards_are_equal_in_work():
    generator = tiny_generator()
    layout = build_layout(generator)  # editable: 6, 6, 6, 6, 4 channels
    blocks = split_blocks(layout, 4)
    assert [len(block.columns) for block in blocks] == [4, 2, 4, 2, 4, 2, 4, 2, 4]
    assert np.concatenate([block.channels for block in blocks]).tolist() == list(range(28))
    part = split_blocks(layout, 4, [5, 27])
    assert [(block.number, block.channels.tolist()) for block in part] == [(1, [5]), (8, [27])]
    blocks = split_blocks(layout, 1)
    work = {block.number: work_from(generator, block.k) for block in blocks}
    shares = [sum(work[block.number] for block in blocks[i::3]) for i in range(3)]
    assert max(shares) - min(shares) <= max(work.values())


@pytest.fixture
def shards():
    for i in range(2):
        assert extract("--shard", f"{i}/2", "--output_path", f"m{i}") == 0
    return [str(Path(f"m{i}", f"{JOB}-{i}of2")) for i in range(2)]


def test_two_shards_merged_are_the_single_run(shards, single, capsys):
    assert not list(Path.cwd().rglob(DIRECTIONS))
    assert [len(list(Path(folder).glob("block-*"))) for folder in shards] == [7, 7]
    for order in (shards, shards[::-1], [*shards, shards[0]]):
        assert extract("--merge", *order, "--output_path", "out") == 0
        assert Path("out", DIRECTIONS).read_bytes() == single
        Path("out", DIRECTIONS).unlink()
    assert all(Path(folder).exists() for folder in shards)


def test_gaps_name_the_channels_and_who_owes_them(shards, capsys):
    missing = "channels 2-3, 6-7, 10-11, 14-15, 18-19, 22-23, 26-27 (14 in all) are missing"
    refuses(extract, ["--merge", shards[0]], missing, "shard 1/2 owes", capsys=capsys)
    (Path(shards[0]) / "block-00004.safetensors").unlink()
    refuses(extract, ["--merge", *shards], "channels 8-9 are missing", "shard 0/2 owes", capsys=capsys)
    path = Path(shards[1]) / "block-00001.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    refuses(extract, ["--merge", *shards], "channels 2-3, 8-9", "shard 0/2, 1/2 owes", capsys=capsys)


def test_an_overlap_with_other_rows_is_refused(shards, capsys):
    shutil.copytree(shards[0], "copy")
    copy = read_job("copy")
    arrays = copy.read_block(2)
    copy.write_block(2, {**arrays, "strength": arrays["strength"] + np.float32(1e-6)})
    refuses(
        extract,
        ["--merge", *shards, "copy"],
        "channels 4-5 are in",
        "copy with different rows",
        capsys=capsys,
    )


@pytest.mark.parametrize(
    "word, value",
    [("generator", "0" * 16), ("clip", "1" * 16), ("alpha", 3.0), ("block_size", 4), ("stop_at", 8)],
)
def test_shards_of_another_job_are_refused_with_both_values(word, value, shards, capsys):
    folder = read_job(shards[1])
    JobFolder(folder.path, {**folder.job, word: value}, folder.shard).write_manifest()
    here = "none" if folder.job[word] is None else str(folder.job[word])
    refuses(
        extract, ["--merge", *shards], "parts of different jobs", f"{word} {here} and {value}", capsys=capsys
    )


def test_shards_of_unlike_machines_are_joined_with_a_word(shards):
    folder = read_job(shards[1])
    blocks = {number: folder.read_block(number) for number in range(1, NUM_BLOCKS, 2)}
    other = JobFolder(folder.path, {**folder.job, "threads": 64}, folder.shard)
    other.write_manifest()
    for number, arrays in blocks.items():
        other.write_block(number, arrays)
    with pytest.warns(UserWarning, match="threads [0-9]+ and 64"):
        job, found = merge_jobs(shards)
    assert found.measured.all() and job["threads"] == folder.job["threads"]


def test_a_trial_has_a_job_of_its_own(monkeypatch):
    die(monkeypatch, 3, "--limit_channels", "5")
    assert [path.name for path in Path.cwd().iterdir()] == [f"{JOB.replace('-job', '-job-trial5')}"]
    assert extract("--limit_channels", "5") == 0
    strength = read_safetensors(DIRECTIONS.replace("directions", "directions-trial5"))[0]["strength"]
    assert set(strength.nonzero()[0]) == {0, 7, 14, 20, 27}


def test_numbers_in_words():
    assert ranges([3]) == "3"
    assert ranges([0, 1, 2]) == "0-2"
    assert ranges([0, 1, 5]) == "0-1, 5 (3 in all)"


# ---- progress, memory, speed


def test_the_bar_counts_work_and_foretells_from_this_run_alone(monkeypatch):
    bars = []

    class Bar(extract_app.tqdm):
        def __init__(self, **options):
            super().__init__(**options)
            bars.append((self, []))

        def update(self, n=1):
            bars[-1][1].append(n)
            super().update(n)

    monkeypatch.setattr(extract_app, "tqdm", Bar)
    die(monkeypatch, 6)  # four blocks are there
    assert extract() == 0
    (_, first), (bar, second) = bars
    assert len(first) == 4 and len(second) == 10
    assert bar.initial == pytest.approx(sum(first)) and bar.n == pytest.approx(bar.total)
    assert first[0] > second[-1]  # early layers are more work
    generator, clip = tiny_generator(), tiny_clip()
    assert first[0] == pytest.approx(2 * (work_from(generator, 0) + clip_work(clip)))


def test_clip_work_counts_its_convolutions_and_linear_layers():
    # 64-wide, 1 block, 16 px in patches of 8: 4 tokens and a class token. Of the last block, here the only
    # one, keys and values of all 5; query, projection and an MLP of 4 x 64 of the class token.
    assert clip_work(tiny_clip()) == 64 * 3 * 64 * 4 + 5 * (2 * 64 * 64) + 2 * 64 * 64 + 2 * 4 * 64 * 64


def test_memory_is_shared_between_batch_and_cache():
    generator, clip = tiny_generator(), tiny_clip()
    with pytest.raises(UserError, match="need (\\d+)M for one pair of pictures") as refusal:
        plan_memory(generator, clip, 100, 2**20)
    least = int(re.search(r"need (\d+)M", str(refusal.value)).group(1))
    with pytest.raises(UserError):
        plan_memory(generator, clip, 100, (least - 1) * 2**20)
    batch, cache = plan_memory(generator, clip, 100, least * 2**20)
    assert batch >= 2 and cache < 2**20
    big = plan_memory(generator, clip, 100, 2**33)
    assert big[0] == 50 and big[1] == 100 * max(opened_bytes(generator, k) for k in (0, 2, 3, 5, 6))
    assert plan_memory(generator, clip, 100, 2**33, batch_size=6)[0] == 6
    sizes = [parse_memory(text) for text in ("800M", "1.5g", "2GiB", "7")]
    assert sizes == [800 * 2**20, 3 * 2**29, 2**31, 7]


def test_max_memory_decides_the_job(monkeypatch):
    command = ["--num_images", "3", "--max_memory", "4G"]
    with monkeypatch.context() as patch, pytest.raises(Killed):
        kill_at(patch, 2)
        run_cli(extract_app.run_extract, command)
    job = read_job(JOB).job
    assert job["batch_size"] == 50 and job["cache_bytes"] < 2**20
    assert run_cli(extract_app.run_extract, command) == 0


def test_stopping_early_shows_clip_the_smaller_picture():
    generator, clip = tiny_generator(), tiny_clip()
    layout = build_layout(generator)
    *_, record = collect_stats(generator, layout, num_samples=30, keep=1)
    s, stats = record.s[0], record.stats

    def picture(values, side):
        styles = layout.unflatten(paddle.to_tensor(values[None]))
        x = generator.conv1(generator.input.input, styles[0], generator.noises.noise_0)
        rgb = generator.to_rgb1(x, styles[1])
        for k in range({8: 1, 16: 2}[side]):
            noises = [getattr(generator.noises, f"noise_{2 * k + place}") for place in (1, 2)]
            x = generator.convs[2 * k](x, styles[3 * k + 2], noises[0])
            x = generator.convs[2 * k + 1](x, styles[3 * k + 3], noises[1])
            rgb = generator.to_rgbs[k](x, styles[3 * k + 4], rgb)
        assert rgb.shape[2] == side
        return rgb

    def row(e, side):
        position, features = layout.editable_index[e], []
        for sign in (1, -1):
            moved = s.copy()
            moved[position] = stats.mean[position] + sign * 5 * stats.std[position]
            f = clip.encode_image(picture(moved, side)).numpy()[0]
            features.append(f / np.linalg.norm(f))
        return features[0] - features[1]

    records = compute_relevance(generator, clip, layout, stats, record.s, batch_size=8, stop_at=8)
    found = collect_relevance(records, 28, clip.dim)
    with paddle.no_grad():
        for e, side in [(0, 8), (17, 8), (18, 16), (27, 16)]:
            difference = row(e, side)
            np.testing.assert_allclose(found.strength[e], np.linalg.norm(difference), atol=1e-5)
            assert found.relevance[e] @ difference >= 0.999 * np.linalg.norm(difference)
        assert np.linalg.norm(row(0, 8) - row(0, 16)) > 1e-4  # it does make a difference
    assert count_tensors(generator, 8) == 5 and count_tensors(generator) == 8
    assert work_from(generator, 0, 5) == work_from(generator, 0) - work_from(generator, 5)


def test_the_compiled_engine_measures_the_same_in_one_run_or_in_shards(single):
    compiled = ["--engine", "compiled"]
    assert extract(*compiled, "--output_path", "whole") == 0
    whole = (Path("whole") / DIRECTIONS).read_bytes()
    rows, expected = (load_safetensors(data)["relevance"] for data in (whole, single))
    assert (rows * expected).sum(axis=1).min() > 0.9999
    assert not np.array_equal(rows, expected)
    for i in range(2):
        assert extract(*compiled, "--shard", f"{i}/2") == 0
    assert extract("--merge", *map(str, Path().glob(f"{JOB}-*"))) == 0
    assert Path(DIRECTIONS).read_bytes() == whole


def test_a_job_is_compiled_when_it_is_worth_it(monkeypatch, single):
    monkeypatch.setattr(engine.CompiledNetworks, "features", die_of_it)
    assert extract() == 0
    monkeypatch.setattr(extract_app, "COMPILED_WORK", 1e3)
    with pytest.raises(Killed):
        extract()


def die_of_it(*args):
    raise Killed


def agreement_of(said):
    match = re.search(
        r"exact rows \(16 px, (\d+) images\) on (\d+) channels drawn at random: "
        r"mean cosine ([-\d.]+), least ([-\d.]+)",
        said,
    )
    return int(match[1]), int(match[2]), float(match[3]), float(match[4])


def test_fast_says_how_well_it_agrees(capsys, monkeypatch):
    assert getf() == 0  # 60 styles
    assert run_cli(extract_app.run_extract, ["--num_images", "60"]) == 0
    exact = read_safetensors(DIRECTIONS)[0]["relevance"]
    capsys.readouterr()
    fast = ["--fast", "--num_images", "2", "--stop_at", "8", "--check_channels", "28"]
    assert run_cli(extract_app.run_extract, fast) == 0
    arrays, metadata = read_safetensors(DIRECTIONS)
    made = json.loads(metadata["made_with"])
    assert (made["num_images"], made["stop_at"], made["precision"]) == (2, 8, "fp32")
    cosines = (arrays["relevance"] * exact).sum(axis=1)
    images, channels, mean, least = agreement_of(capsys.readouterr().out)
    assert (images, channels) == (60, 28) and least < 0.99
    assert mean == pytest.approx(cosines.mean(), abs=2e-4) and least == pytest.approx(cosines.min(), abs=2e-3)


def test_fast_alone_takes_its_three_options(capsys):
    assert getf() == 0
    assert run_cli(extract_app.run_extract, ["--fast", "--keep_job"]) == 0
    job = read_job(JOB).job
    assert job["num_images"] == extract_app.FAST_IMAGES and job["stop_at"] is None  # CLIP sees all 16 px
    images, channels, mean, _ = agreement_of(capsys.readouterr().out)
    assert (images, channels) == (60, extract_app.CHECK_CHANNELS) and 0.5 < mean < 0.9999
    assert extract_app._seen_side(type("G", (), {"size": 1024}), type("C", (), {"image_size": 224})) == 256


def test_an_exact_run_agrees_with_itself(capsys, monkeypatch):
    assert getf() == 0
    words = ["--num_images", "60", "--check_channels", "5"]
    die(monkeypatch, NUM_BLOCKS + 4, *words)  # at the sample, which is a job too
    measured = counted(monkeypatch)
    assert extract(*words) == 0
    assert len(measured) < 5
    assert agreement_of(capsys.readouterr().out)[2:] == (1, 1)


# ---- several processes


def test_launched_processes_share_the_cores(monkeypatch):
    Path("threads.py").write_text(
        "import os\nfrom ppstyleclip.threads import given_threads, use_all_cores\n"
        "given = given_threads()\nuse_all_cores()\nprint('threads', given, os.environ['OMP_NUM_THREADS'])\n"
    )
    free = {name: value for name, value in environment().items() if name != "OMP_NUM_THREADS"}
    assert launch(1, ["threads.py"], env=free).returncode == 0  # which sets OMP_NUM_THREADS to 1
    assert f"threads None {threads.count_cores()}" in Path("log/workerlog.0").read_text()
    monkeypatch.setattr(threads, "count_cores", lambda: 8)
    monkeypatch.setenv("PADDLE_LOCAL_SIZE", "4")
    for is_given, expected in [(False, "2"), (True, "1")]:
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        monkeypatch.setattr(threads, "_parent_was_given", lambda name, given=is_given: given)
        threads.use_all_cores()
        assert os.environ["OMP_NUM_THREADS"] == expected


def test_threads_that_are_given_stay_and_those_of_a_job_are_taken(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    threads.use_all_cores(5)
    assert os.environ["OMP_NUM_THREADS"] == "3" and threads.given_threads() == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert threads.given_threads() is None
    threads.use_all_cores(5)
    assert os.environ["OMP_NUM_THREADS"] == "5"
    folder = JobFolder(Path("stylegan2-x-styleclip-job"), {"threads": 7})
    folder.write_manifest()
    assert prepare._threads_of([folder.path, Path("nothing")]) == 7
    other = JobFolder(Path("y"), {"threads": 8})
    other.write_manifest()
    assert prepare._threads_of([folder.path, other.path]) is None


def test_waiting_ends_when_launch_has_ended_or_nothing_happens(monkeypatch):
    monkeypatch.setattr(ranks, "_PAUSE", 0.01)
    orphan = ranks.Ranks(0, 2, "a", os.getppid() + 1)
    with pytest.raises(UserError, match="launch has ended"):
        orphan.wait_for(Path("."), "done", 1)
    here = ranks.Ranks(0, 2, "a", os.getppid())
    with pytest.raises(UserError, match="process 1 of 2 has done nothing for 0 s"):
        here.wait_for(Path("."), "done", 1, patience=0.05)
    ranks.Ranks(1, 2, "b", os.getppid()).mark(Path("."), "done")  # of an earlier launch
    with pytest.raises(UserError, match="has done nothing"):
        here.wait_for(Path("."), "done", 1, patience=0.05)
    ranks.Ranks(1, 2, "a", os.getppid()).mark(Path("."), "done")
    here.wait_for(Path("."), "done", 1, patience=0.05)
    here.clear_marks(Path("."))
    assert [path.name for path in Path(".").iterdir()] == [".rank-1-a-done"]
    monkeypatch.setenv("PADDLE_TRAINER_ID", "2")
    with pytest.raises(UserError, match="PADDLE_TRAINER_ID is 2"):
        ranks.launched_ranks()


# ---- statistics


def stats_bytes():
    return Path(STATS).read_bytes(), Path(STYLES).read_bytes()


def test_statistics_go_on_bit_for_bit(monkeypatch, capsys):
    monkeypatch.setattr(prepare, "SAVE_EVERY", 2)
    monkeypatch.setattr(prepare, "KEEP", 40)
    assert getf("--batch_size", "7") == 0
    expected = stats_bytes()
    for path in (STATS, STYLES):
        Path(path).unlink()
    for place in (4, 2):  # manifest, state, manifest, state
        die(monkeypatch, place, "--batch_size", "7", command=getf)
    assert sorted(path.name for path in Path("stylegan2-tiny-styleclip-stats-job").iterdir()) == [
        "block-00000.safetensors",
        "manifest.json",
    ]
    refuses(getf, ["--seed", "3"], "seed 1234, not 3", "--restart", capsys=capsys)
    refuses(getf, ["--batch_size", "8"], "batch_size 7, not 8", capsys=capsys)
    assert getf() == 0  # the batch size is the job's
    assert "14 samples are done in" in capsys.readouterr().out
    assert stats_bytes() == expected
    assert sorted(path.name for path in Path.cwd().iterdir()) == [STYLES, STATS]
    assert getf() == 0
    assert stats_bytes() != expected  # one batch of 60: the test can fail


def test_a_damaged_state_begins_again_and_says_so(monkeypatch, capsys):
    monkeypatch.setattr(prepare, "SAVE_EVERY", 2)
    assert getf("--batch_size", "7") == 0
    expected = stats_bytes()
    die(monkeypatch, 5, "--batch_size", "7", command=getf)
    state = Path("stylegan2-tiny-styleclip-stats-job", "block-00000.safetensors")
    state.write_bytes(state.read_bytes()[:-1])
    assert getf() == 0
    assert "is damaged" in capsys.readouterr().err
    assert stats_bytes() == expected


def test_statistics_of_a_state_are_those_of_the_whole():
    generator = tiny_generator()
    layout = build_layout(generator)
    options = {"num_samples": 50, "batch_size": 7, "keep": 30}
    *_, whole = collect_stats(generator, layout, **options)
    for place in (1, 5):
        for number, record in enumerate(collect_stats(generator, layout, **options), 1):
            if number == place:
                state = record.get_state()
                break
        records = list(collect_stats(generator, layout, start=state, **options))
        assert len(records) == 8 - place
        assert np.array_equal(records[-1].s, whole.s)
        assert np.array_equal(records[-1].stats.mean, whole.stats.mean)
        assert np.array_equal(records[-1].stats.std, whole.stats.std)
