"""What is on screen, as data: a `View` is made of events, so live, playback and life map all draw one."""

from terminal_kit.view.records import Drop, Notice, Point, Reconnecting, Update
from terminal_kit.view.view import View

__all__ = ["Drop", "Notice", "Point", "Reconnecting", "Update", "View"]
