// SPDX-License-Identifier: Apache-2.0
// malloc(3) for a program of one thread that lives for milliseconds. musl's own maps and unmaps memory for every few
// pieces, which took swrunc a hundred system calls. Here pieces are cut from chunks; a piece that is freed is kept for
// the next one of its class, and only large ones go back to the kernel. swrunc's linker gives these functions libc's names
// (Package.swift); a compiler that knew them by those would leave out what they write beside their pieces.
#include <features.h>
#ifndef __GLIBC__
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

void *brief_malloc(size_t size);
void brief_free(void *piece);
void *brief_calloc(size_t count, size_t size);
void *brief_realloc(void *piece, size_t size);
size_t brief_malloc_usable_size(void *piece);
void *brief_aligned_alloc(size_t alignment, size_t size);
void *brief_memalign(size_t alignment, size_t size);
int brief_posix_memalign(void **result, size_t alignment, size_t size);

enum { unit = 16, chunk_size = 64 << 10, class_count = 48, mapped = 48 };

/// Before each piece.
struct header {
    uint32_t class; ///< or `mapped`: a mapping of its own
    uint32_t shift; ///< bytes from the start of the piece to its first usable one, beyond this header
    size_t capacity;
};
_Static_assert(sizeof(struct header) == unit, "pieces are aligned");

struct free_piece {
    struct free_piece *next;
};

static struct free_piece *free_pieces[class_count];
static char *chunk, *chunk_end;

/// 16, 32, … 128, and from there four classes for each doubling, up to 128 KiB.
static size_t capacity_of(unsigned class) {
    if (class < 8) return unit * (class + 1);
    size_t base = (size_t)128 << (class - 8) / 4;
    return base + base / 4 * ((class - 8) % 4 + 1);
}

static unsigned class_of(size_t size) {
    if (size <= 128) return size ? (unsigned)((size - 1) / unit) : 0;
    unsigned doublings = 63 - (unsigned)__builtin_clzl((size - 1) / 128);
    size_t base = (size_t)128 << doublings;
    return 8 + 4 * doublings + (unsigned)((size - 1 - base) / (base / 4));
}

static void *map(size_t length, int flags) {
    void *found = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    if (found != MAP_FAILED) return found;
    errno = ENOMEM;
    return NULL;
}

static void *with_header(char *start, unsigned class, size_t capacity) {
    *(struct header *)start = (struct header){.class = class, .capacity = capacity};
    return start + unit;
}

static struct header *header_of(void *piece) { return (struct header *)((char *)piece - unit); }

/// The rest of the chunk before is lost: at most 128 KiB of it, of which only what was used is memory.
static void *cut(unsigned class) {
    size_t capacity = capacity_of(class), needed = unit + capacity;
    if ((size_t)(chunk_end - chunk) < needed) {
        size_t length = needed > chunk_size ? (needed + 4095) & ~(size_t)4095 : chunk_size;
        char *fresh = map(length, needed > chunk_size ? 0 : MAP_POPULATE);
        if (!fresh) return NULL;
        chunk = fresh;
        chunk_end = fresh + length;
    }
    char *start = chunk;
    chunk += needed;
    return with_header(start, class, capacity);
}

void *brief_malloc(size_t size) {
    if (size > PTRDIFF_MAX - 2 * unit) return errno = ENOMEM, NULL;
    unsigned class = class_of(size);
    if (class >= class_count) {
        char *start = map(unit + size, 0);
        return start ? with_header(start, mapped, size) : NULL;
    }
    struct free_piece *found = free_pieces[class];
    if (!found) return cut(class);
    free_pieces[class] = found->next;
    return found;
}

void brief_free(void *piece) {
    if (!piece) return;
    struct header *header = header_of((char *)piece - header_of(piece)->shift);
    if (header->class == mapped) {
        int kept = errno;
        munmap(header, unit + header->capacity);
        errno = kept;
        return;
    }
    struct free_piece *freed = (struct free_piece *)(header + 1);
    freed->next = free_pieces[header->class];
    free_pieces[header->class] = freed;
}

void *brief_calloc(size_t count, size_t size) {
    size_t length;
    if (__builtin_mul_overflow(count, size, &length)) return errno = ENOMEM, NULL;
    void *piece = brief_malloc(length);
    if (piece && header_of(piece)->class != mapped) memset(piece, 0, length);
    return piece;
}

size_t brief_malloc_usable_size(void *piece) { return piece ? header_of(piece)->capacity - header_of(piece)->shift : 0; }

void *brief_realloc(void *piece, size_t size) {
    if (!piece) return brief_malloc(size);
    size_t before = brief_malloc_usable_size(piece);
    if (size <= before) return piece;
    void *larger = brief_malloc(size);
    if (!larger) return NULL;
    memcpy(larger, piece, before);
    brief_free(piece);
    return larger;
}

/// `alignment` is a power of two.
void *brief_aligned_alloc(size_t alignment, size_t size) {
    if (alignment <= unit) return brief_malloc(size);
    if (size > PTRDIFF_MAX - alignment) return errno = ENOMEM, NULL;
    char *piece = brief_malloc(size + alignment);
    if (!piece) return NULL;
    size_t shift = -(uintptr_t)piece & (alignment - 1);
    if (shift == 0) return piece;
    struct header header = *header_of(piece);
    header.shift = (uint32_t)shift;
    *header_of(piece + shift) = header;
    return piece + shift;
}

void *brief_memalign(size_t alignment, size_t size) { return brief_aligned_alloc(alignment, size); }

int brief_posix_memalign(void **result, size_t alignment, size_t size) {
    void *piece = brief_aligned_alloc(alignment, size);
    if (!piece) return ENOMEM;
    *result = piece;
    return 0;
}
#endif
