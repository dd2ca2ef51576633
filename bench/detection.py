"""How many messages a second the completion detection reads on one core.

python -m bench.detection
"""

from __future__ import annotations

import sys
import time

from app.completion.detection import compile_phrases

ROUNDS = 4_000
GOAL_PER_SECOND = 200_000
PHRASES = ("within 24 hours", "innerhalb von 24 Stunden")
EXCLUSIONS = ("cannot promise", "if you do not hear", "nicht garantieren")
MESSAGES = {
    "short, ASCII": ("What is the best number to reach you on?", "Thanks, Ann! And your e-mail?"),
    "longer, ASCII": (
        "We fit kitchens and bathrooms of every size, and our designers will be glad to talk "
        "through what you have in mind. Is there a day of the week that suits you best?",
    ),
    "with markdown": ("**Great!** Here is what we do:\n\n- *Kitchens*\n- _Bathrooms_\n- Lofts",),
    "with HTML": ("<p>Great &amp; thank you!</p><p>What is your <b>e-mail</b>?</p>",),
    "typographic, emoji": ("Lovely – that’s noted 🎉 What’s your e‑mail address?",),
    "German": ("Schöne Grüße! Für welches Gerät dürfen wir Ihnen ein Angebot erstellen?",),
    "Russian": ("Спасибо! На какой адрес вам удобнее получить предложение?",),
    "near miss": ("We are open 24h and reply within a week, hours may vary.",),
    "a booking": ("Thank you, Ann! One of our team will call you within 24 hours.",),
    "an exclusion": ("We cannot promise that anybody calls you within 24 hours.",),
}
MIX = (
    ("short, ASCII", 30),
    ("longer, ASCII", 10),
    ("typographic, emoji", 5),
    ("a booking", 5),
    ("an exclusion", 1),
)


def rate(messages: list[str]) -> float:
    """Messages a second, the best of three runs."""
    find = compile_phrases(PHRASES, EXCLUSIONS).find
    best = 0.0
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(ROUNDS):
            for message in messages:
                find(message)
        best = max(best, ROUNDS * len(messages) / (time.perf_counter() - start))
    return best


def main() -> int:
    for name, messages in MESSAGES.items():
        print(f"{name:<20} {rate(list(messages)):>12,.0f} messages/s")
    mixed = [message for name, times in MIX for message in MESSAGES[name] * times]
    usual = rate(mixed)
    is_met = usual >= GOAL_PER_SECOND
    print(
        f"{'a usual mix':<20} {usual:>12,.0f} messages/s with exclusions, goal "
        f"{GOAL_PER_SECOND:,}: {'met' if is_met else 'MISSED'}"
    )
    return int(not is_met)


if __name__ == "__main__":
    sys.exit(main())
