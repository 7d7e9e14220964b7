"""The migrations and purge, as the cluster runs them."""

import json
from typing import Any

import pytest

from tests.cluster.nanoka import SPACE, Nanoka
from tests.cluster.product import finish
from tests.cluster.run import wait_for

pytestmark = pytest.mark.quiet
OLD = "gen_random_uuid(), now() - interval '200 hours', gen_random_uuid(), 'user', 'long ago'"


def add_old_message(nanoka: Nanoka) -> None:
    """A message that expired yesterday."""
    nanoka.stand_ins.postgres.execute(
        f"INSERT INTO messages (conversation_id, created_at, id, role, text) VALUES ({OLD})"
    )


def old_messages(nanoka: Nanoka) -> int:
    rows = nanoka.stand_ins.postgres.execute(
        "SELECT count(*) FROM messages WHERE created_at < now() - interval '168 hours'"
    )
    found: Any = rows[0][0]
    return int(found)


def run(nanoka: Nanoka, name: str, thing: dict[str, Any], account: str | None = None) -> str:
    """Run a Job of a template under another name; its output. Raises RuntimeError with its log when it fails."""
    job = nanoka.job(name, thing)
    if account:
        job["spec"]["template"]["spec"]["serviceAccountName"] = account
        job["spec"]["backoffLimit"] = 0
    nanoka.kubectl.apply(job)
    try:
        finish(nanoka.plane, name)
        return nanoka.kubectl("logs", f"job/{name}", SPACE)
    finally:
        nanoka.kubectl("delete", "job", name, SPACE, "--wait=false")


def test_the_migrations_run_again_without_harm(nanoka: Nanoka) -> None:
    before = nanoka.stand_ins.postgres.execute("SELECT name FROM migrations ORDER BY name")
    assert before
    assert "applied" not in run(nanoka, "migrate-again", nanoka.kubectl.get("job/migrate", SPACE))
    assert nanoka.stand_ins.postgres.execute("SELECT name FROM migrations ORDER BY name") == before


@pytest.mark.timeout(400)
def test_ops_purge_by_one_command(nanoka: Nanoka) -> None:
    """`kubectl create job --from=cronjob/purge`: with the pod's own identity, of Google's stand-in."""
    add_old_message(nanoka)
    nanoka.kubectl("create", "job", "--from=cronjob/purge", "purge-now", SPACE)
    try:
        finish(nanoka.plane, "purge-now")
        answer = json.loads(nanoka.kubectl("logs", "job/purge-now", SPACE))
    finally:
        nanoka.kubectl("delete", "job", "purge-now", SPACE, "--wait=false")
    assert answer["deleted"]["messages"] >= 1
    assert old_messages(nanoka) == 0


@pytest.mark.timeout(400)
def test_the_schedule_purges(nanoka: Nanoka) -> None:
    """The same CronJob, each minute instead of each hour."""
    add_old_message(nanoka)
    schedule = nanoka.kubectl.get("cronjob/purge", SPACE)
    meta = {"name": "purge-minutely", "namespace": "nanoka"}
    spec = schedule["spec"] | {"schedule": "* * * * *"}
    nanoka.kubectl.apply({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta, "spec": spec})
    try:
        wait_for("the schedule to purge", lambda: old_messages(nanoka) == 0, 180, every=1)
    finally:
        nanoka.kubectl("delete", "cronjob", "purge-minutely", SPACE, "--wait=false")


@pytest.mark.timeout(400)
def test_nobody_else_may_purge(nanoka: Nanoka) -> None:
    """A pod with another account gets a token of its own from Google, and purge does not take it."""
    add_old_message(nanoka)
    with pytest.raises(RuntimeError, match="purge answered 403"):
        run(nanoka, "purge-by-login", nanoka.kubectl.get("cronjob/purge", SPACE), "login")
    assert old_messages(nanoka) >= 1
