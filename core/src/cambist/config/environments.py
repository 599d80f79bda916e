"""Where a run trades: with nothing, with play money, or with real money, which takes a consent."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from cambist.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

__all__ = ["CONSENT", "Environment"]

#: What a run file has to say before real money is traded.
CONSENT = "i trade real money"


class Environment(StrEnum):
    """Where a run trades."""

    #: Against a simulator on this machine.
    DEV = "dev"
    #: At a venue, with its play money.
    TESTNET = "testnet"
    #: At a venue, with real money.
    PRODUCTION = "production"

    @classmethod
    def parse(cls, name: Environment | str) -> Environment:
        """Return the environment of a name.

        Raises
        ------
        ConfigError
            There is none.
        """
        try:
            return cls(name)
        except ValueError:
            raise ConfigError(f"there is no environment {name!r}.{did_you_mean(str(name), list(cls))}") from None

    def require_consent(self, consent: str | None, *, where: str = "consent") -> None:
        """Make sure that somebody wants what is about to happen: nothing to be asked but in production.

        Parameters
        ----------
        consent
            What the run file says, or what a flag of the command line stands for; case and spaces around do not count.
        where
            The setting, for messages.

        Raises
        ------
        ConfigError
            Production without consent, or consent without production, which is probably not what was meant.
        """
        if self is not Environment.PRODUCTION:
            if consent:
                raise ConfigError(
                    f"{where} agrees to real money, and the environment is {str(self)!r}, which has none. Leave it "
                    f"out, or write environment = {str(Environment.PRODUCTION)!r}."
                )
            return
        if consent is None or not consent.strip():
            raise ConfigError(f'production trades real money. If you want that, write {where} = "{CONSENT}".')
        if " ".join(consent.lower().split()) != CONSENT:
            raise ConfigError(
                f'{where} is {consent!r}, which agrees to nothing. Real money takes {where} = "{CONSENT}".'
            )

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        """Tell pydantic to take the names also where it is strict."""
        from pydantic_core import PydanticCustomError, core_schema

        def check(given: Any) -> Environment:
            try:
                return cls.parse(given)
            except ConfigError as error:
                raise PydanticCustomError("environment", "{said}", {"said": str(error)}) from None

        return core_schema.no_info_plain_validator_function(
            check, json_schema_input_schema=core_schema.literal_schema([str(one) for one in cls])
        )
