"""Traces that React Native's layer sends home, where a log holds one: what was called, and what came of it."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from terminal_kit.events import DisconnectReason, Kind
from terminal_kit.importers.sdk_logs.vocabulary import code_in, code_of, serials_in

if TYPE_CHECKING:
    from terminal_kit.importers.sdk_logs.stories.story import Story

MARK = '"origin_role"'


def traces_in(text: str) -> list[dict[str, Any]]:
    """The traces of a line: one record, or a list of them. Empty where the line is none, or is cut."""
    try:
        found: Any = json.loads(text[text.index("{") if "[" not in text[: text.index("{")] else text.index("[") :])
    except (ValueError, RecursionError):
        return []
    items = cast("list[Any]", found) if isinstance(found, list) else [found]
    records = [cast("dict[str, Any]", item) for item in items if isinstance(item, dict)]
    return [record for record in records if isinstance(record.get("trace"), dict)]


def tell_trace(story: "Story", record: Mapping[str, Any]) -> None:
    """One trace. Its `total_time_ms` is never measured; a call and its outcome have the same time."""
    trace = cast("dict[str, Any]", record["trace"])
    method = str(trace.get("method") or "")
    info: Any = trace.get("version_info")
    version = str(cast("dict[str, Any]", info).get("client_version") or "") if isinstance(info, dict) else ""
    story.speaks("react_native", version)
    story.teller.about |= {"sdk": "react_native"} | ({"sdk_version": version} if version else {})
    serial = next(iter(serials_in(str(trace.get("request") or ""))), None)
    failure = trace.get("exception")
    code = (code_in(str(failure)) or code_of(str(failure).partition(":")[0])) if failure else None
    called = {"operation": method}
    match method:
        case "discoverReaders":
            story.discovery.start(primary=True, extra=called)
        case "cancelDiscoverReaders":
            story.discovery.finish(extra={"ended_by": "app"})
        case "disconnectReader":
            story.relation.ask(DisconnectReason.DISCONNECT_REQUESTED)
        case "rebootReader":
            story.asks(DisconnectReason.REBOOT_REQUESTED)
        case "installAvailableUpdate":
            story.updating.start(called)
        case _ if method.startswith("connect"):
            story.relation.start(serial, primary=True, extra=called)
            if not failure and trace.get("response") is not None:
                story.relation.succeed()
        case _:
            pass
    if failure:
        story.failed(method, code)
    story.teller.tell(Kind.APP_MESSAGE, called)
