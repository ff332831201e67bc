"""The image and the compose file, as far as they can be checked without an engine: part of ``make check``."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OUR_SERVICES = {"worker", "listener", "beat", "sandbox"}
KEYS_OF_A_SERVICE = {
    "build", "cap_drop", "command", "depends_on", "env_file", "environment", "healthcheck", "image", "init", "network_mode",
    "profiles", "read_only", "restart", "security_opt", "stop_grace_period", "tmpfs", "volumes",
}  # fmt: skip


def test_the_services_are_there():
    assert set(SERVICES) == OUR_SERVICES | {"redis", "postgres"}
    assert {name for name, service in SERVICES.items() if "profiles" in service} == {"sandbox"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_well_formed(name):
    service = SERVICES[name]
    assert set(service) <= KEYS_OF_A_SERVICE
    assert isinstance(service.get("command", []), list)
    assert "image" in service
    assert set(service.get("depends_on", [])) <= set(SERVICES)
    assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= set(COMPOSE["volumes"])
    health = service.get("healthcheck")
    assert health is None or health.get("disable") is True or health["test"][0] in {"CMD", "CMD-SHELL"}


def test_images_are_pinned_to_a_version():
    images = [service["image"] for service in SERVICES.values()] + re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert [image for image in images if not re.search(r":\d", image)] == []


def test_redis_keeps_what_it_is_told():
    command = SERVICES["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"
    assert "redis:/data" in SERVICES["redis"]["volumes"]


def test_no_secret_stands_in_the_file():
    password = SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD"]
    assert password.startswith("${POSTGRES_PASSWORD:?")
    assert "${POSTGRES_PASSWORD:?" in SERVICES["worker"]["environment"]["PROSPECT_SYNC_DATABASE_URL"]


def test_only_the_worker_is_asked_for_its_health():
    assert {name for name in OUR_SERVICES if SERVICES[name].get("healthcheck") == {"disable": True}} == {
        "beat",
        "listener",
        "sandbox",
    }
    assert "HEALTHCHECK" in DOCKERFILE


def test_the_image_runs_as_nobody_in_particular_from_the_locks():
    last_stage = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
    assert "USER 10001:10001" in last_stage
    assert "pip install" not in last_stage
    installs = [line for line in DOCKERFILE.splitlines() if "pip install" in line]
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)


def test_what_the_image_copies_is_let_through_and_exists():
    copied = {
        source
        for line in DOCKERFILE.splitlines()
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    }
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert {source.split("/")[0] for source in copied} == let_through
    assert [source for source in copied if not (ROOT / source).exists()] == []
