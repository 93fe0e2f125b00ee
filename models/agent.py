"""An agent: the prompt, voice and language model that answer a phone."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from models.conversation import Interruption, Silence, TurnTaking, Voicemail
from models.document import Document, Id, Model
from models.tool import SET_DISPOSITION, Tools

VoiceProvider = Literal["openai", "elevenlabs", "cartesia", "espeak"]
LlmModel = Literal["gpt-4", "gpt-3.5-turbo", "gpt-4-turbo"]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
PromptText = Annotated[str, Field(min_length=10, max_length=5000)]
Reference = Annotated[Id, Field(pattern=r"^[0-9a-f]{24}$")]
"""A thing that has versions, which means its active one; or one version, which means this one for good."""
DispositionName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50)]
NOTES_CHARS = 1_000
"""Of what is noted beside a disposition."""
SmsOutcome = Literal["answered", "machine", "busy", "no-answer", "failed", "canceled"]
"""What a call came to: `models.campaign.Outcome` but for calls that were never placed."""


class Voice(Model):
    """Which vendor speaks, and with which of its voices. `espeak` is local and free."""

    provider: VoiceProvider
    voice_id: Annotated[str, Field(min_length=1, max_length=200)]
    model: Annotated[str, Field(max_length=200)] | None = None


class Llm(Model):
    """The model that answers; any OpenAI-compatible endpoint serves it."""

    model: LlmModel
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.7


class SmsAfter(Model):
    """After which calls the agent's text message is sent: those with one of the outcomes, and one of the dispositions
    where any are named. No outcome: after none.
    """

    outcomes: Annotated[tuple[SmsOutcome, ...], Field(max_length=6)] = ()
    dispositions: Annotated[tuple[DispositionName, ...], Field(max_length=50)] = ()


class AgentConfig(Model):
    """`session_timeout` is the longest call in seconds.

    What `prompt_id` and `session_settings_id` name takes the place of the fields here when a call is made.
    """

    prompt: PromptText
    voice: Voice
    language: Language
    llm: Llm
    first_message: Annotated[str, Field(max_length=1000)] = ""
    session_timeout: Annotated[int, Field(ge=10, le=3600)] = 300
    turn_taking: TurnTaking = TurnTaking()
    interruption: Interruption = Interruption()
    silence: Silence = Silence()
    voicemail: Voicemail = Voicemail()
    tools: Tools = Tools()
    prompt_id: Reference | None = None
    session_settings_id: Reference | None = None
    sms_template_id: Reference | None = None
    """The text message that may follow a call."""
    sms_after: SmsAfter = SmsAfter()
    dispositions: Annotated[tuple[DispositionName, ...], Field(max_length=50)] = ()
    """What calls can come to in the customer's own words; the agent chooses among them before it hangs up."""

    @property
    def words(self) -> tuple[str, ...]:
        """The dispositions the agent itself may choose from, each once."""
        is_taken = any(function.name == SET_DISPOSITION for function in self.tools.functions)
        return () if is_taken else tuple(dict.fromkeys(self.dispositions))


class AgentState(Model):
    """What a version of an agent says beside its name. `is_active`: whether the agent takes and makes calls."""

    config: AgentConfig
    is_active: bool = True


class Agent(Document):
    """`config` is copied into each call, so an edit never changes a call under way.

    `version` and `version_id` are those of the version that the agent is at the moment. None: the agent is older than
    versions are, which only its store ever sees.
    """

    organization_id: Id
    user_id: Id
    name: Annotated[str, Field(min_length=1, max_length=100)]
    config: AgentConfig
    is_active: bool = True
    version: int = 1
    version_id: Id | None = None
