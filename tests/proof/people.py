"""Visitors who can be told apart by everything they say."""

from __future__ import annotations

from dataclasses import dataclass

SYLLABLES = ("ba", "de", "fi", "go", "hu", "ka", "le", "mi", "no", "pu")


@dataclass(frozen=True, slots=True)
class Person:
    """Phone numbers repeat after 10,000 people."""

    number: int

    @property
    def surname(self) -> str:
        return "".join(SYLLABLES[int(digit)] for digit in f"{self.number:05d}").capitalize()

    @property
    def name(self) -> str:
        return f"Ann {self.surname}"

    @property
    def email(self) -> str:
        return f"ann.{self.surname.lower()}@example.com"

    @property
    def phone(self) -> str:
        """As it is stored, E.164."""
        return f"+44207946{self.number % 10_000:04d}"

    @property
    def lines(self) -> tuple[str, ...]:
        """A whole dialogue on the demo site. The one with the phone number completes it."""
        return (
            f"Hi, this is about project {self.number}",
            self.name,
            "Kitchen",
            self.email,
            f"020 7946 {self.number % 10_000:04d}",
            f"Thank you! 🙂 #{self.number}",
        )

    @property
    def contact(self) -> tuple[str, str, str]:
        return self.name, self.email, self.phone
