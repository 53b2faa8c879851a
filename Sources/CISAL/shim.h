// The declarations of ISA-L (igzip), from Debian's -dev package.
#pragma once
#include <isa-l/igzip_lib.h>
