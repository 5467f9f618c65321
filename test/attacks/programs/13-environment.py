EXPECTED = ("LANG", "TZ", "PYTHONHASHSEED", "PATH", "HOME", "PWD", "LC_CTYPE", "OPENBLAS_NUM_THREADS")


def main(x):
    found = tryread("/proc/1/environ", "/proc/self/environ")["got"]
    keys = [key for key in os.environ if key not in EXPECTED]
    return {
        "breach": bool(keys or any("SECRET" in text for text in found.values())),
        "got": [keys, list(found)],
    }
