"""Opening a feed for whoever names it by its address, and no HTTP client for whoever names none."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from terminal_kit.radio.updates import UpdateSource


def open_source(
    feed: UpdateSource | str | Path | None,
    *,
    key: Ed25519PublicKey | str | Path | None = None,
    state: Path | None = None,
) -> UpdateSource | None:
    """The feed at an address (`Feed` tells the rest); a source is one already, and None stays None.

    Raises `InvalidParameterError` for what can be no address.
    """
    if not isinstance(feed, str | Path):
        return feed
    from terminal_kit.updates.feed import Feed  # noqa: PLC0415 - loads what only feeds need

    return Feed(feed, key=key, state=state)


def trusted_keys(source: UpdateSource | None) -> tuple[Ed25519PublicKey, ...]:
    """The keys that a feed is trusted by, for readers that are to trust them too; none for other sources."""
    from terminal_kit.updates.feed import Feed  # noqa: PLC0415 - as above

    return source.trusted_keys() if isinstance(source, Feed) else ()
