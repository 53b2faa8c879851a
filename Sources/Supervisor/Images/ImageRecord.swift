// SPDX-License-Identifier: Apache-2.0
package import LinuxSystem
package import Metadata
package import OCISpec

/// The record of an image: a name for a manifest or an index.
package struct ImageRecord: Sendable, Equatable {
    package var name: String
    package var target: Descriptor
    package var labels: Labels
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    package init(name: String, target: Descriptor, labels: Labels = [:], createdAt: Timestamp = .now) {
        self.name = name
        self.target = target
        self.labels = labels
        self.createdAt = createdAt
        updatedAt = createdAt
    }
}
