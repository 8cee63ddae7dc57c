#!/bin/sh
# Makes the network of a lab in the network namespace that it is started in: a bridge without any
# way out. Says "ready", and holds the namespace for as long as its standard input is open.
set -eu
: "${LAB_HUB_CIDR:?}" "${LAB_HUB_MAC:?}"

ip link set lo up
# A port that is taken off the bridge must get no answer: the cut of a VM is then complete.
echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore
if [ -e /proc/sys/net/ipv6 ]; then echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6; fi
# Without an address of its own a bridge changes it with its ports, and every VM asks anew for it.
ip link add lab0 address "$LAB_HUB_MAC" type bridge
ip address add "$LAB_HUB_CIDR" dev lab0
ip link set lab0 up

echo ready
exec cat >/dev/null
