"""Bars of the servers' CPU time as an SVG: a panel for each shape, the cheapest server on top."""

import xml.sax.saxutils

PANEL_WIDTH, BAR_HEIGHT, BAR_GAP, HEAD_HEIGHT, MARGIN = 460, 18, 6, 34, 16
NAME_WIDTH, VALUE_WIDTH = 110, 120
COLORS = {"sansock": "#c2410c", "raw": "#475569"}
COLOR_PEER = "#93a8c4"
STYLE = ("text{font:12px system-ui,sans-serif;fill:#1e293b}.title{font-weight:600;font-size:14px}"
         ".spread{stroke:#0f172a;stroke-width:1.5}.axis{stroke:#cbd5e1}")


def text(x, y, content, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}"{extra}>{xml.sax.saxutils.escape(content)}</text>'


def panel(shape, names, ratio, left, top):
    room = PANEL_WIDTH - NAME_WIDTH - VALUE_WIDTH
    largest = max((shape["servers"][name]["cpu_us"]["max"] for name in names), default=1) or 1
    parts = [text(left, top + 16, shape["title"], ' class="title"')]
    for index, name in enumerate(names):
        cpu = shape["servers"][name]["cpu_us"]
        y = top + HEAD_HEIGHT + index * (BAR_HEIGHT + BAR_GAP)
        middle = y + BAR_HEIGHT / 2
        begin = left + NAME_WIDTH
        width, low, high = (room * cpu[key] / largest for key in ("median", "min", "max"))
        parts.append(text(begin - 8, middle + 4, name, ' text-anchor="end"'))
        color = COLORS.get(name.split()[0], COLOR_PEER)
        parts.append(f'<rect x="{begin}" y="{y}" width="{width:.1f}" height="{BAR_HEIGHT}" rx="2" fill="{color}"/>')
        parts.append(f'<line class="spread" x1="{begin + low:.1f}" y1="{middle}" x2="{begin + high:.1f}" y2="{middle}"/>')
        against = ratio(shape, name)
        times = "" if against is None else f"  × {against:.2f}"
        parts.append(text(begin + high + 6, middle + 4, f"{cpu['median']:.3g} µs{times}"))
    bottom = top + HEAD_HEIGHT + len(names) * (BAR_HEIGHT + BAR_GAP)
    parts.append(f'<line class="axis" x1="{left + NAME_WIDTH}" y1="{top + HEAD_HEIGHT - 4}" '
                 f'x2="{left + NAME_WIDTH}" y2="{bottom}"/>')
    return parts


def bars(shapes, order, ratio):
    """`order` gives the servers of a shape, `ratio` what one costs against the raw echo."""
    most = max((len(shape["servers"]) for shape in shapes), default=0)
    height = HEAD_HEIGHT + most * (BAR_HEIGHT + BAR_GAP) + MARGIN
    parts = [text(MARGIN, 24, "CPU time of the server for each message (median; line: lowest to highest round; "
                  "× raw TCP echo). Shorter is better.")]
    for index, shape in enumerate(shapes):
        left = MARGIN + index % 2 * (PANEL_WIDTH + MARGIN)
        top = 44 + index // 2 * height
        parts += panel(shape, order(shape), ratio, left, top)
    width = 2 * PANEL_WIDTH + 3 * MARGIN
    total = 44 + (len(shapes) + 1) // 2 * height
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total}" width="{width}" height="{total}">'
            f'<style>{STYLE}</style><rect width="{width}" height="{total}" fill="#ffffff"/>'
            + "".join(part + "\n" for part in parts) + "</svg>\n")
