"""Prints, as JSON, what the interpreter that runs it is and which files it needs to run elsewhere. Started with `-I -S`."""

import glob
import json
import os
import re
import subprocess
import sys

# Folders that hold much more than this interpreter's libraries: of these only single files are named.
CROWDED = {"/lib", "/usr/lib", "/usr/local/lib"}
DATA = ["/etc/ld.so.cache", "/usr/share/zoneinfo", "/usr/lib/locale/C.utf8"]


def main():
    # Not a shim and not a virtual environment's link: both lead to the interpreter that they stand for.
    base = getattr(sys, "_base_executable", None) or sys.executable
    executable = os.path.realpath(base if os.path.exists(base) else sys.executable)
    folders = [path for path in sys.path if os.path.isdir(path)]
    modules = [path for folder in folders for path in glob.glob(os.path.join(folder, "*.so"))]
    libraries = loaded([executable] + modules)
    print(
        json.dumps(
            {
                "executable": executable,
                "version": list(sys.version_info[:3]),
                "ctypes": has_ctypes(),
                "mounts": mounts([executable] + folders + sorted(libraries) + DATA),
            }
        )
    )


def has_ctypes():
    try:
        import ctypes

        return ctypes.CDLL(None) is not None
    except (ImportError, OSError, TypeError):
        return False


def loaded(binaries):
    """The places of the libraries, as the loader asks for them: their folders, so that what is loaded late is found too."""
    try:
        listing = subprocess.run(["ldd"] + binaries, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    except OSError:
        listing = b""
    places = set()
    for path in re.findall(r"(?:=> |^\s+)(/.*) \(0x", listing.decode("utf-8", "surrogateescape"), re.MULTILINE):
        path = os.path.normpath(path)
        for library in (path, os.path.realpath(path)):
            folder = os.path.dirname(library)
            places.add(library if folder in CROWDED or "/ld-" in library else folder)
    return places


def mounts(paths):
    """Each existing path with its real source; what lies below another one comes with it."""
    found = {path: os.path.realpath(path) for path in paths if os.path.exists(path)}
    return [
        {"source": source, "target": target}
        for target, source in found.items()
        if not any(target.startswith(other + "/") and source == found[other] + target[len(other) :] for other in found)
    ]


main()
