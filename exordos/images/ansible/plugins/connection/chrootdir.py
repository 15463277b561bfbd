"""A connection into an unpacked tree by chroot(8); ansible-core brings none."""

from __future__ import annotations

import os
import shlex

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as LocalConnection

DOCUMENTATION = """
name: chrootdir
short_description: apply a play to an unpacked tree
description:
  - Runs modules by chroot(8) in a directory of this machine; needs root.
  - Only the tree's files are there, and neither /proc nor a running systemd.
extends_documentation_fragment:
  - connection_pipelining
options:
  root:
    description: Absolute path of the tree.
    required: true
    vars:
      - name: ansible_chroot_dir
"""


class Connection(LocalConnection):
    """The local connection with every command and path moved below the tree."""

    transport = "chrootdir"
    has_pipelining = True

    def exec_command(self, cmd, in_data=None, sudoable=False):
        """Run a shell command in the tree; no other account is changed to."""
        # The parent hands `executable=` to Popen, which would replace the first word
        # of a list of arguments: so it is one string.
        words = ["chroot", self._tree(), "/bin/sh", "-c", cmd]
        inside = f"exec {shlex.join(words)}"
        return super().exec_command(inside, in_data=in_data, sudoable=False)

    def put_file(self, in_path, out_path):
        """Copy a file into the tree."""
        super().put_file(in_path, self._inside(out_path))

    def fetch_file(self, in_path, out_path):
        """Copy a file out of the tree."""
        super().fetch_file(self._inside(in_path), out_path)

    def _inside(self, path):
        return os.path.join(self._tree(), path.lstrip("/"))

    def _tree(self):
        root = self.get_option("root")
        real = os.path.realpath(root)
        if not os.path.isabs(root) or not os.path.isdir(real) or real == "/":
            raise AnsibleConnectionFailure(
                f"ansible_chroot_dir must be the absolute path of a tree, not {root!r}"
            )
        return real
