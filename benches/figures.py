"""Figures as a Markdown table, and as an SVG plot with a logarithmic scale on both axes."""

import math

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 480, 70, 220, 40, 50
COLOURS = ("#1b6ca8", "#d1495b", "#2e8b57", "#e09f3e", "#6a4c93", "#3d3d3d", "#00a6a6", "#b5651d", "#8a8a8a", "#a23b72")


def size(count, unit="B"):
    """Returns a number of bytes, or of what else is counted in powers of two, in a few letters."""
    for prefix in ("", "Ki", "Mi"):
        if count < 1024 or count % 1024 or prefix == "Mi":
            return f"{count:,} {prefix}{unit}".strip()
        count //= 1024


def number(value):
    if value is None:
        return "–"
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def markdown(corner, rows, columns, values, label=size):
    """Returns the table of `values[row, column]`."""
    lines = [f"| {corner} | " + " | ".join(label(column) for column in columns) + " |"]
    lines.append("|---" + "|---:" * len(columns) + "|")
    for row in rows:
        cells = (number(values.get((row, column))) for column in columns)
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def svg(title, x_title, y_title, rows, columns, values, label=size):
    """Returns a plot with a line for each row."""
    known = [value for value in values.values() if value]
    x_range = math.log(min(columns)), math.log(max(columns))
    low, high = math.floor(math.log10(min(known))), math.ceil(math.log10(max(known)))

    def x(column):
        return LEFT + (math.log(column) - x_range[0]) / (x_range[1] - x_range[0]) * (WIDTH - LEFT - RIGHT)

    def y(value):
        return HEIGHT - BOTTOM - (math.log10(value) - low) / max(high - low, 1) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="22" font-size="15">{title}</text>',
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">{x_title}</text>',
        f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">{y_title}</text>',
    ]
    for power in range(low, high + 1):
        at = y(10.0**power)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:,g}</text>')
    for column in columns:
        parts.append(f'<text x="{x(column):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{label(column)}</text>')
    for place, row in enumerate(rows):
        colour = COLOURS[place % len(COLOURS)]
        points = [(x(column), y(values[row, column])) for column in columns if values.get((row, column))]
        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += (f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.5" fill="{colour}"/>' for a, b in points)
        at = TOP + 18 * place + 10
        parts.append(f'<rect x="{WIDTH - RIGHT + 14}" y="{at - 9}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 32}" y="{at + 2}">{row}</text>')
    return "\n".join(parts) + "\n</svg>\n"
