def main(x):
    ok = []
    for p in (
        HERE + "/program.py",
        HERE + "/x",
        os.path.dirname(json.__file__) + "/x.py",
        "/x",
        "/loopai/runner.py",
        "/loopai/x",
        "/dev/x",
        "/lib64/x",
    ):
        try:
            open(p, "ab").write(b"#")
            ok.append(p)
        except BaseException as e:
            pass
    return {"breach": bool(ok), "got": ok}
