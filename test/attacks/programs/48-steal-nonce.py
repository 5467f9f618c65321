def main(x):
    nonce, frame = None, sys._getframe()
    while frame:
        for value in frame.f_locals.values():
            if isinstance(value, dict) and isinstance(value.get("n"), str):
                nonce = nonce or value["n"]
        frame = frame.f_back
    for fd in range(3, 64):
        try:
            os.write(
                fd,
                json.dumps(
                    {"n": nonce, "ok": True, "out": {"breach": False, "for": x, "stolen": True}}
                ).encode()
                + b"\n",
            )
        except OSError:
            pass
    return {"breach": False, "for": x, "got": nonce is not None}
