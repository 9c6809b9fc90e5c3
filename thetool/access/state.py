"""What access keeps for one application: the master key's hash, the sessions' signer, the keys seen lately."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import cast

from flask import current_app
from itsdangerous import URLSafeTimedSerializer

from thetool.access.local_key import master_key
from thetool.access.lookup import KeyLookup
from thetool.access.secrets import derive
from thetool.config import Settings

EXTENSION = "thetool_access"


@dataclass(frozen=True)
class Access:
    """One application's keys."""

    master_hash: bytes
    sessions: URLSafeTimedSerializer
    keys: KeyLookup

    @classmethod
    def of(cls, settings: Settings) -> Access:
        """Work out the secrets, once.

        Raises:
            SettingsError: when there is no master key and a local one cannot be kept.
        """
        return cls(
            master_hash=hashlib.sha256(master_key(settings).encode()).digest(),
            sessions=URLSafeTimedSerializer(
                derive(settings, "session"), salt="session", signer_kwargs={"digest_method": hashlib.sha256}
            ),
            keys=KeyLookup(),
        )


def access() -> Access:
    """The current application's; needs an application context."""
    return cast(Access, current_app.extensions[EXTENSION])
