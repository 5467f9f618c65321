NUMERAL = re.compile(r"[ ]*[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?[ ]*")


def cell(value, path):
    """What the input has at a path of names and positions, or None."""
    for key in path:
        if isinstance(key, str):
            value = value.get(key) if isinstance(value, dict) else None
        else:
            value = value[key] if isinstance(value, list) and key < len(value) else None
    return value


def number(value):
    """A number, or nan for what is none: no comparison with nan is true."""
    try:
        if isinstance(value, (int, float)):
            value = float(value)
        elif isinstance(value, str) and NUMERAL.fullmatch(value):
            value = float(value)
        else:
            return math.nan
    except OverflowError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def category(value):
    """A name that inputs may share, or None."""
    if isinstance(value, str):
        return shaped(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)) and abs(value) < 1e15 and value == math.floor(value):
        return str(int(value))
    return None
