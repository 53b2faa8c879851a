// The declarations of libcrypt, from Debian's -dev package.
#pragma once
#include <crypt.h>
