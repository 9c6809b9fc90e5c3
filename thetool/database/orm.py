"""The Flask-SQLAlchemy object that every room's records hang on."""

from __future__ import annotations

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase


class Record(DeclarativeBase):
    """Base of all tables' classes; the tables themselves are made by `migrations/`."""


db = SQLAlchemy(model_class=Record)
