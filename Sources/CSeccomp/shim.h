// The declarations of libseccomp, from Debian's -dev package.
#pragma once
#include <seccomp.h>
