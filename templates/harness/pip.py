"""Runs pip, and keeps it from building packages, which is to run their code. Started with `-I`, then pip's arguments.

Wheels only is what pip is told, but it takes that to be about names: what an address or a file leads to is built all the same, also when it
is a wheel that asks for the address.
"""

import os
import runpy
import sys

# What fetches from a repository is started as little as what builds.
REPOSITORIES = {"git", "hg", "svn", "bzr"}


def refuse(event, details):
    if event == "subprocess.Popen":
        executable, arguments = details[:2]
        command = os.fsdecode(executable or arguments[0])
        if command == sys.executable or os.path.basename(command) in REPOSITORIES:
            print("ERROR: not a wheel: it would have to be built or fetched by", command, file=sys.stderr, flush=True)
            os._exit(1)


sys.addaudithook(refuse)
sys.argv[0] = "pip"
runpy.run_module("pip", run_name="__main__", alter_sys=True)
