"""What a delivery sends."""

from __future__ import annotations

LEAD = {
    "id": "0",
    "name": "Ann Lee",
    "email": "ann@example.com",
    "phone": "+442079460958",
    "company": "Lee Ltd",
    "qualification": {"service": "A bath for my aunt"},
    "consent": None,
    "missing": ["budget"],
    "invalid": [],
}
BODY = {
    "type": "lead.completed",
    "timestamp": "2026-11-22T10:00:00Z",
    "data": {
        "lead": LEAD,
        "session": {"id": "1", "site": {"key": "k", "name": "Kitchens"}, "channel": "web"},
        "attribution": {
            "landing_url": "https://good.example/offer?gclid=click-1&mail=ann@example.com",
            "utm_source": "newsletter",
            "gclid": "click-1",
            "fbclid": "click-2",
        },
        "transcript": [{"role": "visitor", "text": "I am Ann, call me", "at": "2026"}],
    },
}
