"""Create ``.venv`` and install the locked packages. Standard library only: it runs before anything is installed.

    python3 worker/install.py          what the program needs
    python3 worker/install.py --dev    and what the tests need

The lock is complete, so packages are installed without resolving: nothing a package asks for on its own
(CUDA, gigabytes of it) can come along. PyTorch's CPU build lives on PyTorch's own index; where that cannot
be reached the rest is installed without a wait, and learners that need torch say so.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
TORCH_CPU = "https://download.pytorch.org/whl/cpu"
OLDEST = (3, 11)


def python() -> Path:
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def main(arguments: list[str]) -> int:
    if sys.version_info < OLDEST:
        return refuse(f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; this is {platform.python_version()}. Set PYTHON=python3.11 (or newer).")
    every = [ROOT / "requirements.txt", ROOT / "requirements-dev.txt"]
    locks = every if "--dev" in arguments else every[:1]
    if stamp(locks).exists() or stamp(every).exists():
        return 0
    try:
        make_environment()
        install(locks)
    except subprocess.CalledProcessError as error:
        return refuse(f"Installing stopped at `{' '.join(map(str, error.cmd[1:6]))} …`. Its output is above; run the same command again to continue.")
    except OSError as error:
        return refuse(f"Cannot write {error.filename or VENV}: {error.strerror}. Choose a folder you may write to.")
    return 0


def refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


def stamp(locks: list[Path]) -> Path:
    """A file that exists once exactly these locks are installed for exactly this Python."""
    what = hashlib.sha256(sys.version.encode() + str(ROOT).encode() + Path(__file__).read_bytes())
    for lock in locks:
        what.update(lock.read_bytes())
    return VENV / f".installed-{len(locks)}-{what.hexdigest()[:12]}"


def make_environment() -> None:
    if not python().exists():
        print(f"Making {VENV.name} with Python {platform.python_version()}", flush=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        except subprocess.CalledProcessError:
            print("On Debian and Ubuntu the module is a package of its own: apt install python3-venv", file=sys.stderr)
            raise


def install(locks: list[Path]) -> None:
    wanted = [line for lock in locks for line in lock.read_text().splitlines() if line and not line.startswith("#")]
    print(f"Installing {len(wanted)} packages, about 2 GB on disk; a minute on a fast line", flush=True)
    if sys.platform == "linux":
        wanted = with_cpu_torch(wanted)
    listed = VENV / "wanted.txt"
    listed.write_text("\n".join(wanted) + "\n")
    pip("install", "--no-deps", "--requirement", str(listed))
    pip("install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    stamp(locks).touch()


def with_cpu_torch(wanted: list[str]) -> list[str]:
    """Install torch's CPU build first; the rest of the list without torch."""
    torch = next(line for line in wanted if line.startswith("torch=="))
    version = torch.split(";")[0].strip()
    arguments = [f"{version}+cpu", "--no-deps", "--retries", "0", "--timeout", "5", "--extra-index-url", TORCH_CPU]
    if pip("install", *arguments, quiet=True, check=False):
        print(f"PyTorch's CPU build was not found at {TORCH_CPU}: learners that need torch stay off until it is installed.", flush=True)
    return [line for line in wanted if line != torch]


def pip(*arguments: str, quiet: bool = False, check: bool = True) -> int:
    command = [str(python()), "-m", "pip", "--disable-pip-version-check", *arguments, "--quiet"]
    environment = {**os.environ, "PIP_NO_INPUT": "1"}
    sink = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, check=check, env=environment, stdout=sink, stderr=sink).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
