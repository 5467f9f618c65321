"""Prints, as JSON, what the interpreter that runs it is and which files it needs to run elsewhere. Started with `-I -S`."""

import glob
import json
import os
import re
import shutil
import site
import subprocess
import sys
import sysconfig

# Folders that hold much more than this interpreter's libraries: of these only single files are named.
CROWDED = {"/lib", "/usr/lib", "/usr/local/lib"}
DATA = ["/etc/ld.so.cache", "/usr/share/zoneinfo", "/usr/lib/locale/C.utf8"]
# What compiled packages may load of the system beside what this interpreter loads itself.
COMMON = ["libstdc++.so.6", "libgcc_s.so.1", "libatomic.so.1", "libz.so.1", "libexpat.so.1"]


def main():
    # Not a shim and not a virtual environment's link: both lead to the interpreter that they stand for.
    base = getattr(sys, "_base_executable", None) or sys.executable
    executable = os.path.realpath(base if os.path.exists(base) else sys.executable)
    folders = [path for path in sys.path if os.path.isdir(path)]
    modules = [path for folder in folders for path in glob.glob(os.path.join(folder, "*.so"))]
    libraries = loaded([executable] + modules)
    crowded = CROWDED.intersection(map(os.path.dirname, libraries))
    common = {os.path.join(folder, name) for folder in crowded for name in COMMON}
    print(
        json.dumps(
            {
                "executable": executable,
                "version": list(sys.version_info[:3]),
                "ctypes": has_ctypes(),
                "ldd": sys.platform != "linux" or shutil.which("ldd") is not None,
                "platform": platform(),
                "sites": [os.path.realpath(path) for path in site.getsitepackages() if os.path.isdir(path)],
                "alternatives": mounts(alternatives()),
                "mounts": mounts([executable] + folders + sorted(libraries | common) + DATA),
            }
        )
    )


def has_ctypes():
    try:
        import ctypes

        return ctypes.CDLL(None) is not None
    except (ImportError, OSError, TypeError):
        return False


def platform():
    """What compiled packages have to be made for."""
    abi = sysconfig.get_config_var("SOABI") or sys.implementation.cache_tag
    return abi if sys.platform == "linux" else abi + "-" + sysconfig.get_platform()


def alternatives():
    """Where the system's own packages find libraries of which there are several, such as BLAS."""
    folder = os.path.join("/usr/lib", sysconfig.get_config_var("MULTIARCH") or "")
    return ["/etc/alternatives", folder] if os.path.isdir("/etc/alternatives") and folder not in CROWDED else []


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
