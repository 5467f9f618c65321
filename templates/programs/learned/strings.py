def text_of(value):
    """A text, a number as text, or nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if abs(value) >= 1e15 or (value != 0 and abs(value) < 1e-4):
        return None
    return str(int(value)) if value == math.floor(value) else str(value)


def place(text, where):
    """A position: the start or end of the n-th match of a pattern (from the end when negative), or of the text."""
    if where == "first":
        return 0
    if where == "last":
        return len(text)
    pattern, edge, index = where
    match = list(re.finditer(pattern, text))[index]
    return match.start() if edge == "start" else match.end()


def cut(text, start, end):
    if text is None:
        raise LookupError
    first, last = place(text, start), place(text, end)
    if first >= last:
        raise LookupError
    return text[first:last]


def title(text):
    return " ".join([word[:1].upper() + word[1:].lower() for word in text.split(" ")])


def digits(text):
    return re.sub("[^0-9]", "", text)


def tight(text):
    return re.sub("[ \t\r\n]+", "", text)


def unpadded(text):
    return text.lstrip("0") or "0"


def trimmed(text):
    return text.strip(" \t\r\n")
