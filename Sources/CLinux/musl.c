// SPDX-License-Identifier: Apache-2.0
// What the Swift standard library and Debian's libseccomp.a expect of libc and musl 1.2.3 does not have.
#include "CLinux.h"

#include <features.h>
#ifndef __GLIBC__
#include <stdio.h>
#include <sys/random.h>

void arc4random_buf(void *bytes, size_t length);

/// Seeds the standard library's hash function.
void arc4random_buf(void *bytes, size_t length) {
    size_t done = 0;
    while (done < length) {
        ssize_t got = getrandom((char *)bytes + done, length - done, 0);
        if (got > 0) done += (size_t)got;
        else if (errno != EINTR) abort();
    }
}

int __fprintf_chk(FILE *file, int flag, const char *format, ...);

/// What glibc's headers make of fprintf(3). libseccomp writes a filter's text with it, which nobody here asks for.
int __fprintf_chk(FILE *file, int flag, const char *format, ...) {
    (void)file, (void)flag, (void)format;
    abort();
}
#endif
