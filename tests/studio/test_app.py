# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""The studio's pages on the server's application: where they are, what they may load, what is not let in."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

if sys.version_info < (3, 10):
    pytest.skip("the studio needs Python 3.10", allow_module_level=True)
for _module in ("fastapi", "socketio"):
    pytest.importorskip(_module, reason=f"the server needs {_module}")

from ppstyleclip.errors import MissingExtra, UserError  # noqa: E402
from ppstyleclip.server.keys import new_key  # noqa: E402
from ppstyleclip.server.settings import load_settings  # noqa: E402
from ppstyleclip.studio.app import POLICY, Studio  # noqa: E402


def test_api_keys_are_refused_for_no_page_can_send_one(tmp_path):
    _, line = new_key("alice")
    with pytest.raises(UserError, match="a page without keys"):
        Studio(load_settings(data=tmp_path, api_keys=line), None)


def test_without_gradio_one_line_says_what_to_install(monkeypatch):
    from ppstyleclip.cli.serving import studio

    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(MissingExtra, match=r'pip install "ppstyleclip\[studio\]"'):
        studio.run(studio.parse_args([]))


def test_the_policy_names_no_other_server():
    assert "http" not in POLICY and "default-src 'self'" in POLICY


@pytest.mark.slow
def test_pages_routes_and_the_server_beneath(tiny_editor, tmp_path):
    pytest.importorskip("gradio", reason="the studio's page needs gradio")

    source = """
import os
import subprocess
import sys
from starlette.testclient import TestClient
from ppstyleclip.threads import import_paddle
import_paddle()
from ppstyleclip.server.app import create_app
from ppstyleclip.server.model import load_model
from ppstyleclip.server.settings import load_settings
from ppstyleclip.studio.app import Studio
settings = load_settings(data=sys.argv[1], hosts="testserver", warm="draw")
studio = Studio(settings, load_model(settings))
app = create_app(settings, studio.service)
studio.mount(app)
with TestClient(app, follow_redirects=False) as client:
    for path, place in (("/", "studio/zh/"), ("/studio", "studio/zh/"), ("/studio/", "zh/")):
        answer = client.get(path, headers={"accept-language": "zh-CN"})
        assert (answer.status_code, answer.headers["location"]) == (302, place), (path, answer.headers)
    for language, word in (("en", "Contact sheet"), ("zh", "对照表")):
        answer = client.get(f"/studio/{language}/")
        assert answer.status_code == 200 and word in answer.text, answer.text[:500]
        assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert client.get("/version").status_code == 200
    assert "content-security-policy" not in client.get("/version").headers
    for path in ("file=/etc/passwd", "proxy=http://127.0.0.1", "runs", "deep_link", "vibe-code"):
        assert client.get(f"/studio/en/gradio_api/{path}").status_code == 404, path
    sent = client.post("/studio/en/gradio_api/upload", files={"files": b"kept on the disk?"})
    assert sent.status_code == 404, sent.text
    assert client.get("/favicon.ico").status_code == 200
print("done")
"""

    from studio_process import ROOT

    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PPSTYLECLIP_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", source, str(tmp_path / "data")],
        env=environment, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.stdout.strip().endswith("done"), done.stderr[-3000:]
