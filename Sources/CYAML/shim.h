// The declarations of libyaml, from Debian's -dev package.
#pragma once
#include <yaml.h>
