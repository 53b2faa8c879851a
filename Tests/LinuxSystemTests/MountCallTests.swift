// SPDX-License-Identifier: Apache-2.0
import LinuxSystem
import Testing

@Suite("Mount options")
struct MountCallTests {
    @Test("options become flags and data")
    func options() {
        let overlay = MountCall(["index=off", "workdir=/w", "upperdir=/u", "lowerdir=/a:/b", "ro", "nosuid"])
        #expect(overlay.flags == [.readOnly, .noSetUID])
        #expect(overlay.data == ["index=off", "workdir=/w", "upperdir=/u", "lowerdir=/a:/b"])
        let bind = MountCall(["rbind", "rw"])
        #expect(bind.flags == [.bind, .recursive])
        #expect(bind.data.isEmpty)
    }
}
