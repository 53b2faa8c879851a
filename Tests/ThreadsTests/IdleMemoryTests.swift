// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Threads

@Suite("Memory of an idle daemon")
struct IdleMemoryTests {
    @Test("only code of files is taken: not data, not the kernel's own, not what a program has made")
    func codeMappings() {
        let maps = """
            55d0c0000000-55d0c0200000 r--p 00000000 fe:00 5343692                    /usr/bin/swrund
            55d0c0200000-55d0c0800000 r-xp 00200000 fe:00 5343692                    /usr/bin/with a space
            55d0c0800000-55d0c0900000 rw-p 00800000 fe:00 5343692                    /usr/bin/swrund
            7f0000000000-7f0000010000 r-xp 00000000 00:00 0
            7f0000020000-7f0000030000 r-xp 00000000 fe:00 12                         /usr/lib/libc.so.6
            7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0                          [vdso]

            """
        #expect(
            IdleMemory.codeMappings(maps) == [0x55d0_c020_0000..<0x55d0_c080_0000, 0x7f00_0002_0000..<0x7f00_0003_0000])
    }

    @Test("the process goes on after a release")
    func release() {
        IdleMemory.release()
        #expect(IdleMemory.codeMappings("nonsense\nzz-1 r-xp 0 0 1 x").isEmpty)
    }
}
