"""Puts the built binary into the wheel, and names the platform that it is for.

The binary is AUTOSCALER_BINARY, else the release build of this checkout; `build-wheel` makes it.
"""

import os
import re
import sysconfig
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parents[2]


class CustomBuildHook(BuildHookInterface):
    def initialize(self, version, build_data):
        if version == "editable":
            return
        binary = Path(os.environ.get("AUTOSCALER_BINARY") or ROOT / "target/release/autoscaler")
        if not binary.is_file():
            raise FileNotFoundError(f"{binary} is not built: integrations/django/build-wheel DIR builds it")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform(binary.read_bytes())}"
        build_data["shared_scripts"][str(binary)] = "autoscaler"


def platform(binary):
    """The tag of what `binary` needs: on Linux the newest version of glibc that it names."""
    here = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    versions = {tuple(map(int, found)) for found in re.findall(rb"GLIBC_(\d+)\.(\d+)", binary)}
    if not here.startswith("linux_") or not versions:
        return here.replace("linux_", "musllinux_1_1_")
    major, minor = max(versions)
    return here.replace("linux_", f"manylinux_{major}_{minor}_")
