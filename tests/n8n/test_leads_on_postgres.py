"""The lead intake where N8n keeps its own data in PostgreSQL, as larger installations do."""

from __future__ import annotations

import time
from pathlib import Path

import psycopg

from bench import servers
from tests.fakes.n8n import running_n8n as running_taker
from tests.n8n import workflows
from tests.n8n.house import LEADS, House, postgres_at
from tests.n8n.server import N8n
from tests.n8n.test_leads import AT_ONCE, QUIET_SECONDS, send_at_once

ROUNDS = 10


def test_of_many_at_once_one_is_handed_on_there_too(house: House, tmp_path: Path) -> None:
    with servers.fresh_database() as url, running_taker() as taker:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE n8n")
        n8n = N8n(
            tmp_path,
            DB_TYPE="postgresdb",
            DB_POSTGRESDB_HOST=postgres_at(url)["host"],
            DB_POSTGRESDB_DATABASE="n8n",
            DB_POSTGRESDB_USER="postgres",
            DB_POSTGRESDB_POOL_SIZE="10",
        )
        handing_on = workflows.posts_to(taker.url)
        intake = workflows.with_step(
            workflows.shipped("lead-intake"), "Your steps go here", handing_on
        )
        secret = workflows.credential("crypto", {"hmacSecret": house.secret.for_n8n})
        n8n.load([intake], [secret])
        with n8n.running([LEADS]):
            for _ in range(ROUNDS):
                send_at_once(n8n.url, house.secret.ours)
            time.sleep(QUIET_SECONDS)
            assert len(taker.received) == ROUNDS
    house.show("the same where N8n keeps its data in PostgreSQL", ROUNDS * AT_ONCE)
