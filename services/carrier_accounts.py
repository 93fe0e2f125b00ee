"""Carrier credentials between memory (in the clear) and the store (sealed)."""

from models.phone import CarrierAccount
from providers.roles import CarrierCredentials
from stores.secrets import Secrets


def sealed(credentials: CarrierCredentials, secrets: Secrets) -> CarrierAccount:
    """What goes into a phone's document."""
    return CarrierAccount(
        sid=credentials.sid,
        subdomain=credentials.subdomain,
        encrypted_key=secrets.seal(credentials.api_key),
        encrypted_token=secrets.seal(credentials.api_token),
    )


def opened(account: CarrierAccount, secrets: Secrets) -> CarrierCredentials:
    """What a carrier is called with."""
    return CarrierCredentials(
        sid=account.sid,
        subdomain=account.subdomain,
        api_key=secrets.open(account.encrypted_key),
        api_token=secrets.open(account.encrypted_token),
    )
