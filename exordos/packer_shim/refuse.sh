#!/usr/bin/env bash
echo "the node image is built by \`make image\`: run packer_shim/exordos-build" >&2
exit 1
