"""TLS on the way to an operator's own PostgreSQL."""

import contextlib

import pytest

from tests import box, certificates
from tests.onebox import own_server, tls
from tests.onebox.own_server import config, refused


@pytest.fixture(scope="module")
def server():
    """A server with a password on a TCP port."""
    with own_server.running() as found:
        yield found


@contextlib.contextmanager
def front(server, folder, address):
    """TLS before the server, and the file of who issued its certificate."""
    issued = certificates.issue(address)
    pair, authority = folder / "pair.pem", folder / "authority.pem"
    pair.write_text(issued.certificate.chain + issued.certificate.key)
    authority.write_text(issued.authority)
    with tls.before(server.port, pair) as found:
        yield found, authority


def asked(server, url, through, authority):
    """The address of the database behind the front, which has to prove itself."""
    return (
        f"{url.replace(f':{server.port}/', f':{through.port}/')}"
        f"?sslmode=verify-full&sslrootcert={authority}&{tls.DIRECT}"
    )


def test_every_connection_is_encrypted(server, tmp_path, new_box):
    made = new_box("minio")
    name, url = server.database()
    with front(server, tmp_path, "127.0.0.1") as (through, authority):
        made.up(config(made, asked(server, url, through, authority)))
        made.client().create("/instances/demo/buckets", {"name": "first"})
        made.client().wait_active("/instances/demo/buckets/first", box.ACTIVE_S)

        seen = f"SELECT client_port FROM pg_stat_activity WHERE datname = '{name}'"
        ports = {port for (port,) in server.run(seen)}
        assert len(ports) >= 3 and ports <= through.ports
        made.down()


def test_a_server_that_can_not_prove_itself_gets_no_password(server, tmp_path, new_box):
    made = new_box("minio")
    _, url = server.database()
    with front(server, tmp_path, "127.0.0.2") as (through, authority):
        said = refused(
            server, made, config(made, asked(server, url, through, authority))
        )
    assert "does not match" in said

    other = tmp_path / "other.pem"
    other.write_text(certificates.issue("127.0.0.1").authority)
    with front(server, tmp_path, "127.0.0.1") as (through, _):
        said = refused(server, made, config(made, asked(server, url, through, other)))
    assert "SSL error" in said


def test_a_server_without_tls_is_refused_where_the_address_asks_for_it(server, new_box):
    made = new_box("minio")
    _, url = server.database()

    said = refused(server, made, config(made, f"{url}?sslmode=require"))

    assert "server does not support SSL" in said
