"""The sign-in form."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import EmailField, HiddenField, PasswordField  # type: ignore[import-untyped]
from wtforms.validators import DataRequired, Length  # type: ignore[import-untyped]


class SignInForm(FlaskForm):  # type: ignore[misc]
    email = EmailField("E-mail", [DataRequired("Please type your e-mail."), Length(max=320)])
    password = PasswordField(
        "Password", [DataRequired("Please type your password."), Length(max=500)]
    )
    next = HiddenField()
