def main(x):
    seen = ["/" + name for name in os.listdir("/")]
    strangers = [path for path in seen if not any((place + "/").startswith(path + "/") for place in VISIBLE)]
    return {"breach": bool(strangers), "got": strangers}
