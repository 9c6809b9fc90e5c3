"""The pages in a real browser, on a real service: one of each for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import migrated_database
from tests.e2e.browser import Browser, chromium
from tests.e2e.service import KEY, Service

LOOKS, STRUCTURE = ((Path(__file__).parent / name).read_text() for name in ("looks.js", "structure.js"))
GOOD = "The room was lovely and the staff were wonderful. Breakfast was a horrible disappointment."


@pytest.fixture(scope="package")
def service(postgres_url: str, weights_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running service that also has jobs to look at."""
    with migrated_database(postgres_url) as url:
        service = Service(tmp_path_factory.mktemp("pages"), url, WEIGHTS_DIR=weights_dir)
        try:
            yield service.launch_and_wait("-m", "gunicorn", "tests.e2e.pages.sample:app")
        finally:
            service.destroy()


@pytest.fixture(scope="package")
def tab(service: Service) -> Iterator[Browser]:
    """One browser for all tests, signed in; at the end, nothing was asked of anybody else."""
    with chromium(f"http://127.0.0.1:{service.port}") as browser:
        yield browser
        # blob: is what the page itself holds; chrome: the empty tab that Chromium begins with
        ours = (f"{browser.origin}/", f"blob:{browser.origin}/", "data:", "chrome:")
        elsewhere = {address for address in browser.requested() if not address.startswith(ours)}
        assert not elsewhere


@pytest.fixture(scope="package")
def session(service: Service) -> dict[str, str]:
    """The cookie of who has signed in; how that is done in the browser: test_sign_in.py."""
    with service.connection() as connection:
        form = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
        connection.request("POST", "/sign-in", f"key={KEY}", form)
        name, _, value = str(connection.getresponse().headers["Set-Cookie"]).partition(";")[0].partition("=")
    return {"name": name, "value": value, "path": "/", "sameSite": "Strict"}


@pytest.fixture
def browser(tab: Browser, session: dict[str, str]) -> Iterator[Browser]:
    """The browser, signed in, with nothing kept; the console must have nothing to complain about."""
    tab.look()
    tab.driver.delete_all_cookies()
    tab.open("/favicon.ico")  # of the same origin, and nothing more
    tab.run("sessionStorage.clear()")
    tab.driver.add_cookie({**session, "httpOnly": True})
    yield tab
    assert tab.complaints() == []


@contextmanager
def enough(service: Service) -> Iterator[None]:
    """The jobs that step come to their ends meanwhile."""
    file = service.home / "enough"
    file.touch()
    try:
        yield
    finally:
        file.unlink()
