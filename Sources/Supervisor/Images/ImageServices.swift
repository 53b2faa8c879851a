// SPDX-License-Identifier: Apache-2.0
package import ContentStore
package import LinuxSystem
package import Logging
package import Snapshots
package import Threads

/// What the image operations work on; one value for the whole supervisor.
package struct ImageServices: Sendable {
    package let content: ContentStore
    package let images: ImageStore
    package let snapshotter: any Snapshotter
    package let applier: DiffApplier
    package let differ: DiffCreator
    package let pool: BlockingPool
    package let logger: Logger
    let unpacks = InFlight<String>()
    let gate = TransferGate()
    let pins = ContentPins()
    let fetches = InFlight<String>()
    let downloads = TransferSlots()
    let uploads = TransferSlots()

    package init(
        content: ContentStore, images: ImageStore, snapshotter: any Snapshotter, pool: BlockingPool, logger: Logger,
        identities: IdentityMap = IdentityMap()
    ) {
        self.content = content
        self.images = images
        self.snapshotter = snapshotter
        self.pool = pool
        self.logger = logger
        applier = DiffApplier(content: content, identities: identities)
        differ = DiffCreator(content: content, identities: identities)
    }
}
