"""The example in docs/api.md, run as it stands: from a digest to a mailing that is sent."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.web.api.site import DIGEST, Program, enter
from tests.web.console.site import Console

DOCUMENT = Path(__file__).parents[3] / "docs" / "api.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_the_documents_example_sends_an_issue(
    console: Console, program: Program, tmp_path_factory: pytest.TempPathFactory
) -> None:
    program.post("/subscribers", {"email": "anna@daily.example"}, status=201)
    newsroom = enter(
        console, ["issues:read", "issues:write", "mailings:read", "mailings:write"], name="newsroom"
    )
    (script,) = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    folder = tmp_path_factory.mktemp("newsroom")
    (folder / "todays-highlights.txt").write_text(DIGEST)
    done = subprocess.run(
        ["sh", "-eu", "-c", script],
        cwd=folder,
        env=os.environ | {"API": console.url, "TOKEN": newsroom.secret},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    mailing = json.loads(done.stdout)
    assert mailing["status"] == "sending"
    assert mailing["digest"] == json.loads((folder / "plan.json").read_bytes())["digest"]
    assert mailing["counts"]["queued"] == 1
    assert [action for _, action, _ in console.done()[:3]] == [
        *("mailing started", "issue marked ready", "issue created")
    ]
