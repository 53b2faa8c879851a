// SPDX-License-Identifier: Apache-2.0

/// `Content-Range: 0-1023` of a chunk: both ends count (distribution-spec, "Pushing a blob in chunks").
package struct ChunkRange: Sendable, Equatable {
    package let first: Int64
    package let last: Int64

    package init?(_ text: String) {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = decimal(ends[0]), let last = decimal(ends[1]), first <= last,
            last < Int64.max
        else { return nil }
        self.first = first
        self.last = last
    }

    package var count: Int64 { last - first + 1 }
}

/// The part of a blob that a client wants (RFC 9110 §14.2).
package enum BlobRange: Sendable, Equatable {
    case whole
    case part(first: Int64, count: Int64)
    case unsatisfiable

    /// What is malformed, of another unit or of several parts is ignored, as the RFC allows.
    package init(_ header: String?, size: Int64) {
        self = .whole
        guard let header, header.hasPrefix("bytes=") else { return }
        let ends = header.dropFirst("bytes=".utf8.count).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2 else { return }
        if ends[0].isEmpty {
            guard let count = decimal(ends[1]) else { return }
            let sent = min(count, size)
            self = sent == 0 ? .unsatisfiable : .part(first: size - sent, count: sent)
            return
        }
        guard let first = decimal(ends[0]), let last = ends[1].isEmpty ? .max : decimal(ends[1]), first <= last else {
            return
        }
        self = first >= size ? .unsatisfiable : .part(first: first, count: min(last, size - 1) - first + 1)
    }
}

/// Digits only: no sign, no spaces.
private func decimal(_ text: Substring) -> Int64? {
    text.utf8.allSatisfy { $0 >= 48 && $0 <= 57 } ? Int64(text) : nil
}
