"""The contract between our sources and OpenCV's video input, so that tests can play a device."""

from __future__ import annotations

from typing import Any, Protocol


class Capture(Protocol):
    """What is used of `cv2.VideoCapture`."""

    def isOpened(self) -> bool:
        """Whether there is a device or stream."""
        ...

    def read(self) -> tuple[bool, Any]:
        """Whether there was a picture, and the picture: a new array each time."""
        ...

    def grab(self) -> bool:
        """Go past one picture without decoding it."""
        ...

    def set(self, property_id: int, value: float, /) -> bool:
        """Ask for a property."""
        ...

    def get(self, property_id: int, /) -> float:
        """A property as it is now."""
        ...

    def release(self) -> None:
        """Let the device go."""
        ...
