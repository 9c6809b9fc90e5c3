#!/usr/bin/env python3
"""How soon a page is seen: the first paint of each page on loopback in headless Chromium, and what it loads.

scripts/bench/pages.py [--rounds 9]     needs Debian's chromium and chromium-driver
"""

from __future__ import annotations

import argparse
import statistics
import sys
from typing import Any

from service import KEY, ROOT, service

sys.path.insert(0, str(ROOT))

from tests.e2e.browser import Browser, chromium  # noqa: E402

PAGES = ("/sign-in", "/analyze", "/jobs", "/settings")
MEASURED = """
const paint = performance.getEntriesByName("first-contentful-paint")[0];
const loaded = [performance.getEntriesByType("navigation")[0], ...performance.getEntriesByType("resource")];
return paint && { paint: paint.startTime, sent: loaded.reduce((sum, one) => sum + one.encodedBodySize, 0) };
"""


def measured(browser: Browser, path: str) -> dict[str, Any]:
    """Milliseconds to the first paint of a page, and the bytes of all that it loads."""
    browser.open(path)
    return browser.until(lambda: browser.run(MEASURED), "the page is painted")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = range(parser.parse_args().rounds)
    print("| page | first paint, first visit | first paint, files kept | loaded |\n| --- | --- | --- | --- |")
    with service() as place, chromium(f"http://127.0.0.1:{place.port}") as browser:
        for path in PAGES:
            if path == "/analyze":
                browser.open("/sign-in")
                browser.fill("#key", KEY + "\n")
                browser.see("#status")
            fresh, kept = [], []
            for _ in rounds:
                browser.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
                fresh.append(measured(browser, path))
                kept.append(measured(browser, path)["paint"])
            first = statistics.median(one["paint"] for one in fresh)
            sent = statistics.median(one["sent"] for one in fresh)
            print(f"| {path} | {first:.0f} ms | {statistics.median(kept):.0f} ms | {sent / 1024:.0f} KiB |")


if __name__ == "__main__":
    main()
