"""The forms of signing in and of choosing a password."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import (  # type: ignore[import-untyped]
    EmailField,
    HiddenField,
    PasswordField,
    StringField,
)
from wtforms.validators import DataRequired, EqualTo, Length  # type: ignore[import-untyped]


class SignInForm(FlaskForm):  # type: ignore[misc]
    email = EmailField("E-mail", [DataRequired("Please type your e-mail."), Length(max=320)])
    password = PasswordField(
        "Password", [DataRequired("Please type your password."), Length(max=500)]
    )
    next = HiddenField()


class CodeForm(FlaskForm):  # type: ignore[misc]
    code = StringField("Code", [DataRequired("Please type the code."), Length(max=40)])


class ForgottenForm(FlaskForm):  # type: ignore[misc]
    email = EmailField("E-mail", [DataRequired("Please type your e-mail."), Length(max=320)])


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """`name` is asked of who is new."""

    name = StringField("Your name", [Length(max=100)])
    password = PasswordField("New password", [DataRequired("Please choose a password.")])
    again = PasswordField(
        "The same again", [EqualTo("password", "Please type the same password twice.")]
    )
