"""Builds the node image and looks into it; run as `python -m node_image`.

    command      runs a tool; a failure is one clear error
    tools        which commands are needed, and which Debian package has each
    mirror       the state of the package mirror, verified
    rootfs       a tree of Debian as a tar: what containers check and what ships
    packages     the list of packages of a tree
    base_disk    a disk that boots that tree, open to one ssh key for the build
    accelerator  KVM where it really works
    engine       the one engine binary of an image
    packer       the build in a virtual machine
    manifest     what is published beside the image
    filesystem   reads a finished image without booting it
    hygiene      what must not be in it, and what must

It reads names of paths and units from `exordos_paas_storage.nodes.image` alone.
"""
