// SPDX-License-Identifier: Apache-2.0
import Archive
import DockerAPI
import LinuxSystem

// `--storage-opt size`: a limit of what a container writes into its own layer.
extension ContainerService {
    /// Limits the writable layer, which is new and empty.
    func limitStorage(_ record: ContainerRecord) throws(EngineError) {
        guard let size = storageLimit(record), let upper = try stack(record).upper else { return }
        // Overlay moves files from one to the other, which the kernel does within a project only.
        let directories = [upper, upper.parent / "work"]
        let seed = record.id.utf8.prefix(8).reduce(UInt32(0)) { $0 &* 31 &+ UInt32($1) }
        do throws(SysError) { try ProjectQuota.limit(directories, to: size, seed: seed) } catch {
            throw EngineError(
                .internal,
                "--storage-opt is supported only for overlay over xfs with 'pquota' mount option, or ext4 with 'prjquota' "
                    + "(\(error.description))")
        }
    }

    /// Before the layer is removed.
    func releaseStorage(_ record: ContainerRecord) {
        guard storageLimit(record) != nil, let upper = try? stack(record).upper else { return }
        try? ProjectQuota.release(upper)
    }

    private func storageLimit(_ record: ContainerRecord) -> Int64? {
        let size = record.hostConfig.map("StorageOpt").first { $0.key.lowercased() == "size" }?.value
        return size.flatMap { ByteSize.binary($0) }.flatMap { $0 > 0 ? $0 : nil }
    }
}
