def main(x):
    import fcntl

    try:
        fcntl.flock(os.open(sys.executable, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
        return {"breach": True}
    except OSError as e:
        return {"breach": False, "got": repr(e)[:50]}
