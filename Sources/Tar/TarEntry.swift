// SPDX-License-Identifier: Apache-2.0

/// One file of a tar archive, as its headers describe it. Names are bytes, as Linux has them, and are not validated yet
/// beyond having no NUL in them.
package struct TarEntry: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case regular
        case hardLink
        case symbolicLink
        case characterDevice
        case blockDevice
        case directory
        case fifo
    }

    package struct ExtendedAttribute: Sendable, Equatable {
        package var name: [UInt8]
        package var value: [UInt8]

        package init(name: [UInt8], value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    package struct Time: Sendable, Equatable {
        package var seconds: Int64
        package var nanoseconds: Int64

        package init(seconds: Int64, nanoseconds: Int64 = 0) {
            self.seconds = seconds
            self.nanoseconds = nanoseconds
        }
    }

    package var kind: Kind
    package var path: [UInt8]
    package var linkTarget: [UInt8] = []
    package var mode: UInt32 = 0
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    /// The size of the file, holes included.
    package var size: Int64 = 0
    package var modified = Time(seconds: 0)
    package var deviceMajor: UInt32 = 0
    package var deviceMinor: UInt32 = 0
    package var extendedAttributes: [ExtendedAttribute] = []
    /// The parts of the file that the archive has data for, in order; nil if it has all.
    package var dataRanges: [Range<Int64>]?

    package init(kind: Kind, path: [UInt8]) {
        self.kind = kind
        self.path = path
    }

    /// The path for messages.
    package var displayPath: String { String(decoding: path.prefix(256), as: UTF8.self) }
}
