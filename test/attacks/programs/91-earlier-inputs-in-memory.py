import gc


def main(x):
    if x != "look":
        return {"breach": False}
    needle = b"earlier-" + b"secret"
    found = []
    for thing in gc.get_objects() + [
        value for thing in gc.get_objects() if type(thing) is dict for value in list(thing.values())
    ]:
        if type(thing) in (bytes, bytearray) and needle in thing:
            found.append(type(thing).__name__)
    frame = sys._getframe(1)
    while frame:
        for value in list(frame.f_locals.values()):
            if isinstance(value, (bytes, bytearray)) and needle in value:
                found.append("local")
        frame = frame.f_back
    return {"breach": bool(found), "got": found}
