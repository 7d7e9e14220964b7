"""What people search for, and the codes they sign in with, stand in addresses: nobody on the way writes those down.

NGINX logs paths without queries (tests/stack); what lies behind it logs no request at all.
"""

import re

from tests.cluster import knative, programs
from tests.cluster.kubectl import Thing
from tests.knative import kourier

ACCESS_LOG = "enable-service-access-logging"
REQUEST_LOG = "logging.enable-request-log"


def test_kouriers_gateway_logs_no_request(production: list[Thing]) -> None:
    """Its log, on unless it is told otherwise, has each request's whole path."""
    assert kourier.settings(production)["config"]["kourier"] == {ACCESS_LOG: "false"}
    # Nothing judges the name but Kourier's controller, which passes over one that it does not know.
    known = kourier.release(production)["ConfigMap/config-kourier"]["data"]["_example"]
    assert re.search(rf"^{ACCESS_LOG}: ", known, re.MULTILINE)


def test_knative_logs_no_request(production: list[Thing]) -> None:
    """queue-proxy and activator do so only when they are asked."""
    assert REQUEST_LOG not in kourier.settings(production)["config"].get("observability", {})
    try:
        things = knative.release()
    except programs.GoMissingError:
        return
    (config,) = [t for t in things if (t["kind"], t["metadata"]["name"]) == ("ConfigMap", "config-observability")]
    assert f'{REQUEST_LOG}: "false"' in config["data"]["_example"]
