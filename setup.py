"""The wheel takes the migrations along, as `thetool/migrations`; all else is in pyproject.toml."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["thetool*"]), "thetool.migrations", "thetool.migrations.versions"],
    package_dir={"thetool.migrations": "migrations"},
)
