#!/bin/sh
# Ends the making of a tree of Debian; runs outside of it.
#   tree.sh TREE LISTS    LISTS: a folder that takes the signed lists apt used
set -eu
tree=$1
lists=$2

cp "$tree"/var/lib/apt/lists/*_InRelease "$lists/"
# mmdebstrap left the mirror of this machine there; nodes have one of their own.
find "$tree/etc/apt/sources.list.d" -type f ! -name debian.sources -delete
rm -f "$tree/etc/apt/sources.list"

# Each node has an identity of its own, which its first boot makes.
: > "$tree/etc/machine-id"
rm -f "$tree/var/lib/dbus/machine-id" "$tree"/etc/ssh/ssh_host_*

chroot "$tree" passwd --quiet --lock root
# systemd-resolved hands on what DHCP says and listens nowhere.
ln -sf ../run/systemd/resolve/resolv.conf "$tree/etc/resolv.conf"
rm -f "$tree/etc/.resolv.conf.systemd-resolved.bak"
# A node is replaced by a newer image and not changed in place, and nobody logs in.
chroot "$tree" systemctl --quiet disable ssh.service apt-daily.timer \
    apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    e2scrub_reap.service getty@.service
chroot "$tree" systemctl --quiet enable systemd-networkd.service \
    systemd-resolved.service systemd-timesyncd.service exordos-grow-root.service

rm -rf "$tree"/var/lib/apt/lists/* "$tree"/var/cache/apt/*.bin
find "$tree/var/log" -type f -delete
