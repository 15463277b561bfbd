"""Checks rendered manifests as the platform would, with nothing running.

Run it as `python -m manifest_check` in an environment that has the platform's packages:
`exordos/platform-requirements.txt`.

    manifest   a manifest, its resources, and the links in them
    core       Core's own models and schemas
    links      what links, imports, exports and requirements lead to
    storage    what is declared of S3 storage, by the API's own document
    plugin     the plugin, by MetaPaaS's own model
    rights     permissions and grants, by the access table

Each module's `problems` answers sentences that name what is wrong; none is fine.
"""
