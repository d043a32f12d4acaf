"""The splits once more, slowly: loops over samples, written from the definitions alone."""

from __future__ import annotations

from itertools import combinations

HOUR = 3_600_000_000_000
DAY = 24 * HOUR
PARTS = ("train", "validation", "calibration", "test", "purged", "embargoed")


def walk_forward(start, end, train, validation, calibration, test, step, anchored, embargo):
    """Every window that has a test sample, the last one too, however short: parts by fold."""
    origin, number = min(start) // DAY * DAY, 0
    while True:
        begin = origin + number * (step or test) * DAY
        edges = [begin + days * DAY for days in (train, train + validation, train + validation + calibration, train + validation + calibration + test)]
        if edges[2] > max(start):
            return
        parts = {part: [] for part in PARTS}
        for i, s in enumerate(start):
            for part, low, high in zip(PARTS, [origin if anchored else begin, *edges], edges, strict=False):
                if low <= s < high:
                    parts[part].append(i)
        if parts["test"]:
            clear(parts, start, end, [hull(parts["test"], start, end)], embargo, before=True)
            yield parts
        number += 1


def combined(start, end, groups, tested, embargo):
    """Parts and, for each tested sample, its path, by fold."""
    order = sorted(range(len(start)), key=lambda i: start[i])
    sizes = [len(order) // groups + (g < len(order) % groups) for g in range(groups)]
    blocks = [order[sum(sizes[:g]) : sum(sizes[: g + 1])] for g in range(groups)]
    chosen = list(combinations(range(groups), tested))
    for fold in chosen:
        parts = {part: [] for part in PARTS} | {"test": [i for g in fold for i in blocks[g]], "train": [i for g in range(groups) if g not in fold for i in blocks[g]]}
        runs = []
        for g in fold:
            if runs and runs[-1][-1] == g - 1:
                runs[-1].append(g)
            else:
                runs.append([g])
        clear(parts, start, end, [hull([i for g in run for i in blocks[g]], start, end) for run in runs], embargo, before=False)
        left = parts["train"]
        last, middle = len(left) // 5, len(left) // 10
        parts["train"], parts["validation"], parts["calibration"] = left[: len(left) - last - middle], left[len(left) - last - middle : len(left) - last], left[len(left) - last :]
        give_way(parts, start, end)
        yield {part: sorted(rows) for part, rows in parts.items()}, {i: [other for other in chosen if g in other].index(fold) for g in fold for i in blocks[g]}


def hull(rows, start, end):
    return min(start[i] for i in rows), max(end[i] for i in rows)


def clear(parts, start, end, tests, embargo, before):
    for part in ("train", "validation", "calibration"):
        for i in list(parts[part]):
            touches = any(start[i] <= high and end[i] >= low for low, high in tests)
            near = any(high < start[i] <= high + embargo * HOUR or (before and low - embargo * HOUR <= end[i] < low) for low, high in tests)
            if touches or near:
                parts[part].remove(i)
                parts["purged" if touches else "embargoed"].append(i)
    if before:
        give_way(parts, start, end)


def give_way(parts, start, end):
    for strong, weak in (("calibration", "train"), ("calibration", "validation"), ("validation", "train")):
        if parts[strong]:
            low, high = hull(parts[strong], start, end)
            gone = [i for i in parts[weak] if start[i] <= high and end[i] >= low]
            parts[weak] = [i for i in parts[weak] if i not in gone]
            parts["purged"] += gone
