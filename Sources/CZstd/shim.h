// The declarations of libzstd, from Debian's -dev package.
#pragma once
#include <zstd.h>
