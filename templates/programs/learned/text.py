# Character classes and case are spelled out, because the tables of Python versions differ.
LOWER = {code: chr(code).lower()[0] for codes in (@@CASED@@) for code in codes}
LOWER[0x3C2] = "\u03c3"  # final sigma
TOKEN = re.compile(r"@@TOKEN@@")

LINK = re.compile(r"@@LINK@@")
MAIL = re.compile(r"@@MAIL@@")
IBAN = re.compile(r"@@IBAN@@")
IBAN_START = re.compile(r"(?<=[a-z])[0-9]{2}")
NUMBER = re.compile(r"@@NUMBER@@")
NUMBER_BLANKS = re.compile(r"[ .,/-]")


def pieces(value, order, name):
    """All text of the input; booleans and the whole part of numbers become words like urgent_true and amount_12."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bool):
        yield name + ("_true" if value else "_false")
    elif isinstance(value, (int, float)):
        if abs(value) < 1e15:
            yield "%s_%d" % (name, math.floor(value))
    elif isinstance(value, list):
        for item in value:
            yield from pieces(item, order, name)
    elif isinstance(value, dict):
        for key in order:
            if key in value:
                yield from pieces(value[key], order[key], key)
        for key in sorted(value.keys() - order.keys()):
            yield from pieces(value[key], {}, key)


def tokenize(text):
    """Words and symbols of a text, in order."""
    return TOKEN.findall(shaped(text)[:@@LONGEST_TEXT@@])


def shaped(text):
    """In lower case; what could identify somebody is replaced by its kind, here as in learning."""
    text = text.lower() if text.isascii() else text.translate(LOWER)
    if "://" in text or "www." in text:
        text = LINK.sub(" _link_ ", text)
    if "@" in text:
        text = MAIL.sub(" _mail_ ", text)
    if IBAN_START.search(text):
        text = IBAN.sub(" _iban_ ", text)
    return NUMBER.sub(number_shape, text)


def number_shape(match):
    return " _number%d_ " % len(NUMBER_BLANKS.sub("", match.group()))
