"""Basic authentication, bearer tokens and client certificates against a real Prometheus that asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cockpit.errors import Denied, Unreachable
from cockpit.source import Secret
from sources.alertmanager import AlertmanagerOptions, AlertmanagerSource
from sources.exposition import ExpositionOptions, ExpositionSource
from sources.prometheus import PrometheusOptions, PrometheusSource
from tests.helpers.certs import Authority
from tests.helpers.http_server import Asked, Said, http_server
from tests.live.collect import Closing, Collected
from tests.live.servers import Alertmanager, Prometheus

PASSWORD = "correct horse"
USERS = "basic_auth_users:\n  ann: $2b$04$5HCALBMnSUPwWBkh62BvFeIHSc6F9rvZC5Dm.U6t7IS410q6BF7gC\n"


class Lab:
    """An authority, a server's certificate, and a client's."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        self.ca = str(self.authority.ca_file)
        self.server = self.authority.issue("127.0.0.1")
        self.client = str(self.authority.issue("ann", client=True))

    def web(self, *, clients: bool) -> str:
        lines = ["tls_server_config:", f"  cert_file: {self.server}", f"  key_file: {self.server}"]
        if clients:
            lines += ["  client_auth_type: RequireAndVerifyClientCert", f"  client_ca_file: {self.ca}"]
        return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="module")
def guarded(lab: Lab) -> Iterator[Prometheus]:
    with Prometheus(web_config=lab.web(clients=False) + USERS) as server:
        yield server


def source_of(server: Prometheus, **options: object) -> PrometheusSource:
    return PrometheusSource("prom", PrometheusOptions(url=server.url, **options))  # type: ignore[arg-type]


async def test_basic_authentication_over_tls(guarded: Prometheus, lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    said = await source_of(guarded, ca_file=lab.ca, user="ann", password=Secret(file=str(file))).check()
    assert said.startswith("Prometheus 2.")
    with pytest.raises(Denied, match="set `user` and `password`"):
        await source_of(guarded, ca_file=lab.ca).check()
    with pytest.raises(Denied, match="check `user` and `password`") as caught:
        await source_of(guarded, ca_file=lab.ca, user="ann", password=Secret(clear="wrong-horse")).check()
    assert "wrong-horse" not in str(caught.value)


async def test_a_certificate_that_nobody_vouches_for_is_refused(guarded: Prometheus) -> None:
    with pytest.raises(Unreachable, match="set `ca_file`"):
        await source_of(guarded, user="ann", password=Secret(clear=PASSWORD)).check()
    blind = source_of(guarded, verify=False, user="ann", password=Secret(clear=PASSWORD))
    assert (await blind.check()).startswith("Prometheus 2.")


async def test_http_to_a_tls_port_says_what_to_look_at(guarded: Prometheus) -> None:
    source = PrometheusSource("prom", PrometheusOptions(url=f"http://{guarded.address}"))
    with pytest.raises(Exception, match=r"HTTP 400|http or https"):
        await source.check()


async def test_client_certificates(lab: Lab, tmp_path: Path, closing: Closing) -> None:
    with Prometheus(web_config=lab.web(clients=True)) as server:
        good = closing(source_of(server, ca_file=lab.ca, client_cert=lab.client))
        await good.poll(Collected())
        with pytest.raises(Denied, match="set `client_cert`"):
            await source_of(server, ca_file=lab.ca).check()
        with pytest.raises(Denied, match="check `client_cert`"):
            await source_of(server, ca_file=lab.ca, client_cert=str(tmp_path / "missing.pem")).check()
        with pytest.raises(Denied, match="check `client_cert`"):
            await source_of(server, ca_file=lab.ca, client_cert=lab.ca, client_key=lab.client).check()
        page = closing(
            ExpositionSource(
                "page", ExpositionOptions(url=f"{server.url}/metrics", ca_file=lab.ca, client_cert=lab.client)
            )
        )
        assert "series" in await page.check()


async def test_alertmanager_behind_the_same_guards(lab: Lab) -> None:
    with Alertmanager(web_config=lab.web(clients=True) + USERS) as server:
        options = AlertmanagerOptions(
            url=server.url,
            ca_file=lab.ca,
            client_cert=lab.client,
            user="ann",
            password=Secret(clear=PASSWORD),
        )
        assert (await AlertmanagerSource("am", options).check()).startswith("Alertmanager 0.")


async def test_a_bearer_token_over_tls(lab: Lab, closing: Closing) -> None:
    def guard(asked: Asked) -> Said:
        if asked.headers.get("authorization") != "Bearer s3cret-token":
            return Said(status=401)
        return Said(body=b'{"status":"success","data":{"version":"9"}}')

    async with http_server(guard, tls=lab.authority.server("127.0.0.1")) as url:
        options: dict[str, Any] = {"url": url, "ca_file": lab.ca, "targets": False, "alerts": False}
        source = closing(
            PrometheusSource("p", PrometheusOptions(**options, bearer=Secret(clear="s3cret-token")))
        )
        await source.poll(Collected())
        with pytest.raises(Denied, match="bearer"):
            await closing(PrometheusSource("p", PrometheusOptions(**options))).poll(Collected())
