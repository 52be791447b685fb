"""A real browser on a live demo shop, at three widths. Pictures of what it saw go to var/screenshots/."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright
from pytest_django.live_server_helper import LiveServer

from demo_shop.models import Category, Product
from demo_shop.stocking import CATALOGUE, load

SCREENSHOTS = Path(__file__).resolve().parents[2] / "var" / "screenshots"
WIDTHS = (360, 768, 1440)
HEIGHTS = {360: 740, 768: 1024, 1440: 900}

HOME = "home"
KITCHEN = f"/shop/{HOME}/kitchen/"

LONG_NAME = "Alder & Ash Extraordinarily Well-Tempered Copper Kettle Large"
"""A name of 60 characters and one."""

# A quiet browser: it asks no host but the one it is sent to.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# A picture below the fold is loaded when it is scrolled to; a screenshot of the whole page shows all.
ALL_PICTURES = """async () => {
    for (const picture of document.images) picture.loading = "eager";
    await Promise.all([...document.images].map(picture => picture.decode()));
}"""


@dataclass
class Visit:
    """One visitor's window, and what went wrong in it."""

    page: Page
    root: str
    width: int
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        """Open a page of the shop."""
        self.page.goto(self.root + path)

    def keep(self, name: str, *, whole: bool = True) -> None:
        """Keep a picture of the page, or of its first screen."""
        self.page.screenshot(path=str(SCREENSHOTS / f"{name}-{self.width}.png"), full_page=whole)

    def look(self, name: str) -> None:
        """Judge the page as it stands: nothing sticks out, nothing for axe, no error, no other host; keep a picture."""
        self.page.wait_for_load_state()
        self.page.evaluate(ALL_PICTURES)
        self.keep(name)
        wider = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider == 0, f"{name} is {wider} pixels wider than the window"
        violations = Axe().run(self.page).response["violations"]
        assert [(each["id"], each["nodes"][0]["target"], each["help"]) for each in violations] == []
        assert (self.errors, self.foreign) == ([], [])


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start the machine's Chromium; where there is none, the test is skipped and says so.

    It lives as long as its module: Playwright keeps an event loop running in this thread, and other tests may want one
    of their own.
    """
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine: on Debian, apt-get install chromium")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the tests talk to the database beside that event loop
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def stocked(transactional_db: None) -> None:
    """Fill the shelves, and put a product with a long name among them."""
    load(CATALOGUE)
    Product.objects.create(
        id=9_000_001,
        slug="long-kettle",
        name=LONG_NAME,
        brand="Alder & Ash",
        category=Category.objects.get(department__slug="home", slug="kitchen"),
        shape="kettle",
        price=Decimal("1129.95"),
        stock=4,
        popularity=1.5,
    )


@pytest.fixture
def visit(chromium: Browser, live_server: LiveServer, stocked: None) -> Iterator[Callable[..., Visit]]:
    """Return a function that opens a window of a width, as a new visitor who has declined to be recorded.

    `answer` is another answer to the question about privacy, empty for none; `objects` sends Global Privacy Control.
    """
    opened = []

    def _visit(
        width: int, *, dark: bool = False, scripts: bool = True, answer: str = "declined", objects: bool = False
    ) -> Visit:
        context = chromium.new_context(
            viewport={"width": width, "height": HEIGHTS[width]},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            java_script_enabled=scripts,
            extra_http_headers={"Sec-GPC": "1"} if objects else {},
        )
        opened.append(context)
        if answer:
            context.add_cookies([{"name": "privacy", "value": answer, "url": live_server.url}])
        visit = Visit(context.new_page(), live_server.url, width)
        host = urlsplit(live_server.url).netloc

        def hear(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                visit.errors.append(message.text)

        def note(request: Request) -> None:
            if urlsplit(request.url).netloc != host:
                visit.foreign.append(request.url)

        visit.page.on("console", hear)
        visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
        visit.page.on("request", note)
        return visit

    yield _visit
    for context in opened:
        for page in context.pages:
            # What a tab that closes tells would arrive in the next test.
            page.evaluate("window.intent && intent.consent(false)")
        context.close()
