"""Every time zone by region, as one chooses from."""

from __future__ import annotations

from typing import NamedTuple

import pytz

from app.core import clock


class TimeZone(NamedTuple):
    """`Europe/London`, "London", "UTC+00:00" (now)."""

    key: str
    city: str
    offset: str


def time_zones() -> dict[str, list[TimeZone]]:
    """By region: the cities, A to Z, with what they are ahead of UTC today."""
    now = clock.now()
    regions: dict[str, list[TimeZone]] = {"UTC": [TimeZone("UTC", "UTC", "UTC+00:00")]}
    for key in pytz.common_timezones:
        region, _, city = key.partition("/")
        if city:
            offset = f"{now.astimezone(pytz.timezone(key)):%z}"
            zone = TimeZone(
                key, city.replace("_", " ").replace("/", ", "), f"UTC{offset[:3]}:{offset[3:5]}"
            )
            regions.setdefault(region, []).append(zone)
    return regions
