"""Rounds in, a markdown table out."""

from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Round:
    """One server under one workload, once.

    Attributes:
        rate: Requests a second.
        cpu: CPU microseconds of the server a request.
        p99: Milliseconds within which 99 % of the answers came.
    """

    rate: float
    cpu: float
    p99: float


def markdown(title: str, rounds: dict[str, list[Round]], reference: str | None) -> str:
    """One workload's table: medians over rounds, cheapest server first.

    Args:
        title: The workload.
        rounds: Server -> its rounds.
        reference: The server whose CPU a request is 1 in the last column, the median of the
            rounds' ratios; None leaves the column out.
    """
    middle = {
        name: Round(
            median(one.rate for one in some),
            median(one.cpu for one in some),
            median(one.p99 for one in some),
        )
        for name, some in rounds.items()
    }
    base = rounds.get(reference) if reference is not None else None
    ratio_head = f" | {reference} = 1" if base else ""
    lines = [
        f"### {title}",
        "",
        f"| server | requests/s | CPU µs a request (lowest - highest) | p99 ms{ratio_head} |",
        "|---|---:|---:|---:" + ("|---:|" if base else "|"),
    ]
    for name, one in sorted(middle.items(), key=lambda item: item[1].cpu):
        costs = [each.cpu for each in rounds[name]]
        cells = [
            name,
            f"{one.rate:,.0f}",
            f"{one.cpu:.1f} ({min(costs):.1f} - {max(costs):.1f})",
            f"{one.p99:.2f}",
        ]
        if base:
            # Round by round: both were measured within seconds of each other.
            pairs = zip(rounds[name], base, strict=True)
            cells.append(ratio(median(own.cpu / other.cpu for own, other in pairs)))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def ratio(share: float) -> str:
    """``1/8.2`` for something 8.2 times cheaper, ``1.3`` for something dearer.

    >>> ratio(20 / 164), ratio(1.3)
    ('1/8.2', '1.3')
    """
    return f"1/{1 / share:.1f}" if share < 1 else f"{share:.1f}"
