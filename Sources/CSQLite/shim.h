// The declarations of SQLite, from Debian's -dev package.
#pragma once
#include <sqlite3.h>
