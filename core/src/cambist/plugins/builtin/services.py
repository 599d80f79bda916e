"""The core's storage, its notification channels, what it tells of runs, and who keeps secrets."""

from __future__ import annotations

from cambist.plugins.hookspecs import hookimpl
from cambist.plugins.specs import NotifierSpec, SecretProviderSpec, SinkSpec, StorageSpec

__all__ = ["cambist_event_sinks", "cambist_notifiers", "cambist_secret_providers", "cambist_storages"]


@hookimpl
def cambist_storages() -> list[StorageSpec]:
    """Offer storage in memory, and state in files."""
    return [
        StorageSpec(
            name="files",
            factory="cambist.storage.state_files:FileStorage",
            summary="State in files of a folder, one for each name, checksummed",
            capabilities=frozenset({"durable", "path", "state"}),
        ),
        StorageSpec(
            name="memory",
            factory="cambist.storage.memory:MemoryStorage",
            summary="Runs, state and bars in memory, gone with the process",
            capabilities=frozenset({"bars", "runs", "state"}),
        ),
    ]


@hookimpl
def cambist_notifiers() -> list[NotifierSpec]:
    """Offer the log, and a POST to a URL."""
    return [
        NotifierSpec(
            name="log",
            factory="cambist.notify.log:LogNotifier",
            summary="Writes each notice to the log",
            capabilities=frozenset({"local"}),
        ),
        NotifierSpec(
            name="webhook",
            factory="cambist.notify.webhook:WebhookNotifier",
            summary="Posts each notice to a URL, as JSON",
        ),
    ]


@hookimpl
def cambist_event_sinks() -> list[SinkSpec]:
    """Offer a file of JSON lines."""
    return [
        SinkSpec(
            name="json-lines",
            factory="cambist.observe.json_lines:JsonLinesSink",
            config="cambist.config.json_lines:JsonLinesSettings",
            summary="Appends each event of a run to a file, one JSON object a line",
            capabilities=frozenset({"local"}),
        )
    ]


@hookimpl
def cambist_secret_providers() -> list[SecretProviderSpec]:
    """Offer the environment, mounted files, the keyring of the desktop, and an encrypted file."""
    return [
        SecretProviderSpec(
            name="encrypted",
            factory="cambist.config.providers:EncryptedSecrets",
            summary="The encrypted file of cambist secrets",
            capabilities=frozenset({"local"}),
            requires=("cambist[secrets]",),
        ),
        SecretProviderSpec(
            name="env",
            factory="cambist.config.providers:EnvironmentSecrets",
            summary="Environment variables",
            capabilities=frozenset({"local"}),
        ),
        SecretProviderSpec(
            name="keyring",
            factory="cambist.config.providers:KeyringSecrets",
            summary="The keyring of the desktop",
            capabilities=frozenset({"local"}),
            requires=("cambist[secrets]",),
        ),
        SecretProviderSpec(
            name="mount",
            factory="cambist.config.providers:MountedSecrets",
            summary="Files that Docker or Kubernetes mount, in /run/secrets",
            capabilities=frozenset({"local"}),
        ),
    ]
