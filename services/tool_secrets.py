"""Header values of agents' functions: encrypted where they are stored, masked where they are shown.

A client that sends back what it was shown keeps what is stored.
"""

from models.agent import AgentConfig
from models.errors import FieldError, Invalid
from models.tool import HttpTool, Tools
from stores.secrets import Secrets

MASK = "********"


def sealed(config: AgentConfig, secrets: Secrets, *, before: Tools | None = None) -> AgentConfig:
    """What is stored of a configuration that came from a client; `before` are the tools stored so far.

    A masked value stands for the one of the function and header of the same names; raises Invalid where there is none.
    """
    known = {function.name: function.headers for function in before.functions} if before else {}
    functions = tuple(
        _with_headers(function, _sealed(index, function, known.get(function.name, {}), secrets))
        for index, function in enumerate(config.tools.functions)
    )
    return _with_functions(config, functions)


def masked(config: AgentConfig) -> AgentConfig:
    """What is shown of a stored configuration."""
    functions = tuple(
        _with_headers(function, dict.fromkeys(function.headers, MASK)) for function in config.tools.functions
    )
    return _with_functions(config, functions)


def opened(tools: Tools, secrets: Secrets) -> Tools:
    """What a call uses of stored tools; lives only in memory. Raises CallboardError, see `Secrets.open`."""
    functions = tuple(
        _with_headers(function, {name: secrets.open(value) for name, value in function.headers.items()})
        for function in tools.functions
    )
    return tools.model_copy(update={"functions": functions})


def _sealed(index: int, function: HttpTool, known: dict[str, str], secrets: Secrets) -> dict[str, str]:
    unknown = [name for name, value in function.headers.items() if value == MASK and name not in known]
    if unknown:
        place, problem = f"config.tools.functions.{index}.headers", f"{MASK} means what is stored, which is nothing"
        raise Invalid(fields=[FieldError(f"{place}.{name}", problem) for name in unknown])
    return {name: known[name] if value == MASK else secrets.seal(value) for name, value in function.headers.items()}


def _with_headers(function: HttpTool, headers: dict[str, str]) -> HttpTool:
    return function.model_copy(update={"headers": headers})


def _with_functions(config: AgentConfig, functions: tuple[HttpTool, ...]) -> AgentConfig:
    return config.model_copy(update={"tools": config.tools.model_copy(update={"functions": functions})})
