"""What is kept of where a visitor came from."""

#: Read from the query of the landing page's address.
PARAMETERS = (
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_term",
    "utm_content",
    "gclid",
    "fbclid",
)
#: Every key of `ChatSession.attribution`, in the order of the interface.
ATTRIBUTION_KEYS = ("landing_url", "referrer", *PARAMETERS)
