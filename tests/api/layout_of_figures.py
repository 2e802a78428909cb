"""What is wrong with the layout of a figure: texts that leave the page, tick labels that run into each other."""

from __future__ import annotations

from typing import Any

SLACK = 2.0
"""Pixels by which a box may miss: rounding, and the air around letters."""


def layout_faults(figure: Any) -> list[str]:
    """Return what a reader would complain of, in words; an empty list where nothing is amiss."""
    figure.canvas.draw()
    texts = [*figure.texts, *([figure._suptitle] if figure._suptitle else [])]
    for ax in figure.axes:
        if not ax.get_visible():
            continue
        legend = ax.get_legend()
        texts += [ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label, *ax.texts]
        texts += legend.get_texts() if legend else []
        texts += [*tick_labels(ax.xaxis), *tick_labels(ax.yaxis)]
    for legend in figure.legends:
        texts += legend.get_texts()
    shown = [text for text in texts if text.get_visible() and text.get_text().strip()]
    faults = [f"{text.get_text()!r} leaves the page" for text in shown if not inside(text, figure)]
    for ax in figure.axes:
        for axis in (ax.xaxis, ax.yaxis) if ax.get_visible() else ():
            boxes = [(text.get_text(), text.get_window_extent().padded(-SLACK)) for text in tick_labels(axis)]
            faults += [
                f"tick labels {a!r} and {b!r} overlap"
                for k, (a, one) in enumerate(boxes)
                for b, other in boxes[k + 1 :]
                if one.overlaps(other)
            ]
    return faults


def tick_labels(axis: Any) -> list[Any]:
    """Return the labels of ticks that are drawn."""
    low, high = sorted(axis.get_view_interval())
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    return [
        tick.label1
        for tick in ticks
        if low <= tick.get_loc() <= high and tick.label1.get_visible() and tick.label1.get_text().strip()
    ]


def inside(text: Any, figure: Any) -> bool:
    """Say whether a text lies on the page."""
    box, page = text.get_window_extent(), figure.bbox
    return bool(
        box.x0 >= page.x0 - SLACK
        and box.y0 >= page.y0 - SLACK
        and box.x1 <= page.x1 + SLACK
        and box.y1 <= page.y1 + SLACK
    )
