# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""What the documents say of the server is so: settings with their defaults, routes, files to copy, curl."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra 'server' is not installed")
pytest.importorskip("socketio", reason="the extra 'server' is not installed")

import yaml  # noqa: E402
from server_world import picture_file  # noqa: E402

from ppstyleclip.cli.serving.serve import OPTIONS, parse_args  # noqa: E402
from ppstyleclip.server.settings import ServerSettings, load_settings  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "docs" / tongue / "server.md" for tongue in ("en_US", "zh_CN")]
FILES = ROOT / "applications" / "server"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_the_table_of_settings_has_each_with_its_default(page):
    rows = re.findall(r"^\| (`[^|]*`) \| ([^|]*) \|", page.read_text("utf-8"), re.MULTILINE)
    listed = {}
    for names, defaults in rows:
        names, values = re.findall(r"`(\w+)`", names), re.split(r", |、", defaults)
        if set(names) <= set(ServerSettings.model_fields):
            listed.update(dict(zip(names, values + values[-1:] * len(names))))
    assert set(listed) == set(ServerSettings.model_fields)
    for name, field in ServerSettings.model_fields.items():
        if isinstance(field.default, (int, float)) and not isinstance(field.default, bool):
            assert listed[name] == f"{field.default:g}" or listed[name] == str(field.default), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_the_routes_are_those_that_there_are(page, served):
    text, paths = page.read_text("utf-8"), served.client.get("/openapi.json").json()["paths"]
    plain = {re.sub(r"\{\w+\}", "{}", path) for path in paths}
    for path in plain - {"/openapi.json"}:
        named = re.sub(r"\{\w+\}", "{}", text)
        assert path in named, path


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_lines_of_curl_edit_a_photo(served, tmp_path):
    (tmp_path / "photo.png").write_bytes(picture_file())
    (tmp_path / "recipe.yaml").write_text("edits:\n  - {target: happy face, region: mouth}\n")
    blocks = re.findall(r"```bash\n(curl.*?)```", PAGES[0].read_text("utf-8"), re.DOTALL)
    done_job = served.send()
    served.ended(done_job)
    for block in (blocks[0], blocks[2].replace('"region": "glasses"', '"region": "hair"')):
        block = block.replace("http://127.0.0.1:8000", served.url).replace("mapper=happy", "mapper=beard")
        block = block.replace("curl -s", "curl -sf").replace("$ID", done_job)
        done = subprocess.run(["sh", "-ec", block], cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
    for name in ("edited.png", "glasses.png", "mapped.png", "mouth.png", "both.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG"), name


def test_the_files_to_copy_agree_with_the_settings():
    compose = yaml.safe_load((FILES / "compose.yaml").read_text("utf-8"))
    environment = compose["services"]["server"]["environment"]
    unit = dict(
        re.findall(r"^Environment=(\w+)=(.*)$", (FILES / "ppstyleclip.service").read_text(), re.MULTILINE)
    )
    more = yaml.safe_load((FILES / "compose.redis.yaml").read_text("utf-8"))["services"]
    worker = dict(
        re.findall(
            r"^Environment=(\w+)=(.*)$", (FILES / "ppstyleclip-worker@.service").read_text(), re.MULTILINE
        )
    )
    environments = (environment, unit, worker, more["server"]["environment"], more["worker"]["environment"])
    for name in [name for one in environments for name in one]:
        if name.startswith("PPSTYLECLIP_SERVER_"):
            assert name.removeprefix("PPSTYLECLIP_SERVER_").lower() in ServerSettings.model_fields
    size = re.search(r"client_max_body_size (\d+)m", (FILES / "nginx.conf").read_text())
    assert size and int(size[1]) == load_settings(data="x").upload_megabytes
    assert set(OPTIONS) <= set(ServerSettings.model_fields)
    assert "ppstyleclip serve" in (ROOT / "applications" / "start_server.sh").read_text().replace("-m ", "")


def test_the_command_makes_a_key(capsys):
    from ppstyleclip.cli.serving.serve import run
    from ppstyleclip.server.keys import holder_of, parse_key_lines

    run(parse_args(["--new_key", "alice"]))
    key, line = (said.rpartition(": ")[2] for said in capsys.readouterr().out.splitlines())
    assert holder_of(key, parse_key_lines([line])) == "alice"
