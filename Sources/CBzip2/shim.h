// The declarations of libbz2, from Debian's -dev package.
#pragma once
#include <bzlib.h>
