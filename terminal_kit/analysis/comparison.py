"""Recordings side by side: what differs, and what the numbers are too few to tell."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from terminal_kit.analysis.facts import fact
from terminal_kit.analysis.intervals import (
    CONFIDENCE,
    Interval,
    check_confidence,
    detectable,
    difference,
    rate_ratio,
)
from terminal_kit.analysis.measures import MEASURES, Measure, Measured, Tables, groups, tables
from terminal_kit.errors import InvalidParameterError

FEW = 5
"""Of fewer events a figure is called few: one more or less changes it by a fifth."""

_BEYOND = 100.0
"""Who can only tell rates apart of which one is a hundred times the other can tell none."""

NOTES = (
    "Nobody drew lots for who belongs to which group: a difference may come from something else in which they differ.",
    "Events are taken for independent. Drops of one reader often come together: then the intervals are too narrow.",
)
"""What holds of every comparison."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Groups of recordings side by side.

    `figures`: one row for each measure and group: `measure`, `title`, `unit`, `group`, `value` between `low` and
    `high`, `events` and `of` (what it rests on), and the same in words, `basis`. `contrasts`: one row for each measure
    and group after the first, against the first: `measure`, `title`, `unit`, `group`, `base`, `effect` ("ratio" or
    "difference"), `value` between `low` and `high`, `differs` (whether the interval excludes that there is none),
    `detectable` (the smallest effect that data of this size would likely show). `notes`: what to keep in mind.
    `radios`: where the rows come from. Shares are 0…1; missing is what cannot be told, and an infinite bound what has
    none.
    """

    figures: pd.DataFrame
    contrasts: pd.DataFrame
    notes: tuple[str, ...]
    radios: tuple[str, ...]
    confidence: float = CONFIDENCE

    def sentences(self) -> list[str]:
        """What the contrasts say, a sentence each. "Differs" only where the interval excludes no difference."""
        figures: Any = self.figures
        told = {(row["measure"], row["group"]): row for row in figures.to_dict("records")}
        contrasts: Any = self.contrasts
        return [
            _sentence(row, told[row["measure"], row["group"]], told[row["measure"], row["base"]])
            for row in contrasts.to_dict("records")
        ]

    def as_json(self) -> dict[str, Any]:
        """The same for programs: no number stands for one that is missing or infinite."""
        return {
            "confidence": self.confidence,
            "radios": list(self.radios),
            "figures": _plain(self.figures),
            "contrasts": _plain(self.contrasts),
            "sentences": self.sentences(),
            "notes": list(self.notes),
        }


def compare(
    frame: pd.DataFrame,
    other: pd.DataFrame | None = None,
    *,
    by: str | None = None,
    names: Sequence[str] = ("A", "B"),
    confidence: float = CONFIDENCE,
) -> Comparison:
    """Two frames side by side, or the groups of one by a column; the first is what the others are held against.

    `by`: "file", "run" ("phone"), "firmware", "location" ("place"), "device_type", "radio", … (`facts.with_facts`);
    each drop, session, update and second belongs to the group of what was known of its reader at that moment. `names`
    are those of the two frames. Measured are, each with an interval of that `confidence`:

    - drops for 100 connected hours: exact Poisson; their ratio exact, given the sum (`intervals.rate_ratio`)
    - the median lifetime of links, and the median time until a reader is back: Kaplan–Meier, Brookmeyer and Crowley
    - the share back within 10 s and 60 s: Kaplan–Meier with the log-log band
    - attempts for each return: the reciprocal of Wilson's share of attempts that succeeded, all taken for alike
    - the share of attempts that failed with 0x3E, and of updates that were installed: Wilson
    - the median signal of each source: of the medians of each reader and hour, between order statistics

    Differences come from both intervals (`intervals.difference`; of Wilson's that is Newcombe's). A measure without
    numbers in any group is left out. Raises `InvalidParameterError` for a column that there is not, or where there are
    not two groups.
    """
    check_confidence(confidence)
    if by is not None:
        whole = frame if other is None else pd.concat([frame, other], ignore_index=True)
        of_groups = groups(whole, fact(by))
    elif other is not None:
        if len(names) != 2:
            raise InvalidParameterError("two frames have two names", parameter="names", value=list(names), hint=_HINT)
        one, two = names if names[0] != names[1] else ("A", "B")
        of_groups = {one: tables(frame), two: tables(other)}
    else:
        raise InvalidParameterError("there is one frame and no column", parameter="by", value=None, hint=_HINT)
    if len(of_groups) < 2:
        raise InvalidParameterError(
            f"there are not two groups by {by}, but {', '.join(of_groups) or 'none'}",
            parameter="by",
            value=by,
            hint=_HINT,
        )
    figures, contrasts = _measured(of_groups, confidence)
    radios = {
        str(radio) for each in (frame, other) if each is not None and "radio" in each for radio in _known(each["radio"])
    }
    count = len(contrasts)
    chance = (
        f"Of {count} intervals of {confidence:.0%}, about {count * (1 - confidence):.1f} exclude the truth by chance."
    )
    return Comparison(figures, contrasts, (*NOTES, *([chance] if count > 1 else [])), tuple(sorted(radios)), confidence)


_HINT = "Pass a second frame, or a column that tells groups apart."


def _known(column: Any) -> list[Any]:
    return column.dropna().unique().tolist()


def _measured(of_groups: dict[str, Tables], confidence: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    figures: list[dict[str, Any]] = []
    contrasts: list[dict[str, Any]] = []
    for measure in MEASURES:
        told = {group: measure.measured(of, confidence) for group, of in of_groups.items()}
        if not any(each.of for each in told.values()):
            continue
        facts = {"measure": measure.name, "title": measure.title, "unit": measure.unit}
        figures += [
            facts
            | {"group": group}
            | each.figure._asdict()
            | {"events": each.events, "of": each.of, "basis": each.basis}
            for group, each in told.items()
        ]
        (base, basis), *others = told.items()
        for group, each in others:
            effect = _effect(measure, each, basis, confidence)
            none = 1.0 if measure.is_ratio else 0.0
            contrasts.append(
                {"measure": measure.name, "title": measure.title, "unit": measure.unit, "group": group, "base": base}
                | {"effect": "ratio" if measure.is_ratio else "difference"}
                | effect._asdict()
                | {
                    "differs": effect.low > none or effect.high < none,
                    "detectable": detectable(effect, is_ratio=measure.is_ratio, confidence=confidence),
                }
            )
    columns = ["measure", "title", "unit", "group"]
    return (
        pd.DataFrame(figures, columns=[*columns, *Interval._fields, "events", "of", "basis"]),
        pd.DataFrame(contrasts, columns=[*columns, "base", "effect", *Interval._fields, "differs", "detectable"]),
    )


def _effect(measure: Measure, each: Measured, basis: Measured, confidence: float) -> Interval:
    if measure.is_ratio:
        return rate_ratio(each.events, each.of, basis.events, basis.of, confidence)
    return difference(each.figure, basis.figure)


def _sentence(row: dict[str, Any], one: dict[str, Any], base: dict[str, Any]) -> str:
    said = "; ".join(
        f"{figure['group']} {shown(figure['value'], row['unit'])} ({bounds(figure, row['unit'])}; {figure['basis']})"
        for figure in (base, one)
    )
    few = ", from few events" if min(base["events"], one["events"]) < FEW else ""
    return f"{row['title'][0].upper()}{row['title'][1:]}: {said}: {_verdict(row)}{few}."


def _verdict(row: dict[str, Any]) -> str:
    if row["differs"]:
        return f"differs, {_effect_words(row, 'value')} ({_effect_words(row, 'low')} to {_effect_words(row, 'high')})"
    if math.isnan(row["low"]):
        return "nothing to compare"
    least = row["detectable"]
    if not least < (1.0 if row["unit"] == "share" else _BEYOND if row["effect"] == "ratio" else math.inf):
        return "no difference shown (too few to say which would be)"
    told = f"{number(least, 'times')} times" if row["effect"] == "ratio" else _plain_difference(least, row["unit"])
    return f"no difference shown (smallest detectable about {told})"


def _effect_words(row: dict[str, Any], name: str) -> str:
    value = row[name]
    if row["effect"] == "ratio":
        return f"{number(value, 'times')} times" if math.isfinite(value) else "any number of times"
    return ("+" if value > 0 else "−") + _plain_difference(abs(value), row["unit"]) if math.isfinite(value) else "any"


def _plain_difference(value: float, unit: str) -> str:
    return f"{value * 100:.0f} points" if unit == "share" else shown(value, "dB" if unit == "dBm" else unit)


def shown(value: float, unit: str) -> str:
    """A figure with its unit, as people read it; a dash where it is missing."""
    return f"{number(value, unit)} {unit}" if math.isfinite(value) and unit != "share" else number(value, unit)


def bounds(figure: dict[str, Any], unit: str) -> str:
    """The interval in words."""
    return f"{number(figure['low'], unit)} to {number(figure['high'], unit)}"


def number(value: float, unit: str) -> str:
    """A figure without its unit; a share in percent."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    told = f"{value:.0%}" if unit == "share" else f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return told.replace("-", "−")


def _plain(frame: Any) -> list[dict[str, Any]]:
    return [
        {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in row.items()}
        for row in frame.to_dict("records")
    ]
