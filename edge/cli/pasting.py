"""A camera that was found, as text to paste into the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from camera.listing import Device

SETTINGS = ("exposure", "gain", "white_balance", "focus")
"""The controls that change a picture most; fixed values keep a calibration valid."""


def as_yaml(device: Device) -> str:
    """A comment with the device's name and a complete `camera:` section."""
    lines = [f"# {device.name} ({device.node})"]
    if device.trouble is not None:
        lines.append(f"# could not be asked: {device.trouble}")
    lines += ["camera:", "  source: v4l2", f"  device: {device.path}"]
    best = device.best
    if best is not None:
        lines += [
            f"  width: {best.width}",
            f"  height: {best.height}",
            f"  pixel_format: {best.pixel_format!r}",
        ]
    fixed = [f"{name}: {value}" for name, value in device.controls if name in SETTINGS]
    if fixed:
        lines += [
            "  # as they are now; written here they stay so, and automatic modes are off",
            f"  controls: {{{', '.join(fixed)}}}",
        ]
    sizes = sorted({(mode.width, mode.height) for mode in device.modes}, reverse=True)
    if len(sizes) > 1:
        lines.append("  # sizes: " + ", ".join(f"{width}x{height}" for width, height in sizes))
    return "\n".join(lines) + "\n"


def as_json(device: Device) -> dict[str, Any]:
    """The same for programs, with every mode."""
    return {
        "device": str(device.path),
        "node": str(device.node),
        "name": device.name,
        "trouble": device.trouble,
        "modes": [
            {"pixel_format": mode.pixel_format, "width": mode.width, "height": mode.height}
            for mode in device.modes
        ],
        "controls": dict(device.controls),
    }
