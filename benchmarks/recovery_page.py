"""The page on coverage, written from the studies that `benchmarks.recovery` has made."""

from __future__ import annotations

import textwrap

import numpy as np
from scipy import stats

from benchmarks.recovery import FAR, LEVEL, Study

FULL = 2000
"""Data sets of a complete study."""
WIDTH = 125


def page(found: list[Study]) -> str:
    """Return the page."""
    parts = [["# Do the intervals hold?"], _paragraph(_how(found)), *map(_paragraph, _outcome(found)), tables(found)]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _paragraph(text: str) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), WIDTH, break_long_words=False, break_on_hyphens=False)


def _how(found: list[Study]) -> str:
    made = sorted({each.made for each in found if each.made})
    when = f"Made on {' and '.join(sorted({each.split()[0] for each in made}))}. " if made else ""
    fewer = [f"{each.family} at {each.rows:,} ({_tried(each):,})" for each in sorted(found) if _tried(each) < FULL]
    short = f"Fewer data sets had: {', '.join(fewer)}. " if fewer else f"Every study has {FULL:,} data sets. "
    error = np.sqrt(LEVEL * (1.0 - LEVEL) / FULL)
    return f"""
    Data drawn again and again from known coefficients of every parameter, fitted from default starts; counted is how often
    the 95 % Wald limits (expected information) hold each coefficient. The simulation error of a coverage from {FULL:,} data
    sets is {error:.4f}; every family and size has a random stream of its own, so that what chance does to one tells
    nothing of another. "Far" counts the coefficients whose coverage is further from {LEVEL} than {FAR:g} of its own errors,
    of which chance makes one in {0.5 / stats.norm.sf(FAR):.0f}. "Not fitted" are draws in which no maximum was found, nearly
    all of which have none: degrees of freedom at infinity, inflation at 0 or 1. {when}{short}
    `python -m benchmarks.recovery --found benchmarks/recovery.jsonl --table docs/recovery.md` makes the studies that the
    file lacks and writes this page.
    """


def _tried(each: Study) -> int:
    return each.fits + sum(each.failed.values())


def _outcome(found: list[Study]) -> list[str]:
    """Say for each size, and for each family's largest, how many coefficients are far and how many chance makes so."""
    told = [f"At {rows:,} rows {_chance([each for each in found if each.rows == rows])}" for rows in _sizes(found)]
    largest = {each.family: each for each in sorted(found, key=lambda each: each.rows)}
    more = sorted(name for name, each in largest.items() if each.rows > 1000)
    if more:
        told.append(
            f"With each family's largest size, more than 1,000 rows for {', '.join(more)}, {_chance(list(largest.values()))}"
        )
    return told


def _sizes(found: list[Study]) -> list[int]:
    return sorted({each.rows for each in found})


def _chance(found: list[Study]) -> str:
    total, far = sum(each.far.size for each in found), sum(int(each.far.sum()) for each in found)
    each_far = 2.0 * stats.norm.sf(FAR)
    who = [f"{int(each.far.sum())} of {each.family}" for each in sorted(found) if each.far.any()]
    named = f" ({', '.join(who)})" if who else ""
    return (
        f"{far} of {total} coefficients are far{named}; chance alone makes {total * each_far:.1f}, and as many or more with "
        f"probability {stats.binom.sf(far - 1, total, each_far):.2g}."
    )


def tables(found: list[Study]) -> list[str]:
    """Return the lines of two Markdown tables: of the studies, and of the coefficients far from their level."""
    lines = ["| family | rows | fits | not fitted | mean coverage | lowest | highest | error | far |", "|---" * 9 + "|"]
    for each in sorted(found):
        low, high = int(np.argmin(each.coverage)), int(np.argmax(each.coverage))
        lines.append(
            f"| {each.family} | {each.rows} | {each.fits} | {sum(each.failed.values())} | {each.coverage.mean():.3f} | "
            f"{each.coverage[low]:.3f} ({each.coefficients[low]}) | {each.coverage[high]:.3f} | {each.error:.4f} | "
            f"{int(each.far.sum())} of {each.far.size} |"
        )
    lines += ["", "| far | rows | coefficient | coverage | errors off | mean z |", "|---" * 6 + "|"]
    for each in sorted(found):
        for k in np.flatnonzero(each.far):
            off = (each.coverage[k] - LEVEL) / each.error
            lines.append(
                f"| {each.family} | {each.rows} | {each.coefficients[k]} | {each.coverage[k]:.3f} | {off:+.1f} | "
                f"{each.mean_z[k]:+.2f} |"
            )
    return lines
