def main(x):
    import base64

    return {
        "breach": hasattr(base64, "EVIL") or hasattr(json, "EVIL") or os.environ.get("EVIL") == "1",
        "got": sys.path,
    }
