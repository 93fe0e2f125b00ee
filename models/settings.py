"""Every setting of the product, read once from the environment and then passed down as a value.

`callboard up` fills what is left empty (embedded services, generated secrets) and hands the finished
object to Serve and to every actor, so no other module reads the environment.
"""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

REPOSITORY = Path(__file__).resolve().parent.parent
Network = IPv4Network | IPv6Network
DEMO_WHISPER = REPOSITORY / "assets" / "demo_whisper"


class Settings(BaseSettings):
    """Names are the environment variables in lower case; durations are seconds, money is micro-credits."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    # Where things are. Empty URL: `callboard up` starts the embedded service.
    callboard_data_dir: Path = Path("data")
    mongodb_url: str | None = None
    mongodb_database: str = "callboard"
    redis_url: str | None = None
    ray_address: str | None = None
    ray_namespace: str = "callboard"
    host: str = "0.0.0.0"
    port: int = Field(default=5000, ge=1, le=65535)
    public_url: str = ""
    """The address clients and carriers use, such as https://api.example.com; empty: http://localhost:PORT."""

    # Secrets. Empty: generated once and kept in the data directory (mode 0600).
    secret_key: SecretStr = SecretStr("")
    """Signs access tokens and the tokens in media and webhook URLs."""
    encryption_key: SecretStr = SecretStr("")
    """Fernet key for carrier and vendor secrets at rest."""

    # Sizing.
    serve_replicas: int = Field(default=2, ge=1)
    serve_proxies: Literal["every-node", "head-only"] = "every-node"
    """Where the ingress listens; several nodes on one machine can have only one."""
    call_slots: int = Field(default=8, ge=1)
    """Live calls per node at most: what a node offers of the Ray resource of this name."""
    call_idle_min: int = Field(default=4, ge=1)
    """Call actors a node keeps warm for calls to come, at least; more when calls come fast."""
    call_actor_max_calls: int = Field(default=200, ge=1)
    """A call actor that has had so many calls is replaced by a new one."""
    call_actor_max_mb: int = Field(default=700, ge=1)
    """A call actor whose memory has grown to this (resident MB) is replaced once its call is over."""
    call_log_buffer: int = Field(default=500, ge=10)
    """Writes a call's log may fall behind a database that is away, about an hour of talk; then the call ends."""
    max_call_s: int = Field(default=3600, ge=10)
    """Hard limit of one call; Exotel closes a media socket after 60 minutes anyway."""

    # Speech to text.
    stt_model: str = "demo"
    """`demo` (shipped), a Hugging Face name such as base.en, or a path to a CTranslate2 Whisper directory."""
    stt_device: str = "cpu"
    """`cpu`: one batch a thread; `cuda`: one batch at a time, up to 16 utterances in it."""
    stt_compute_type: str = "int8"
    stt_threads: int = Field(default=2, ge=1)
    """Batches decoded at the same time in one worker on a CPU, one core each."""
    stt_workers: int = Field(default=1, ge=1)
    """Speech-to-text workers of the cluster; each loads the model, and on `cuda` has a GPU of its own."""
    stt_timeout_s: float = 6.0

    # Language model: any OpenAI-compatible endpoint.
    openai_api_key: SecretStr = SecretStr("")
    openai_base_url: str | None = None
    llm_first_token_s: float = 4.0
    llm_total_s: float = 30.0
    llm_attempts: int = Field(default=2, ge=1)

    # Text to speech.
    elevenlabs_api_key: SecretStr = SecretStr("")
    elevenlabs_base_url: str | None = None
    cartesia_api_key: SecretStr = SecretStr("")
    cartesia_base_url: str | None = None
    tts_first_byte_s: float = 2.0
    tts_total_s: float = 20.0
    tts_attempts: int = Field(default=2, ge=1)

    # Tools: functions that agents call over HTTP.
    tool_allowed_hosts: str = ""
    """Hosts and networks, comma-separated, that functions may reach although they are not on the public internet."""

    # Carrier.
    exotel_base_url: str | None = None
    """Replaces https://SUBDOMAIN for every account; for a carrier on loopback."""
    carrier_timeout_s: float = 10.0
    ring_timeout_s: int = 45
    """How long a call may ring before the sweeper closes its log."""

    # Accounts.
    access_token_s: int = 7 * 24 * 3600
    refresh_token_s: int = 30 * 24 * 3600
    signup_credits_micros: int = 0

    # Limits of requests, within a window; 0: none.
    limit_auth_per_ip: int = Field(default=5, ge=0)
    limit_auth_window_s: int = Field(default=900, ge=1)
    limit_api_per_user: int = Field(default=100, ge=0)
    limit_api_per_key: int = Field(default=1000, ge=1)
    """The highest limit of its own that an API key may be given; without one it counts for its user."""
    limit_api_window_s: int = Field(default=900, ge=1)
    limit_outbound_per_user: int = Field(default=10, ge=0)
    limit_outbound_window_s: int = Field(default=60, ge=1)
    trusted_proxies: int = Field(default=0, ge=0)
    """How many proxies of yours stand before Callboard's own ingress and add to X-Forwarded-For."""
    idempotency_keep_s: int = Field(default=24 * 3600, ge=60)

    # Webhooks: the token in the address always counts; these come on top.
    webhook_basic_auth: SecretStr = SecretStr("")
    """`user:password` that carriers must send; it is part of every webhook address we hand out."""
    webhook_allowed_ips: str = ""
    """Addresses and networks, comma-separated, that webhooks may come from; empty: any."""

    # Outgoing webhooks.
    webhook_allowed_targets: str = ""
    """Hosts and networks, comma-separated, that webhooks may go to although they are not on the public internet."""

    # Campaigns.
    contact_file_bytes: int = Field(default=64 << 20, ge=1 << 20)
    """The largest upload of contacts."""

    # Credit ledger.
    billing_shards: int = Field(default=1, ge=1)
    """Ledger writers; an account always belongs to the same one."""

    # Traces. Empty: none.
    otel_endpoint: str = ""
    """Where spans go, OTLP over HTTP, such as http://collector:4318."""

    # Prices, micro-credits.
    price_stt_per_second: int = 100
    price_llm_per_1k_tokens: int = 2_000
    price_tts_per_1k_chars: int = 15_000
    price_telephony_per_second: int = 91

    @field_validator("webhook_basic_auth")
    @classmethod
    def _has_both_parts(cls, value: SecretStr) -> SecretStr:
        user, colon, password = value.get_secret_value().partition(":")
        if value.get_secret_value() and not (user and colon and password):
            raise ValueError("must be user:password")
        return value

    @field_validator("tool_allowed_hosts", "webhook_allowed_targets")
    @classmethod
    def _names_places(cls, text: str) -> str:
        _places(text)
        return text

    @field_validator("webhook_allowed_ips")
    @classmethod
    def _names_networks(cls, text: str) -> str:
        _networks(text)
        return text

    @property
    def webhook_networks(self) -> tuple[Network, ...]:
        """`webhook_allowed_ips`, read; an address is a network of one."""
        return _networks(self.webhook_allowed_ips)

    @property
    def tool_allowed_networks(self) -> tuple[Network, ...]:
        """The networks and addresses among `tool_allowed_hosts`."""
        return tuple(each for each in _places(self.tool_allowed_hosts) if not isinstance(each, str))

    @property
    def tool_allowed_names(self) -> frozenset[str]:
        """The names among `tool_allowed_hosts`, in lower case."""
        return frozenset(each for each in _places(self.tool_allowed_hosts) if isinstance(each, str))

    @property
    def webhook_target_networks(self) -> tuple[Network, ...]:
        """The networks and addresses among `webhook_allowed_targets`."""
        return tuple(each for each in _places(self.webhook_allowed_targets) if not isinstance(each, str))

    @property
    def webhook_target_names(self) -> frozenset[str]:
        """The names among `webhook_allowed_targets`, in lower case."""
        return frozenset(each for each in _places(self.webhook_allowed_targets) if isinstance(each, str))

    @property
    def base_url(self) -> str:
        """The public address without a trailing slash."""
        return (self.public_url or f"http://localhost:{self.port}").rstrip("/")

    @property
    def media_base_url(self) -> str:
        """The public address with the WebSocket scheme."""
        return "ws" + self.base_url.removeprefix("http")

    @property
    def stt_model_path(self) -> str:
        """What the speech-to-text engine is asked to load."""
        return str(DEMO_WHISPER) if self.stt_model == "demo" else self.stt_model


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(each.strip(), strict=False) for each in text.split(",") if each.strip())


def _places(text: str) -> tuple[Network | str, ...]:
    return tuple(_place(each.strip().lower()) for each in text.split(",") if each.strip())


def _place(text: str) -> Network | str:
    """A network, an address as a network of one, or a host's name."""
    if re.fullmatch(r"(?=.*[a-z])[a-z0-9_-]+(\.[a-z0-9_-]+)*", text):
        return text
    return ip_network(text, strict=False)
