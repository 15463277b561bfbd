"""Secrets of a node for tests that render what it is given."""

import base64

from exordos_paas_storage.nodes import port

SECRETS = port.NodeSecrets(
    access_key="ROOTKEYOFTHISENGINE1",
    secret_key="s" * 20 + "t" * 20,
    sse_master_key=base64.b64encode(bytes(range(32))).decode(),
    iam_master_key=base64.b64encode(bytes(range(32, 64))).decode(),
)
