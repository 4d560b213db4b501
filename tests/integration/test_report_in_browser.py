"""The report as a real browser shows it: complete, without a network, and narrow enough for a phone."""

from __future__ import annotations

import http.server
import re
import shutil
import struct
import subprocess
import threading

import pytest

from feedback.digest.outbox import write_digests
from feedback.digest.report import About, write_report
from include.teams import TEAMS
from tests.plugins.feedback.digest.seeded import AS_OF, seed, six_weeks

BROWSER = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# A frame of a phone's width: a headless window itself never gets narrower than 500 pixels.
PHONE = """<!doctype html><iframe id="phone" src="/index.html" width="390" height="800"></iframe><p id="found"></p>
<script>phone.onload = () => { const page = phone.contentDocument.documentElement;
found.textContent = `needs ${page.scrollWidth} of ${page.clientWidth}` }</script>"""

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not BROWSER, reason="no chromium on this machine: apt-get install chromium"),
]


@pytest.fixture
def report(warehouse, tmp_path, run):
    endless = {"number": 9_000, "sentiment": "negative", "score": -1.0, "quote": "W" * 400, "is_unanswered": True}
    said = [*six_weeks(), {**endless, "areas": ("stability",), "intent": "bug_report", "channel_or_app": "c" * 70}]
    seed(warehouse, said)
    write_digests(warehouse, TEAMS, tmp_path / "digest", as_of=AS_OF, timezone="UTC", run=run)
    about = About(
        AS_OF, True, 5.0, 20.0, ({"enrichment": "sentiment", "right": 98, "total": 120, "lower_bound": 0.74},)
    )
    return write_report(warehouse, tmp_path / "report", tmp_path / "digest", about, run)


@pytest.fixture
def browse(tmp_path):
    def browse(url, *flags):
        profile = f"--user-data-dir={tmp_path / 'profile'}"
        command = [BROWSER, *FLAGS, profile, *flags, url]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout

    return browse


@pytest.fixture
def served(report):
    """The page over HTTP, with what was asked for: a file may not look into a frame of another file."""
    asked = []
    pages = {"/index.html": report.read_text(), "/phone.html": PHONE}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200 if self.path in pages else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(pages.get(self.path, "").encode())

        def log_message(self, *arguments):
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_browser_shows_the_whole_page(report, browse):
    shown = " ".join(re.sub(r"<[^>]+>", " ", browse(report.as_uri(), "--dump-dom")).split())

    for words in (
        "messages and reviews read; answers about",
        "Offline model, not a language model.",
        "Bundled sample.",
        "How far it has come",
        "What to read",
        "Billing and accounts",
        "How customers feel",
        "bug reports about sync/offline",
        "The gate",
        "What could not be read",
        "Per 1,000 answers",
        "Against the golden file",
        "Where this page comes from",
    ):
        assert words in shown


def test_a_browser_paints_the_page(report, browse, tmp_path):
    picture = tmp_path / "report.png"

    browse(report.as_uri(), "--window-size=1280,1600", f"--screenshot={picture}")

    data = picture.read_bytes()
    assert struct.unpack(">II", data[16:24]) == (1280, 1600)
    assert len(data) > 50_000  # a blank page has a tenth of it


def test_a_browser_asks_for_the_page_and_nothing_else(served, browse):
    address, asked = served

    browse(f"{address}/index.html", "--dump-dom")

    assert set(asked) <= {"/index.html", "/favicon.ico"}


def test_nothing_is_wider_than_a_phone(served, browse):
    address, _ = served

    shown = browse(f"{address}/phone.html", "--dump-dom", "--virtual-time-budget=5000")

    needed, width = map(int, re.search(r"needs (\d+) of (\d+)", shown).groups())
    assert needed <= width <= 390
