"""`sam deploy --guided`, run until it needs credentials, is the dialogue that docs/deploy.md shows."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.system import ROOT
from tests.docs.markdown import blocks

PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def dialogue(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What SAM's real CLI writes, without credentials, when every question is answered with Enter."""
    folder = tmp_path_factory.mktemp("guided")
    for name in ("template.yaml", "samconfig.toml"):
        shutil.copy(ROOT / name, folder)
    sam = str(Path(sys.executable).with_name("sam"))
    command = [sam, "deploy", "--guided", "--template-file", "template.yaml"]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
    }
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=folder, env=environment, input="\n" * 60, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def questions(text: str) -> list[str]:
    """The questions of a dialogue, each with what Enter answers."""
    return [part.strip() for part in re.split(r"[\t\n]", text) if re.search(r"\[.*\]: *$", part)]


def test_enter_throughout_does_not_abort_but_comes_to_the_deployment(dialogue: str) -> None:
    assert "Looking for resources needed for deployment" in dialogue
    assert "Unable to locate credentials" in dialogue
    assert "no authentication" not in dialogue
    assert "Security Constraints" not in dialogue


def test_the_page_shows_the_dialogue_word_for_word(dialogue: str) -> None:
    shown = next(block for block in blocks(PAGE, "text") if block.startswith("Stack Name"))

    assert questions(shown) == questions(dialogue)


def test_the_defaults_of_the_dialogue_are_productions(dialogue: str) -> None:
    asked = questions(dialogue)

    assert {
        "Stack Name [solvimon-rillet]:",
        "Parameter LogLevel [INFO]:",
        "Parameter LogRetentionDays [365]:",
        "Parameter ArchiveRetentionDays [365]:",
        # Enter at its question would be no, and deploy nothing.
        "Confirm changes before deploy [y/N]:",
    } <= set(asked)
    assert "dev" not in " ".join(asked)
