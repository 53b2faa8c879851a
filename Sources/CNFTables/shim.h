// The declarations of libnftables, from Debian's -dev package.
#pragma once
#include <nftables/libnftables.h>
