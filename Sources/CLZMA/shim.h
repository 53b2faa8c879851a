// The declarations of liblzma, from Debian's -dev package.
#pragma once
#include <lzma.h>

// Macros with casts, which Swift does not see.
static const uint32_t swrun_lzma_flags = LZMA_CONCATENATED | LZMA_TELL_UNSUPPORTED_CHECK;
