#!/bin/sh
# Boots a VM: runs as process 1 of fresh network, mount, UTS, IPC and PID namespaces, makes them a
# machine of its own, says "ready" and stays. The VM is off as soon as this process ends, which it
# does when its standard input is closed: by the lab, or by the end of the lab's process.
#
# Arguments: folders of the host that the VM sees, read-only, at the same place.
set -eu
: "${LAB_HUB:?the hub's network namespace}" "${LAB_PORT:?}" "${LAB_MAC:?}" "${LAB_CIDR:?}"
: "${LAB_GATEWAY:?}" "${LAB_CUT:?yes or no}" "${LAB_NAME:?}" "${LAB_BOOT_ID:?}"
: "${LAB_DISK:?its folder}" "${LAB_DIRECTORIES?on the disk}" "${LAB_FILES?on the disk}"
: "${LAB_ROOT:?an empty folder}"

sysctl=$(realpath "$(dirname "$0")/../../../systemd/60-k2hdkc.conf")
hub() { nsenter --net="$LAB_HUB" -- ip "$@"; }

# The network comes first: chmpx aborts where there is only lo. The namespace of an earlier boot is
# taken down by the kernel in its own time; its cable is removed here.
hub link delete "$LAB_PORT" 2>/dev/null || true
hub link add "$LAB_PORT" type veth peer name eth0 address "$LAB_MAC" netns 1
[ "$LAB_CUT" = yes ] || hub link set "$LAB_PORT" master lab0
hub link set "$LAB_PORT" up
ip link set lo up
ip address add "$LAB_CIDR" dev eth0
ip link set eth0 up
ip route add default via "$LAB_GATEWAY"
echo "$LAB_NAME" >/proc/sys/kernel/hostname

# The root is the host's, but what is written to it goes to memory and is gone with the next boot.
mount -t tmpfs -o mode=755 root "$LAB_ROOT"
cd "$LAB_ROOT"
mkdir upper work new
mount -t overlay -o lowerdir=/,upperdir=upper,workdir=work root new

mount -t proc proc new/proc
mount -t sysfs -o ro sysfs new/sys
mount -t tmpfs -o mode=1777 tmp new/tmp
mount -t tmpfs -o mode=755 run new/run
mkdir -m 1777 new/run/lock
mount -t tmpfs -o mode=755 dev new/dev
mkdir new/dev/pts new/dev/shm new/dev/mqueue
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts new/dev/pts
mount -t tmpfs -o mode=1777 shm new/dev/shm
mount -t mqueue mqueue new/dev/mqueue
for name in null zero full random urandom tty; do
  : >"new/dev/$name"
  mount --bind "/dev/$name" "new/dev/$name"
done
ln -s pts/ptmx new/dev/ptmx
ln -s /proc/self/fd new/dev/fd
ln -s fd/0 new/dev/stdin
ln -s fd/1 new/dev/stdout
ln -s fd/2 new/dev/stderr

# The disk: what survives a reboot. It replaces what the host has at these places.
for directory in $LAB_DIRECTORIES; do
  mkdir -p "new$directory"
  mount --bind "$LAB_DISK$directory" "new$directory"
done
for file in $LAB_FILES; do
  rm -f "new$file"
  : >"new$file"
  mount --bind "$LAB_DISK$file" "new$file"
done
for folder in "$@"; do
  mkdir -p "new$folder"
  mount --rbind "$folder" "new$folder"
  mount -o remount,bind,ro "new$folder"
done

# As in an image.
sed -n 's/^fs\.mqueue\.msg_max = //p' "$sysctl" >new/proc/sys/fs/mqueue/msg_max

echo "$LAB_BOOT_ID" >new/run/boot_id
mount --bind new/run/boot_id new/proc/sys/kernel/random/boot_id

mkdir new/.host
cd new
pivot_root . .host
cd /
umount -l /.host
rmdir /.host

echo ready
# Process 1 inherits orphans; with CHLD ignored the kernel clears them away when they end.
exec env --ignore-signal=CHLD cat >/dev/null
