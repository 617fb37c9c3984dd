"""`ministack` in a virtual environment and a process of its own, on loopback."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.system import ROOT

REGION = "eu-central-1"
_REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_HOME = ROOT / "build" / "rehearsal"
_START_SECONDS = 60


@contextmanager
def running() -> Iterator[dict[str, str]]:
    """Run the emulator; yield the environment in which the AWS CLI, SAM and boto3 find it.

    Nothing else is in that environment but the path: no profile, no credentials, no real endpoint.

    Raises:
        SystemExit: it cannot be installed or does not start; with what it wrote.
    """
    python = _installed()
    port = _free_port()
    log = _HOME / "ministack.log"
    folder = _HOME / "work"
    folder.mkdir(exist_ok=True)
    own = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        # It would listen for devices too, on fixed ports of all interfaces.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - what the lock pins
            [str(python.with_name("ministack"))], cwd=folder, env=own, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait_for(port, process, log)
        yield {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "rehearsal",
            "AWS_SECRET_ACCESS_KEY": "rehearsal",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "SAM_CLI_TELEMETRY": "0",
        }
    finally:
        process.terminate()
        process.wait(timeout=30)


def _installed() -> Path:
    """Return the Python of the emulator's environment, which is made when its lock has changed."""
    environment = _HOME / "venv"
    python, stamp = environment / "bin" / "python", environment / ".ready"
    wanted = _REQUIREMENTS.read_text(encoding="utf-8")
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(environment)],
        [*pip, "--require-hashes", "-r", str(_REQUIREMENTS)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    stamp.write_text(wanted, encoding="utf-8")
    return python


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise SystemExit(f"ministack did not start:\n{log.read_text(encoding='utf-8')[-2000:]}")
