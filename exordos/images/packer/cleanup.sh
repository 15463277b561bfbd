#!/bin/sh
# Ends the making of a node image, as root in the machine: takes away what let the build
# in, and everything that would be the same on all nodes but must not be.
#   BASE    debian, or exordos: the platform's base keeps its own ssh
set -eu

if [ "$BASE" = debian ]; then
    # This login goes on; the next one would need a key and a server.
    rm -rf /root/.ssh
    rm -f /etc/systemd/system/multi-user.target.wants/ssh.service
else
    # Not run here.
    rm -f /root/.ssh/authorized_keys /home/*/.ssh/authorized_keys
    cloud-init clean --logs --seed
fi
rm -f /etc/ssh/ssh_host_*

# Both say who a node is: the first boot makes new ones.
: > /etc/machine-id
rm -f /var/lib/dbus/machine-id
# It would write a new seed when the machine goes off.
systemctl stop systemd-random-seed.service
rm -f /var/lib/systemd/random-seed
rm -rf /var/lib/systemd/timers

rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/apt/archives/*.deb
rm -rf /var/cache/exordos-s3
rm -rf /root/.ansible /home/*/.ansible
rm -f /root/.*_history /home/*/.*_history
rm -f /var/lib/dpkg/*-old /var/cache/debconf/*-old /etc/*- /etc/.*.lock

# From now on the journal is in memory: going off leaves no trace either.
journalctl --relinquish-var
rm -rf /var/log/journal
find /var/log -type f -delete
# Where this script itself is, and what Ansible left.
find /tmp /var/tmp -mindepth 1 -delete

sync
# What was deleted is gone from the disk too, and the image stays small.
fstrim /
