"""What docs/webhooks.md tells a receiver to do is right, in both languages."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from thetool.jobs.webhooks.signing import signed_headers

PAGE = (Path(__file__).parents[3] / "docs/webhooks.md").read_text()
SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()
BODY = '{"type": "job.completed", "text": "été"}'.encode()


def code(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def _verify_of_the_page() -> Any:
    names: dict[str, Any] = {}
    exec(compile(code("python"), "docs/webhooks.md", "exec"), names)
    return names["verify"]


verify = _verify_of_the_page()


def headers(age: int = 0) -> dict[str, str]:
    secrets = [b"the next one", base64.b64decode(SECRET.removeprefix("whsec_"))]
    return signed_headers("msg_1", int(time.time()) - age, BODY, secrets)


WRONG = [
    ({}, BODY + b" ", SECRET, "not signed"),
    ({}, BODY, "whsec_AAAA", "not signed"),
    ({"webhook-id": "msg_2"}, BODY, SECRET, "not signed"),
    ({"webhook-signature": "v1,é"}, BODY, SECRET, "not signed"),
    ({"webhook-signature": "v1"}, BODY, SECRET, "not signed"),
    (headers(age=100_000), BODY, SECRET, "too old"),
    (headers(age=-100_000), BODY, SECRET, "too old"),
]


def test_python_takes_what_is_signed() -> None:
    verify(headers(), BODY, SECRET)


@pytest.mark.parametrize(("changed", "body", "secret", "why"), WRONG, ids=range(len(WRONG)))
def test_python_refuses_the_rest(changed: dict[str, str], body: bytes, secret: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        verify({**headers(), **changed}, body, secret)


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node on this machine")
def test_node_agrees(tmp_path: Path) -> None:
    cases = [[headers(), BODY.decode(), SECRET, ""]]
    cases += [[{**headers(), **changed}, body.decode(), secret, why] for changed, body, secret, why in WRONG]
    script = tmp_path / "check.mjs"
    script.write_text(
        code("js")
        + f"""
        for (const [headers, body, secret, why] of {json.dumps(cases)}) {{
          let said = "";
          try {{ verify(headers, Buffer.from(body), secret); }} catch (error) {{ said = error.message; }}
          if (why ? !said.includes(why) : said) throw new Error(`${{why}} / ${{said}}`);
        }}
        console.log("all as they should be");
        """
    )
    done = subprocess.run(["node", str(script)], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "all as they should be", done.stderr
