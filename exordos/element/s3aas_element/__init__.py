"""Makes the element `s3aas`; run as `python -m s3aas_element`.

    identity      ids that stay the same in every release
    grants        permissions, roles and who is granted what, from the access table
    versions      the versions of the data plane that are on offer
    urns          how the platform names a file of a release
    image_files   the node image that `make image` left
    release       what a release says, checked
    render        the manifests
    wheel         the plugin's wheel
    package_index a folder that pip and uv install from
    repository    a folder that the platform installs elements from

It reads permissions from `exordos_paas_storage.domain.access` and the plugin's names
from `exordos_paas_storage.plugin.place` alone.
"""
