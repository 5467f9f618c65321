def main(x):
    import shutil

    try:
        open("/tmp/s", "wb").write(b"#!/usr/bin/python3\nprint(1)")
        os.chmod("/tmp/s", 0o6755)
        os.execv("/tmp/s", ["s"])
    except OSError as e:
        return {"breach": False, "got": repr(e)[:50]}
