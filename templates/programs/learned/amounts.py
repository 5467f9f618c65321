def amount(text, index, to=None, decimals=0, grouped=False, width=None):
    """A number of a text, written anew: rounded a half up, or down or up to so many decimals, or with leading zeros."""
    if text is None:
        raise LookupError
    found = re.findall(r"-?[0-9][0-9,]*(?:\.[0-9]+)?|-?\.[0-9]+", text)[:3]
    value = float(found[index].replace(",", ""))
    if abs(value) > 1e12:
        raise LookupError
    if width is not None:
        if value != math.floor(value) or value < 0:
            raise LookupError
        return str(int(value)).zfill(width)
    units = 10**decimals
    if to == "nearest":
        whole = math.floor(value * units + 0.5)
    else:
        whole = math.floor(value * units + 1e-9) if to == "below" else math.ceil(value * units - 1e-9)
    front, back = divmod(abs(whole), units)
    written = "{:,}".format(front) if grouped else str(front)
    return ("-" if whole < 0 else "") + written + (".%0*d" % (decimals, back) if decimals else "")
