"""Device, channel and label, read off what a browser sends."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from demo_shop.simulator.rows import CHANNELS, DEVICES
from purchase_intent.tracking import source
from purchase_intent.tracking.bots import PERSON, label_of
from purchase_intent.tracking.source import browser_of, channel_of, device_of

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari"
PIXEL = "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"
GALAXY_TAB = "Mozilla/5.0 (Linux; Android 15; SM-X710) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
IPAD = "Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile/15E148 Safari/604.1"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"


@pytest.mark.parametrize(
    ("agent", "hint", "expected"),
    [
        pytest.param(IPHONE, "", "mobile", id="iPhone"),
        pytest.param(PIXEL, "", "mobile", id="Android phone"),
        pytest.param(GALAXY_TAB, "", "tablet", id="Android tablet"),
        pytest.param(IPAD, "", "tablet", id="iPad"),
        pytest.param(MAC, "", "desktop", id="Mac"),
        pytest.param(EDGE, "?0", "desktop", id="Edge on Windows"),
        pytest.param(GALAXY_TAB, "?0", "tablet", id="a tablet that hints it is no phone"),
        pytest.param(MAC, "?1", "mobile", id="a phone by its hint"),
        pytest.param("", "", "", id="nothing said"),
    ],
)
def test_the_device_is_read_off_agent_and_hint(agent: str, hint: str, expected: str) -> None:
    request = RequestFactory().get("/", headers={"User-Agent": agent, "Sec-CH-UA-Mobile": hint})
    assert device_of(request) == expected


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        pytest.param(IPHONE, "Safari", id="iPhone"),
        pytest.param(PIXEL, "Chrome", id="Android phone"),
        pytest.param(f"{PIXEL[:-14]} SamsungBrowser/28.0 Mobile Safari/537.36", "Samsung Internet", id="Samsung's"),
        pytest.param(EDGE, "Edge", id="Edge on Windows"),
        pytest.param("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox", id="Firefox"),
        pytest.param("curl/8.5.0", "", id="none of them"),
        pytest.param("", "", id="nothing said"),
    ],
)
def test_the_browsers_family_is_read_off_its_agent(agent: str, expected: str) -> None:
    assert browser_of(RequestFactory().get("/", headers={"User-Agent": agent})) == expected


@pytest.mark.parametrize("agent", [IPHONE, PIXEL, GALAXY_TAB, IPAD, MAC, EDGE])
def test_a_browser_is_no_bot(agent: str) -> None:
    assert label_of(agent) == PERSON


@pytest.mark.parametrize(
    ("query", "referrer", "expected"),
    [
        pytest.param("", "", "Direct", id="typed"),
        pytest.param("", "http://testserver/shop/", "Direct", id="from within"),
        pytest.param("", "https://www.google.de/", "Organic Search", id="Google"),
        pytest.param("", "https://duckduckgo.com/", "Organic Search", id="DuckDuckGo"),
        pytest.param("", "https://www.google.co.uk/", "Organic Search", id="Google in Britain"),
        pytest.param("", "https://m.facebook.com/", "Social", id="Facebook"),
        pytest.param("", "https://t.co/abc", "Social", id="a short link of X"),
        pytest.param("", "https://mail.google.com/", "Email", id="a mailbox"),
        pytest.param("", "https://netbox.com/", "Referral", id="a host that ends like another"),
        pytest.param("", "https://blog.example/", "Referral", id="any other"),
        pytest.param("", "http://[broken", "Direct", id="no address"),
        pytest.param("", "https://google.com.evil-host.example/", "Referral", id="a host that begins like another"),
        pytest.param("utm_medium=cpc&utm_source=google", "https://www.google.de/", "Paid Search", id="an ad by medium"),
        pytest.param("gclid=x", "https://www.google.de/", "Paid Search", id="an ad by its click"),
        pytest.param("fbclid=x", "", "Social", id="a click on Facebook"),
        pytest.param("utm_medium=E_mail", "", "Email", id="a newsletter, spelled its own way"),
        pytest.param("utm_source=newsletter", "", "Email", id="a newsletter by source"),
        pytest.param("utm_source=instagram", "", "Social", id="a network by source"),
        pytest.param("utm_medium=affiliate", "", "Affiliates", id="an affiliate"),
        pytest.param("utm_medium=banner", "", "Referral", id="a medium nobody knows"),
        pytest.param("page=2", "https://www.bing.com/", "Organic Search", id="a query that says nothing"),
        pytest.param("&".join(f"a{n}=1" for n in range(2000)), "", "Direct", id="more fields than Django reads"),
    ],
)
def test_the_channel_is_read_off_link_and_referrer(query: str, referrer: str, expected: str) -> None:
    assert channel_of(RequestFactory().get(f"/?{query}"), referrer, is_known=True) == expected


@pytest.mark.parametrize(
    ("query", "referrer", "expected"),
    [
        pytest.param("", "http://testserver/shop/", "", id="from within: it began unrecorded"),
        pytest.param("", "", "Direct", id="typed"),
        pytest.param("", "https://www.google.com/", "Organic Search", id="from elsewhere"),
        pytest.param("utm_medium=email", "http://testserver/shop/", "Email", id="the link's own mark"),
    ],
)
def test_what_led_to_a_visit_that_began_unrecorded_is_not_known(query: str, referrer: str, expected: str) -> None:
    assert channel_of(RequestFactory().get(f"/?{query}"), referrer, is_known=False) == expected


def test_the_words_are_those_of_the_simulated_log() -> None:
    assert (source.MOBILE, source.DESKTOP, source.TABLET) == DEVICES
    words = (source.ORGANIC, source.DIRECT, source.PAID, source.SOCIAL, source.REFERRAL, source.EMAIL)
    assert (*words, source.AFFILIATES) == CHANNELS
