"""Strangers guess passwords: for one user from one address and from many, and for users nobody
knows, by the API and by the sign-in page.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import requests

from tests.proof.attacks.target import Target, new_address

#: Threads for each kind of guess, and the wait after each answer: bounded, and more than a product
#: could compute.
THREADS_EACH = 2
PAUSE_SECONDS = 0.02
TIMEOUT_SECONDS = 30
CSRF_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Guess(NamedTuple):
    name: str
    email: Callable[[Target], str]
    address: Callable[[], str]
    is_by_page: bool = False


def attack(target: Target, stop: threading.Event) -> None:
    one_address = new_address()
    guesses = (
        Guess("one account, many addresses", _agent, new_address),
        Guess("one account, one address", _agent, lambda: one_address),
        Guess("unknown accounts, many addresses", _nobody, new_address),
        Guess("one account, many addresses, by the page", _agent, new_address, is_by_page=True),
    )
    with ThreadPoolExecutor(len(guesses) * THREADS_EACH) as pool:
        for guess in guesses * THREADS_EACH:
            pool.submit(_go_on, target, stop, guess)


def _agent(target: Target) -> str:
    return target.agent[0]


def _nobody(target: Target) -> str:
    return f"{secrets.token_hex(8)}@example.com"


def _go_on(target: Target, stop: threading.Event, guess: Guess) -> None:
    with requests.Session() as browser:
        while not stop.wait(PAUSE_SECONDS):
            try:
                send = _by_page if guess.is_by_page else _by_api
                answer = str(send(target, browser, guess.email(target), guess.address()))
            except requests.RequestException as error:
                answer = type(error).__name__
            target.tally[f"{guess.name}: {answer}"] += 1


def _by_api(target: Target, browser: requests.Session, email: str, address: str) -> int:
    answer = browser.post(
        f"http://127.0.0.1:{target.port}/api/v1/auth/token",
        json={"email": email, "password": secrets.token_urlsafe(9)},
        headers={"X-Forwarded-For": address},
        timeout=TIMEOUT_SECONDS,
    )
    return answer.status_code


def _by_page(target: Target, browser: requests.Session, email: str, address: str) -> int:
    page_address = f"http://127.0.0.1:{target.port}/login"
    headers = {"X-Forwarded-For": address}
    page = browser.get(page_address, headers=headers, timeout=TIMEOUT_SECONDS)
    found = CSRF_TOKEN.search(page.text)
    if found is None:
        return page.status_code
    form = {"csrf_token": found[1], "email": email, "password": secrets.token_urlsafe(9)}
    answer = browser.post(page_address, data=form, headers=headers, timeout=TIMEOUT_SECONDS)
    return answer.status_code
