"""Turns per second beside the floor, in one run, alternating. Goal: at least 0.6 of the floor.

Both on the embedded PostgreSQL 16, with 2 gunicorn processes, the same threads and 16 clients, all
on two cores. The clients say whole dialogues; sessions are opened beforehand, untimed. No worker
runs: what it sends is not part of a turn.
"""

from __future__ import annotations

import multiprocessing
import statistics
import sys
import threading
import time

from bench import servers
from bench.chatting import DIALOGUE, Visitor
from bench.setup import prepare_database

CLIENTS = 16
PROCESSES = 2
SECONDS = 6.0
ROUNDS = 3
GOAL = 0.6

Sessions = list[tuple[str, str]]


def main() -> int:
    servers.use_two_cores()
    rates: dict[str, list[float]] = {"floor": [], "product": []}
    with servers.fresh_database() as address:
        prepare_database(address)
        ports = {"floor": servers.free_port(), "product": servers.free_port()}
        with (
            servers.gunicorn("bench.floor_wsgi", servers.environment(address, ports["floor"])),
            servers.gunicorn("wsgi", servers.environment(address, ports["product"])),
        ):
            for _ in range(ROUNDS):
                for name, port in ports.items():
                    rates[name].append(_measure(port, ports["product"]))
    medians = {name: statistics.median(values) for name, values in rates.items()}
    ratio = medians["product"] / medians["floor"]
    print(f"{'':10}{'turns a second':>16}   rounds")
    for name, values in rates.items():
        print(f"{name:10}{medians[name]:16.0f}   {', '.join(f'{value:.0f}' for value in values)}")
    print(f"ratio {ratio:.2f}, goal {GOAL}: {'met' if ratio >= GOAL else 'MISSED'}")
    return 0 if ratio >= GOAL else 1


def _measure(port: int, product_port: int) -> float:
    """Turns a second of 16 clients in 2 processes against this port."""
    context = multiprocessing.get_context("spawn")
    ready = context.Barrier(PROCESSES)
    counts = context.Queue()
    clients = [
        context.Process(target=_clients, args=(port, product_port, ready, counts))
        for _ in range(PROCESSES)
    ]
    for client in clients:
        client.start()
    total = sum(counts.get(timeout=120) for _ in clients)
    for client in clients:
        client.join()
    return float(total)


def _clients(port: int, product_port: int, ready: threading.Barrier, counts: object) -> None:
    each = CLIENTS // PROCESSES
    waiting = [_open_sessions(product_port, 45) for _ in range(each)]
    done: list[float] = []
    ready.wait()
    threads = [threading.Thread(target=_chat, args=(port, sessions, done)) for sessions in waiting]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts.put(sum(done))  # type: ignore[attr-defined]


def _open_sessions(port: int, number: int) -> Sessions:
    visitor = Visitor(port)
    return [visitor.start() for _ in range(number)]


def _chat(port: int, sessions: Sessions, done: list[float]) -> None:
    visitor = Visitor(port)
    turns = 0
    started = time.perf_counter()
    for session in sessions:
        for text in DIALOGUE:
            visitor.say(session, text)
            turns += 1
        if time.perf_counter() - started > SECONDS:
            break
    done.append(turns / (time.perf_counter() - started))


if __name__ == "__main__":
    sys.exit(main())
