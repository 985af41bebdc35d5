"""Django's part of the test: reads our tokens with SimpleJWT's own classes, and issues some.

Standard input: {"secret", "access", "refresh", "user_id"}. Standard output: the claims that
it read, and an access and a refresh token of its own.
"""

import json
import sys

import django
from django.conf import settings

given = json.load(sys.stdin)
settings.configure(
    SECRET_KEY=given["secret"],
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework_simplejwt"],
    USE_TZ=True,
)
django.setup()

from rest_framework_simplejwt.tokens import AccessToken, RefreshToken  # noqa: E402, after the settings

minted = RefreshToken()
minted["user_id"] = given["user_id"]
json.dump(
    {
        "access": AccessToken(given["access"]).payload,
        "refresh": RefreshToken(given["refresh"]).payload,
        "exchanged": RefreshToken(given["refresh"]).access_token.payload,
        "minted": {"access": str(minted.access_token), "refresh": str(minted)},
    },
    sys.stdout,
)
