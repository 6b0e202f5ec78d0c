#!/bin/bash
# The machine's second stage: the host's own root file system is mounted, nothing runs yet. Starts D-Bus and BlueZ, runs
# the job, tells its exit code on the console, and powers off.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/shm /dev/pts
mount -t devpts pts /dev/pts
for place in /run /tmp.guest /dev/shm; do mkdir -p "$place" && mount -t tmpfs tmpfs "$place"; done
ip link set lo up

# ecdh needs a random generator that is not loaded by itself.
for module in drbg jitterentropy_rng ecdh_generic cmac ccm bluetooth hci_vhci; do modprobe "$module"; done
if [ -b /dev/vda ]; then
    modprobe ext4
    mkdir -p /mnt/disk
    mount /dev/vda /mnt/disk
fi

mkdir -p /run/dbus /var/lib/bluetooth
mount -t tmpfs tmpfs /var/lib/bluetooth
dbus-uuidgen --ensure
dbus-daemon --system --fork
/usr/libexec/bluetooth/bluetoothd --nodetach >/run/bluetoothd.log 2>&1 &

job=$(sed -n 's/.*\btk\.job=\([^ ]*\).*/\1/p' /proc/cmdline)
bash "$job" </dev/null 2>&1
code=$?
# On a line of its own, whatever the job printed last.
printf '\n@@exit %s\n' "$code"
sync
echo o >/proc/sysrq-trigger
sleep 60
